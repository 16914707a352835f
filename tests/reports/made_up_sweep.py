"""Sweeps that never ran: made from the events of a journal, by the code that folds real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from made_up import HOSTILE

from harness.sweep import results, threshold, verdicts
from harness.sweep.points import Point, Row, Way, Where, points
from harness.sweep.verdicts import Attempt, Grade, LeftState

TOOL = "golang-migrate (emulated)"
AGAIN = f"run {TOOL} again"
MARK = "make the tool take it for applied"
WAYS = (Way.CLIENT_SIGKILL, Way.SESSION_KILL, Way.QUERY_CANCEL, Way.REPLY_LOST)
FIXED = {"kind", "where", "way", "grade", "started"}
"""Keys whose values are words of the harness, never of a database or a file."""
NAMED_BY_TABLES = {"gone", "lost", "removes", "volatile"}

Event = dict[str, Any]


@dataclass(frozen=True)
class State:
    """What a crash left, and what was tried on it; ``grade`` is what the harness makes of it."""

    left: LeftState
    attempts: tuple[Attempt, ...]
    applied: bool = False
    stuck: bool = False
    gone: Mapping[str, int] = field(default_factory=dict)
    probes: tuple[Mapping[str, Any], ...] = ()
    keeps_record: bool = True

    @property
    def settled(self) -> bool:
        return not self.stuck and (self.applied or not self.keeps_record)

    @property
    def grade(self) -> Grade:
        return verdicts.grade(self.left, self.settled, self.attempts, self.gone)


Lands = Callable[[Point], State | str]
"""The state that a crash at the point leaves, or why the fault did not strike there."""


# ------------------------------------------------------------------------------ attempts


def again(healed: bool = True, says: str = "", **more: Any) -> Attempt:
    return Attempt(AGAIN, "re-run", healed, says, (AGAIN,), **more)


def force(version: str, healed: bool = True, says: str = "", **more: Any) -> Attempt:
    name = f"migrate force {version}"
    return Attempt(f"{name}, then run again", "repair", healed, says, (name, AGAIN), **more)


def back(healed: bool = True, says: str = "", **more: Any) -> Attempt:
    return Attempt("down, then up", "down-up", healed, says, (MARK, "down", AGAIN), **more)


def by_hand(*statements: str, healed: bool = True, says: str = "") -> Attempt:
    return Attempt("complete by hand", "completion", healed, says, statements)


def probe(thing: str, found: int) -> Event:
    sql = f"SELECT count(*) FROM information_schema.columns WHERE column_name = '{thing}'"
    return {"object": f"column public.users.{thing}", "sql": sql, "found": found}


DIRTY = "Dirty database version. Fix and force version."


def before(version: str, **more: Any) -> State:
    """Nothing is there, and the tool knows it."""
    left = LeftState("before", 0, f"be{version}")
    tried = (again(), force(version, False, "gone: column public.users.phone"))
    return State(left, **{"attempts": tried, "probes": (probe("phone", 0),), **more})


def after(version: str, **more: Any) -> State:
    """All is there, and the tool knows it."""
    left = LeftState("after", 3, f"af{version}")
    tried = {"attempts": (again(), back()), "applied": True, "probes": (probe("phone", 1),)}
    return State(left, **{**tried, **more})


# ------------------------------------------------------------------------------ events


def reference(version: str, name: str, statements: Sequence[str], **more: Any) -> Event:
    """What an unbroken run does: the tool's own message, the statements, the tool's again."""
    own = "INSERT INTO schema_migrations (version, dirty) VALUES ({}, {})"
    rows = [Row(1, own.format(version, "true"), "bookkeeping", 0, 0, "", "INSERT")]
    for n, sql in enumerate(statements):
        place = f"migrations/{name}.up.sql:{n + 1}"
        verb = " ".join(sql.split()[:2])
        rows.append(Row(n + 2, sql.splitlines()[0], "statement", 1, n, place, verb))
    done = len(statements)
    rows.append(Row(done + 2, own.format(version, "false"), "bookkeeping", 0, done, "", "INSERT"))
    return {
        "kind": "reference",
        "migration": version,
        "name": name,
        "files": [f"migrations/{name}.up.sql"],
        "rows": [asdict(row) for row in rows],
        "states": [{"done": 0, "key": f"be{version}", "rows": 40, "differs": []}],
        "statements": done,
        "volatile": {},
        "filled": [],
        "fails_with_rows": "",
        "removes": {},
        "down": True,
        **more,
    }


def migration(
    version: str,
    name: str,
    statements: Sequence[str],
    lands: Lands,
    ways: Sequence[Way] = WAYS,
    **more: Any,
) -> list[Event]:
    """The journal of one migration, struck at every point that the harness would choose."""
    told = reference(version, name, statements, **more)
    events, healed = [told], set()
    for point in points([Row(**row) for row in told["rows"]], ways):
        state = lands(point)
        missed = state if isinstance(state, str) else ""
        state = before(version) if isinstance(state, str) else state
        key = f"{state.left.key}/{version if state.applied else ''}/{state.stuck}"
        if not missed and key not in healed:
            healed.add(key)
            events.append(healing(version, key, state))
        events.append(cell(version, key, state, point, missed))
    return [*events, {"kind": "finished", "migration": version}]


def cell(version: str, key: str, state: State, point: Point, missed: str) -> Event:
    return {
        "kind": "cell",
        "migration": version,
        "point": point.id,
        "n": point.n,
        "where": str(point.where),
        "way": str(point.way),
        "missed": missed,
        "witnesses": [] if missed else ["injector: struck", "observer: the session is gone"],
        "exit_status": 0 if missed else 1,
        "said": "" if missed else "57P01: terminating connection due to administrator command",
        "state": key,
        "left": asdict(state.left),
        "applied": [version] if state.applied else [],
        "stuck": state.stuck,
    }


def healing(version: str, key: str, state: State) -> Event:
    return {
        "kind": "healing",
        "migration": version,
        "state": key,
        "left": asdict(state.left),
        "attempts": [asdict(attempt) for attempt in state.attempts],
        "gone": dict(state.gone),
        "settled": state.settled,
        "probes": list(state.probes),
        "grade": str(state.grade),
    }


def header(*planned: str, **more: Any) -> Event:
    return {
        "kind": "header",
        "run": "20260314-143205-0a1b2c3d",
        "started": "2026-03-14T14:32:05+00:00",
        "version": "0.1.0",
        "command": "mdrill sweep migrations --engine postgres",
        "sweep": {"path": "migrations", "engine": "postgres"},
        "folder": "migrations",
        "layout": "golang-migrate",
        "tool": TOOL,
        "emulated": True,
        "notes": "Dirty is set before the file and cleared after it.",
        "engine": "PostgreSQL",
        "server_version": "18.6",
        "image": "postgres:18",
        "backend": "docker",
        "backend_because": "backend: docker (asked for)",
        "planned": list(planned),
        "took_ms": 48_468.5,
        **more,
    }


def judged(
    events: Sequence[Event],
    limit: Grade = Grade.LOSES_DATA,
    baseline: Mapping[tuple[str, str], Grade] | None = None,
) -> dict[str, Any]:
    """The result that the renderers are handed."""
    return threshold.judged(results.of(events), limit, baseline)


def sweep(*migrations: Sequence[Event], **more: Any) -> list[Event]:
    """The journal of a sweep that planned what it did."""
    planned = [events[0]["migration"] for events in migrations]
    return [header(*planned, **more), *(event for events in migrations for event in events)]


# ------------------------------------------------------------------------------ the migrations


def harmless(version: str = "1", name: str = "1_users", **more: Any) -> list[Event]:
    """All or nothing, and the tool heals every crash of it by itself."""
    sql = "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL)"
    at_the_end = Point(3, Where.ANSWERED, Way.REPLY_LOST)
    lands = {at_the_end: after(version)}
    return migration(version, name, [sql], lambda p: lands.get(p, before(version)), **more)


PHONE = (
    "ALTER TABLE users ADD COLUMN phone text",
    "UPDATE users\n   SET phone = '+' || id  -- two  spaces | and a pipe\n WHERE phone IS NULL",
    "ALTER TABLE users ALTER COLUMN phone SET NOT NULL",
)


def half_way() -> list[Event]:
    """Three statements, one by one: hand work after the first, lost rows after the second."""
    repaired = LeftState("after", 3, "dirty2")
    first = LeftState("1 of 3", 1, "first2", ("new: column public.users.phone",))
    second = LeftState("2 of 3", 2, "second2", ("data: public.users: 40 rows, other values",))
    exists = f'{DIRTY}; 42701: column "phone" of relation "users" already exists'
    hand_work = State(
        first,
        (again(False, DIRTY), force("1", False, exists), by_hand(PHONE[1], PHONE[2])),
        stuck=True,
        probes=(probe("phone", 1),),
    )
    loses = State(
        second,
        (again(False, "data: public.users", lost={"public.users": 17}), force("1"), back()),
        stuck=True,
    )
    dirty_after = State(repaired, (again(False, DIRTY), force("2"), back()), stuck=True)

    def lands(point: Point) -> State:
        done = point.n - (1 if point.where is Where.ANSWERED else 2)
        if point.way is Way.REPLY_LOST and point.n == 5:
            return after("2")
        clean = before("2") if point.n == 1 else before("2", stuck=True, attempts=(force("1"),))
        return (clean, hand_work, loses, dirty_after)[min(max(done, 0), 3)]

    return migration("2", "2_phone", PHONE, lands, removes={"public.old_phones": 3})


def debris() -> list[Event]:
    """An index that is built outside a transaction leaves an invalid one behind."""
    sql = "CREATE INDEX CONCURRENTLY users_email ON users (email)"
    new = ("new: index public.users_email", "changed: index public.other: invalid (was: valid)")
    left = LeftState("0 of 1, and debris", 0, "debris3", new, False)
    state = State(
        left,
        (
            again(False, DIRTY),
            by_hand("DROP INDEX public.users_email", sql, healed=False, says="42P01"),
        ),
        stuck=True,
    )

    def lands(point: Point) -> State | str:
        if point.where is Where.INSIDE and point.way is Way.QUERY_CANCEL:
            return "no lock holds this statement: it was over at once"
        return state if point.where is Where.INSIDE else before("3")

    return migration("3", "3_email_index", [sql], lands, down=False)


def own_lock() -> list[Event]:
    """The tool waits for a lock that it left itself."""
    waits = again(False, "no answer within 20 s", blocked=True)
    stuck = State(LeftState("before", 0, "be4"), (waits, back(False, "waits")), stuck=True)
    return migration(
        "4", "4_lock", ["LOCK TABLE users"], lambda p: stuck if p.n > 1 else before("4"), down=False
    )


def row_eater() -> list[Event]:
    """The crash itself takes rows away for good."""
    eaten = State(
        LeftState("1 of 2", 1, "eaten5"),
        (again(False, "gone: table public.old_users"), back(False, "gone", lost={"public.a": 9})),
        gone={"public.old_users": 40},
    )
    sql = ["DROP TABLE old_users", "CREATE TABLE old_users AS SELECT * FROM users"]
    return migration("5", "5_copy_back", sql, lambda p: eaten if p.n > 2 else before("5"))


def with_notes() -> list[Event]:
    """Atomic, with everything that a reference can have to say."""
    return harmless(
        "6",
        "6_notes",
        fails_with_rows="23502: column contains null values",
        volatile={"public.users": ["created"]},
        filled=[{"table": "public.logs", "rows": 0, "why_not": "no value fits its check"}],
    )


def never_struck() -> list[Event]:
    """Every fault missed."""
    return migration("7", "7_comment", ["COMMENT ON TABLE users IS 'x'"], lambda p: "too quick")


def every_grade() -> list[Event]:
    """Each grade and each state, a migration that fails by itself, and one never begun."""
    swept = [harmless(), half_way(), debris(), own_lock(), row_eater(), with_notes()]
    events = sweep(*swept, never_struck())
    broken = {"kind": "broken", "migration": "8", "says": "42601: syntax error\nat ALTER"}
    return [header(*"123456789"), *events[1:], broken]


def all_well() -> list[Event]:
    """One migration, one dirty state that the tool repairs, nothing open."""
    dirty = State(
        LeftState("after", 1, "di1"), (again(False, DIRTY), force("1"), back()), stuck=True,
        probes=(probe("phone", 1),),
    )  # fmt: skip
    lands = {1: before("1"), 2: before("1"), 3: dirty}

    def land(point: Point) -> State:
        return after("1") if point.way is Way.REPLY_LOST and point.n == 3 else lands[point.n]

    return sweep(migration("1", "1_users", ["CREATE TABLE users (id bigint)"], land))


def cut_off() -> list[Event]:
    """Killed while the second migration's first state was being healed."""
    first, second = harmless(), half_way()
    kept = [event for event in second if event["kind"] in ("reference", "cell")][:4]
    return [header("1", "2", "3"), *first, *kept]


NASTY = {
    "everything": HOSTILE,
    "pipes": "| a\\|b || `c` ``` d | <i>e</i> [f](g) **bold** &amp; <u> \\",
    "lines": "# heading\n\n- [x] box\r\n1. item\n```\n---\n|---|---|\n> quote",
    "controls": "\x1b[31m\x00\x1b]0;title\x07\ud800\ufffe\u202e\x9b2J\x7f]]> <![CDATA[ &#0;",
    "long": "A" * 30_000,
}
"""What a database or a file name may say, by what it attacks."""


def hostile(attack: str) -> list[Event]:
    """Every grade, and around every text that is not a word of the harness, a nasty one."""

    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            tables = key in NAMED_BY_TABLES
            return {spoil(k) if tables else k: spoil(v, k) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [spoil(item, key) for item in value]
        if isinstance(value, str) and value and key not in FIXED:
            return f"{NASTY[attack]} {value} {NASTY[attack]}"
        return value

    return [spoil(event) for event in every_grade()]
