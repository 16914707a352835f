"""What a user would do without the harness: a fresh server for every trial, and a short script.

The same rows, statements, fault and repair as our trial; no application, no ledger, no gates,
no witnesses, no log and no report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from fresh import DRIVERS, Driver, FreshContainer, FreshProcess

from harness.model import Scenario, in_dialect
from harness.ports import Engine

COLUMN = (
    "SELECT COUNT(*) FROM information_schema.columns "
    "WHERE table_name = 'users' AND column_name = '{}'"
)
BACKFILL = "UPDATE users SET phone = '' WHERE phone IS NULL"
COLUMNS = ("phone", "phone_verified")


def trial(
    start: Callable[[], FreshContainer | FreshProcess],
    engine: Engine,
    scenario: Scenario,
    *,
    kill_server: bool,
) -> float:
    """Seconds for one trial, from nothing to nothing left. RuntimeError if it went wrong."""
    driver = DRIVERS[engine.dialect]
    begun = time.monotonic()
    server = start()
    try:
        with closing(server.connect()) as operator:
            rows = _given(operator, engine, scenario)
        _break(server, driver, _texts(engine, scenario.migration.statements), kill_server)
        with closing(server.connect()) as operator:
            _repair(operator, _texts(engine, scenario.migration.statements))
            _verify(operator, rows)
    finally:
        server.remove()
    return time.monotonic() - begun


def _given(operator: Any, engine: Engine, scenario: Scenario) -> int:
    for sql in _texts(engine, scenario.given.schema):
        _run(operator, sql)
    spec = scenario.given.rows["users"]
    columns, values = ", ".join(spec.values), ", ".join(_texts(engine, spec.values.values()))
    series = engine.databases.series(spec.count)
    _run(operator, f"INSERT INTO users ({columns}) SELECT {values} FROM {series}")
    return spec.count


def _break(server: Any, driver: Driver, statements: list[str], kill_server: bool) -> None:
    """The migration, killed after its first statement; its second meets the loss."""
    with closing(server.connect()) as migration:
        _run(migration, statements[0])
        if kill_server:
            server.crash()
        else:
            with closing(server.connect()) as operator:
                _run(operator, driver.end_session.format(id=_run(migration, driver.session_id)))
        try:
            _run(migration, statements[1])
        except driver.errors:
            return
    raise RuntimeError("the migration went on although it was killed")


def _repair(operator: Any, statements: list[str]) -> None:
    if not _run(operator, COLUMN.format(COLUMNS[0])):
        _run(operator, statements[0])
    _run(operator, BACKFILL)
    if not _run(operator, COLUMN.format(COLUMNS[1])):
        _run(operator, statements[2])


def _verify(operator: Any, rows: int) -> None:
    found = [_run(operator, COLUMN.format(column)) for column in COLUMNS]
    found += [_run(operator, "SELECT COUNT(*) FROM users WHERE phone = ''")]
    found += [_run(operator, "SELECT COUNT(*) FROM users WHERE email LIKE 'user%@example.test'")]
    if found != [1, 1, rows, rows]:
        raise RuntimeError(f"the naive trial did not repair the table: {found}")


def _texts(engine: Engine, statements: Any) -> list[str]:
    return [in_dialect(sql, engine.name, engine.dialect) for sql in statements]


def _run(connection: Any, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
