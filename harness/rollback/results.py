"""From the record of a rollback run to what reports tell; pure, the same however often asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from harness.errors import OF_A_SIGNAL, ExitCode
from harness.record import timeline
from harness.record.run_folder import RunFolder, as_json
from harness.record.timeline import Event, structured
from harness.rollback.events import (
    FILE_NAME,
    OF_A_ROLLBACK,
    BookRead,
    Came,
    DownInOrder,
    Foretold,
    UpAgain,
)
from harness.sweep.events import Broken, Referred, SeedRefused, SweptToEnd, WayBackTried
from harness.sweep.results import SweepHeader
from harness.sweep.rollback import Leads, Rollback

OPTIONS = "rollback"
"""The key of a run folder's header under which what was asked for stands."""


class Verdict(StrEnum):
    """What a way down is worth. In the order of harm, but for what is not known."""

    TRUE = "true-rollback"
    """It leads back, each time and in order."""
    DECLARED = "declared-irreversible"
    """The migration says so, and nothing pretends otherwise."""
    NO_WAY_DOWN = "no-way-down"
    """There is none, and nothing says why."""
    LIES = "lies"
    """There is one, and it does not lead back, or not always."""
    BROKEN = "fails-up"
    """The migration itself fails with nothing in its way."""
    UNKNOWN = "unknown"
    """It was not looked at, or not on rows."""
    NOTHING_FOUND = "nothing-found"
    """Its SQL tells nothing that loses data, and nothing was executed."""


@dataclass(frozen=True)
class RollbackHeader(SweepHeader):
    """What is known before the first migration; ``rollback`` is what the command line asked for."""

    rollback: Mapping[str, Any] = field(default_factory=dict)
    static: bool = False
    """Only what the SQL tells: nothing was run."""


@dataclass(frozen=True)
class MigrationBack:
    """Everything that was found out about the way down of one migration."""

    version: str
    foretold: Foretold = field(default_factory=Foretold)
    reference: Referred = field(default_factory=Referred)
    found: Rollback = field(default_factory=Rollback)
    """Directly after its up."""
    book: BookRead = field(default_factory=BookRead)
    again: UpAgain = field(default_factory=UpAgain)
    in_order: DownInOrder | None = None
    """After the later migrations; None if there are none above it."""
    finished: bool = False
    broken: str = ""

    @property
    def name(self) -> str:
        return self.foretold.name or self.reference.name or self.version

    @property
    def wrong(self) -> tuple[str, ...]:
        """What is not as it should be, in words, the way down directly after its up first."""
        return tuple(self._wrong())

    def _wrong(self) -> Iterator[str]:
        if self.found.lies:
            yield self.found.in_words()
        if self.book.wrong:
            yield f"after it the tool's own record {self.book.wrong}"
        if self.again.came is Came.FAILS:
            yield f"up again fails after it: {self.again.says}"
        elif self.again.came is Came.DIFFERS:
            what = "; ".join((*self.again.differs, *filter(None, [self.again.says])))
            yield f"up again gives something else than the first up: {what}"
        if self.in_order and self.in_order.came not in (Came.SAME, Came.NOT_RUN):
            yield _in_order(self.in_order, directly=not self.found.lies)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What was not looked at, and would have to be."""
        return tuple(self._unknown())

    def _unknown(self) -> Iterator[str]:
        if not self.finished:
            if not self.broken:
                yield "it was not looked at to its end"
            return
        if self.found.leads in (Leads.NOWHERE, Leads.IRREVERSIBLE):
            return
        if self.reference.fails_with_rows and not self.reference.passing_rows:
            fails = self.reference.failing_rows or "fails"
            yield f"on rows its way up {fails}, so its way down was tried on empty tables"
        for table in self.reference.without_rows:
            yield f"it works on {table}, which got no rows"
        for statement in self.reference.idle:
            yield f"a statement met no row that it changes; bring some by --seed-sql: {statement}"
        if self.in_order and self.in_order.came is Came.NOT_RUN:
            yield f"not tried after the later migrations: {self.in_order.says}"
        elif self.in_order and not self.in_order.rows and not self.wrong:
            yield "after the later migrations its objects were compared, and no row"

    @property
    def verdict(self) -> Verdict:
        if self.broken:
            return Verdict.BROKEN
        if self.wrong:
            return Verdict.LIES
        if self.unknown or self.found.leads is Leads.UNKNOWN:
            return Verdict.UNKNOWN
        if self.found.leads is Leads.IRREVERSIBLE:
            return Verdict.DECLARED
        return Verdict.NO_WAY_DOWN if self.found.leads is Leads.NOWHERE else Verdict.TRUE

    # ------------------------------------------------------------------ what its SQL tells

    @property
    def told(self) -> str:
        """What its SQL alone tells, in a few words."""
        told = self.foretold
        if told.declared:
            return "declared irreversible"
        if not told.down:
            return "no way down"
        if told.code:
            return "code, of which nothing is told"
        if told.signs:
            return "can lose data"
        return "not all of it" if told.unread else "nothing that loses data"

    @property
    def disagrees(self) -> str:
        """How what was measured differs from what its SQL tells; empty if it does not."""
        told = self.foretold
        if not self.finished or not told.down or told.code or told.declared:
            return ""
        if told.signs and self.verdict is Verdict.TRUE:
            lost = ", ".join(f"{sign.loss} {sign.says}" for sign in told.signs[:3])
            return f"the SQL tells {lost}; measured, everything came back"
        if not told.signs and not told.unread and self.verdict is Verdict.LIES:
            return f"the SQL tells nothing that loses data; measured, {self.wrong[0]}"
        return ""


def _in_order(found: DownInOrder, *, directly: bool) -> str:
    """What came of the way down after the later ones."""
    begin = f"after the ways down of later migrations (from {found.head} on)"
    end = ", and not directly after its up" if directly else ""
    if found.came is Came.FAILS:
        return f"{begin} it fails{end}: {found.says}"
    what = "; ".join((*found.differs, *filter(None, [found.says])))
    kind = "loses data" if found.came is Came.LOSES_DATA else "leaves another state"
    return f"{begin} it {kind}{end}: {what}"


@dataclass(frozen=True)
class Finding:
    """Something that counts against a folder, or that is not known."""

    migration: str
    says: str
    known: bool = True


@dataclass(frozen=True)
class RollbackResult(RollbackHeader):
    """A rollback run as its reports tell it (docs/record.md, rollback.json)."""

    migrations: tuple[MigrationBack, ...] = ()
    seed_refused: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    exit_code: int = ExitCode.NOTHING

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many migrations have each verdict."""
        counts = Counter(self.verdict_of(migration) for migration in self.migrations)
        return {verdict: counts[verdict] for verdict in Verdict if counts[verdict]}

    def verdict_of(self, migration: MigrationBack) -> Verdict:
        """Of a static run what the SQL tells is never called proved."""
        if not self.static:
            return migration.verdict
        told = migration.foretold
        if told.declared:
            return Verdict.DECLARED
        if not told.down:
            return Verdict.NO_WAY_DOWN
        if told.signs:
            return Verdict.LIES
        return Verdict.UNKNOWN if told.code or told.unread else Verdict.NOTHING_FOUND

    @property
    def require_down(self) -> bool:
        """Whether a way down that is missing counts, unless it is declared."""
        return bool(self.rollback.get("require_down"))


def of(header: RollbackHeader, events: Iterable[Event[Any]]) -> RollbackResult:
    """Fold the events, and judge."""
    found: dict[str, MigrationBack] = {}
    refused: Mapping[str, str] = {}
    for event in events:
        what = event.what
        if isinstance(what, SeedRefused):
            refused = what.refused
            continue
        version = getattr(what, "migration", "")
        if version:
            found[version] = _entered(found.get(version, MigrationBack(version)), what)
    planned = [found[v] for v in header.planned if v in found]
    others = [one for v, one in found.items() if v not in header.planned and one.broken]
    whole = RollbackResult(**vars(header), migrations=(*planned, *others), seed_refused=refused)
    whole = replace(whole, findings=tuple(_findings(whole)))
    return replace(whole, exit_code=_exit_code(whole))


def _entered(one: MigrationBack, what: Any) -> MigrationBack:
    match what:
        case Foretold():
            return replace(one, foretold=what)
        case Referred():
            return replace(one, reference=what)
        case WayBackTried():
            return replace(one, found=what.rollback)
        case BookRead():
            return replace(one, book=what)
        case UpAgain():
            return replace(one, again=what)
        case DownInOrder():
            return replace(one, in_order=what)
        case Broken():
            return replace(one, broken=what.says)
        case SweptToEnd():
            return replace(one, finished=True)
    return one


def _findings(result: RollbackResult) -> Iterator[Finding]:
    for one in result.migrations:
        verdict = result.verdict_of(one)
        if result.static:
            if verdict is Verdict.LIES:
                told = ", ".join(f"{sign.loss} {sign.says}" for sign in one.foretold.signs)
                yield Finding(one.version, f"its way down cannot bring back: {told}")
            if one.foretold.code and verdict is Verdict.UNKNOWN:
                says = "it is code, of which nothing is told without running it"
                yield Finding(one.version, says, known=False)
            elif verdict in (Verdict.LIES, Verdict.UNKNOWN):
                unread = one.foretold.unread
                yield from (Finding(one.version, says, known=False) for says in unread)
        else:
            if one.broken:
                yield Finding(one.version, f"fails with nothing in its way: {one.broken}")
            yield from (Finding(one.version, says) for says in one.wrong)
            yield from (Finding(one.version, says, known=False) for says in one.unknown)
        if verdict is Verdict.NO_WAY_DOWN and result.require_down:
            says = "no way down, and it does not say why: `-- mdrill: irreversible: reason`"
            yield Finding(one.version, says)


def _exit_code(result: RollbackResult) -> int:
    """What ended the run goes before what it found out; what is not known is never green."""
    if result.interrupted:
        return OF_A_SIGNAL + result.interrupted
    if result.crashed:
        return result.crashed_with or ExitCode.BUG
    if any(finding.known for finding in result.findings):
        return ExitCode.RED
    if result.findings:
        return ExitCode.UNKNOWN
    tried = (one.foretold.down or one.foretold.declared for one in result.migrations)
    return ExitCode.GREEN if any(tried) else ExitCode.NOTHING


def of_folder(folder: RunFolder) -> RollbackResult:
    """What the run in that folder has found out, from its record alone."""
    header = structured(RollbackHeader, folder.header())
    return of(header, timeline.read(folder.path / FILE_NAME, OF_A_ROLLBACK))


def to_json(result: RollbackResult) -> str:
    """The text of ``rollback.json``; what follows from the rest stands beside it."""
    told = asdict(result)
    told["counts"] = result.counts
    for value, one in zip(told["migrations"], result.migrations, strict=True):
        value |= {
            "name": one.name,
            "verdict": result.verdict_of(one),
            "wrong": one.wrong,
            "unknown": () if result.static else one.unknown,
            "disagrees": one.disagrees,
        }
    return as_json(told)
