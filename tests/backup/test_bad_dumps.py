"""Good dumps and bad ones, made on real servers: each has its verdict, and the reason by name."""

from __future__ import annotations

import gzip
import threading

import places
import pytest
from making import DUMPS, SHOP, broken, checked, shop, with_reference, written

from harness.backup import content, judging
from harness.backup.comparison import Expected
from harness.backup.findings import Verdict
from harness.dumps.dump import Dump
from harness.waiting import until

pytestmark = pytest.mark.matrix(of=2)

USABLE, NOT_USABLE, NOT_PROVEN = Verdict.USABLE, Verdict.NOT_USABLE, Verdict.NOT_PROVEN
RIGHTS = ("CREATE USER half@{0} IDENTIFIED BY 'x'", "GRANT SELECT ON shop.customers TO half@{0}")
HALF = {
    "mysql": (*RIGHTS, "GRANT SELECT ON mysql.* TO half@{0}", "GRANT RELOAD ON *.* TO half@{0}"),
    "mariadb": RIGHTS,
}


# ---------------------------------------------------------------------- good ones


@pytest.mark.parametrize("how", [(), ("-Fc",), ("-Ft",), ("-Fc", "-Z0")], ids=" ".join)
def test_a_good_dump_of_postgres_is_usable(postgres, tmp_path, how):
    """All its rows were read, its foreign key asked; what made it, and when, is told."""
    result = checked(postgres, written(tmp_path, postgres.dump(*how)))
    assert (result.verdict, broken(result)) == (USABLE, [])
    assert (result.rows, len(result.tables), result.links) == (1350, 3, 1)
    assert result.tool.startswith("pg_dump ")
    assert result.kinds["trigger"] == 1


def test_a_good_folder_is_usable(postgres, tmp_path):
    result = checked(postgres, postgres.folder(tmp_path / "shop"))
    assert (result.verdict, result.rows) == (USABLE, 1350)


def test_a_good_dump_of_each_engine_is_usable(any_shop, tmp_path):
    """Packed, too."""
    result = checked(any_shop, written(tmp_path, gzip.compress(any_shop.dump())))
    assert (result.verdict, broken(result)) == (USABLE, [])
    assert result.rows > 800
    assert result.kinds["trigger"] == {"postgres": 1}.get(any_shop.name, 2)


def test_a_dump_of_one_database_that_names_it_is_taken(of_mysql, tmp_path):
    """As --databases writes it; that of several is not, and nothing is said against it."""
    tool = DUMPS[of_mysql.name]
    one = of_mysql.tool(*tool, "--databases", SHOP)
    assert b"\nUSE `shop`" in one
    result = checked(of_mysql, written(tmp_path, one))
    assert (result.verdict, result.rows) == (USABLE, 849)
    of_mysql.fresh("bank")
    both = of_mysql.tool(*tool, "--databases", SHOP, "bank")
    result = checked(of_mysql, written(tmp_path, both))
    assert (result.verdict, broken(result)) == (NOT_PROVEN, ["not-taken"])
    of_mysql.server.drop("bank")


def test_a_dump_of_all_databases_is_not_taken(postgres, tmp_path):
    """Nothing is said against it, but that it is cut off if it is."""
    raw = postgres.tool("pg_dumpall")
    assert broken(checked(postgres, written(tmp_path, raw))) == ["not-taken"]
    assert "cut-off" in broken(checked(postgres, written(tmp_path, raw[:-300])))


def test_accounts_in_whose_name_a_dump_works_are_made(of_mysql, tmp_path):
    """Without them a trigger refuses every row, and a view every question."""
    of_mysql.checks.observer().run("DROP USER IF EXISTS app@'%'")
    result = checked(of_mysql, written(tmp_path, of_mysql.dump()))
    assert (result.verdict, broken(result)) == (USABLE, [])
    assert "not-written" not in [finding.name for finding in result.findings]
    assert result.made == ("made accounts in whose name the dump's programs work, locked: app@%",)


# ---------------------------------------------------------------------- cut off, or changed


@pytest.mark.parametrize("percent", [70, 95, 99])
def test_an_archive_that_is_cut_off_is_not_usable(postgres, tmp_path, percent):
    raw = postgres.dump("-Fc")
    result = checked(postgres, written(tmp_path, raw[: len(raw) * percent // 100]))
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["not-restored"])
    assert result.restore_ms is None


def test_two_flipped_bytes_in_the_rows_of_an_archive_are_found(postgres, tmp_path):
    raw = bytearray(postgres.dump("-Fc"))
    middle = len(raw) * 9 // 10
    raw[middle] ^= 0xFF
    raw[middle + 1] ^= 0xFF
    result = checked(postgres, written(tmp_path, bytes(raw)))
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["not-restored"])


@pytest.mark.parametrize("at", ["in a row", "at the end of a row"])
def test_plain_sql_that_is_cut_off_amid_the_rows_is_not_usable(postgres, tmp_path, at):
    """psql restores it with exit code 0: only its end tells."""
    raw = postgres.dump()
    cut = raw.index(b"\n", raw.index(b"COPY public.orders") + 3000) + 1
    cut += 3 if at == "in a row" else 0
    result = checked(postgres, written(tmp_path, raw[:cut]))
    assert result.verdict is NOT_USABLE
    assert "cut-off" in broken(result)


def test_plain_sql_whose_key_is_another_is_not_whole(postgres, tmp_path):
    """Two halves of two dumps have a last line, too."""
    raw = postgres.dump()
    if b"\\unrestrict" not in raw:
        pytest.skip("this pg_dump restricts nothing")
    at = raw.rindex(b"\\unrestrict ") + len(b"\\unrestrict ")
    other = b"x" if raw[at : at + 1] != b"x" else b"y"
    result = checked(postgres, written(tmp_path, raw[:at] + other + raw[at + 1 :]))
    assert "cut-off" in broken(result)


@pytest.mark.parametrize("how", [(), ("-Z0",)], ids=["packed", "not packed"])
def test_a_folder_with_a_file_that_is_cut_off_is_not_usable(postgres, tmp_path, how):
    """At the end of a row, where it is not packed."""
    folder = postgres.folder(tmp_path / "shop", *how)
    largest = max(folder.glob("[0-9]*.dat*"), key=lambda file: file.stat().st_size)
    raw = largest.read_bytes()
    cut = raw.index(b"\n", len(raw) // 2) + 1 if how else len(raw) // 2
    largest.write_bytes(raw[:cut])
    result = checked(postgres, folder)
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["not-restored"])


def test_a_folder_without_one_of_its_files_is_not_usable(postgres, tmp_path):
    folder = postgres.folder(tmp_path / "shop")
    max(folder.glob("[0-9]*.dat*"), key=lambda file: file.stat().st_size).unlink()
    assert broken(checked(postgres, folder)) == ["not-restored"]


def test_a_dump_of_mysql_that_is_cut_off_at_the_end_of_a_line_is_not_usable(of_mysql, tmp_path):
    """Its client restores it with exit code 0, and a table is missing."""
    raw = of_mysql.dump()
    result = checked(
        of_mysql, written(tmp_path, raw[: raw.index(b"-- Table structure for table `visits`")])
    )
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["cut-off"])
    assert "visits" not in result.tables


def test_a_dump_of_mysql_that_is_cut_off_amid_a_statement_is_refused_by_its_line(mysql, tmp_path):
    raw = mysql.dump()
    cut = raw.index(b"INSERT INTO `orders`") + 200
    result = checked(mysql, written(tmp_path, raw[:cut]))
    assert broken(result) == ["cut-off", "not-restored"]
    line = raw.count(b"\n", 0, cut) + 1
    assert f"shop.dump:{line}: " in result.findings[1].found


def test_a_dump_of_mysql_without_comments_is_known_by_its_last_line(mysql, tmp_path):
    """Where it has none, nobody can tell."""
    raw = mysql.dump("--skip-comments")
    engine = {"engine": mysql.server.engine}
    assert broken(checked(mysql, written(tmp_path, raw), **engine)) == []
    cut = raw.rindex(b"/*!40101 SET SQL_MODE")
    assert broken(checked(mysql, written(tmp_path, raw[:cut]), **engine)) == ["cut-off"]
    compact = written(tmp_path, mysql.dump("--compact", "--skip-triggers", "--ignore-views"))
    assert broken(checked(mysql, compact, **engine)) == ["no-end-mark"]


def test_a_file_without_a_byte_is_not_usable(postgres, tmp_path):
    result = checked(postgres, written(tmp_path, b""), engine=postgres.server.engine)
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["unreadable"])


def test_a_packed_file_that_is_cut_off_is_not_usable(mysql, tmp_path):
    raw = gzip.compress(mysql.dump())
    result = checked(mysql, written(tmp_path, raw[:-20]))
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["unreadable"])


# ---------------------------------------------------------------------- whole, and wrong


def test_a_dump_without_a_row_proves_nothing(any_shop, tmp_path):
    """Exit code 0, with its last line: of an empty database, or of its schema alone."""
    any_shop.server.drop("nothing")
    any_shop.server.create("nothing")
    empty = written(tmp_path, any_shop.dump(database="nothing"))
    result = checked(any_shop, empty)
    assert (result.verdict, broken(result)) == (NOT_PROVEN, ["no-rows"])
    only = {"postgres": "--schema-only"}.get(any_shop.name, "--no-data")
    result = checked(any_shop, written(tmp_path, any_shop.dump(only)))
    assert (result.verdict, broken(result)) == (NOT_PROVEN, ["no-rows"])
    assert len(result.tables) == 3


def test_a_table_that_was_left_out_is_found_by_comparing(any_shop, tmp_path):
    """By itself such a dump is as good as any."""
    _, good = with_reference(any_shop, written(tmp_path, any_shop.dump()))
    out = {"postgres": "--exclude-table=visits"}.get(any_shop.name, "--ignore-table=shop.visits")
    lacking = written(tmp_path, any_shop.dump(out))
    assert broken(checked(any_shop, lacking)) == []
    result = checked(any_shop, lacking, good)
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["table-missing"])
    (found,) = [f for f in result.findings if f.name == "table-missing"]
    assert found.of in (("visits",), ("public.visits",))
    meant = Expected(gone=("table *visits",))
    assert broken(checked(any_shop, lacking, good, expected=meant)) == []


def test_a_dump_by_an_account_that_sees_half_is_found_by_comparing(of_mysql, tmp_path):
    """Exit code 0: tables that it cannot see are simply not there, and triggers neither."""
    _, good = with_reference(of_mysql, written(tmp_path, of_mysql.dump()))
    of_mysql.sql("DROP USER IF EXISTS half@'%', half@'localhost'")
    for place in ("'%'", "'localhost'"):
        of_mysql.sql("; ".join(HALF[of_mysql.name]).format(place))
    tool = DUMPS[of_mysql.name][0]
    ways = ("--single-transaction", "--no-tablespaces", "--skip-lock-tables")
    raw = of_mysql.tool(tool, "--user=half", "--password=x", *ways, SHOP)
    assert b"-- Dump completed" in raw
    result = checked(of_mysql, written(tmp_path, raw), good)
    assert result.verdict is NOT_USABLE
    assert broken(result) == ["table-missing", "object-missing"]
    told = " ".join(finding.found for finding in result.findings)
    assert "orders" in told
    assert "stamp" in told


def test_a_dump_without_routines_lacks_them(mysql, tmp_path):
    _, good = with_reference(mysql, written(tmp_path, mysql.dump("--routines")))
    result = checked(mysql, written(tmp_path, mysql.dump()), good)
    assert broken(result) == ["object-missing"]
    (lacks,) = [f for f in result.findings if f.name == "object-missing"]
    assert lacks.of == ("procedure tidy",)
    assert "--routines" in lacks.next_move


def test_a_dump_made_while_a_table_is_rewritten_has_none_of_its_rows(postgres, tmp_path):
    """pg_dump ends with exit code 0; its snapshot is older than the lock that it waits for."""
    postgres.sql("DROP TABLE orders CASCADE")
    _, good = with_reference(postgres, written(tmp_path, postgres.dump("-Fc")))
    server = postgres.server
    session = server.guard.connect(SHOP, "migration", deadline_s=30)
    observer = server.session("postgres")
    session.run("BEGIN")
    session.run("ALTER TABLE customers ALTER COLUMN vip TYPE text")
    dumped: list[bytes] = []
    dumping = threading.Thread(target=lambda: dumped.append(postgres.dump("-Fc")))
    dumping.start()
    waits = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"
    )
    until("pg_dump to wait", 60, lambda: observer.run(waits).scalar())
    session.run("COMMIT")
    session.close()
    dumping.join()
    path = written(tmp_path, dumped[0])
    alone = checked(postgres, path)
    assert (alone.verdict, broken(alone)) == (NOT_PROVEN, ["empty-table"])
    assert "public.customers" in alone.findings[0].found
    assert "customers_id_seq gives 401 next" in alone.findings[0].found
    result = checked(postgres, path, good)
    assert result.verdict is NOT_USABLE
    assert "table-emptied" in broken(result)


def test_a_table_that_is_empty_by_right_has_to_be_told(any_shop, tmp_path):
    any_shop.sql("DELETE FROM visits")
    path = written(tmp_path, any_shop.dump())
    result, _ = with_reference(any_shop, path)
    assert (result.verdict, broken(result)) == (NOT_PROVEN, ["empty-table"])
    told, reference = with_reference(any_shop, path, expected=Expected(empty=("visits",)))
    assert told.verdict is USABLE
    assert checked(any_shop, path, reference).verdict is USABLE


def test_fewer_rows_than_before_are_found(any_shop, tmp_path):
    _, good = with_reference(any_shop, written(tmp_path, any_shop.dump()))
    any_shop.sql("DELETE FROM orders WHERE id > 300")
    path = written(tmp_path, any_shop.dump())
    result = checked(any_shop, path, good)
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["fewer-rows"])
    assert broken(checked(any_shop, path, good, expected=Expected(shrink=0.9))) == []


def test_orphans_are_found_by_a_query(of_mysql, tmp_path):
    """The client restores them with the checks off, and says nothing."""
    of_mysql.sql("SET foreign_key_checks = 0; DELETE FROM customers WHERE id = 7;")
    result = checked(of_mysql, written(tmp_path, of_mysql.dump()))
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["orphans"])
    assert (
        "1 of orders (customer_id) to customers, the first has customer_id 7"
        in result.findings[0].found
    )


def test_a_view_of_a_table_that_was_left_out_is_found(mysql, tmp_path):
    """Its dump is refused, though nothing is there to compare it with."""
    result = checked(mysql, written(tmp_path, mysql.dump("--ignore-table=shop.orders")))
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["not-restored"])
    assert "shop.orders" in result.findings[0].found


def test_a_view_that_nobody_may_read_is_found(of_mysql, tmp_path):
    """The account in whose name it reads has not the right to."""
    path = written(tmp_path, of_mysql.dump())
    server, engine = of_mysql.checks, of_mysql.checks.engine
    server.drop("bank")
    server.create("bank")
    server.load("bank", Dump(path))
    server.observer().run("REVOKE ALL ON bank.* FROM app@'%'")
    found = content.look(engine, server.session("bank"))
    assert list(found.views) == ["names"]
    told = judging.of_content(engine, found, None, Expected())
    assert "view-not-read" in [finding.name for finding in told]
    assert list(found.refused) == ["orders"]
    server.drop("bank")


def test_a_child_whose_parent_is_not_there_is_found(mysql, tmp_path):
    raw = mysql.dump("--ignore-table=shop.customers", "--ignore-table=shop.names")
    result = checked(mysql, written(tmp_path, raw))
    assert "orphans" in broken(result)
    assert "customers, which is not there" in result.findings[0].found


def test_a_sequence_behind_its_rows_is_found(postgres, tmp_path):
    """The next INSERT of an application would fail."""
    postgres.sql("SELECT setval('customers_id_seq', 5)")
    result = checked(postgres, written(tmp_path, postgres.dump()))
    assert broken(result) == ["sequence-behind"]
    assert "public.customers.id is at 400" in result.findings[0].found


def test_a_table_that_nobody_can_write_is_told(postgres, tmp_path):
    postgres.sql("""CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'closed'; END $$;
        CREATE TRIGGER never BEFORE INSERT ON visits FOR EACH ROW EXECUTE FUNCTION never();""")
    result = checked(postgres, written(tmp_path, postgres.dump()))
    told = [f.found for f in result.findings if f.name == "not-written"]
    assert len(told) == 1
    assert "that visits can be written" in told[0]
    assert "closed" in told[0]


# ---------------------------------------------------------------------- of elsewhere


def test_a_dump_of_another_engine_is_not_usable(postgres, tmp_path):
    raw = b"-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)\n--\n-- Dump completed\n"
    result = checked(postgres, written(tmp_path, raw), engine=postgres.server.engine)
    assert (result.verdict, broken(result)) == (NOT_USABLE, ["unreadable"])
    assert "found a dump of MySQL, wanted one of PostgreSQL" in result.findings[0].found


@pytest.mark.parametrize("how", ["-Fc", "-Fp"])
def test_a_dump_of_a_newer_version_proves_nothing_on_an_older_server(postgres, tmp_path, how):
    """It may be well: what is wanted is a server of its version."""
    if places.engine("postgres").at("15").recipe.stand_in not in images_here():
        pytest.skip("no older PostgreSQL on this machine")
    path = written(tmp_path, postgres.dump(how))
    with shop("postgres", "15") as older:
        result = checked(older, path)
    assert (result.verdict, broken(result)) == (NOT_PROVEN, ["newer-version"])


def images_here():
    from harness.backends.docker import DockerBackend

    docker = DockerBackend("tests")
    if docker.available() is not None:
        return ()
    return docker.versions_here(places.engine("postgres").recipe).values()


def test_looking_leaves_no_row_behind(any_shop, tmp_path):
    """A row was written into each table, and rolled back."""
    server, path = any_shop.checks, written(tmp_path, any_shop.dump())
    server.drop("looked")
    server.create("looked")
    server.load("looked", Dump(path))
    session = server.session("looked")
    first = content.look(server.engine, session)
    assert first.refused == {}
    assert content.look(server.engine, session).tables == first.tables
    server.drop("looked")
