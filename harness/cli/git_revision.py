"""A folder as a revision of its own git repository has it; read, and nothing is written there.

Git is asked three questions (what a revision is, what lies in a folder of it, what is in those
files), none of which starts a program that a configuration names: no hook, filter, pager, textconv
or file system monitor. Nothing is fetched, and no lock file is made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import EnvironmentProblem, UsageError

DEADLINE_S = 120
HARMLESS = (
    *("--no-pager", "--no-optional-locks", "--no-replace-objects", "--literal-pathspecs"),
    *("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}"),
    *("-c", "protocol.allow=never", "-c", "core.pager=cat"),
)
ENVIRONMENT = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0"}
"""A partial clone would fetch what it lacks; here it is told as missing."""
LINK = "120000"
"""The mode of a symbolic link, whose content is where it leads."""
LACKS = (
    "the repository lacks contents of that revision (a partial clone?). Next: "
    "git fetch --refetch --no-filter, or clone it without --filter"
)
SHOWN = 8


@dataclass(frozen=True)
class Revision:
    """A commit, and where in it the folder is."""

    name: str
    """As it was asked for."""
    commit: str
    folder: Path
    tree: str
    """The object that holds the folder there; empty if that revision has no such folder."""

    @contextmanager
    def files(self) -> Iterator[Path | None]:
        """A copy of the folder as it is there, for as long as it is looked at; None without one.

        EnvironmentProblem if the repository lacks the contents of a file.
        """
        if not self.tree:
            yield None
            return
        with TemporaryDirectory(prefix="mdrill-since-") as scratch:
            copy = Path(scratch) / (self.folder.resolve().name or "folder")
            copy.mkdir()
            for name, content in self._contents().items():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                (copy / name).write_bytes(content)
            yield copy

    def _contents(self) -> Mapping[str, bytes]:
        """Every file by its name, and what links in the folder lead to."""
        listed = _git(self.folder, "ls-tree", "-r", "-z", "--full-tree", self.tree)
        modes, objects = {}, {}
        for entry in filter(None, listed.split(b"\0")):
            told, _, path = entry.partition(b"\t")
            mode, kind, object_ = told.decode().split()
            name = os.fsdecode(path)
            if kind == "blob" and _is_below(name):
                modes[name], objects[name] = mode, object_
        texts = _blobs(self.folder, objects)
        plain = {name: text for name, text in texts.items() if modes[name] != LINK}
        links = {name: os.fsdecode(texts[name]) for name in texts if modes[name] == LINK}
        led_to = {name: os.path.normpath(Path(name).parent / to) for name, to in links.items()}
        return plain | {name: plain[to] for name, to in led_to.items() if to in plain}


def revision(folder: Path, name: str) -> Revision:
    """What the folder's repository knows by that name.

    UsageError, with the next move, if the folder is in no repository or the revision is not there;
    EnvironmentProblem without a git that can be run.
    """
    if not name or name.startswith("-") or any(c in name for c in "\0\n"):
        raise UsageError(f"--since wants a git revision (a commit, branch or tag), found {name!r}")
    top, prefix = _place(folder)
    commit = _name(folder, f"{name}^{{commit}}")
    if not commit:
        raise UsageError(_not_there(folder, top, name))
    return Revision(name, commit, folder, _name(folder, f"{commit}:{prefix}"))


def _place(folder: Path) -> tuple[str, str]:
    """The top of the work tree, and the folder's path in it."""
    asked = _run(folder, "rev-parse", "--show-toplevel", "--show-prefix")
    if asked.returncode:
        said = asked.stderr.decode("utf-8", "replace").strip()
        if "not a git repository" in said:
            raise UsageError(
                f"{folder}: found no git repository at or above it; --since wants one, with the "
                "folder in its work tree. Next: choose by --only or --range"
            )
        raise EnvironmentProblem(f"{folder}: git cannot be asked about it: {said}")
    top, _, prefix = os.fsdecode(asked.stdout).removesuffix("\n").partition("\n")
    return top, prefix.rstrip("/")


def _not_there(folder: Path, top: str, name: str) -> str:
    shallow = _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
    refs = _git(folder, "for-each-ref", f"--count={SHOWN}", "--format=%(refname:short)")
    known = refs.decode("utf-8", "replace").split()
    told = f"{top}: found no revision {name!r} there; wanted a commit, branch or tag"
    told += f" (such as {', '.join(known)})" if known else ""
    if not shallow:
        return f"{told}. Next: git fetch, or name another one"
    remote, _, branch = name.partition("/")
    ref = f"{remote} {branch}:refs/remotes/{name}" if branch else ""
    fetch = f"git fetch --depth=1 {ref}" if remote == "origin" and ref else "git fetch --unshallow"
    return (
        f"{told}. It is a shallow clone, which has only the newest commits. Next: {fetch}, or "
        "git fetch --depth=N for the last N commits; in a workflow: actions/checkout with "
        "fetch-depth: 0"
    )


def _name(folder: Path, expression: str) -> str:
    """The object that an expression means; empty if there is none."""
    asked = _run(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", expression)
    return asked.stdout.decode().split()[-1] if asked.returncode == 0 and asked.stdout else ""


def _blobs(folder: Path, objects: Mapping[str, str]) -> dict[str, bytes]:
    """The contents of each name's object."""
    wanted = sorted(set(objects.values()))
    asked = _run(folder, "cat-file", "--batch", stdin="".join(f"{o}\n" for o in wanted).encode())
    found: dict[str, bytes] = {}
    start = 0
    for object_ in wanted:
        end = asked.stdout.find(b"\n", start)
        _, _, size = asked.stdout[start : max(end, start)].partition(b" blob ")
        if asked.returncode or not size:
            said = asked.stderr.decode("utf-8", "replace").strip()
            raise EnvironmentProblem(f"{folder}: {LACKS}" + (f" ({said})" if said else ""))
        start = end + 1 + int(size) + 1
        found[object_] = asked.stdout[end + 1 : start - 1]
    return {name: found[object_] for name, object_ in objects.items()}


def _is_below(name: str) -> bool:
    """Whether a name stays in the folder, whatever somebody wrote into a tree."""
    return not os.path.isabs(name) and ".." not in name.split("/")


def _git(folder: Path, *words: str, stdin: bytes = b"") -> bytes:
    done = _run(folder, *words, stdin=stdin)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise EnvironmentProblem(f"{folder}: git {words[0]} failed: {said}")
    return done.stdout


def _run(folder: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git")
    if git is None:
        raise EnvironmentProblem("--since asks git, which is not on PATH; install it")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(
            [git, *HARMLESS, "-C", str(folder), *words],
            input=stdin,
            capture_output=True,
            timeout=DEADLINE_S,
            env={**kept, **ENVIRONMENT, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"git cannot be run: {error}") from error
