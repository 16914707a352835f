"""Sweeps that never ran: made from the lines of a record, by the code that folds real ones.

A sweep is its header and the events that follow, each a dict as it stands in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from made_up import HOSTILE

from harness.record.timeline import Event as Read
from harness.record.timeline import structured
from harness.sweep import results, threshold, verdicts
from harness.sweep.events import OF_A_SWEEP
from harness.sweep.points import OF_THE_WAY_BACK, Point, Row, Way, Where, points
from harness.sweep.results import SweepHeader, SweepResult
from harness.sweep.rollback import Leads
from harness.sweep.threshold import Baseline
from harness.sweep.verdicts import Attempt, Grade, LeftState

TOOL = "golang-migrate (emulated)"
AGAIN = f"run {TOOL} again"
MARK = "make the tool take it for applied"
WAYS = (Way.CLIENT_SIGKILL, Way.SESSION_KILL, Way.QUERY_CANCEL, Way.REPLY_LOST)
FIXED = {"kind", "where", "way", "grade", "leads", "started", "outcome", "meets", "hung"}
"""Keys whose values are words of the harness, never of a database or a file."""
LINES_OF_A_DIFFERENCE = {"differs", "since"}
"""Their first word is of the harness."""
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
    commands = (*(f"{statement};" for statement in statements), MARK)
    return Attempt("complete by hand", "completion", healed, says, commands)


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
        "failing_rows": "",
        "without_rows": [],
        "idle": [],
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
    *,
    back: Event | None = None,
    down_lands: Lands | None = None,
    **more: Any,
) -> list[Event]:
    """The record of one migration, struck at every point that the harness would choose.

    ``back`` is where its way down leads, ``down_lands`` what crashes of that leave.
    """
    told = reference(version, name, statements, **more)
    leads = Leads.BACK if told["down"] else Leads.NOWHERE
    tried = {"kind": "way-back", "migration": version, "rollback": back or way_down(leads)}
    events = [told, *struck(version, told["rows"], lands, ways)]
    if down_lands:
        rows = reference(version, name, [f"DROP TABLE {name}"])["rows"]
        tried |= {"rows": rows, "statements": 1}
        back_ways = [way for way in ways if way in OF_THE_WAY_BACK]
        events += [tried, *struck(version, rows, down_lands, back_ways, down=True)]
    else:
        events.append(tried)
    return [*events, {"kind": "finished", "migration": version}]


def struck(
    version: str, rows: Sequence[Event], lands: Lands, ways: Sequence[Way], *, down: bool = False
) -> list[Event]:
    """The cells of one way of a migration, each distinct state healed once."""
    events: list[Event] = []
    healed = set()
    for point in points([Row(**row) for row in rows], ways):
        state = lands(point)
        missed = state if isinstance(state, str) else ""
        state = before(version) if isinstance(state, str) else state
        prefix = "down-" if down else ""
        key = f"{prefix}{state.left.key}/{version if state.applied else ''}/{state.stuck}"
        if not missed and key not in healed:
            healed.add(key)
            events.append({**healing(version, key, state), "down": down})
        told = cell(version, key, state, point, missed)
        events.append({**told, "down": down, "point": f"{prefix}{point.id}"})
    return events


def way_down(leads: Leads, **more: Any) -> Event:
    """Where a way down leads, with what it says of that."""
    return {"leads": str(leads), "schema": [], "data": [], "written": 0, "meanwhile": [],
            "says": "", **more}  # fmt: skip


def cell(version: str, key: str, state: State, point: Point, missed: str) -> Event:
    return {
        "kind": "cell",
        "migration": version,
        "point": point.id,
        "n": point.n,
        "where": str(point.where),
        "way": str(point.way),
        "missed": missed,
        "witnesses": [] if missed else WITNESSES,
        "exit_status": 0 if missed else 1,
        "said": "" if missed else "57P01: terminating connection due to administrator command",
        "state": key,
        "left": asdict(state.left),
        "applied": [version] if state.applied else [],
        "stuck": state.stuck,
    }


WITNESSES = [
    {"source": "injector", "says": "struck", "data": {}},
    {"source": "observer", "says": "the session is gone", "data": {}},
]


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
) -> SweepResult:
    """The result that the renderers are handed."""
    begin, *others = events
    told = [Read.read(event, OF_A_SWEEP) for event in others]
    found = results.of(structured(SweepHeader, begin), told)
    return threshold.judged(found, limit, None if baseline is None else Baseline(baseline))


def sweep(*migrations: Sequence[Event], **more: Any) -> list[Event]:
    """The record of a sweep that planned what it did."""
    planned = [events[0]["migration"] for events in migrations]
    return [header(*planned, **more), *(event for events in migrations for event in events)]


# ------------------------------------------------------------------------------ the migrations


def gone_down(version: str) -> Lands:
    """Its way down is all or nothing, and the tool goes it again by itself."""
    left, gone = LeftState("before", 0, f"up{version}"), LeftState("after", 1, f"dn{version}")
    tried: dict[str, Any] = {"attempts": (again(),), "probes": (probe("phone", 1),)}

    def lands(point: Point) -> State:
        done = point.where is Where.ANSWERED and point.n == 3
        return State(gone if done else left, **tried)

    return lands


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
        (again(False, DIRTY), force("1", False, exists), by_hand(*PHONE[1:])),
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

    leads = way_down(
        Leads.LOSES_DATA,
        data=["public.users: 17 of 40 rows differ (17 changed): 4: phone +4 → null; …"],
        written=10,
        meanwhile=["public.users: 5 of 5 rows are gone"],
    )
    return migration("2", "2_phone", PHONE, lands, removes={"public.old_phones": 3}, back=leads)


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
        "4",
        "4_lock",
        ["LOCK TABLE users"],
        lambda p: stuck if p.n > 1 else before("4"),
        down=False,
        back=way_down(Leads.IRREVERSIBLE, says="what was locked out is not written down"),
    )


def row_eater() -> list[Event]:
    """The crash itself takes rows away for good."""
    eaten = State(
        LeftState("1 of 2", 1, "eaten5"),
        (again(False, "gone: table public.old_users"), back(False, "gone", lost={"public.a": 9})),
        gone={"public.old_users": 40},
    )
    sql = ["DROP TABLE old_users", "CREATE TABLE old_users AS SELECT * FROM users"]
    leads = way_down(
        Leads.REMOVES_MORE, schema=["gone: table public.older_users", "gone: index public.by_age"]
    )
    return migration(
        "5", "5_copy_back", sql, lambda p: eaten if p.n > 2 else before("5"), back=leads
    )


def with_notes() -> list[Event]:
    """Atomic, with everything that a reference can have to say."""
    return harmless(
        "6",
        "6_notes",
        fails_with_rows="23502: column contains null values",
        failing_rows="fails on 1 of 200 rows of public.users: id 4",
        volatile={"public.users": ["created"]},
        filled=[{"table": "public.logs", "rows": 0, "why_not": "no value fits its check"}],
        without_rows=["public.logs"],
        idle=["DELETE FROM users WHERE email = ''"],
        back=way_down(Leads.OTHER_SCHEMA, schema=["new: index public.left_over"], written=10),
    )


def never_struck() -> list[Event]:
    """Every fault missed."""
    leads = way_down(Leads.BACK_IN_OTHER_ORDER, written=10)
    sql = ["COMMENT ON TABLE users IS 'x'"]
    return migration("7", "7_comment", sql, lambda p: "too quick", back=leads)


def fails_back() -> list[Event]:
    """A way down that ends with an error."""
    says = "42704: index gone does not exist"
    return harmless("10", "10_fails_back", back=way_down(Leads.FAILS, says=says))


def begun(version: str, name: str) -> list[Event]:
    """Cut off before its way down was tried."""
    return [e for e in harmless(version, name) if e["kind"] not in ("way-back", "finished")]


def every_grade() -> list[Event]:
    """Each grade and each state, each place where a way down leads, cells of both ways; a migration
    that fails by itself, one that was cut off, and one never begun; and all as plain SQL."""
    first = harmless(down_lands=gone_down("1"))
    swept = [first, half_way(), debris(), own_lock(), row_eater(), with_notes(), never_struck()]
    swept.append(two_at_once("12"))
    events = sweep(*swept, fails_back(), begun("11", "11_cut_off"))
    broken = {"kind": "broken", "migration": "8", "says": "42601: syntax error\nat ALTER"}
    planned = [*"1234567", "12", "10", "11", "8", "9"]
    return [header(*planned, plain_for="dbmate"), *events[1:], ALL_PENDING, broken]


ALL_PENDING = {
    "kind": "all-pending",
    "migration": "2",
    "first": "1",
    "last": "11",
    "count": 11,
    "outcome": "fails",
    "file": "migrations/2_phone.sql",
    "says": '42P01: relation "users" does not exist',
}


def two_at_once(version: str) -> list[Event]:
    """Both applied, the second waiting and failing, and one that waits for ever."""
    name, done = f"{version}_twice", after(version)
    notes = LeftState("1 of 1, and debris", 1, f"tw{version}", ("data: notes: 4 rows, now 8",))
    twice = State(notes, (again(False, "data: notes: 4 rows, now 8"),), applied=True)
    seen = {
        Point(2, Where.BEFORE, Way.RIVAL): (
            twice,
            {"meets": "ends-well", "first_status": 0, "second_status": 0, "second_sent": 1,
             "doubled": ["8 rows of notes, an unbroken run has 4"]},
        ),
        Point(3, Where.BEFORE, Way.RIVAL): (
            done,
            {"meets": "waits", "waits_for": "Lock:relation: ALTER TABLE users", "first_status": 0,
             "second_status": 1, "second_said": "42701: it is there", "second_sent": 1},
        ),
        Point(3, Where.BEFORE, Way.RIVAL_FIRST_KILLED): (
            done,
            {"meets": "asks-again", "waits_for": "SELECT locked FROM locks", "first_status": -9,
             "second_status": -9, "hung": "second", "waited_s": 25.0},
        ),
    }  # fmt: skip
    told = migration(version, name, ["INSERT INTO notes VALUES (1)"], lambda _: done)
    found: list[Event] = []
    for point, (state, rival) in seen.items():
        key = f"{state.left.key}/{version}/False"
        if state is twice:
            found.append(healing(version, key, state))
        found.append({**cell(version, key, state, point, ""), "rival": rival})
    return [*told[:-1], *found, told[-1]]


def all_well() -> list[Event]:
    """One migration, one dirty state that the tool repairs, nothing open."""
    dirty = State(
        LeftState("after", 1, "di1"), (again(False, DIRTY), force("1"), back()), stuck=True,
        probes=(probe("phone", 1),),
    )  # fmt: skip
    lands = {1: before("1"), 2: before("1"), 3: dirty}

    def land(point: Point) -> State:
        return after("1") if point.way is Way.REPLY_LOST and point.n == 3 else lands[point.n]

    sql = ["CREATE TABLE users (id bigint)"]
    return sweep(migration("1", "1_users", sql, land, down_lands=gone_down("1")))


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
            told = {spoil(k) if tables else k: spoil(v, k) for k, v in value.items()}
            return told | {"name": value["name"]} if key == "left" else told
        if isinstance(value, list | tuple):
            return [spoil(item, key) for item in value]
        if key in LINES_OF_A_DIFFERENCE:
            word, colon, rest = value.partition(": ")
            return f"{word}{colon}{spoil(rest)}"
        if isinstance(value, str) and value and key not in FIXED:
            return f"{NASTY[attack]} {value} {NASTY[attack]}"
        return value

    return [spoil(event) for event in every_grade()]
