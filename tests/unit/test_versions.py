"""How a person names a version of an engine, and what is run, listed or refused then."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from harness import registry
from harness.backends import images
from harness.cli import mdrill, selection, versions
from harness.drill import plan
from harness.errors import EnvironmentProblem, UsageError
from harness.model import Drill
from harness.ports import Recipe
from harness.servers.throwaway import ThrowawayServer
from harness.testing import FakeBackend, FakeServer, fake_engine

ENGINES = registry.engines().values()
STAND_INS = [engine.at(v) for engine in ENGINES for v in engine.recipe.suites]


def test_a_name_with_a_version_is_that_engine_of_that_version():
    """Its images are those of the version, whether or not Debian has it."""
    engine = registry.engine("postgres:16.3")
    assert (engine.name, engine.label) == ("postgres", "postgres:16.3")
    recipe = engine.recipe
    assert (recipe.image, recipe.stand_in) == ("postgres:16.3", "migration-drill/postgres:16.3")
    assert registry.engine("postgres").label == "postgres"
    assert registry.engine("postgres").recipe.asked == ""


@pytest.mark.parametrize("name", ["postgres:", "postgres:17-alpine", "postgres:17.", "mysql:9:7"])
def test_what_is_no_version_is_refused_with_the_way_to_name_an_image(name):
    with pytest.raises(UsageError, match=r"wanted a version.*--image \w+=IMAGE") as told:
        registry.engine(name)
    assert name in str(told.value)


def test_an_unknown_engine_with_a_version_lists_the_known_ones():
    with pytest.raises(UsageError, match="Known: mariadb, mysql, postgres"):
        registry.engine("postgress:17")


def test_engines_are_named_in_lists_and_one_by_one():
    """With commas, repeated, or both; each once, in the order of their names."""
    words = ("postgres:15, postgres:17", "mariadb", "postgres:15,")
    assert selection.named(words) == ("postgres:15", "postgres:17", "mariadb")


@pytest.mark.parametrize(
    "asked, told, admitted",
    [
        ("17", "17.12 (Debian 17.12-0+deb13u1)", True),
        ("17", "18.6 (Debian 18.6-3)", False),
        ("1", "17.12", False),
        ("10.1", "10.11.19-MariaDB-0+deb12u1", False),
        ("10.11", "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu", True),
        ("18", "18beta1 (Debian 18~beta1-1)", True),
        ("9.7", "9.7.4-2", True),
        ("17", "no number", False),
        ("", "no number", True),
    ],
)
def test_a_version_is_what_the_server_itself_says(asked, told, admitted):
    recipe = registry.engine(f"postgres:{asked}" if asked else "postgres").recipe
    assert recipe.admits(told) is admitted


def test_a_server_of_another_version_is_never_run_on():
    """A name of an image is no proof; the server that was started is removed again."""
    server = FakeServer()
    engine = versions_of_fake(server, "2")
    with pytest.raises(EnvironmentProblem, match=r"fake:2 was asked for.*it is 1\.0"):
        ThrowawayServer(FakeBackend([server]), engine)
    assert server.destroyed
    server = FakeServer()
    ThrowawayServer(FakeBackend([server]), versions_of_fake(server, "1")).close()


def versions_of_fake(server, version):
    engine = fake_engine(server)
    engine.recipe, engine.label = engine.recipe.at(version), f"fake:{version}"
    return engine


def test_trials_of_two_versions_are_told_apart():
    """By their ids, in the matrix and for --only."""
    scenarios = selection.scenarios()[:1]
    engines = [registry.engine(name) for name in ("postgres:15", "postgres:17", "postgres")]
    made = plan.make(Drill("d", "D"), scenarios, engines, 1)
    by_engine = {t.engine: [u.id for u in made.trials if u.engine == t.engine] for t in made.trials}
    assert list(by_engine) == ["postgres:15", "postgres:17", "postgres"]
    assert len({len(ids) for ids in by_engine.values()}) == 1
    assert len({trial.id for trial in made.trials}) == len(made.trials)
    assert all("/postgres:15/" in identity for identity in by_engine["postgres:15"])


class Here:
    """A Docker engine with these images of PostgreSQL."""

    def __init__(self, monkeypatch, **found):
        docker, local = versions.DockerBackend, versions.LocalBackend
        here = {v.removeprefix("v"): image for v, image in found.items()}
        monkeypatch.setattr(docker, "available", lambda _: None)
        monkeypatch.setattr(docker, "versions_here", lambda _, recipe: here)
        monkeypatch.setattr(docker, "cannot_run", lambda _, r: None if r.version in here else "no")
        monkeypatch.setattr(local, "available", lambda _: None)
        monkeypatch.setattr(
            local, "cannot_run", lambda _, r: None if r.admits("18.6") else "it is an 18.6"
        )


def test_versions_are_listed_with_what_would_run_or_what_brings_them(monkeypatch):
    """Those that Debian has, and whatever else is here; by number, not by letter."""
    Here(monkeypatch, v9="postgres:9", v17="migration-drill/postgres:17")
    told = CliRunner().invoke(mdrill, ["images"]).output.splitlines()
    assert [line.split(maxsplit=1) for line in told if line.startswith("postgres")] == [
        ["postgres:9", "postgres:9"],
        ["postgres:15", "next: mdrill images build postgres:15"],
        ["postgres:17", "migration-drill/postgres:17"],
        ["postgres:18", "programs of this machine"],
    ]


def test_a_version_that_cannot_be_had_is_refused_with_those_that_can(monkeypatch):
    """Nothing runs in its place."""
    Here(monkeypatch, v17="migration-drill/postgres:17")
    backend, _ = selection.backend("auto", "run", ["postgres:16"], {})
    with pytest.raises(EnvironmentProblem) as told:
        selection.engines(["postgres:16"], backend, {}, asked=True)
    assert told.value.exit_code == 4
    for part in (
        "postgres:16 cannot be had: ",
        "postgres:15 (`mdrill images build postgres:15`)",
        "postgres:17 (here)",
        "postgres:18 (here)",
        "`docker pull postgres:16`",
    ):
        assert part in str(told.value)


def test_auto_goes_where_the_version_is(monkeypatch):
    Here(monkeypatch, v17="migration-drill/postgres:17")
    chosen = {
        n: selection.backend("auto", "run", [n], {})[0] for n in ("postgres:17", "postgres:18")
    }
    assert {name: backend.name for name, backend in chosen.items()} == {
        "postgres:17": "docker",
        "postgres:18": "local",
    }


def test_an_image_and_a_version_may_both_be_named(monkeypatch):
    """As the line that runs a trial again does; the server's answer is held against the version."""
    Here(monkeypatch)
    engines, _ = selection.engines(
        ["postgres:16"], selection.DockerBackend("run"), {"postgres": "my/postgres"}, asked=True
    )
    assert [engine.label for engine in engines] == ["postgres:16"]


# ---------------------------------------------------------------------- stand-ins


def recipes() -> list[Recipe]:
    return [engine.recipe for engine in STAND_INS]


def test_what_can_be_built_is_what_debian_has():
    """The suites of the versions, and the one that each engine runs unasked is among them."""
    assert {engine.label: engine.recipe.suites[engine.recipe.asked] for engine in STAND_INS} == {
        "mariadb:10.11": "bookworm",
        "mariadb:11.8": "trixie",
        "mysql:9.7": "sid",
        "postgres:15": "bookworm",
        "postgres:17": "trixie",
        "postgres:18": "sid",
    }
    assert all(engine.recipe.version in engine.recipe.suites for engine in ENGINES)


def test_a_version_without_a_suite_is_not_built():
    with pytest.raises(UsageError, match=r"postgres:16.*Known: postgres:15, postgres:17, postgres"):
        images.build(registry.engine("postgres:16").recipe, print)


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.stand_in)
def test_a_stand_in_is_built_of_its_version_on_the_base_of_its_suite(recipe, monkeypatch):
    """One base for all of a suite; the tag tells the version, and the Dockerfile gets it."""
    ran = []
    monkeypatch.setattr(images, "_run", lambda argv, _deadline: ran.append(argv) or "id")
    monkeypatch.setattr(images, "_docker_must_answer", lambda: None)
    assert images.build(recipe, lambda _: None) == f"migration-drill/{recipe.engine}:{recipe.asked}"
    base = f"migration-drill/base:{recipe.suites[recipe.asked]}"
    looked, built = ran
    assert looked[-1] == base
    assert f"BASE={base}" in built
    assert f"VERSION={recipe.asked}" in built
    assert built[built.index("--tag") + 1] == recipe.stand_in


@pytest.mark.parametrize("engine", [engine.name for engine in ENGINES])
def test_no_recipe_has_a_version_of_its_own(engine):
    """What is built is what was asked for, and a build of another version fails."""
    text = (images.RECIPES / engine / "Dockerfile").read_text("utf-8")
    assert re.search(r"^ARG VERSION$", text, re.MULTILINE)
    assert "${VERSION}" in text
    assert "Check-Valid-Until=false" in text
    assert "Check-Date=false" in text
    assert not re.search(r"sid|trixie|bookworm", text)
