"""What every format tells of a way down: a word, a sign, a sentence, its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.errors import ExitCode
from harness.reporting.words import one_line, plural
from harness.rollback.events import Came
from harness.rollback.results import MigrationBack, RollbackResult, Verdict
from harness.sqltext.losses import IN_WORDS as IN_WORDS_OF_LOSS
from harness.sweep.rollback import IN_WORDS, Leads, Rollback

HARM = (
    Verdict.LIES,
    Verdict.BROKEN,
    Verdict.UNKNOWN,
    Verdict.NO_WAY_DOWN,
    Verdict.DECLARED,
    Verdict.TRUE,
    Verdict.NOTHING_FOUND,
)
"""By what a reader must see first."""
SIGNS: Mapping[Verdict, str] = {
    Verdict.TRUE: "✓",
    Verdict.DECLARED: "→",
    Verdict.NO_WAY_DOWN: "→",
    Verdict.LIES: "✗",
    Verdict.BROKEN: "✗",
    Verdict.UNKNOWN: "?",
    Verdict.NOTHING_FOUND: "·",
}
WORDS: Mapping[Verdict, str] = {
    Verdict.TRUE: "true rollback",
    Verdict.DECLARED: "declared irreversible",
    Verdict.NO_WAY_DOWN: "irreversible: no way down",
    Verdict.LIES: "not a rollback",
    Verdict.BROKEN: "fails on its way up",
    Verdict.UNKNOWN: "not known",
    Verdict.NOTHING_FOUND: "nothing found in its SQL",
}
OF_STATIC: Mapping[Verdict, str] = {
    **WORDS,
    Verdict.LIES: "can lose data",
    Verdict.UNKNOWN: "not told by its SQL",
}
EXITS: Mapping[int, str] = {
    ExitCode.GREEN: "all as it should be",
    ExitCode.RED: "not all as it should be",
    ExitCode.UNKNOWN: "not everything is known",
    ExitCode.MACHINE: "ended by the machine",
    ExitCode.NOTHING: "nothing was tried: there is no way down at all",
    ExitCode.BUG: "ended by an error of ours",
}


def ordered(result: RollbackResult) -> list[MigrationBack]:
    """The worst first, then as in the folder."""
    return sorted(result.migrations, key=lambda one: HARM.index(result.verdict_of(one)))


def word(result: RollbackResult, one: MigrationBack) -> str:
    """Its verdict in a few words."""
    return (OF_STATIC if result.static else WORDS)[result.verdict_of(one)]


def leads(found: Rollback) -> str:
    """Where a way down leads, for a line of progress."""
    return one_line(found.in_words(), 160)


def sentence(result: RollbackResult, one: MigrationBack) -> str:
    """What a person has to know of it, in one sentence; empty if there is nothing."""
    if result.static:
        told = one.foretold
        return _capital(told.declared or losses(one) or next(iter(told.unread), ""))
    if one.broken:
        return _capital(f"it fails with nothing in its way: {one.broken}")
    if one.wrong:
        more = f" (and {len(one.wrong) - 1} more)" if len(one.wrong) > 1 else ""
        return _capital(f"{one.wrong[0]}{more}")
    if one.unknown:
        return _capital(one.unknown[0])
    if one.found.leads is Leads.IRREVERSIBLE:
        return _capital(one.found.says)
    if one.found.leads is Leads.BACK_IN_OTHER_ORDER:
        return "All but the order of columns."
    if one.found.meanwhile:
        return f"What is written meanwhile goes with it: {'; '.join(one.found.meanwhile)}"
    return ""


def losses(one: MigrationBack) -> str:
    """What its SQL can lose, by kind."""
    found: dict[str, list[str]] = {}
    for sign in one.foretold.signs:
        found.setdefault(IN_WORDS_OF_LOSS[sign.loss], []).append(sign.says)
    return "; ".join(f"{what}: {', '.join(dict.fromkeys(its))}" for what, its in found.items())


def sign(result: RollbackResult, one: MigrationBack) -> str:
    """Its verdict at a glance; what was not executed has no tick."""
    return SIGNS[result.verdict_of(one)]


def evidence(one: MigrationBack) -> Iterator[tuple[str, str]]:
    """What was executed, and what came of it, in that order."""
    found, reference = one.found, one.reference
    if not one.finished:
        return
    if found.leads is not Leads.NOWHERE and found.leads is not Leads.IRREVERSIBLE:
        rows = reference.states[0].rows if reference.states else 0
        told = f"up on {plural(rows, 'row')}, {plural(found.written, 'row')} written, down"
        yield told, words_of_leads(one)
    else:
        yield "way down", words_of_leads(one)
    if one.book.keeps:
        wrong = one.book.wrong
        yield "the tool's own record", _capital(wrong) if wrong else "As before the migration."
    if one.again.came is not Came.NOT_RUN:
        same = one.again.came is Came.SAME
        told = "; ".join((*one.again.differs, *filter(None, [one.again.says])))
        yield "up again", "As the first up left it." if same else _capital(told)
    if one.in_order:
        yield f"down in order, from {one.in_order.head}", _in_order(one)


def _in_order(one: MigrationBack) -> str:
    found = one.in_order
    assert found is not None
    told = "; ".join((*found.differs, *filter(None, [found.says])))
    if found.came is not Came.SAME:
        return _capital(f"{found.came.replace('-', ' ')}: {told}")
    looked = "objects and rows" if found.rows else "objects (rows of other rows before it)"
    return f"Nothing new: {looked} compared with the state before it."


def headline(result: RollbackResult) -> str:
    """The whole run in one sentence."""
    words = OF_STATIC if result.static else WORDS
    counts = result.counts
    parts = [f"{counts[verdict]} {words[verdict]}" for verdict in HARM if counts.get(verdict)]
    told = f"{plural(len(result.migrations), 'migration')}: {', '.join(parts) or 'none'}"
    return f"{told}. Nothing was executed" if result.static else told


def last_line(result: RollbackResult) -> str:
    """Whether it is as it should be."""
    code = result.exit_code
    told = "interrupted" if result.interrupted else EXITS.get(code, f"exit code {code}")
    known = sum(finding.known for finding in result.findings)
    told += f": {plural(known, 'finding')}" if known else ""
    unknown = len(result.findings) - known
    return f"{told}; {unknown} unknown" if unknown else told


def caveats(result: RollbackResult) -> Iterator[str]:
    """What has to be said of the whole run."""
    if result.crashed:
        yield f"Ended by an error before its end: {result.crashed}"
    if result.plain_for:
        yield f"Run as plain SQL: what {result.plain_for} itself would leave is not known."
    if result.emulated:
        yield f"{result.tool}: what it sends was sent by an emulation."
    for place, says in result.seed_refused.items():
        yield f"No state took the row of {place}: {says}"


def disagreements(result: RollbackResult) -> Sequence[MigrationBack]:
    """Where the SQL alone tells something else than what was measured."""
    return [one for one in result.migrations if one.disagrees]


def words_of_leads(one: MigrationBack) -> str:
    """Where it leads directly after its up."""
    return f"{_capital(IN_WORDS[one.found.leads])}."


def _capital(says: str) -> str:
    return f"{says[:1].upper()}{says[1:]}"
