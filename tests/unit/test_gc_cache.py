"""What is kept to save time is told, and goes only when it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness import cache
from harness.cli import housekeeping
from harness.testing import FakeBackend


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cache.Cache:
    """Two folders of one kind, one of another; no backend is asked for what it left."""
    monkeypatch.setenv("MDRILL_CACHE", str(tmp_path / "cache"))
    for name in ("DockerBackend", "LocalBackend"):
        monkeypatch.setattr(housekeeping, name, lambda run_id: FakeBackend())
    source = tmp_path / "source"
    source.mkdir()
    (source / "rows").write_bytes(bytes(3 << 20))
    found = cache.usual()
    assert found is not None
    for kind, key in ((cache.READY, "a"), (cache.READY, "b"), (cache.STATES, "c")):
        assert found.keep(kind, key, source)
    return found


def gc(*arguments: str) -> str:
    done = CliRunner().invoke(housekeeping.gc, arguments, standalone_mode=False)
    assert done.return_value == 0, done.output
    return done.output


def test_it_is_told_and_left_alone(kept):
    told = gc()
    assert "0 removed" in told
    assert "ready data directories: 2, states of earlier sweeps: 1 (9 MiB)" in told
    assert str(kept.folder) in told
    assert len(kept.kept()) == 3


def test_it_is_removed_when_that_is_asked_for(kept):
    told = gc("--cache")
    assert "removed ready/a: 3 MiB" in told
    assert "3 removed" in told
    assert kept.kept() == []


def test_where_there_can_be_none_the_reason_is_told(kept, monkeypatch):
    monkeypatch.setenv("MDRILL_CACHE", "/proc/cache")
    told = gc("--cache")
    assert "0 removed" in told
    assert "cache: none" in told
    assert "/proc/cache" in told
    assert len(kept.kept()) == 3
