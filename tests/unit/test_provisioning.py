"""What `make setup` does on which machine, with the machine made up."""

from __future__ import annotations

import os
import shutil

import pytest

from harness import registry
from harness.backends import images as stand_ins
from harness.cli import provisioning, selection
from harness.errors import EnvironmentProblem

POSTGRES, MYSQL, MARIADB = (registry.engine(name) for name in ("postgres", "mysql", "mariadb"))


class Machine:
    """Which images and programs there are, what apt is told, and what is built."""

    def __init__(self, monkeypatch):
        self.docker = True
        self.registry = False
        self.images = set()
        self.programs = {"postgres"}
        self.tools = {"apt-get"}
        self.root = True
        self.done = []
        self._patch(monkeypatch)

    def _patch(self, monkeypatch):
        docker, local = provisioning.DockerBackend, provisioning.LocalBackend
        set_on = monkeypatch.setattr
        set_on(docker, "available", lambda _: None if self.docker else "no Docker engine answers")
        set_on(docker, "image_here", lambda _, r: "image" if r.engine in self.images else "")
        set_on(docker, "cannot_run", lambda _, r: self._pull(r.engine))
        set_on(local, "cannot_run", lambda _, r: self._missing(r))
        set_on(shutil, "which", lambda name: f"/bin/{name}" if name in self.tools else None)
        set_on(os, "geteuid", lambda: 0 if self.root else 1000)
        set_on(provisioning, "_run", self._apt)
        set_on(stand_ins, "build", self._build)

    def _pull(self, engine):
        if self.registry and engine not in self.images:
            self.done.append(f"pull {engine}")
            self.images.add(engine)
        return None if engine in self.images else f"no image of {engine}"

    def _missing(self, recipe):
        here = recipe.engine in self.programs
        return None if here else f"no program. Install it ({recipe.fetch_hint})"

    def _apt(self, argv):
        words = [word for word in argv[1:] if not word.startswith("-") and "::" not in word]
        self.done.append(" ".join(["apt", *words]))
        self.tools |= {"debootstrap"} & set(words)
        self.programs |= {"mariadb"} if "mariadb-server-core" in words else set()

    def _build(self, recipe, _say):
        if "debootstrap" not in self.tools:
            raise EnvironmentProblem("debootstrap is missing")
        self.done.append(f"build {recipe.engine}")
        self.images.add(recipe.engine)

    def mend(self):
        """What was done, and what was said."""
        self.done.clear()
        said = []
        provisioning.mend(said.append)
        return list(self.done), "\n".join(said)


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


def test_where_all_is_there_nothing_is_done(machine):
    """So that `make setup` takes no time before every other goal."""
    machine.images |= {"postgres", "mysql"}
    assert machine.mend() == ([], "")


def test_images_are_pulled_where_a_registry_answers(machine):
    """The official ones; no package is installed then."""
    machine.registry = True
    assert machine.mend()[0] == ["pull postgres", "pull mysql"]
    assert machine.mend() == ([], "")


def test_without_a_registry_stand_ins_are_built(machine):
    """debootstrap is brought first if it is missing, once."""
    done, _ = machine.mend()
    assert done == ["apt update", "apt install debootstrap", "build postgres", "build mysql"]
    assert machine.mend() == ([], "")


def test_without_docker_mariadb_is_installed_as_root(machine):
    """Once; its packages start no service."""
    machine.docker = False
    done, _ = machine.mend()
    assert done == ["apt update", "apt install mariadb-server-core mariadb-client"]
    assert machine.mend() == ([], "")


@pytest.mark.parametrize(
    "tool, command",
    [
        ("apt-get", "sudo apt-get install -y --no-install-recommends mariadb-server-core"),
        ("brew", "brew install mariadb"),
        ("dnf", "sudo dnf install -y mariadb-server"),
    ],
)
def test_who_is_not_root_is_told_the_one_command(machine, tool, command):
    """Nothing is installed, and setup goes on."""
    machine.docker, machine.root, machine.tools = False, False, {tool}
    done, said = machine.mend()
    assert done == []
    assert command in said


def test_a_stand_in_that_cannot_be_built_does_not_end_the_setup(machine):
    """Its next move is told, and local programs are brought instead."""
    machine.tools = set()
    done, said = machine.mend()
    assert done == []
    assert "debootstrap is missing" in said
    assert "Next: " in said


AUTO = ("auto", "run", ("postgres", "mysql"), {})


def test_auto_takes_docker_when_every_image_can_be_had(machine):
    """And says why."""
    machine.images |= {"postgres", "mysql"}
    backend, why = selection.backend(*AUTO)
    assert (backend.name, why.count("\n")) == ("docker", 0)
    assert "every image can be had" in why


def test_auto_takes_local_processes_when_an_image_is_missing(machine):
    """The daemon alone is not enough; the reason is told in the same line."""
    machine.images |= {"postgres"}
    backend, why = selection.backend(*AUTO)
    assert backend.name == "local"
    assert why == "backend: local processes (no image of mysql)"


def test_an_image_asked_for_needs_docker(machine):
    """Local processes would silently run something else."""
    assert selection.backend("auto", "run", ("mysql",), {"mysql": "mysql:8.4"})[0].name == "docker"
    machine.docker = False
    with pytest.raises(EnvironmentProblem, match="without --image"):
        selection.backend("auto", "run", ("mysql",), {"mysql": "mysql:8.4"})


class Shelf:
    """A backend that has these engines and no others."""

    def __init__(self, *there: str) -> None:
        self.there = there

    def cannot_run(self, recipe) -> str | None:
        here = recipe.engine in self.there
        return None if here else f"no program of {recipe.engine}. Install it ({recipe.fetch_hint})"


def test_an_engine_that_was_named_is_that_engine():
    """MariaDB is no answer to a question about MySQL; what to do next is told."""
    with pytest.raises(EnvironmentProblem, match=r"no program of mysql.*--engine mariadb") as told:
        selection.engines(["mysql"], Shelf("mariadb", "postgres"), {}, asked=True)
    assert told.value.exit_code == 4
    with pytest.raises(EnvironmentProblem, match="no program of mysql"):
        selection.engines(["mysql"], Shelf("postgres"), {}, asked=True)


def test_where_nobody_named_an_engine_its_kin_stands_in_and_is_told():
    engines, notes = selection.engines(
        ["postgres", "mysql"], Shelf("mariadb", "postgres"), {}, asked=False
    )
    assert [engine.name for engine in engines] == ["postgres", "mariadb"]
    (note,) = notes
    assert "running MariaDB in its place, under its own name" in note


def test_an_engine_with_an_image_of_its_own_is_taken_as_it_is():
    engines, _ = selection.engines(["mysql"], Shelf("mariadb"), {"mysql": "my/mysql:8"}, asked=True)
    assert [engine.name for engine in engines] == ["mysql"]
