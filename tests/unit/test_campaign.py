"""Many trials on few servers: what is tried again, what is not, and what is left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made_of import scenario, trial
from test_verdict import NOT_HELD, event, record, turned, without

from harness.drill import campaign as campaign_module
from harness.drill.campaign import Campaign
from harness.errors import EnvironmentProblem, Interrupted
from harness.model import Trial
from harness.record.run_folder import RunFolder
from harness.record.timeline import Timeline
from harness.testing import FakeBackend, FakeServer, fake_engine

INCONCLUSIVE = without("fired")
FAIL = turned("claim", NOT_HELD, name="mended")
BAD_CONTROL = turned("control", {"ok": False})


def ERROR(events):  # noqa: N802
    problem = event("problem", verdict="ERROR", reason="ServerLost", message="gone")
    return [*events[:-1], problem, events[-1]]


def PASS(events):  # noqa: N802
    return events


class World:
    """A campaign whose trials end as told, on fake servers; everything around them is real."""

    def __init__(self, folder: RunFolder) -> None:
        self.script: dict[str, list[Callable]] = {}
        self.ran: list[tuple[str, object]] = []
        self.during: Callable[[], None] = lambda: None
        self.backend = FakeBackend()
        self.folder = folder
        self.campaign: Campaign | None = None

    def run(self, trials: list[Trial], **options):
        engine = fake_engine(FakeServer())
        world = self

        class DrillServer:
            def __init__(self, backend, _engine, _image=None):
                self.server = backend.start(_engine.recipe)

            def close(self):
                self.server.destroy()

        class TrialRun:
            def __init__(self, trial, lane, folder, *_args, **_more):
                self.trial, self.lane = trial, lane

            def run(self):
                world.ran.append((self.trial.id, self.lane.server))
                world.during()
                change = world.script.get(self.trial.id, [PASS]).pop(0)
                timeline = Timeline()
                told = record(id=self.trial.id, purpose=self.trial.purpose)
                timeline.events = lambda: change(told)
                return timeline

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(campaign_module, "DrillServer", DrillServer)
            patch.setattr(campaign_module, "TrialRun", TrialRun)
            self.campaign = Campaign(self.backend, {"fake": engine}, {}, self.folder, **options)
            return self.campaign.run(trials)

    @property
    def all_gone(self) -> bool:
        return all(server.destroyed for server in self.backend.servers)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(RunFolder.create(tmp_path, "run"))


@pytest.mark.parametrize(
    "script, purpose, verdicts",
    [
        ([PASS], "recovery", ["PASS"]),
        ([INCONCLUSIVE, PASS], "recovery", ["INCONCLUSIVE", "PASS"]),
        ([INCONCLUSIVE] * 3, "recovery", ["INCONCLUSIVE"] * 3),
        ([FAIL], "recovery", ["FAIL"]),
        ([ERROR], "recovery", ["ERROR"]),
        ([INCONCLUSIVE], "no-injection", ["INCONCLUSIVE"]),
        ([INCONCLUSIVE], "decoy", ["INCONCLUSIVE"]),
    ],
)
def test_only_what_could_not_be_proved_is_tried_again(world, script, purpose, verdicts) -> None:
    """At most as often as allowed; a FAIL is never tried until it passes."""
    cell = trial(purpose=purpose)
    world.script[cell.id] = list(script)
    found = world.run([cell], attempts=3)
    assert [result.verdict for result in found] == verdicts
    assert [result.attempt for result in found] == list(range(1, len(verdicts) + 1))


def test_a_control_that_fails_would_fail_again(world) -> None:
    """The migration is wrong by itself: one attempt is enough to say so."""
    cell = trial()
    world.script[cell.id] = [BAD_CONTROL]
    assert len(world.run([cell], attempts=3)) == 1


def test_every_attempt_has_its_own_folder(world) -> None:
    """The first one's record is evidence too, and stays."""
    cell = trial()
    world.script[cell.id] = [INCONCLUSIVE, PASS]
    world.run([cell], attempts=2)
    assert len(list(world.folder.path.glob("*/trial.json"))) == 2


def test_trials_share_a_server_until_it_breaks(world) -> None:
    """After an ERROR the next trial gets a new one; all of them are gone at the end."""
    trials = [trial(name) for name in ("a", "b", "c", "d")]
    world.script[trials[1].id] = [ERROR]
    found = world.run(trials)
    assert [result.verdict for result in found] == ["PASS", "ERROR", "PASS", "PASS"]
    servers = [server for _, server in world.ran]
    assert servers[0] is servers[1]
    assert servers[1] is not servers[2]
    assert servers[2] is servers[3]
    assert (len(world.backend.servers), world.all_gone) == (2, True)


def test_several_servers_share_the_work(world) -> None:
    """Each trial runs once, on one of them."""
    trials = [trial(f"t{n}") for n in range(12)]
    together = threading.Barrier(3, timeout=30)
    first = threading.local()

    def meet() -> None:
        if not getattr(first, "done", False):
            first.done = True
            together.wait()

    world.during = meet
    world.run(trials, jobs=3)
    assert sorted(name for name, _ in world.ran) == sorted(t.id for t in trials)
    assert (len(world.backend.servers), world.all_gone) == (3, True)


@pytest.mark.parametrize("error", [Interrupted(15), KeyboardInterrupt(), ValueError("a bug")])
def test_nothing_is_left_whatever_ends_it(world, error: BaseException) -> None:
    """A signal or a bug in the middle: no further trial begins, every server is gone."""
    trials = [trial(f"t{n}") for n in range(5)]

    def strike() -> None:
        if len(world.ran) == 3:
            raise error

    world.during = strike
    with pytest.raises(type(error)):
        world.run(trials)
    assert (len(world.ran), world.all_gone) == (3, True)
    assert [result.id for result in world.campaign.results] == [t.id for t in trials[:2]]


def test_a_machine_without_servers_says_so(world) -> None:
    """The backend's own sentence reaches the caller, and no trial was begun."""
    world.backend.refuses = "no image of fake"
    with pytest.raises(EnvironmentProblem, match="no image of fake"):
        world.run([trial()])
    assert world.ran == []


def test_rounds_are_kept_apart(world) -> None:
    """The second round of a cell does not overwrite the first."""
    first = trial(scenario=scenario())
    found = world.run([first, replace(first, round=2)])
    assert len({result.id for result in found}) == 2
    assert len(list(world.folder.path.glob("*/trial.json"))) == 2
