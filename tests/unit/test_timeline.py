"""The record only grows, from any thread, and no secret is ever in it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from cattrs import BaseValidationError
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.record.events import (
    OF_A_TRIAL,
    ApplicationError,
    Clock,
    ServerLog,
    Span,
    StepTaken,
    WitnessSeen,
)
from harness.record.timeline import Event, Timeline, read, told
from harness.sweep.events import OF_A_SWEEP
from harness.sweep.rollback import Leads

SECRET = "Zq7-secret_word"
json_data = st.dictionaries(
    st.text(min_size=1).filter(lambda key: key not in ("t_ns", "lane", "kind")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(json_data)
def test_an_event_survives_its_file(data: dict) -> None:
    """What is read back is what was added, whatever text the database answered."""
    event = Event(17, WitnessSeen("victim", "it broke", data))
    line = event.to_json()
    assert "\n" not in line
    assert Event.read(json.loads(line)) == event


@given(json_data)
def test_a_kind_that_is_not_known_is_kept_as_it_was(data: dict) -> None:
    """A record of a later version can be read, and written again."""
    told = {**data, "t_ns": 17, "lane": "space", "kind": "comet"}
    assert json.loads(Event.read(told).to_json()) == told


@pytest.mark.parametrize("kind", OF_A_TRIAL.values(), ids=OF_A_TRIAL)
def test_an_older_record_may_lack_any_field(kind: type) -> None:
    """And an explicit null is as good as nothing: each has its default."""
    edge = "end" if issubclass(kind, Span) else ""
    word = f"{kind.KIND}.{edge}" if edge else kind.KIND
    told = {"t_ns": 1, "kind": word, **dict.fromkeys(vars(kind()))}
    assert Event.read(told) == Event.read({"t_ns": 1, "kind": word}) == Event(1, kind(), edge)


def test_events_of_many_threads_are_whole_and_in_order(tmp_path: Path) -> None:
    """No line is torn, no event lost, and the times never go back."""
    timeline = Timeline(tmp_path / "events.jsonl")
    start = threading.Barrier(8)

    def add(worker: int) -> None:
        start.wait()
        for n in range(200):
            timeline.add(ApplicationError(f"{worker}", f"{n} {'x' * 200}"))

    threads = [threading.Thread(target=add, args=(w,)) for w in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timeline.close()
    events = read(tmp_path / "events.jsonl")
    assert events == timeline.events()
    assert [e.t_ns for e in events] == sorted(e.t_ns for e in events)
    for worker in range(8):
        errors = [event.what for event in told(events, ApplicationError)]
        own = [int(e.message.split()[0]) for e in errors if e.code == f"{worker}"]
        assert own == list(range(200))


def test_a_secret_is_nowhere_in_the_record(tmp_path: Path) -> None:
    """Neither in the file nor in memory nor in what a listener is told, however deep it is."""
    heard: list[Event] = []
    timeline = Timeline(tmp_path / "events.jsonl", heard.append)
    timeline.redact(SECRET)
    timeline.add(ServerLog(f"dsn=postgres://root:{SECRET}@host"))
    deep = {"list": [{"of": (f"a{SECRET}b",)}], SECRET: 1}
    timeline.add(WitnessSeen("log", "", {**deep, "error": ValueError(f"login with {SECRET}")}))
    with timeline.span(StepTaken(name=SECRET)) as found:
        found["did"] = SECRET
    timeline.close()
    assert SECRET not in (tmp_path / "events.jsonl").read_text("utf-8")
    assert SECRET not in repr(heard) + repr(timeline.events())
    assert "********" in repr(timeline.events())


def test_each_event_is_on_disk_before_the_next(tmp_path: Path) -> None:
    """The harness may be killed at any time: what had happened can be told."""
    path = tmp_path / "events.jsonl"
    timeline = Timeline(path)
    for n in range(1, 4):
        timeline.add(ServerLog(f"line {n}"))
        assert read(path)[-1].what == ServerLog(f"line {n}")
    timeline.close()


def test_a_line_cut_short_ends_the_record(tmp_path: Path) -> None:
    """Everything before it counts; nothing behind it does."""
    path = tmp_path / "events.jsonl"
    whole = [Event(n, ServerLog(f"line {n}")).to_json() for n in range(3)]
    for cut in range(1, len(whole[2])):
        path.write_text("\n".join(whole[:2]) + "\n" + whole[2][:cut], "utf-8")
        assert [event.t_ns for event in read(path)] == [0, 1]


def test_what_was_cut_short_is_taken_away_before_the_record_goes_on(tmp_path: Path) -> None:
    """What is added then is not glued to half a line."""
    path = tmp_path / "events.jsonl"
    path.write_text(Event(1, ServerLog("whole")).to_json() + "\n" + '{"t_ns": 2, "ki', "utf-8")
    timeline = Timeline(path, continued=True)
    timeline.add(ServerLog("more"))
    timeline.close()
    assert [event.what.text for event in told(read(path), ServerLog)] == ["whole", "more"]


def test_a_whole_line_that_is_none_of_ours_is_told_with_its_place(tmp_path: Path) -> None:
    """Somebody edited it: the file, the line and the field."""
    path = tmp_path / "events.jsonl"
    path.write_text('{"t_ns": 1, "kind": "tick", "ok": "many"}\n', "utf-8")
    with pytest.raises(UsageError, match=r"events\.jsonl:1: no event of ours: .*ok"):
        read(path)


def test_a_span_tells_how_it_ended(tmp_path: Path) -> None:
    """ok, the time it took and, where it failed, why; the exception goes on."""
    timeline = Timeline()
    with timeline.span(StepTaken(n=1)) as found:
        found["did"] = "something"
    with pytest.raises(RuntimeError), timeline.span(StepTaken(n=2)):
        raise RuntimeError("no")
    steps = told(timeline.events(), StepTaken)
    assert [event.edge for event in steps] == ["begin", "end"] * 2
    good, bad = [event.what for event in steps if event.edge == "end"]
    assert (good.ok, good.did, good.n) == (True, "something", 1)
    assert (bad.ok, bad.error, bad.n) == (False, "RuntimeError: no", 2)
    assert good.took_ns >= 0


def test_the_wall_clock_is_noted_once() -> None:
    """Everything else is monotonic; the first event says what time it was."""
    (first,) = Timeline().events()
    assert isinstance(first.what, Clock)
    assert first.what.wall.startswith("20")


def test_a_word_of_ours_is_read_as_the_word_that_it_is() -> None:
    """Not as text that looks like it; a word that is none is told as such."""
    told = {"kind": "way-back", "rollback": {"leads": "fails"}}
    assert Event.read(told, OF_A_SWEEP).what.rollback.leads is Leads.FAILS
    with pytest.raises(BaseValidationError):
        Event.read({"kind": "healing", "grade": "excellent"}, OF_A_SWEEP)
