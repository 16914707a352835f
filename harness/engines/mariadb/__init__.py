"""MariaDB: of MySQL's family, so its modules are re-used; here stands what differs."""

from __future__ import annotations

from harness.engines.facts import EngineFacts
from harness.engines.mariadb import (
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
from harness.engines.mysql import BOOTSTRAP
from harness.ports import Recipe

SETTINGS = (
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-buffer-pool-size=128M",
    "--innodb-buffer-pool-load-at-startup=OFF",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--performance-schema=ON",
    "--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON",
    "--performance-schema-instrument=transaction=ON",
    "--performance-schema-consumer-events-transactions-current=ON",
    "--character-set-server=utf8mb4",
    "--skip-name-resolve",
)
"""As MySQL's. Its binary log is off by default and stays so; its performance schema too is off by
default, and without it nobody could tell who holds a metadata lock or an open transaction.
The character set is that of newer versions and of the official image; 10.11 has latin1."""

RECIPE = Recipe(
    engine="mariadb",
    image="mariadb:11.8",
    stand_in="migration-drill/mariadb:11.8",
    port=3306,
    superuser="root",
    data_folder="/var/lib/mysql",
    container_env={"MARIADB_ROOT_PASSWORD": "{password}"},
    container_args=SETTINGS,
    binary="mariadbd",
    init_argv=(
        "mariadb-install-db", "--no-defaults", "--datadir={data}", "--skip-test-db",
        "--skip-name-resolve", "--auth-root-authentication-method=normal",
    ),
    serve_argv=(
        "mariadbd", "--no-defaults", "--datadir={data}", "--socket={socket_dir}/mysqld.sock",
        "--port={port}", "--bind-address=127.0.0.1", "--pid-file={data}/mysqld.pid",
        "--init-file={bootstrap_file}",
    ),
    settings=SETTINGS,
    bootstrap_sql=BOOTSTRAP,
    tools=("mariadb-dump", "mariadb"),
    fetch_hint=(
        "apt-get install -y --no-install-recommends mariadb-server-core mariadb-client"
    ),
    suites={"10.11": "bookworm", "11.8": "trixie"},
)  # fmt: skip

ENGINE = EngineFacts(
    name="mariadb",
    title="MariaDB",
    dialect="mysql",
    traits=frozenset(
        {
            "implicit-commit-ddl",
            "online-ddl",
            "ddl-if-exists",
            "stage-progress",
            "fast-default",
            "implicit-defaults",
            "case-blind-text",
            "whole-column-modify",
            "foreign-keys-by-name",
            "ends-orphan-waits",
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
