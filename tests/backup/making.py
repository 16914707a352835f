"""Small databases on servers of ours, and dumps of them by the engines' own tools."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import places
from places import backend_of

from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.backup.checking import Checker, Wishes
from harness.backup.comparison import Reference
from harness.backup.findings import Grade
from harness.backup.results import BackupResult
from harness.dumps.dump import Dump
from harness.engines.postgres.databases import GUARD_SCHEMA
from harness.ports import Engine
from harness.servers.throwaway import ThrowawayServer

SHOP = "shop"
POSTGRES = """
CREATE TABLE customers (id serial PRIMARY KEY, email text NOT NULL UNIQUE, vip boolean);
CREATE TABLE orders (id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  customer_id integer NOT NULL REFERENCES customers, total numeric NOT NULL CHECK (total >= 0));
CREATE TABLE visits (at timestamptz, page text);
CREATE INDEX orders_total ON orders (total);
CREATE VIEW big_orders AS SELECT * FROM orders WHERE total > 90;
CREATE FUNCTION stamped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.email = lower(NEW.email); RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION stamped();
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (true);
INSERT INTO customers (email) SELECT 'c' || n || '@shop.test' FROM generate_series(1, 400) AS n;
INSERT INTO orders (customer_id, total) SELECT 1 + n % 400, n % 100 FROM generate_series(1, 900) n;
INSERT INTO visits SELECT now(), '/p/' || n FROM generate_series(1, 50) AS n;
"""
MYSQL = """
CREATE TABLE customers (id int PRIMARY KEY AUTO_INCREMENT, email varchar(80) NOT NULL UNIQUE);
CREATE TABLE orders (id int PRIMARY KEY AUTO_INCREMENT, customer_id int NOT NULL,
  total int NOT NULL,
  FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE visits (at datetime, page varchar(40));
INSERT INTO customers (email) WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s
  WHERE n < 400) SELECT concat('c', n, '@shop.test') FROM s;
INSERT INTO orders (customer_id, total) SELECT id, id % 100 FROM customers;
INSERT INTO visits SELECT now(), concat('/p/', id) FROM customers WHERE id < 50;
CREATE TRIGGER stamp BEFORE INSERT ON customers FOR EACH ROW SET NEW.email = lower(NEW.email);
CREATE USER IF NOT EXISTS app@'%';
GRANT ALL ON *.* TO app@'%';
CREATE DEFINER=`app`@`%` VIEW names AS SELECT email FROM customers;
CREATE DEFINER=`app`@`%` TRIGGER total BEFORE INSERT ON orders FOR EACH ROW SET NEW.total =
  NEW.total + (SELECT 0 * count(*) FROM customers);
CREATE PROCEDURE tidy() DELETE FROM visits WHERE at < now() - INTERVAL 1 YEAR;
CREATE VIEW big_orders AS SELECT * FROM orders WHERE total > 90;
"""
SQL = {"postgres": POSTGRES, "mysql": MYSQL, "mariadb": MYSQL}
CLIENTS = {
    "postgres": ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d"),
    "mysql": ("mysql", "--user=root"),
    "mariadb": ("mariadb", "--user=root"),
}
DUMPS = {
    "postgres": ("pg_dump", "-N", GUARD_SCHEMA),
    "mysql": ("mysqldump", "--user=root", "--single-transaction", "--set-gtid-purged=OFF"),
    "mariadb": ("mariadb-dump", "--user=root", "--single-transaction"),
}
AS_A_TAR = (
    f'd=$(mktemp -u) && pg_dump -Fd -N {GUARD_SCHEMA} "$@" -f "$d" -d "$0" && tar -c -C "$d" .'
)


@dataclass(frozen=True)
class Shop:
    """A server with a database of which dumps are made."""

    server: ThrowawayServer
    name: str
    checks: ThrowawayServer
    """Where dumps are checked, under the name that the database has."""

    def fresh(self, database: str = SHOP) -> None:
        """The database, with all its rows, and nothing else."""
        self.server.drop(database)
        self.server.create(database)
        self.sql(SQL[self.name], database)

    def sql(self, text: str, database: str = SHOP) -> None:
        done = self.server.tools().run_tool(
            [*CLIENTS[self.name], database], stdin=text.encode(), timeout_s=600
        )
        assert done.exit_code == 0, done.stderr

    def tool(self, *argv: str) -> bytes:
        """What a program beside the server writes; it must say that all is well."""
        done = self.server.tools().run_tool(argv, timeout_s=600)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def dump(self, *more: str, database: str = SHOP) -> bytes:
        """By the engine's own tool, with exit code 0."""
        return self.tool(*DUMPS[self.name], *more, database)

    def folder(self, path: Path, *more: str) -> Path:
        """A dump in pg_dump's directory format."""
        path.mkdir()
        raw = self.tool("sh", "-c", AS_A_TAR, SHOP, *more)
        with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
            tar.extractall(path, filter="data")
        return path


@contextmanager
def shop(name: str, version: str = "") -> Iterator[Shop]:
    """A server with the database; nothing of it is left afterwards."""
    engine = places.engine(name)
    engine = engine.at(version) if version else engine
    of = DockerBackend if backend_of(name) == "docker" else LocalBackend
    with (
        ThrowawayServer(of("tests"), engine) as server,
        ThrowawayServer(of("tests"), engine) as checks,
    ):
        opened = Shop(server, name, checks)
        opened.fresh()
        yield opened


class OneServer:
    """Checks run on a server that is there already."""

    def __init__(self, server: ThrowawayServer) -> None:
        self._server = server

    def choose(self, engine: Engine, version: str) -> Engine:
        return engine

    def start(self, engine: Engine) -> ThrowawayServer:
        return self._server


def checked(shop: Shop, path: Path, before: Reference | None = None, **wishes: Any) -> BackupResult:
    """What the check of a dump says."""
    return with_reference(shop, path, before, **wishes)[0]


def with_reference(
    shop: Shop, path: Path, before: Reference | None = None, **wishes: Any
) -> tuple[BackupResult, Reference | None]:
    """The same, and what a later dump can be compared with."""
    checker = Checker(OneServer(shop.checks), Wishes(**wishes), lambda line: None)
    return checker.check(Dump(path, lambda line: None), before)


def broken(result: BackupResult) -> list[str]:
    """The names of what speaks against it, notes left out."""
    return [f.name for f in result.findings if f.grade is not Grade.NOTE]


def written(folder: Path, content: bytes, name: str = "shop.dump") -> Path:
    (folder / name).write_bytes(content)
    return folder / name
