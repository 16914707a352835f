"""Finished runs that never ran: realistic records, as ``docs/record.md`` describes them.

Records and results are written as dicts, as they stand in files, and read as the harness reads
them; so a hostile text can be put wherever a file may have one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from harness.drill import results
from harness.drill.judgement import (
    EXPECTED,
    Criterion,
    Judgement,
    Losses,
    RecoveryTime,
    Verdict,
)
from harness.drill.results import RunHeader, RunResult, TrialResult
from harness.record.events import Cell, ServerUsed
from harness.record.timeline import Event, structured

WALL = "2026-03-14T14:32:07.250+00:00"
SERVERS = {
    "postgres": {
        "backend": "docker",
        "engine": "postgres",
        "title": "PostgreSQL",
        "image": "postgres:18",
        "digest": "sha256:5f1c0e7a94b8d3f26c1b7e08a4d95c62f0e3b18d7a6f4c29be50d1837c6a2f94",
        "version": "18.6 (Debian 18.6-1.pgdg13+1)",
    },
    "mysql": {
        "backend": "docker",
        "engine": "mysql",
        "title": "MySQL",
        "image": "mysql:9.7",
        "digest": "sha256:c83b6d02f1e5479ab0c4d7268e91f35ab7d24e6c09f81b3a5d7e6240cb91f8d3",
        "version": "9.7.4 MySQL Community Server - GPL",
    },
}
PHONE = (
    "ALTER TABLE users ADD COLUMN phone VARCHAR(20)",
    "UPDATE users SET phone = '' WHERE phone IS NULL",
    "ALTER TABLE users ALTER COLUMN phone SET NOT NULL",
)
STATUS = ("ALTER TABLE users ADD COLUMN status VARCHAR(20) DEFAULT 'active'",)
CRITERIA = (
    ("baseline", "6 of 6 steady-state claims held before the migration"),
    ("struck", "the fault is told by 3 independent witnesses"),
    ("damage", "2 of 2 damage claims were seen broken before anybody repaired"),
    ("recovered", "every step of the procedure ended in time"),
    ("verified", "5 of 5 claims held after the recovery"),
    ("untouched", "20 000 rows and 412 acknowledged writes are as they were"),
    ("objectives", "RTO 0.66 s, wanted at most 30 s; RPO 0 writes, wanted 0"),
)


def read(t_ns: int, lane: str, kind: str, data: Mapping[str, Any]) -> Event[Any]:
    """As a line of a record tells it."""
    return Event.read({"t_ns": t_ns, "lane": lane, "kind": kind, **data})


@dataclass
class Story:
    """Writes a timeline the way the harness does, with a clock that the story moves by hand."""

    events: list[Event] = field(default_factory=list)
    ms: float = 0.0

    def add(self, lane: str, kind: str, **data: Any) -> None:
        self.events.append(read(round(self.ms * 1e6), lane, kind, data))

    def wait(self, ms: float) -> Story:
        self.ms += ms
        return self

    def span(self, lane: str, kind: str, took_ms: float, end: Mapping[str, Any], **data) -> None:
        self.add(lane, f"{kind}.begin", **data)
        self.wait(took_ms)
        self.add(lane, f"{kind}.end", **{**data, "ok": True, **end}, took_ns=round(took_ms * 1e6))

    def phase(self, name: str) -> _Phase:
        return _Phase(self, name)

    def claim(self, section: str, name: str, found: str, wanted: str, **more: Any) -> None:
        self.wait(1.4)
        data = {"answer": "held", "population": 2000, "lost": 0, "line": 88, "took_ns": 1_300_000}
        self.add(
            "claims", "claim", section=section, name=name, found=found, wanted=wanted,
            **{**data, **more},
        )  # fmt: skip

    def sorted(self) -> list[Event]:
        return sorted(self.events, key=lambda event: event.t_ns)


@dataclass
class _Phase:
    story: Story
    name: str
    begun: float = 0.0

    def __enter__(self) -> None:
        self.begun = self.story.ms
        self.story.add("trial", "phase.begin", phase=self.name)

    def __exit__(self, *_: object) -> None:
        took = round((self.story.ms - self.begun) * 1e6)
        self.story.add("trial", "phase.end", phase=self.name, ok=True, took_ns=took)


def cell(scenario: str, engine: str, mode: str, fault: str, procedure: str, **more: Any) -> dict:
    purpose = more.get("purpose", "recovery")
    return {
        "id": "/".join((scenario, engine, mode, fault, procedure)),
        "scenario": scenario,
        "title": TITLES.get(scenario, scenario),
        "source": "Rollback and Failure Recovery, " + TITLES.get(scenario, scenario),
        "engine": engine,
        "mode": mode,
        "fault": fault,
        "fault_kind": fault.split("-at-")[0],
        "moment": "inside statement 2",
        "procedure": procedure if purpose in ("recovery", "decoy") else None,
        "procedure_title": procedure.replace("-", " ").capitalize(),
        "purpose": purpose,
        "caught_by": [],
        "seed": 4711,
        "rows": 20_000,
        "objectives": {"rto_s": 30.0, "lost_writes": 0, "lost_values": 0},
        "file": f"scenarios/{scenario}.yaml",
        "sha256": "9b1f7c3a5e0d" + "0" * 52,
        "statements": list(STATUS if scenario == "hang" else PHONE),
        **more,
    }


TITLES = {
    "partial-failure": "Migration fails partway",
    "hang": "Migration hangs indefinitely",
    "dirty-state": "Dirty migration state",
}


def trial(cell: dict, verdict: str, sentence: str, **more: Any) -> dict:
    """A ``trial.json`` value; criteria after the first unmet one are unknown."""
    purpose = cell["purpose"]
    expected = str(EXPECTED[purpose])
    unmet = more.pop("unmet", None)
    criteria, open_question = [], False
    for name, says in CRITERIA:
        if name == unmet:
            criteria.append({"name": name, "met": False, "says": more.pop("unmet_says", sentence)})
            open_question = True
        elif open_question or (verdict == "ABORTED" and name not in ("baseline", "struck")):
            criteria.append({"name": name, "met": None, "says": "not reached"})
        else:
            criteria.append({"name": name, "met": True, "says": says})
    reason = more.pop("reason", "all-criteria-met" if verdict == "PASS" else verdict.lower())
    as_expected = more.pop("as_expected", verdict == expected)
    outcome, counts_as = called(verdict, expected, as_expected, reason)
    return {
        "id": cell["id"],
        "verdict": verdict,
        "outcome": outcome,
        "counts_as": counts_as,
        "reason": reason,
        "sentence": sentence,
        "expected": expected,
        "as_expected": as_expected,
        "criteria": criteria,
        "rto": {"total_ms": None, "detect_ms": None, "decide_ms": None, "repair_ms": None,
                "verify_ms": None},
        "rpo": {"lost_writes": 0, "lost_values": 0},
        "cell": cell,
        "server": SERVERS[cell["engine"]],
        "failed_claims": [],
        "rerun": f"mdrill run --only '{cell['id']}' --seed {cell['seed']}",
        "attempt": 1,
        "started": WALL,
        "took_ms": 4_210.0,
        **more,
    }  # fmt: skip


def called(verdict: str, expected: str, as_expected: bool, reason: str) -> tuple[str, str]:
    """What the harness calls such a trial, and what it counts as."""
    judgement = Judgement(
        Verdict(verdict), reason, "", (), (), RecoveryTime(), Losses(), Verdict(expected),
        as_expected,
    )  # fmt: skip
    return judgement.outcome, str(judgement.counts_as)


def rto(detect: float, decide: float, repair: float, verify: float) -> dict:
    return {
        "total_ms": detect + decide + repair + verify,
        "detect_ms": detect,
        "decide_ms": decide,
        "repair_ms": repair,
        "verify_ms": verify,
    }


def traffic(story: Story, begin: float, end: float, *, bad=(), stuck=(), peak=46) -> None:
    """One tick per 100 ms; ``bad`` and ``stuck`` are (from, to) in ms since the trial began."""
    for n, at in enumerate(range(int(begin), int(end), 100)):
        erring = any(low <= at < high for low, high in bad)
        waiting = any(low <= at < high for low, high in stuck)
        ok = 0 if erring or waiting else round(peak + 5 * math.sin(n * 1.7))
        story.events.append(
            read(
                round((at + 100) * 1e6),
                "application",
                "tick",
                {
                    "from_ns": round(at * 1e6),
                    "ok": ok,
                    "errors": 31 if erring else 0,
                    "waiting": min(2, n) if waiting else 0,
                    "worst_ms": 100.0 * (n % 9) if waiting else 2.1,
                    "version": "old",
                },
            )
        )


def opening(story: Story, cell: dict) -> None:
    """Everything up to the moment at which the migration begins."""
    story.add("trial", "clock", wall=WALL)
    story.add("trial", "cell", **cell)
    with story.phase("provision"):
        story.wait(1_180)
        story.add("trial", "control", ok=True, says="it goes through, and leaves what it should")
        story.add("server", "facts", **SERVERS[cell["engine"]], proof="container label and pid")
    with story.phase("guard"):
        story.wait(12)
    with story.phase("given"):
        story.wait(240)
    with story.phase("steady_state"):
        story.claim("steady_state", "the application reads and writes", "40 of 40 ok", "all ok",
                    population=40)  # fmt: skip
        story.claim("steady_state", "users has its rows", "20000", "20000", population=20000)
    with story.phase("snapshot"):
        story.wait(31)


def closing(story: Story, log: str) -> None:
    with story.phase("collect_logs"):
        story.wait(8)
        story.add("trial", "log", text=log)
    with story.phase("teardown"):
        story.wait(140)
    story.add("trial", "finished")


def statement(story: Story, n: int, sql: str, took: float, run: int = 1, **end: Any) -> None:
    story.span("migration", "statement", took, end, run=run, n=n, sql=sql)


def begin_statement(story: Story, n: int, sql: str, run: int = 1) -> None:
    story.add("migration", "statement.begin", run=run, n=n, sql=sql)


def end_statement(story: Story, n: int, sql: str, took: float, run: int = 1, **end: Any) -> None:
    data = {"run": run, "n": n, "sql": sql, "ok": not end, **end, "took_ns": round(took * 1e6)}
    story.add("migration", "statement.end", **data)


def step(story: Story, n: int, name: str, verb: str, took: float, **end: Any) -> None:
    story.span("recovery", "step", took, end, n=n, name=name, verb=verb, line=120 + 6 * n)


def server_killed(name: dict, *, restart: float, lost: int = 0) -> tuple[dict, list[Event]]:
    """SIGKILL inside statement 2; the server comes back; look, retry, verify."""
    story = Story()
    opening(story, name)
    postgres = name["engine"] == "postgres"
    atomic = name["mode"] == "one-transaction" and postgres
    with story.phase("migrate_under_fault"):
        story.add("migration", "run", run=1, tool="plain", mode=name["mode"], pid=117,
                  process_id=48213)  # fmt: skip
        statement(story.wait(4), 1, PHONE[0], 11.2)
        begin_statement(story.wait(2), 2, PHONE[1])
        story.wait(55).add("fault", "armed", fault=name["fault"], moment=name["moment"])
        story.wait(90)
        died = story.ms
        story.add("server", "died", says="SIGKILL sent to process 48102; exit status 137")
        code = "57P02" if postgres else "2013"
        story.wait(3).add("fault", "witness", source="injector", says="SIGKILL sent to 48102",
                          data={"pid": 48102, "signal": 9})  # fmt: skip
        story.wait(2).add("fault", "witness", source="docker", says="container died, exit 137",
                          data={"exitCode": "137"})  # fmt: skip
        story.wait(4).add("fault", "witness", source="victim", says="the connection broke",
                          data={"code": code})  # fmt: skip
        story.add("fault", "fired", fault=name["fault"], moment=name["moment"])
        end_statement(story, 2, PHONE[1], 154, code=code, error="server closed the connection")
        story.add("migration", "ended", run=1, done=1, finished=False, code=code,
                  message="server closed the connection unexpectedly", exit_status=1)  # fmt: skip
        story.wait(12).add("application", "error", code="08006", message="connection refused")
        story.wait(20).add("server", "started", says="started again on the same data")
        story.wait(restart).add("server", "ready", says="answers again")
        story.add("fault", "healed", fault=name["fault"], moment=name["moment"])
    ready = story.ms
    with story.phase("damage"):
        story.claim("damage", "the column is missing or empty",
                    "column phone does not exist" if atomic else "20000 rows where phone is NULL",
                    "no phone is filled", population=20000)  # fmt: skip
    with story.phase("diagnose"):
        story.wait(9).add(
            "recovery", "look", name="what does the table look like",
            sql="SELECT column_name, is_nullable, data_type\n  FROM information_schema.columns\n"
                " WHERE table_name = 'users' ORDER BY ordinal_position",
            columns=["column_name", "is_nullable", "data_type"],
            rows=[["id", "NO", "bigint"], ["email", "NO", "character varying"]]
                 + ([] if atomic else [["phone", "YES", "character varying"]]),
            finds=[], misses=[], named=[], ok=True,
            teaches="Look before you repair: what is there decides what to do.",
        )  # fmt: skip
    with story.phase("recover"):
        step(story.wait(2), 1, "make sure nobody is still at work", "expect_gone", 6.0,
             did="no session of the migration is left")  # fmt: skip
        if atomic:
            step(story, 2, "take the half-made column away", "sql", 0.2,
                 skipped="not needed: unless the column exists")  # fmt: skip
        else:
            step(story, 2, "take the half-made column away", "sql", 14.0,
                 did="ALTER TABLE users DROP COLUMN phone")  # fmt: skip
        story.add("recovery", "step.begin", n=3, name="run the migration again", verb="migrate",
                  line=138)  # fmt: skip
        before = story.ms
        story.add("migration", "run", run=2, tool="plain", mode=name["mode"], pid=122,
                  process_id=48377)  # fmt: skip
        statement(story.wait(5), 1, PHONE[0], 9.1, run=2)
        statement(story, 2, PHONE[1], 212.0, run=2)
        statement(story, 3, PHONE[2], 18.0, run=2)
        story.add("migration", "ended", run=2, done=3, finished=True, code="", message="",
                  exit_status=0)  # fmt: skip
        story.add("recovery", "step.end", n=3, name="run the migration again", verb="migrate",
                  line=138, ok=True, did="all 3 statements acknowledged",
                  took_ns=round((story.ms - before) * 1e6))  # fmt: skip
    with story.phase("verify"):
        story.claim("verify", "every user has a phone", "0 rows where phone is NULL", "0",
                    population=20000)  # fmt: skip
        story.claim("verify", "phone is NOT NULL", "not nullable", "not nullable", population=1)
        story.claim("verify", "the application reads and writes", "40 of 40 ok", "all ok",
                    population=40)  # fmt: skip
    with story.phase("untouched"):
        story.claim("untouched", "users.email is as it was",
                    f"{lost or 'no'} values differ", "no value differs", population=20000,
                    lost=lost, answer="not held" if lost else "held")  # fmt: skip
        story.add("application", "ledger", acknowledged=412, unknown=3, lost=lost, changed=0,
                  resurrected=0,
                  examples=["insert 1000000017 acknowledged at 1.61 s is gone"] if lost else [],
                  )  # fmt: skip
    end = story.ms
    traffic(story, 1_400, end + 100, bad=[(died, ready)])
    closing(story, SERVER_LOG if postgres else MYSQL_LOG)
    return rto(5, 8, end - died - 23.8, 4.2), story.sorted()


MYSQL_LOG = (
    "2026-03-14T14:32:08.990114Z 0 [System] [MY-010931] [Server] ready for connections.\n"
    "2026-03-14T14:32:10.702390Z 0 [System] [MY-013576] [InnoDB] initialization has started.\n"
    "2026-03-14T14:32:11.318201Z 0 [System] [MY-013577] [InnoDB] initialization has ended.\n"
    "2026-03-14T14:32:11.498820Z 0 [System] [MY-010931] [Server] ready for connections.\n"
)
SERVER_LOG = (
    "2026-03-14 14:32:08.990 UTC [1] LOG:  database system is ready to accept connections\n"
    "2026-03-14 14:32:09.412 UTC [1] LOG:  database system was interrupted\n"
    "2026-03-14 14:32:09.431 UTC [29] LOG:  redo starts at 0/1A2B3C8\n"
    "2026-03-14 14:32:09.502 UTC [29] LOG:  redo done at 0/1F00A10 system usage: CPU: 0.05 s\n"
    "2026-03-14 14:32:09.611 UTC [1] LOG:  database system is ready to accept connections\n"
)
BLOCKERS = (
    "WITH RECURSIVE w AS (\n  SELECT pid, unnest(pg_blocking_pids(pid)) AS b\n"
    "    FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0)\n"
    "SELECT DISTINCT a.pid, a.application_name, a.state\n"
    "  FROM w JOIN pg_stat_activity a ON a.pid = w.b\n"
    " WHERE NOT EXISTS (SELECT 1 FROM w x WHERE x.pid = w.b)"
)


Person = Callable[[Story], None]
"""What somebody does in the place of a procedure, or before it."""


def hang(
    name: dict, *, ends: str = "blocker", idle: bool = False, person: Person | None = None
) -> tuple[dict, list[Event]]:
    """The migration waits behind a forgotten reader, and everybody waits behind the migration."""
    story = Story()
    opening(story, name)
    with story.phase("migrate_under_fault"):
        story.add("migration", "run", run=1, tool="plain", mode=name["mode"], pid=204,
                  process_id=51990)  # fmt: skip
        story.wait(30).add("fault", "armed", fault=name["fault"], moment=name["moment"])
        begin_statement(story.wait(6), 1, STATUS[0])
        started = story.ms
        holder = "session 198 holds the lock and is idle in transaction"
        story.wait(14).add("fault", "witness", source="injector", data={"pid": 198}, says=holder)
        story.wait(3).add("fault", "witness", source="observer", data={},
                          says="the migration (session 204) waits for [198]")  # fmt: skip
        story.add("fault", "fired", fault=name["fault"], moment=name["moment"])
        fired = story.ms
        for n in range(8):
            pairs = [(204, 198, "migration", "blocker"), (211, 204, "application", "migration")]
            pairs += [(212, 204, "application", "migration")] if n > 1 else []
            named = ("waiter", "blocker", "waiter_is", "blocker_is")
            story.wait(100).add("locks", "waiting",
                                pairs=[dict(zip(named, pair, strict=True)) for pair in pairs],
                                )  # fmt: skip
    with story.phase("damage"):
        story.claim("damage", "the application waits", "2 operations wait, the longest 781 ms",
                    "at least 1 waits longer than 500 ms", population=2)  # fmt: skip
    with story.phase("diagnose"):
        story.wait(12).add(
            "recovery", "look", name="the usual first query", ok=True, named=["migration"],
            sql="SELECT pid, query, state, state_change\n  FROM pg_stat_activity\n"
                " WHERE state = 'active'",
            columns=["pid", "query", "state", "state_change"],
            rows=[[204, STATUS[0], "active", "2026-03-14 14:32:08.91+00"],
                  [211, "SELECT id, email FROM users WHERE id = $1", "active",
                   "2026-03-14 14:32:09.02+00"]],
            finds=["migration", "application"], misses=["blocker"],
            teaches="It cannot show the session to end: that one is idle in transaction.",
        )  # fmt: skip
        story.wait(15).add(
            "recovery", "look", name="who blocks and waits for nobody", sql=BLOCKERS, ok=True,
            named=["blocker"], columns=["pid", "application_name", "state"],
            rows=[[198, "nightly-report", "idle in transaction"]], finds=["blocker"], misses=[],
            teaches="One hop is not enough: follow the waits to their root.",
        )  # fmt: skip
    with story.phase("recover"):
        if person:
            person(story)
        elif ends == "nothing":
            story.wait(3)
        else:
            did = f"session {198 if ends == 'blocker' else 204} ended, gone after 5 ms"
            step(story.wait(20), 1, f"end the {ends}'s session", "end_session", 7.5, did=did)
    freed = story.ms
    if ends == "blocker":
        end_statement(story, 1, STATUS[0], freed - started)
        story.add("migration", "ended", run=1, done=1, finished=True, code="", message="",
                  exit_status=0)  # fmt: skip
    elif ends == "migration":
        end_statement(story, 1, STATUS[0], freed - started, code="57P01",
                      error="terminating connection due to administrator command")  # fmt: skip
        story.add("migration", "ended", run=1, done=0, finished=False, code="57P01",
                  message="terminating connection due to administrator command",
                  exit_status=1)  # fmt: skip
    with story.phase("verify"):
        works = ends == "blocker"
        story.claim("verify", "nobody waits", "nobody" if ends != "nothing" else "3 sessions wait",
                    "nobody", population=4,
                    answer="held" if ends != "nothing" else "not held")  # fmt: skip
        story.claim("verify", "the column status exists", "exists" if works else "does not exist",
                    "exists", population=1, answer="held" if works else "not held")  # fmt: skip
    with story.phase("untouched"):
        story.claim("untouched", "users.email is as it was", "no values differ",
                    "no value differs", population=20000)  # fmt: skip
        story.add("application", "ledger", acknowledged=188, unknown=0, lost=0, changed=0,
                  resurrected=0, examples=[])  # fmt: skip
    end = story.ms
    stuck = [(fired, end + 100 if ends == "nothing" else freed)]
    traffic(story, 1_400, end + 100, stuck=[] if idle else stuck)
    closing(story, "")
    return rto(freed - fired - 27.5, 20, 7.5, 2.8), story.sorted()


def dirty(
    name: dict, *, cut_at: str | None = None, person: Person | None = None
) -> tuple[dict, list[Event]]:
    """The tool is killed between a statement and its own book-keeping: version 12, dirty."""
    story = Story()
    opening(story, name)
    with story.phase("migrate_under_fault"):
        story.add("migration", "run", run=1, tool="versioned", mode=name["mode"], pid=88,
                  process_id=60011)  # fmt: skip
        statement(story.wait(3), 0, "INSERT INTO schema_migrations VALUES (12, true)", 3.1)
        statement(story.wait(2), 1, PHONE[0], 10.0)
        story.wait(4).add("fault", "armed", fault=name["fault"], moment=name["moment"])
        story.wait(2).add("fault", "witness", source="injector", data={"signal": 9},
                          says="SIGKILL sent to process 60011")  # fmt: skip
        story.wait(2).add("fault", "witness", source="os", data={"status": -9},
                          says="process 60011 ended by signal 9")  # fmt: skip
        story.wait(2).add("fault", "witness", source="observer", data={},
                          says="session 88 is gone after 4 ms")  # fmt: skip
        story.add("fault", "fired", fault=name["fault"], moment=name["moment"])
        fired = story.ms
        story.wait(230)
        story.add("migration", "ended", run=1, done=1, finished=False, code="", message="",
                  exit_status=-9)  # fmt: skip
    if cut_at == "migrate":
        return rto(0, 0, 0, 0), story.events
    with story.phase("damage"):
        story.claim("damage", "the tool says dirty", "version 12, dirty", "version 12, dirty",
                    population=1)  # fmt: skip
    with story.phase("diagnose"):
        story.wait(4).add(
            "recovery", "look", name="what the tool wrote down", ok=True, named=[], finds=[],
            misses=[], sql="SELECT * FROM schema_migrations WHERE dirty = true",
            columns=["version", "dirty"], rows=[[12, True]],
            teaches="It says that something stopped, not where.",
        )  # fmt: skip
    with story.phase("recover"):
        if person:
            person(story)
        step(story.wait(3), 1, "finish what is missing", "sql", 118.0,
             did="20 000 rows updated; phone is NOT NULL")  # fmt: skip
        if cut_at == "recover":
            story.add("recovery", "step.begin", n=2, name="mark the version clean",
                      verb="set_version", line=132)  # fmt: skip
            story.wait(40)
            story.add("trial", "problem", verdict="ABORTED", reason="interrupted",
                      message="interrupted by signal 15")  # fmt: skip
            traffic(story, 1_400, story.ms)
            return rto(0, 0, 0, 0), [e for e in story.sorted() if e.t_ns <= story.ms * 1e6]
        step(story, 2, "mark the version clean", "set_version", 2.2, did="version 12, clean")
    with story.phase("verify"):
        story.claim("verify", "the tool runs the next migration", "version 13 applied",
                    "version 13 applied", population=1)  # fmt: skip
        story.claim("verify", "every user has a phone", "0 rows where phone is NULL", "0",
                    population=20000)  # fmt: skip
    with story.phase("untouched"):
        story.claim("untouched", "users.email is as it was", "no values differ",
                    "no value differs", population=20000)  # fmt: skip
        story.add("application", "ledger", acknowledged=96, unknown=0, lost=0, changed=0,
                  resurrected=0, examples=[])  # fmt: skip
    traffic(story, 1_400, story.ms + 100)
    closing(story, "")
    return rto(story.ms - fired - 125, 6, 120.2, 2.8), story.sorted()


@dataclass
class MadeUpRun:
    """A run value and its timelines; calling :meth:`events` is what renderers do."""

    run: RunResult
    timelines: dict[str, list[Event]]

    def events(self, trial_id: str) -> list[Event]:
        return self.timelines.get(trial_id, [])

    def with_run(self, **more: Any) -> MadeUpRun:
        """The same, but for some of the run's fields."""
        return MadeUpRun(replace(self.run, **more), self.timelines)

    def only(self, wanted: Callable[[TrialResult], Any]) -> MadeUpRun:
        """The same with fewer trials."""
        return self.with_run(trials=tuple(filter(wanted, self.run.trials)))

    def changed(self, **more: Any) -> MadeUpRun:
        """The same with other values in every trial."""
        return self.with_run(trials=tuple(replace(t, **more) for t in self.run.trials))


def put_together(pairs: list[tuple[dict, list[Event]]], **more: Any) -> MadeUpRun:
    trials = [value for value, _ in pairs]
    counts: dict[str, int] = {}
    for value in trials:
        counts[value["outcome"]] = counts.get(value["outcome"], 0) + 1
    run = {**HEADER, "servers": list(SERVERS.values()), "counts": counts, "verdict": "PASS",
           "exit_code": 0, **more}  # fmt: skip
    return MadeUpRun(run_of(run, trials), {v["id"]: events for v, events in pairs})


def run_of(run: Mapping[str, Any], trials: Sequence[Mapping[str, Any]]) -> RunResult:
    """As run.json tells it."""
    return replace(structured(RunResult, run), trials=tuple(map(result_of, trials)))


def result_of(value: Mapping[str, Any]) -> TrialResult:
    """As trial.json tells it."""
    read = {
        "criteria": tuple(Criterion(**criterion) for criterion in value["criteria"]),
        "rto": RecoveryTime(**value["rto"]),
        "rpo": Losses(**value["rpo"]),
        "cell": structured(Cell, value["cell"]),
        "server": structured(ServerUsed, value["server"]),
        "failed_claims": tuple(value["failed_claims"]),
    }
    return TrialResult(**{**value, **read})


def judged(timelines: Sequence[list[Event]], **more: Any) -> MadeUpRun:
    """A run whose trials are what the harness makes of their records."""
    trials = [results.of_trial(events) for events in timelines]
    header = {**HEADER, "planned": [trial.id for trial in trials], **more}
    run = results.of_run(structured(RunHeader, header), trials)
    return MadeUpRun(run, {t.id: e for t, e in zip(trials, timelines, strict=True)})


HEADER: Mapping[str, Any] = {
    "run": "20260314-143205-quick",
    "drill": "quick",
    "title": "Quick: the three failures everybody meets first",
    "started": "2026-03-14T14:32:05.118+00:00",
    "took_ms": 48_730.0,
    "version": "0.1.0",
    "backend": "docker",
    "host": {"cores": 2, "platform": "Linux-6.8.0-x86_64 Python 3.11.9"},
    "seed": 4711,
    "not_applicable": [],
    "command": "mdrill run quick --seed 4711",
    "teeth": False,
}


def passed(name: dict, told: tuple[dict, list[Event]], sentence: str) -> tuple[dict, list[Event]]:
    return trial(name, "PASS", sentence, rto=told[0]), told[1]


KILL, LOCK, CRASH = "kill-server-at-2", "lock-queue", "kill-migrator-after-1"


def all_passed() -> MadeUpRun:
    """Three trials, all of them PASS."""
    one = cell("partial-failure", "postgres", "one-transaction", KILL, "look-then-retry")
    two = cell("hang", "postgres", "autocommit", LOCK, "end-the-blocker")
    three = cell("dirty-state", "mysql", "autocommit", CRASH, "finish-and-mark-clean")
    return put_together(
        [
            passed(one, server_killed(one, restart=430),
                   "killed inside statement 2; the retry filled 20 000 rows and nothing is lost"),
            passed(two, hang(two),
                   "the blocker was found and ended; the waiting migration then completed"),
            passed(three, dirty(three),
                   "the missing statements were run by hand and version 12 is clean"),
        ]
    )  # fmt: skip


def every_verdict() -> MadeUpRun:
    """Eleven trials with each verdict at least once, one of them cut short by a signal."""
    a = cell("partial-failure", "postgres", "one-transaction", KILL, "look-then-retry")
    b = cell("partial-failure", "postgres", "autocommit", KILL, "look-then-retry")
    c = cell("partial-failure", "mysql", "autocommit", KILL, "look-then-retry")
    d = cell("partial-failure", "mysql", "autocommit", KILL, "restore-over-the-live-table",
             moment="inside statement 2")  # fmt: skip
    e = cell("hang", "postgres", "autocommit", LOCK, "end-the-blocker", moment="inside statement 1")
    f = cell("hang", "postgres", "autocommit", LOCK, "end-the-migration",
             moment="inside statement 1")  # fmt: skip
    g = cell("hang", "mysql", "autocommit", LOCK, "end-the-blocker", moment="inside statement 1")
    h = cell("dirty-state", "postgres", "autocommit", CRASH, "finish-and-mark-clean",
             moment="after statement 1")  # fmt: skip
    i = cell("dirty-state", "mysql", "autocommit", CRASH, "finish-and-mark-clean",
             moment="after statement 1")  # fmt: skip
    j = cell("dirty-state", "mysql", "per-statement", CRASH, "finish-and-mark-clean",
             moment="after statement 1")  # fmt: skip
    k = cell("hang", "postgres", "autocommit", LOCK, "nothing-done", purpose="nothing-done",
             moment="inside statement 1")  # fmt: skip
    lost = server_killed(d, restart=2_240, lost=17)
    half = hang(f, ends="migration")
    idle = hang(g, ends="blocker", idle=True)
    nothing = hang(k, ends="nothing")
    return put_together(
        [
            passed(a, server_killed(a, restart=430),
                   "killed inside statement 2; PostgreSQL rolled everything back and the retry "
                   "filled 20 000 rows"),
            passed(b, server_killed(b, restart=430),
                   "killed inside statement 2; the half-made column was dropped and the retry "
                   "filled 20 000 rows"),
            passed(c, server_killed(c, restart=2_240),
                   "killed inside statement 2; the half-made column was dropped and the retry "
                   "filled 20 000 rows"),
            (trial(d, "FAIL", "17 acknowledged writes and 17 values of users.email are gone after "
                   "the dump was restored over the live table", reason="untouched-changed",
                   unmet="untouched", rto=lost[0], rpo={"lost_writes": 17, "lost_values": 17},
                   unmet_says="users.email is as it was: 17 values differ, wanted no value differs",
                   failed_claims=["users.email is as it was"]), lost[1]),
            passed(e, hang(e),
                   "the blocker was found and ended; the waiting migration then completed"),
            (trial(f, "FAIL", "the queue is gone, but so is the migration: the column status does "
                   "not exist", reason="verify-not-held", unmet="verified",
                   failed_claims=["the column status exists"]), half[1]),
            (trial(g, "INCONCLUSIVE", "no application operation was seen waiting, so the hang was "
                   "never shown; nothing may be concluded about the recovery",
                   reason="damage-not-seen", unmet="damage", attempt=2), idle[1]),
            passed(h, dirty(h), "the missing statements were run by hand and version 12 is clean"),
            (trial(i, "ERROR", "the server did not answer within 30 s after the fault: "
                   "ServerLost: connection refused", reason="server-lost", unmet="recovered"),
             dirty(i, cut_at="migrate")[1]),
            (trial(j, "ABORTED", "stopped by signal 15 while step 2 was running",
                   reason="interrupted"), dirty(j, cut_at="recover")[1]),
            (trial(k, "FAIL", "nobody did anything, and 3 sessions still wait",
                   reason="verify-not-held", unmet="verified",
                   failed_claims=["nobody waits", "the column status exists"]), nothing[1]),
        ],
        verdict="FAIL",
        exit_code=1,
        took_ms=73_410.0,
        not_applicable=[
            {"id": f"partial-failure/mysql/one-transaction/{KILL}/look-then-retry",
             "because": "MySQL commits at each DDL statement: there is no one transaction"},
            {"id": f"partial-failure/postgres/autocommit/{KILL}/restore-over-the-live-table",
             "because": "only where DDL commits implicitly"},
        ],
    )  # fmt: skip


def teeth() -> MadeUpRun:
    """Counter-checks: a decoy that was caught, one that was not, nothing done, no injection."""
    a = cell("hang", "postgres", "autocommit", LOCK, "end-by-pattern", purpose="decoy",
             procedure_title="End every session whose query looks like the ALTER",
             caught_by=["nobody waits"])  # fmt: skip
    b = cell("hang", "postgres", "autocommit", LOCK, "nothing-done", purpose="nothing-done")
    c = cell("hang", "postgres", "autocommit", LOCK, "no-injection", purpose="no-injection")
    d = cell("dirty-state", "mysql", "autocommit", CRASH, "mark-clean-without-looking",
             purpose="decoy", procedure_title="Mark the version clean without looking",
             caught_by=["every user has a phone"])  # fmt: skip
    e = cell("hang", "postgres", "autocommit", LOCK, "end-the-blocker")
    return put_together(
        [
            passed(e, hang(e), "the blocker was found and ended; the migration then completed"),
            (trial(a, "FAIL", "3 sessions still wait", unmet="verified", reason="verify-not-held",
                   failed_claims=["nobody waits", "the column status exists"]),
             hang(a, ends="nothing")[1]),
            (trial(b, "FAIL", "nobody did anything, and 3 sessions still wait", unmet="verified",
                   reason="verify-not-held", failed_claims=["nobody waits"]),
             hang(b, ends="nothing")[1]),
            (trial(c, "INCONCLUSIVE", "the fault was left out on purpose", unmet="struck",
                   reason="fault-not-fired"), hang(c, idle=True)[1]),
            (trial(d, "PASS", "NOT CAUGHT, should have been caught by every user has a phone. "
                   "Every claim held although the procedure repaired nothing",
                   rto=rto(4, 6, 2, 3)), dirty(d)[1]),
        ],
        run="20260314-143205-teeth",
        drill="teeth",
        title="Teeth: does every drill catch what is wrong?",
        verdict="FAIL",
        exit_code=1,
        teeth=True,
        command="mdrill run teeth",
    )  # fmt: skip


SENT = (
    "SELECT pid, state, query FROM pg_stat_activity",
    "SELECT pg_terminate_backend(198)",
    "UPDATE schema_migrations\n   SET dirty = false  -- at last",
)
HINTS = ("Ask the catalogue who waits for whom.", "Follow the waits to their root.")


def repairs(story: Story) -> None:
    """Asks for two hints, is wrong once, and has it right after a minute and a half."""
    story.wait(21_000).add("recovery", "hint", text=HINTS[0])
    story.wait(9_000).add("recovery", "hint", text=HINTS[1])
    story.wait(30_000).add("recovery", "checked", not_right=["nobody waits", "ledger"])
    story.wait(33_000).add("recovery", "checked", not_right=[])
    for sql in SENT:
        story.add("recovery", "by-hand", pid=231, sql=sql)
    step(story, 1, "repaired by hand", "by-hand", 0.2,
         did="a person repaired it in 93 s, by 3 statements")  # fmt: skip
    story.add("recovery", "repaired-by-hand", took_s=93.0)


def gives_up(story: Story) -> None:
    """Tries one thing, has it checked, and gives up; the harness then shows the recovery."""
    story.wait(12_000).add("recovery", "hint", text=HINTS[0])
    story.wait(40_000).add("recovery", "checked", not_right=["the tool runs the next migration"])
    story.wait(8_000).add("recovery", "by-hand", pid=231, sql=SENT[2])
    story.add("recovery", "given-up", took_s=60.0)


def practice() -> MadeUpRun:
    """Two people: one repairs it by hand, the other gives up."""
    person = {"procedure_title": "A person, by hand"}
    free = {"rto_s": None, "lost_writes": 0, "lost_values": 0}
    a = cell("hang", "postgres", "autocommit", LOCK, "by-hand", objectives=free, **person)
    b = cell("dirty-state", "mysql", "autocommit", CRASH, "by-hand", objectives=free, **person)
    return judged(
        [hang(a, person=repairs)[1], dirty(b, person=gives_up)[1]],
        run="20260314-143205-practice",
        drill="practice",
        title="Practice: hang, dirty-state",
        command="mdrill practice hang",
        took_ms=163_000.0,
    )


def big(count: int) -> MadeUpRun:
    """Many trials with full timelines; one in forty fails."""
    pairs = []
    for n in range(count):
        engine = ("postgres", "mysql")[n % 2]
        scenario = f"scenario-{n // 24 + 1:02d}"
        name = cell(scenario, engine, ("autocommit", "per-statement")[n // 2 % 2],
                    f"kill-server-at-{n // 4 % 2 + 1}", f"procedure-{n // 8 % 3 + 1}")  # fmt: skip
        told = server_killed(name, restart=430 if n % 2 else 2_200)
        if n % 40 == 7:
            value = trial(name, "FAIL", "17 values differ", unmet="untouched",
                          failed_claims=["users.email is as it was"])  # fmt: skip
            pairs.append((value, told[1]))
        else:
            pairs.append(passed(name, told, "the retry filled 20 000 rows and nothing is lost"))
    return put_together(pairs, verdict="FAIL", exit_code=1, drill="full", took_ms=1_830_000.0)


HOSTILE = (
    "</script><script>alert(1)</script> <img src=x onerror=alert(2)> ]]> {{ 7*7 }} &amp; \" ' "
    "\x00 \x1b[31mred\x1b[0m \x1b]0;title\x07 \ud800 \ufffe ``` ````` | **bold** [x](javascript:1)"
    "\u202eevil\u202c שלום עולם\r\n# heading\n- [x] box\n" + "A" * 30_000
)


def hostile() -> MadeUpRun:
    """Every verdict and two people's repairs, with :data:`HOSTILE` in every text that is not an
    id, a kind or a verdict."""
    one, two = every_verdict(), practice()
    trials = [asdict(trial) for trial in (*one.run.trials, *two.run.trials)]
    ids = {value["id"]: f"{value['id']}{HOSTILE[:60]}" for value in trials}

    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            return {k: spoil(v, k) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [spoil(item, key) for item in value]
        if isinstance(value, str) and key not in FIXED:
            return ids.get(value, f"{value} {HOSTILE}")
        return value

    run = spoil({k: v for k, v in asdict(one.run).items() if k != "trials"})
    timelines = {
        ids[name]: [Event.read(spoil(json.loads(event.to_json()))) for event in events]
        for name, events in (one.timelines | two.timelines).items()
    }
    return MadeUpRun(run_of({**run, "counts": one.run.counts}, spoil(trials)), timelines)


FIXED = {"verdict", "outcome", "counts_as", "lane", "kind", "purpose", "expected", "answer",
         "section", "phase", "started", "wall"}  # fmt: skip
"""Keys whose values are words of the harness, never of a database or a person."""
