"""Sends what a tool sends, in a process of its own, so that it can really be killed.

The order of messages comes from the tool's adapter (``harness/tools``); what a report says of
such a run it says of an emulation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from harness import registry
from harness.errors import DatabaseError, DrillError
from harness.ports import Address, Session
from harness.servers import guard
from harness.tools.adapter import Emulation, filled
from harness.tools.version_table import lock_key

LOCKED = "can't acquire the tool's lock: somebody else is at work"
TRANSACTION = frozenset({"BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK"})


@dataclass(frozen=True)
class Unit:
    """One direction of one migration, ready to be sent."""

    version: str
    previous: str
    name: str
    text: str
    statements: tuple[str, ...]
    transaction: bool = True


@dataclass(frozen=True)
class Job:
    """All that the process needs to know."""

    engine: str
    emulation: Emulation
    unit: Unit
    down: bool
    applied: str
    applied_up_to: bool
    versions: tuple[str, ...]
    """Every version in order, so that "all before it" has a meaning."""
    address: Address
    database: str
    nonce: str
    identity: str


def main(job: Job, ended: Connection) -> None:
    """Run the job; its exit status is 0 only on success, and the last words go to ``ended``."""
    try:
        _run(job)
    except DrillError as error:
        ended.send(str(error))
        status = 1
    else:
        ended.send("")
        status = 0
    ended.close()
    os._exit(status)


def _run(job: Job) -> None:
    engine = registry.engine(job.engine)
    session = engine.connector.connect(job.address, job.database, application="migration")
    guard.check(engine, session, job.nonce, job.identity)
    values = _values(job)
    done = _applied(session, job, values)
    with _locked(session, job.emulation, values):
        refuse = job.emulation.refuse
        if refuse and session.run(filled(refuse, values)).rows:
            raise DatabaseError("", job.emulation.says)
        if (job.unit.version in done) == job.down:
            _migrate(session, job, values)
    session.close()


def _values(job: Job) -> Mapping[str, Any]:
    unit = job.unit
    return {
        "version": unit.version,
        "previous": unit.previous,
        "name": unit.name,
        "database": job.database,
        "lock_key": lock_key(job.database),
    }


def _applied(session: Session, job: Job, values: Mapping[str, Any]) -> Sequence[str]:
    """The versions the tool takes for applied; makes its table if it is not there."""
    if not job.applied:
        return [job.unit.version] if job.down else []
    try:
        found = [str(row[0]) for row in session.run(job.applied).rows]
    except DatabaseError as error:
        if error.lost:
            raise
        for sql in job.emulation.setup:
            session.run(filled(sql, values))
        return []
    if not job.applied_up_to:
        return found
    last = max((job.versions.index(v) for v in found if v in job.versions), default=-1)
    return job.versions[: last + 1]


@contextmanager
def _locked(session: Session, emulation: Emulation, values: Mapping[str, Any]) -> Iterator[None]:
    if not emulation.lock:
        yield
        return
    if not session.run(filled(emulation.lock, values)).scalar():
        raise DatabaseError("", LOCKED)
    try:
        yield
    finally:
        try:
            session.run(filled(emulation.unlock, values))
        except DatabaseError as error:
            if not error.lost:
                raise


def _migrate(session: Session, job: Job, values: Mapping[str, Any]) -> None:
    emulation, unit = job.emulation, job.unit
    before, after = emulation.before, emulation.after
    if job.down:
        before = before if emulation.before_down is None else emulation.before_down
        after = after if emulation.after_down is None else emulation.after_down
    for sql in _around(before, unit):
        session.run(filled(sql, values))
    try:
        if emulation.wire == "whole-file":
            if unit.text.strip():
                session.run_file(unit.text)
        else:
            for statement in unit.statements:
                session.run_file(statement)
        for sql in _around(after, unit):
            session.run(filled(sql, values))
    except DatabaseError as error:
        if not error.lost:
            for sql in emulation.failed:
                session.run(filled(sql, values))
        raise


def _around(messages: Sequence[str], unit: Unit) -> list[str]:
    if unit.transaction:
        return list(messages)
    return [sql for sql in messages if sql.upper().rstrip("; ") not in TRANSACTION]
