"""What is kept from run to run is whole or not there, is bounded, and is never another user's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import cache
from harness.cache import Cache, key_of

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")


@pytest.fixture
def kept(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "base" / "1").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "base" / "1" / "rows").write_bytes(b"rows" * 50_000)
    (folder / "log").write_bytes(b"x" * cache.BLOCK + bytes(1 << 18) + b"end")
    return folder


def texts(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_what_is_taken_is_what_was_kept(kept, source, tmp_path):
    """Files, empty folders and what was told of it come back as they were."""
    assert kept.keep("kind", "key", source, {"told": 1})
    into = target(tmp_path)
    assert kept.take("kind", "key", into)
    assert texts(into) == texts(source)
    assert kept.about("kind", "key") == {"told": 1}


def test_what_was_never_kept_is_not_there(kept, source, tmp_path):
    """Another key or kind has nothing, and nothing is left in the target."""
    kept.keep("kind", "key", source)
    into = target(tmp_path)
    assert not kept.take("kind", "other", into)
    assert not kept.take("other", "key", into)
    assert texts(into) == {}


def cut(data: Path) -> None:
    os.truncate(data / "log", 1000)


def flip(data: Path) -> None:
    with (data / "base" / "1" / "rows").open("r+b") as file:
        file.seek(100_000)
        file.write(b"!")


def move(data: Path) -> None:
    """The same blocks in another order; those of zeros are not read."""
    text = (data / "log").read_bytes()
    (data / "log").write_bytes(bytes(cache.BLOCK) + text[: cache.BLOCK] + text[2 * cache.BLOCK :])


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        flip,
        move,
        lambda data: (data / "base" / "1" / "rows").unlink(),
        lambda data: (data / "empty").rmdir(),
        lambda data: (data / "more").write_text("more"),
        lambda data: (data.parent / cache.ABOUT).write_text('{"about": {}, "by'),
        lambda data: (data.parent / cache.ABOUT).unlink(),
    ],
    ids=["cut", "flipped", "moved", "file-gone", "folder-gone", "more", "note-cut", "note-gone"],
)
def test_what_is_damaged_is_thrown_away(kept, source, tmp_path, damage):
    """It is not used, nothing of it stays in the target, and the next one can take its place."""
    kept.keep("kind", "key", source)
    damage(kept.folder / "kind" / "key" / cache.DATA)
    into = target(tmp_path)
    assert not kept.take("kind", "key", into)
    assert texts(into) == {}
    assert not (kept.folder / "kind" / "key").exists()
    assert kept.keep("kind", "key", source)
    assert kept.take("kind", "key", into)


def test_what_was_kept_first_stays(kept, source, tmp_path):
    """Two that keep the same at once do not disturb each other: the first to be done wins."""
    assert kept.keep("kind", "key", source, {"by": "first"})
    assert kept.keep("kind", "key", source, {"by": "second"})
    assert kept.about("kind", "key") == {"by": "first"}
    assert [path.name for path in (kept.folder / "kind").iterdir()] == ["key"]


def test_a_link_is_not_followed(kept, source):
    """What is behind it lies elsewhere, so a copy would not be the whole."""
    (source / "elsewhere").symlink_to(source / "base")
    assert not kept.keep("kind", "key", source)
    assert kept.kept() == []
    assert list((kept.folder / "kind").iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from harness import cache
def killed(*given):
    if sys.argv[3] == "copied":
        copy(*given)
    os.kill(os.getpid(), signal.SIGKILL)
copy = cache.copy
if sys.argv[3] == "copied":
    cache.copy = killed
else:
    Path.rename = killed
cache.Cache(Path(sys.argv[1])).keep("kind", "key", Path(sys.argv[2]))
"""


@pytest.mark.parametrize("when", ["copied", "named"])
def test_who_is_killed_while_keeping_leaves_nothing_that_is_used(kept, source, tmp_path, when):
    """Half of it is no entry, nor is all of it, and whoever keeps something next removes it."""
    died = subprocess.run([sys.executable, "-c", KILLED, kept.folder, source, when], check=False)
    assert died.returncode == -signal.SIGKILL
    (left,) = (kept.folder / "kind").iterdir()
    assert kept.kept() == []
    assert not kept.take("kind", "key", target(tmp_path))
    kept.trim()
    assert not left.exists()


def test_what_another_process_is_making_is_left_alone(kept, source, monkeypatch):
    """Only what nobody works on any more is removed."""
    made = []

    def meanwhile(one, other, copy=cache.copy):
        copy(one, other)
        kept.trim()
        assert kept.about("kind", "key") is None
        made.append(other.is_dir())

    monkeypatch.setattr(cache, "copy", meanwhile)
    assert kept.keep("kind", "key", source)
    assert made == [True]


@pytest.mark.parametrize("limits", [{"most": 2}, {"most_bytes": 1_200_000}])
def test_what_was_not_used_for_longest_goes_first(kept, source, tmp_path, limits):
    """The number and the bytes are bounded; taking counts as use."""
    for number, key in enumerate("abc"):
        kept.keep("kind", key, source)
        os.utime(kept.folder / "kind" / key / cache.ABOUT, (number, number))
    kept.take("kind", "a", target(tmp_path))
    assert [one.key for one in kept.trim(**limits)] == ["b"]
    assert [one.key for one in kept.kept()] == ["a", "c"]


@pytest.mark.parametrize(("limit", "value"), [("LEFT_FREE", 1 << 80), ("LARGEST", 1000)])
def test_what_is_too_large_is_not_kept(kept, source, monkeypatch, limit, value):
    """Nor is a disk filled to the last byte."""
    monkeypatch.setattr(cache, limit, value)
    assert not kept.keep("kind", "key", source)
    assert kept.kept() == []


def test_each_part_of_a_key_counts():
    """Also where one ends and the next begins."""
    keys = {key_of(), key_of("ab", "c"), key_of("a", "bc"), key_of("abc"), key_of(b"abc")}
    assert len(keys) == 5


def test_the_usual_place_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("MDRILL_CACHE", raising=False)
    found = cache.usual()
    assert found is not None
    assert found.folder == tmp_path / cache.NAME
    assert found.folder.stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("MDRILL_CACHE", str(tmp_path / "own"))
    found = cache.usual()
    assert found is not None
    assert found.folder == tmp_path / "own"


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, monkeypatch):
    """What lies there could be anybody's."""
    monkeypatch.setenv("MDRILL_CACHE", str(tmp_path / "open"))
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert cache.usual() is None
    assert "others may write" in cache.why_none()


def test_where_no_folder_can_be_made_there_is_no_cache(tmp_path, monkeypatch):
    """No home, a home that is a file, or one that is read-only: each is told, none is an error."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MDRILL_CACHE", str(tmp_path / "file" / "cache"))
    assert cache.usual() is None
    assert cache.why_none()
    monkeypatch.setenv("MDRILL_CACHE", "/proc/cache")
    assert cache.usual() is None


@AS_ROOT
def test_another_users_home_is_left_alone(tmp_path, monkeypatch):
    """As under sudo: its owner could neither use nor remove what root leaves there."""
    monkeypatch.delenv("MDRILL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 12345, 12345)
    assert cache.usual() is None
    assert "somebody else" in cache.why_none()
    assert list((tmp_path / "home").iterdir()) == []
