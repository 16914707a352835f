"""MySQL: every DDL statement commits by itself, so a failed migration stays half done."""

from __future__ import annotations

from harness.engines.facts import EngineFacts
from harness.engines.mysql import (
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
    "--innodb-flush-log-at-trx-commit=2",
    "--sync-binlog=0",
    "--innodb-buffer-pool-size=128M",
    "--innodb-buffer-pool-load-at-startup=OFF",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--performance-schema=ON",
    "--skip-name-resolve",
    "--mysqlx=OFF",
)
"""The log is written at every commit and left to the page cache, which outlives a killed process,
so no acknowledged write is lost; a loss of power is not simulated. The doublewrite buffer stays
on. ``innodb_flush_log_at_trx_commit=0`` would lose acknowledged writes and is never used."""

BOOTSTRAP = (
    "CREATE USER IF NOT EXISTS root@'127.0.0.1';\n"
    "ALTER USER root@'127.0.0.1' IDENTIFIED BY '{password}';\n"
    "GRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n"
    "ALTER USER root@localhost IDENTIFIED BY '{password}';"
)

RECIPE = Recipe(
    engine="mysql",
    image="mysql:9.7",
    stand_in="migration-drill/mysql:9.7",
    port=3306,
    superuser="root",
    data_folder="/var/lib/mysql",
    container_env={"MYSQL_ROOT_PASSWORD": "{password}"},
    container_args=SETTINGS,
    binary="mysqld",
    init_argv=("mysqld", "--no-defaults", "--initialize-insecure", "--datadir={data}"),
    serve_argv=(
        "mysqld", "--no-defaults", "--datadir={data}", "--socket={socket_dir}/mysqld.sock",
        "--port={port}", "--bind-address=127.0.0.1", "--pid-file={data}/mysqld.pid",
        "--init-file={bootstrap_file}",
    ),
    settings=SETTINGS,
    bootstrap_sql=BOOTSTRAP,
    identity_files=("auto.cnf",),
    tools=("mysqldump", "mysql"),
    fetch_hint="install MySQL's mysqld, or use Docker; Debian 12 packages MariaDB only",
    suites={"9.7": "sid"},
)  # fmt: skip

ENGINE = EngineFacts(
    name="mysql",
    title="MySQL",
    dialect="mysql",
    traits=frozenset(
        {
            "implicit-commit-ddl",
            "online-ddl",
            "invisible-index",
            "unenforced-check",
            "stage-progress",
            "fast-default",
            "implicit-defaults",
            "case-blind-text",
            "whole-column-modify",
            "foreign-keys-by-name",
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
