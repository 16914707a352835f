"""Databases with the schemas of ``fixtures/schemas``, for tests of generated rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.ports import Session

SCHEMAS = Path(__file__).parents[1] / "fixtures" / "schemas"
BOOKKEEPING = "schema_migrations"


def empty(bench: Any, *statements: str) -> Session:
    """A new database, with these statements run in it."""
    name = bench.new_name()
    bench.engine.databases.create(bench.admin(), name)
    session = bench.connect(database=name)
    session.database = name
    for sql in statements:
        session.run(sql)
    return session


def world(bench: Any, stem: str) -> Session:
    """A new database with one of the schemas of ``fixtures/schemas`` in this dialect."""
    session = empty(bench)
    session.run_file((SCHEMAS / f"{stem}-{bench.engine.dialect}.sql").read_text("utf-8"))
    return session


def scalar(session: Session, sql: str) -> Any:
    return session.run(sql).scalar()
