"""Checks dumps, one after the other, each on a database of its own that is then removed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from harness.backup import judging, manifest
from harness.backup.comparison import Expected, Reference, compare
from harness.backup.content import Content, look
from harness.backup.findings import Finding, Grade, Verdict
from harness.backup.judging import Objectives
from harness.backup.manifest import Manifest
from harness.backup.results import BackupResult
from harness.dumps.dump import Dump, NotReadHere, Whole
from harness.errors import StepFailed, UsageError
from harness.ports import DumpWords, Engine
from harness.servers.throwaway import ThrowawayServer

DATABASE = "restored"
SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,50}")
NOT_OURS = frozenset({"mysql", "sys", "postgres", "template0", "template1", "information_schema"})


class Servers(Protocol):
    """Where servers come from."""

    def choose(self, engine: Engine, version: str) -> Engine:
        """The engine in the version that a dump is from, where that can be had."""
        ...

    def start(self, engine: Engine) -> ThrowawayServer: ...


@dataclass(frozen=True)
class Wishes:
    """What is asked of each backup."""

    expected: Expected = field(default_factory=Expected)
    objectives: Objectives = field(default_factory=Objectives)
    writes_manifest: bool = False
    against: Manifest | None = None
    against_name: str = ""
    engine: Engine | None = None
    """The one that was asked for by name."""


class Checker:
    """Starts servers as dumps need them; :meth:`close` removes them."""

    def __init__(self, servers: Servers, wishes: Wishes, tell: Callable[[str], None]) -> None:
        self._servers, self._wishes, self._tell = servers, wishes, tell
        self._open: dict[str, tuple[ThrowawayServer, float]] = {}
        self._stack = ExitStack()

    def close(self) -> None:
        """Remove every server; safe to call twice."""
        self._stack.close()

    def check(
        self, dump: Dump, before: Reference | None = None
    ) -> tuple[BackupResult, Reference | None]:
        """What can be said of a dump; and what a later one can be compared with, if it is good
        for that. ``before`` is the dump before it, in whose place a manifest goes.
        """
        began = time.monotonic()
        result = BackupResult(str(dump.path))
        try:
            whole = dump.whole()
            engine = self._engine(dump)
        except UsageError as error:
            return replace(result, findings=(_unreadable(dump, error),)), None
        words = engine.backups.words(dump.begin, whole.end)
        result = _of_file(result, dump, whole, words, engine)
        result = replace(result, read_ms=_ms_since(began))
        reference = self._reference(dump, result, before)
        if reference:
            result = replace(result, compared_with=reference.name)
        findings = [*judging.of_file(words)]
        result, found, refused = self._restored(dump, result, engine, words)
        findings += refused
        if found:
            findings += judging.of_content(engine, found, reference, self._wishes.expected)
            if reference:
                findings += compare(found, reference, self._wishes.expected)
            result = replace(result, tables=found.tables, kinds=found.kinds(), links=found.links)
        findings += self._of_manifest(dump, result)
        restore_s = None if result.restore_ms is None else result.restore_ms / 1000
        findings += judging.of_objectives(result.age_s, restore_s, self._wishes.objectives)
        result = replace(result, findings=tuple(findings))
        return self._kept(dump, result, found)

    # ------------------------------------------------------------------ the restore

    def _restored(
        self, dump: Dump, result: BackupResult, engine: Engine, words: DumpWords
    ) -> tuple[BackupResult, Content | None, list[Finding]]:
        server, start_ms = self._server(engine, version_of(words.server))
        result = replace(
            result,
            engine=server.engine.title,
            server_version=server.facts.version,
            image=server.facts.image,
            start_ms=start_ms,
        )
        database = _name_of(words)
        server.drop(database)
        server.create(database)
        began = time.monotonic()
        try:
            self._tell(f"{dump.path}: restoring into {server.engine.title}")
            made = tuple(server.load(database, dump))
            result = replace(result, made=made, restore_ms=_ms_since(began))
            began = time.monotonic()
            found = look(server.engine, server.session(database))
            return replace(result, verify_ms=_ms_since(began)), found, []
        except StepFailed as error:
            newer = words.server if _is_newer(words.server, server.facts.version) else ""
            place, told = dump.refusal(error)
            return result, None, [judging.of_refusal(place, told, error, newer)]
        finally:
            server.drop(database)

    def _engine(self, dump: Dump) -> Engine:
        """UsageError if it is of another engine than the one asked for, or tells none."""
        if self._wishes.engine:
            dump.check(self._wishes.engine)
            return self._wishes.engine
        if dump.engine is None:
            raise NotReadHere(
                f"{dump.path} does not tell which engine it is of. Next: --engine postgres or mysql"
            )
        return dump.engine

    def _server(self, engine: Engine, version: str) -> tuple[ThrowawayServer, float]:
        """One of that engine, and how long its start took (ms); the same for later dumps."""
        engine = self._servers.choose(engine, version)
        if engine.label not in self._open:
            began = time.monotonic()
            server = self._stack.enter_context(self._servers.start(engine))
            self._open[engine.label] = server, _ms_since(began)
        return self._open[engine.label]

    # ------------------------------------------------------------------ references

    def _reference(
        self, dump: Dump, result: BackupResult, before: Reference | None
    ) -> Reference | None:
        """What was asked for, else its own manifest, else the dump before it."""
        if self._wishes.against:
            return _reference(self._wishes.against, self._wishes.against_name)
        path = manifest.path_of(dump.path)
        if path.exists():
            own = manifest.read(path)
            return _reference(own, path.name, own.sha256 == result.sha256)
        return before

    def _of_manifest(self, dump: Dump, result: BackupResult) -> list[Finding]:
        """A dump that is no longer the one of which its manifest speaks."""
        path = manifest.path_of(dump.path)
        if not path.exists() or manifest.read(path).sha256 == result.sha256:
            return []
        return [
            Finding(
                Grade.BROKEN, "other-file", f"its sha256 is {result.sha256[:12]}…, and "
                f"{path.name} was written of another file",
                f"sha256 {manifest.read(path).sha256[:12]}…",
                f"find out who changed it; if it is a later dump, remove {path.name}",
            )
        ]  # fmt: skip

    def _kept(
        self, dump: Dump, result: BackupResult, found: Content | None
    ) -> tuple[BackupResult, Reference | None]:
        """With a manifest beside it, if that is wanted and it is proven."""
        if found is None or result.verdict is Verdict.NOT_USABLE:
            return result, None
        told = Manifest(
            dump.path.name, result.sha256, result.size, result.engine, result.server_version,
            result.taken, datetime.now(UTC).isoformat(timespec="seconds"), found.tables,
            tuple(sorted(found.objects)), manifest.sequences_of(found),
        )  # fmt: skip
        is_proven = result.verdict is Verdict.USABLE
        if self._wishes.writes_manifest and is_proven:
            path = manifest.write(dump.path, told)
            result = replace(result, manifest=str(path))
        proven = frozenset(found.empty) if is_proven else frozenset()
        return result, Reference(f"the dump before, {dump.path.name}", told, proven=proven)


def _name_of(words: DumpWords) -> str:
    """That of the database that was dumped, which its views and programs may name, if it is told
    and no other one's.
    """
    told = words.database
    return told if SAFE.fullmatch(told) and told not in NOT_OURS else DATABASE


def _reference(told: Manifest, name: str, is_same: bool = False) -> Reference:
    empty = frozenset(table for table, (rows, _) in told.tables.items() if not rows)
    return Reference(name, told, is_same, empty)


def _of_file(
    result: BackupResult, dump: Dump, whole: Whole, words: DumpWords, engine: Engine
) -> BackupResult:
    taken, by = taken_of(dump, words)
    return replace(
        result,
        engine=engine.title,
        format=words.format,
        tool=words.tool,
        dumped_from=words.server,
        taken=taken.isoformat(sep=" ", timespec="seconds"),
        taken_by=by,
        age_s=max(0.0, (datetime.now().astimezone() - taken).total_seconds()),
        size=whole.size,
        sha256=whole.sha256,
    )


def taken_of(dump: Dump, words: DumpWords) -> tuple[datetime, str]:
    """When it was made, and by whose word; a dump's own has no zone, so this machine's is taken."""
    if words.taken:
        return datetime.fromisoformat(words.taken).astimezone(), "the dump's own word"
    changed = max(file.stat().st_mtime for file in dump.files())
    return datetime.fromtimestamp(changed).astimezone(), "the time of its file"


def _unreadable(dump: Dump, error: UsageError) -> Finding:
    """A file from which nothing can be restored, for what reason ever."""
    if isinstance(error, NotReadHere):
        return Finding(Grade.UNPROVEN, "not-read-here", str(error))
    return Finding(Grade.BROKEN, "unreadable", str(error))


def version_of(server: str) -> str:
    """The first numbers of a version, as servers and dumps tell it: ``18.6-3`` is ``18.6``."""
    found = re.match(r"\d+(?:\.\d+)*", server)
    return found[0] if found else ""


def _is_newer(dumped_from: str, server: str) -> bool:
    def numbers(told: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version_of(told).split(".") if part)[:2]

    return numbers(dumped_from) > numbers(server)


def series_of(dump: Dump) -> str:
    """Which dumps are of one database, as far as they tell it: else those that differ in the
    numbers of their names.
    """
    if (engine := dump.engine) is None:
        return dump.path.name
    told = engine.backups.words(dump.begin, b"").database
    return f"{engine.name} {told or re.sub(r'[0-9]+', '#', dump.path.name)}"


def _ms_since(began: float) -> float:
    return (time.monotonic() - began) * 1000


def in_order(paths: list[Path]) -> list[Path]:
    """The oldest first, by their own words."""

    def age(path: Path) -> tuple[datetime, str]:
        dump = Dump(path)
        try:
            engine = dump.engine
            words = engine.backups.words(dump.begin, dump.whole().end) if engine else DumpWords()
            return taken_of(dump, words)[0], path.name
        except UsageError:
            return datetime.fromtimestamp(path.stat().st_mtime).astimezone(), path.name

    return sorted(paths, key=age)
