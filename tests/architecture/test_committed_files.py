"""What is committed works on anybody's machine: no path or host of the one it was made on."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import PurePath

import pytest
from house import ROOT

HOSTS_ANYBODY_REACHES = re.compile(
    r"(localhost|127\.0\.0\.1|github\.com|raw\.githubusercontent\.com|json-schema\.org|"
    r"www\.w3\.org|docs\.python\.org|www\.postgresql\.org|(dev|bugs)\.mysql\.com|mariadb\.com|"
    r"(alembic\.sqlalchemy\.org|sqlalche\.me)|docs\.djangoproject\.com|(documentation|www)\.red-gate\.com|diesel\.rs|"
    r"pressly\.github\.io|knexjs\.org|docs\.liquibase\.com|www\.prisma\.io|sqitch\.org|"
    r"ollycope\.com|orm\.drizzle\.team|salsita\.github\.io|"
    r"keepachangelog\.com|semver\.org|www\.apache\.org|docs\.docker\.com|"
    r"([\w-]+\.)*example(\.(org|com|net|test))?|[\w.-]+\.test)"
)
URL_HOST = re.compile(r"\bhttps?://(?:[^\s/@\"'<>]*@)?([\w-]+(?:\.[\w-]+)+)")
PATHS_OF_ONE_MACHINE = re.compile(r"(?<![\w.}/])/(?:work|home|Users)/\w")
PACKAGE_SOURCES = re.compile(
    r"--(?:extra-)?index-url|PIP_INDEX|GOPROXY|registry-mirrors|trusted-host|(?<!\w)https?_proxy",
    re.IGNORECASE,
)


@cache
def committed() -> tuple[str, ...]:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return tuple(name for name in names.split("\0") if name and (ROOT / name).is_file())


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for name in committed():
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        found += [
            f"{name}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return found


def test_every_address_is_a_public_one():
    """A mirror's or a registry's host works for some and fails for the rest."""
    strange = [
        f"{name}: {host}"
        for name in committed()
        for host in URL_HOST.findall((ROOT / name).read_bytes().decode("utf-8", "replace"))
        if not HOSTS_ANYBODY_REACHES.fullmatch(host)
    ]
    assert strange == []


def test_no_path_belongs_to_one_machine():
    """Absolute paths of a checkout or a home folder are found nowhere else."""
    assert lines_with(PATHS_OF_ONE_MACHINE) == []


def test_nothing_says_where_packages_come_from():
    """That is the business of the machine's own configuration."""
    own = "tests/architecture/test_committed_files.py"
    assert [line for line in lines_with(PACKAGE_SOURCES) if not line.startswith(own)] == []


def test_no_two_test_files_have_one_name():
    """Python imports them by that name: with two, one of them is never run."""
    names = Counter(PurePath(name).name for name in committed() if "/test_" in name)
    assert [name for name, times in names.items() if times > 1] == []
