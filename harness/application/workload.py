"""What the background application sends: statements with their parameters, and whose key it is.

Pure: no session, no thread. A version's SQL names its parameters ``:id`` (the key) and
``:name`` (a value, which by convention belongs to the column of that name).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.application.lookup import Lookup, lookup_of
from harness.application.writes import Op, WriteOutcome
from harness.errors import StepFailed
from harness.model import App, in_dialect

_TOKEN = re.compile(
    r"""
      '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`      # quoted text and names
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$                # dollar quotes
    | --[^\n]* | /\*.*?\*/                           # comments
    | ::                                             # a cast
    | (?<![:\w]):(?P<name>[A-Za-z_]\w*)
    | %
    """,
    re.VERBOSE | re.DOTALL,
)


WRITTEN_SHARE = 0.5
"""Share of reads that go to keys with an acknowledged write."""
LATELY = 3
"""Power of a draw between 0 and 1: half of those reads go to the eighth that was written last."""


@dataclass(frozen=True)
class Statement:
    """SQL with driver placeholders (``%s``) and the parameter names in their order."""

    sql: str
    names: tuple[str, ...]


def bind(sql: str) -> Statement:
    """Replace ``:name`` by ``%s``; casts, quoted text and comments are left as they are.

    A percent sign is doubled where there are parameters, as drivers then ask for. Quotes
    inside quoted text are doubled quotes, as in the standard, not backslashes.
    """
    names: list[str] = []

    def placeholder(match: re.Match[str]) -> str:
        if match["name"] is None:
            return match[0].replace("%", "%%")
        names.append(match["name"])
        return "%s"

    bound = _TOKEN.sub(placeholder, sql)
    return Statement(bound if names else sql, tuple(names))


@dataclass(frozen=True)
class Operation:
    """One statement ready to send; ``op`` is None for a read."""

    op: Op | None
    key: int
    values: Mapping[str, str]
    sql: str
    args: tuple[object, ...]


@dataclass(frozen=True)
class Statements:
    """The statements of one version for one engine; a version may lack some writes.

    ``lookup`` is what the read tells of its row; None if it tells nothing for certain.
    """

    read: Statement
    writes: Mapping[Op, Statement]
    lookup: Lookup | None = None


def statements_of(app: App, *dialects: str) -> dict[str, Statements]:
    """Every version's statements, bound. StepFailed for a parameter that has no value."""
    bound = {}
    for name, version in app.versions.items():
        texts = {op: in_dialect(sql, *dialects) for op in Op if (sql := getattr(version, op))}
        read = in_dialect(version.read, *dialects)
        if read is None:
            raise StepFailed(
                f"version {name} of the application has no read for {' or '.join(dialects)}; "
                f"it has: {', '.join(version.read)}"
            )
        writes = {op: bind(text) for op, text in texts.items() if text is not None}
        bound[name] = Statements(bind(read), writes, lookup_of(read, app))
        _check_names(app, name, bound[name])
    return bound


def _check_names(app: App, version: str, statements: Statements) -> None:
    known = {"id", *app.values}
    for statement in (statements.read, *statements.writes.values()):
        for name in statement.names:
            if name not in known:
                raise StepFailed(
                    f"version {version} of the application uses :{name}, which has no value; "
                    f"known: {', '.join(sorted(known))}"
                )


@dataclass
class _Values:
    """Makes values and arguments; its numbers never repeat within the application."""

    app: App
    number: int
    of: int
    made: int = 0

    def operation(self, op: Op | None, key: int, statement: Statement) -> Operation:
        n = self.number + self.of * self.made + 1
        self.made += 1
        values = {
            name: self.app.values[name].replace("{n}", str(n))
            for name in dict.fromkeys(statement.names)
            if name != "id"
        }
        args = tuple(key if name == "id" else values[name] for name in statement.names)
        return Operation(op, key, values, statement.sql, args)


def _nowhere(_back: float) -> int | None:
    return None


@dataclass
class Reader:
    """Reads keys of the range at random, and as often keys that were written, lately above all.

    ``lately`` is asked for a written key: 0 means the one written last, towards 1 the first.
    """

    app: App
    number: int
    seed: int
    lately: Callable[[float], int | None] = _nowhere
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.seed}/reader/{self.number}")
        workers = self.app.readers + self.app.writers
        self._values = _Values(self.app, self.app.writers + self.number, workers)

    def has_work(self, statements: Statements) -> bool:
        return True

    def next(self, statements: Statements) -> Operation:
        """The next read; the same seed draws the same, whatever was written."""
        any_key = self.random.randint(*self.app.keys)
        share, back = self.random.random(), self.random.random()
        written = self.lately(back**LATELY) if share < WRITTEN_SHARE else None
        return self._values.operation(
            None, any_key if written is None else written, statements.read
        )

    def learn(self, operation: Operation, outcome: WriteOutcome) -> None:
        """A read teaches nothing."""


_CYCLE = ("insert", "update range", "update own", "delete")
_RANGE_DELETES = 0.25
"""Share of its part of the key range that a writer may delete."""


@dataclass
class Writer:
    """Inserts, updates and deletes in turn, only rows that no other writer touches.

    Its part of the key range is every key with the same remainder; its own rows have keys
    from ``new_keys_from`` on with the same rule. A row whose write got no answer is left
    alone from then on: the statement may still commit.
    """

    app: App
    number: int
    seed: int
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        app = self.app
        self.random = random.Random(f"{self.seed}/writer/{self.number}")
        self._values = _Values(app, self.number, app.readers + app.writers)
        first, last = app.keys
        self._part = range(first + (self.number - first) % app.writers, last + 1, app.writers)
        self._gone: set[int] = set()
        self._own: list[int] = []
        self._inserted = 0
        self._range_deletes = int(len(self._part) * _RANGE_DELETES)
        self._turn = 0

    def has_work(self, statements: Statements) -> bool:
        """False if this version never writes."""
        return bool(statements.writes)

    def next(self, statements: Statements) -> Operation | None:
        """The next write that this version has and for which there is a row; None if none."""
        for _ in _CYCLE:
            turn = _CYCLE[self._turn % len(_CYCLE)]
            self._turn += 1
            op = Op(turn.split()[0])
            key = self._key(turn) if op in statements.writes else None
            if key is not None:
                return self._values.operation(op, key, statements.writes[op])
        return None

    def learn(self, operation: Operation, outcome: WriteOutcome) -> None:
        """Remember what became of a write."""
        if outcome is WriteOutcome.REFUSED:
            return
        acknowledged = outcome is WriteOutcome.ACKNOWLEDGED
        if operation.op is Op.INSERT and acknowledged:
            self._own.append(operation.key)
        elif operation.op is Op.DELETE or not acknowledged:
            self._drop(operation)

    def _drop(self, operation: Operation) -> None:
        if operation.key in self._own:
            self._own.remove(operation.key)
        elif operation.op is not Op.INSERT:
            self._gone.add(operation.key)
            self._range_deletes -= operation.op is Op.DELETE

    def _key(self, turn: str) -> int | None:
        if turn == "insert":
            self._inserted += 1
            return self.app.new_keys_from + self.number + self.app.writers * (self._inserted - 1)
        if turn == "update range":
            return self._of_range()
        if turn == "update own":
            return self._of_own()
        if self._range_deletes > 0 and self.random.random() < 0.5:
            return self._of_range()
        return self._of_own()

    def _of_own(self) -> int | None:
        return self.random.choice(self._own) if self._own else None

    def _of_range(self) -> int | None:
        tries = (self.random.choice(self._part) for _ in range(16 if self._part else 0))
        return next((key for key in tries if key not in self._gone), None)
