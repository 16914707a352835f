"""How names become kinds and engines."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import is_dataclass
from importlib import metadata
from pathlib import Path

import pytest

from harness import registry
from harness.errors import DrillError, UsageError


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch) -> Path:
    """A package of our own with one room, scanned instead of the real one."""
    room = tmp_path / "lodge" / "verbs" / "faults"
    room.mkdir(parents=True)
    for folder in (room, room.parent, room.parent.parent):
        (folder / "__init__.py").write_text("")
    (room / "kill_session.py").write_text("class Kill:\n    pass\n\n\nKIND = Kill\n")
    (room / "broken.py").write_text("KIND = 1 / 0\n")
    (room / "helper.py").write_text("def of_victim():\n    KIND = 1\n")
    monkeypatch.setattr(registry, "HOME", room.parent.parent)
    monkeypatch.setattr(registry, "PACKAGE", "lodge")
    monkeypatch.syspath_prepend(tmp_path)
    registry._in_folder.cache_clear()
    registry._loaders.cache_clear()
    yield room
    for name in [name for name in sys.modules if name.split(".")[0] == "lodge"]:
        del sys.modules[name]
    registry._in_folder.cache_clear()
    registry._loaders.cache_clear()


class Elsewhere:
    """A kind of another package."""


def offer(monkeypatch, name: str) -> None:
    entry = metadata.EntryPoint(name, f"{__name__}:Elsewhere", "migration_drill.faults")
    monkeypatch.setattr(metadata, "entry_points", lambda group: (entry,))


def test_a_file_with_kind_is_a_word_and_a_helper_is_none(rooms: Path) -> None:
    """kill_session.py is kill-session; a module whose KIND is not at its top level is a helper."""
    assert registry.kind("faults", "kill-session").__name__ == "Kill"
    with pytest.raises(UsageError, match="unknown word in faults 'helper'"):
        registry.kind("faults", "helper")


def test_one_kind_is_had_without_importing_the_others(rooms: Path) -> None:
    """broken.py cannot be imported, and nobody notices until somebody asks for it."""
    registry.kind("faults", "kill-session")
    assert "lodge.verbs.faults.broken" not in sys.modules
    with pytest.raises(ZeroDivisionError):
        registry.kinds("faults")


def test_another_package_adds_a_kind_by_an_entry_point(rooms: Path, monkeypatch) -> None:
    """A group named after the room, the word as the name, the class as the value."""
    offer(monkeypatch, "pull-the-plug")
    assert registry.kind("faults", "pull-the-plug") is Elsewhere


def test_two_kinds_of_one_name_are_an_error_that_names_both(rooms: Path, monkeypatch) -> None:
    """Neither wins silently."""
    offer(monkeypatch, "kill-session")
    with pytest.raises(DrillError, match=r"two of faults are called 'kill-session'.*Elsewhere"):
        registry.kinds("faults")


def test_an_unknown_word_is_answered_with_the_nearest_and_with_all() -> None:
    """A typing error is mended without opening the documentation."""
    with pytest.raises(
        UsageError, match=r"'colum'; did you mean 'column'\? Known: alert, app, column,"
    ):
        registry.kind("claims", "colum")
    with pytest.raises(UsageError, match="unknown room 'claim'; did you mean 'claims'"):
        registry.kinds("claim")
    with pytest.raises(UsageError, match="did you mean 'postgres'"):
        registry.engine("postgress")


@pytest.mark.parametrize("room", ["faults", "holds", "steps", "claims"])
def test_every_kind_of_a_room_is_a_frozen_dataclass_with_a_sentence(room: str) -> None:
    """The loader makes it from its fields, the schema describes it by its docstring."""
    for word, cls in registry.kinds(room).items():
        assert is_dataclass(cls), word
        assert cls.__dataclass_params__.frozen, word
        assert cls.__doc__, word
        assert not cls.__doc__.startswith(f"{cls.__name__}("), word


def test_an_engine_is_had_without_the_drivers_of_the_others() -> None:
    """A migrator's process asks for one engine and must start fast."""
    code = (
        "import sys; from harness import registry; registry.engine('postgres');"
        "print('pymysql' in sys.modules, 'docker' in sys.modules, 'yaml' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False"] * 3


def test_the_engines_are_known_by_their_folders() -> None:
    """The name of the folder is the name of the engine."""
    assert {name: engine.name for name, engine in registry.engines().items()} == {
        name: name for name in registry.engines()
    }
    assert "postgres" in registry.engines()
