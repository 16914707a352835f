"""Folders of migrations are recognised, and read as their own tools read them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.errors import ScenarioError, UsageError
from harness.layouts import LAYOUTS, Script, detect, find, read
from harness.layouts._folder import Folder as _Folder

FOLDERS = Path(__file__).parents[1] / "fixtures" / "layouts"

WANTED = {
    "golang-migrate": ["1 0001_users up down", "2 0002_email up down", "10 10_notes up"],
    "dbmate": [
        "20240101120000 20240101120000_users up down",
        "20240102120000 20240102120000_email up! down",
    ],
    "goose": ["1 00001_users up down", "2 00002_touch up down", "3 00003_index up!"],
    "flyway": [
        *("1 V1__users up down", "1.2 V1.2__email up!", "1.10 V1_10__notes up"),
        "R__views R__views up",
    ],
    "diesel": [
        "00000000000000 00000000000000_diesel_initial_setup up down",
        "20240101120000 2024-01-01-120000_users up down",
        "20240102120000 2024-01-02-120000_index up!",
    ],
    "prisma": [
        "20240101120000_init 20240101120000_init up",
        "20240102120000_email 20240102120000_email up down",
    ],
    "sqitch": ["users@v1 users@v1 up down", "email email up", "users users up down"],
    "sql-migrate": [
        *("1_users.sql 1_users up down", "2_touch.sql 2_touch up! down", "10_last.sql 10_last up"),
    ],
    "node-pg-migrate": [
        "1700000000000_users 1700000000000_users up down",
        "1700000000001_email 1700000000001_email",
    ],
    "yoyo": ["0001.users 0001.users up down", "0003.late 0003.late", "0002.early 0002.early up!"],
    "drizzle": ["1700000000000 0000_users up", "1700000000001 0001_email up"],
    "knex": [
        "20240101120000_users.js 20240101120000_users",
        "20240102120000_email.ts 20240102120000_email",
    ],
    "alembic": ["a1 z_users", "b2 b_email", "c3 c_side", "d4 a_merge"],
    "django": ["0001_initial 0001_initial", "0003_b 0003_b", "0002_a 0002_a"],
    "liquibase": [
        *("ada:1 changelog ada:1", "ada:email changelog ada:email"),
        *("bob:1 master bob:1", "ada:notes more ada:notes"),
    ],
    "version-folders": [
        "0.9/01__users 0.9/01__users up down",
        *("0.21/2__email 0.21/2__email up", "0.21/10__index 0.21/10__index up"),
    ],
    "numbered": ["1 1_users up", "2 2_email up down", "10 10_index up"],
}


def told(migration):
    """A migration in a line; ``!`` for a way that its file wants without a transaction."""
    ways = (("up", migration.up), ("down", migration.down))
    said = [way + "!" * (not script.transaction) for way, script in ways if script]
    return " ".join([migration.version, migration.name, *said])


@pytest.fixture
def folder(tmp_path):
    """Writes files into a folder; bytes as they are, text as UTF-8."""

    def write(files, at="migrations"):
        for name, text in files.items():
            path = tmp_path / at / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / at

    return write


def refusal(path, layout):
    with pytest.raises(UsageError) as caught:
        read(path, layout)
    return str(caught.value).replace(f"{path}/", "")


def test_every_layout_has_an_example():
    """A new one comes with a folder."""
    assert set(WANTED) == set(LAYOUTS) == {path.name for path in FOLDERS.iterdir()}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_folder_is_recognised_as_one_layout(name):
    """By names and directives alone, with the evidence for it."""
    found = detect(FOLDERS / name)
    assert (found.name, found.title) == (name, LAYOUTS[name].title)
    assert found.evidence


@pytest.mark.parametrize("name", LAYOUTS)
def test_migrations_come_in_the_order_of_the_tool(name):
    """With the version that the tool's table has, and with the ways that exist."""
    assert [told(migration) for migration in read(FOLDERS / name, name)] == WANTED[name]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_script_is_a_part_of_its_file(name):
    """Its text stands in the file as it is, on the line that it names."""
    for migration in read(FOLDERS / name, name):
        assert all(Path(file).is_file() for file in migration.files)
        for script in filter(None, (migration.up, migration.down)):
            text = Path(script.file).read_text()
            lines = text.split("\n")[script.line - 1 :]
            assert "\n".join(lines).startswith(script.text)
            assert script.file in migration.files


def cuts(name, number, dialect="postgres"):
    script = read(FOLDERS / name, name)[number].up
    return [(s.line, s.kind, s.text.count("\n")) for s in script.cut(dialect)]


def test_statements_are_numbered_by_the_lines_of_their_file():
    """Also in a part that begins in the middle of it."""
    assert cuts("golang-migrate", 1) == [(1, "ALTER TABLE", 0), (3, "CREATE INDEX", 0)]
    assert cuts("dbmate", 0) == [(4, "CREATE TABLE", 0)]
    down = read(FOLDERS / "dbmate", "dbmate")[0].down.cut("postgres")
    assert [(s.line, s.text) for s in down] == [(7, "DROP TABLE users")]


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "mariadb"])
def test_what_a_file_declares_to_be_one_statement_is_one(dialect):
    """In every dialect, though MySQL's client would cut a body without DELIMITER."""
    body = (3, "CREATE PROCEDURE", 0)
    assert cuts("sql-migrate", 1, dialect) == [body, (5, "SELECT", 0)]
    assert cuts("goose", 1, dialect) == [(3, "CREATE FUNCTION", 5), (10, "SELECT", 0)]


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "mariadb"])
def test_a_drizzle_file_is_cut_at_its_breakpoints(dialect):
    """What stands between two is one message, even if it holds two statements; the mark is none,
    though it is no comment for MySQL."""
    kinds = [(1, "CREATE TABLE", 0), (3, "CREATE TABLE", 0), (4, "SELECT", 0)]
    assert cuts("drizzle", 0, dialect) == kinds


def test_offsets_of_a_cut_lie_in_the_text():
    """So that what is not code can be told from what is."""
    for name, number in (("goose", 1), ("dbmate", 1), ("drizzle", 0), ("golang-migrate", 1)):
        script = read(FOLDERS / name, name)[number].up
        for statement in script.cut("postgres"):
            assert script.text[statement.start : statement.end] == statement.text


def test_a_refusal_of_a_cut_names_the_line_of_the_file(folder):
    """Not that of the part."""
    path = folder({"1_a.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 'open;\n"})
    with pytest.raises(ScenarioError, match=r"1_a\.sql:4: "):
        read(path, "dbmate")[0].down.cut("postgres")


def test_line_ends_and_a_byte_order_mark_stay_as_they_are(folder):
    """The server is to get what the tool would send; lines count alike."""
    path = folder({"1_a.up.sql": "\ufeffSELECT 1;\r\nSELECT 2;\r\n"})
    (migration,) = read(path, detect(path).name)
    assert migration.up.text == "\ufeffSELECT 1;\r\nSELECT 2;\r\n"
    assert [(s.line, s.column, s.text) for s in migration.up.cut("postgres")] == [
        (1, 1, "SELECT 1"),
        (2, 1, "SELECT 2"),
    ]


@pytest.mark.parametrize(
    "name, text",
    [
        ("dbmate", "-- migrate:up\r\nSELECT 1;\r\n-- migrate:down\r\nSELECT 2;\r\n"),
        ("goose", "-- +goose Up\r\nSELECT 1;\r\n-- +goose Down\r\nSELECT 2;\r\n"),
        ("sql-migrate", "-- +migrate Up\r\nSELECT 1;\r\n-- +migrate Down\r\nSELECT 2;\r\n"),
        ("node-pg-migrate", "-- Up Migration\r\nSELECT 1;\r\n-- Down Migration\r\nSELECT 2;\r\n"),
    ],
)
def test_directives_are_seen_in_files_with_crlf(folder, name, text):
    """Each leads to the same two statements on the same lines."""
    path = folder({"1700000000000_a.sql": text})
    (migration,) = read(path, detect(path).name)
    assert detect(path).name == name
    ways = (migration.up, migration.down)
    found = [(s.line, s.text) for way in ways for s in way.cut("postgres")]
    assert found == [(2, "SELECT 1"), (4, "SELECT 2")]


@pytest.mark.parametrize(
    "text",
    [
        'exports.up = (k) => k.schema.createTable("users", (t) => t.increments());',
        'exports.up = async k => { await k("users").insert({}); };',
        'module.exports = { up(db) { return db.raw("SELECT 1"); } };',
        'export const up = async (db: Db) =>\n  db.schema.dropTable("users");',
        "exports.up = function (trx) { return trx.transaction((t) => t); };",
    ],
)
def test_a_knex_of_any_name_is_seen(folder, text):
    """By what only a knex has; eight digits are a version."""
    path = folder({"20240101_users.js": text})
    assert detect(path).name == "knex"
    assert [m.version for m in read(path, "knex")] == ["20240101_users.js"]


@pytest.mark.parametrize(
    "text",
    [
        "exports.up = (pgm) => pgm.createTable('users', {});",
        "module.exports = { up: (queryInterface) => queryInterface.createTable('users') };",
        "exports.up = async ({ context }) => context.dropTable('users');",
        "exports.up = (db) => db.collection('users').drop();",
    ],
)
def test_what_other_tools_are_given_is_no_knex(folder, text):
    path = folder({"20240101120000_users.js": text})
    assert LAYOUTS["knex"].matches(_Folder(path)) is None


def test_utf_16_is_recognised_for_what_it_is_and_then_refused(folder):
    """Not taken for another layout, because its directives cannot be read."""
    path = folder({"1_a.sql": "-- +goose Up\nSELECT 1;\n".encode("utf-16")})
    assert detect(path).name == "goose"
    assert "found UTF-16" in refusal(path, "goose")


@pytest.mark.parametrize("name", ["numbered", "golang-migrate", "flyway", "node-pg-migrate"])
def test_a_byte_order_mark_of_utf_8_is_no_part_of_a_statement(folder, name):
    file = {"golang-migrate": "1_a.up.sql", "flyway": "V1__a.sql"}.get(name, "1700000000000_a.sql")
    head = "-- Up Migration\n" if name == "node-pg-migrate" else ""
    path = folder({file: f"\ufeff{head}SELECT 1;\n"})
    assert detect(path).name == name
    (migration,) = read(path, name)
    assert [one.text for one in migration.up.cut("postgres")] == ["SELECT 1"]


# ----------------------------------------------------------------------------- folders above


def test_migrations_a_little_below_are_found(folder):
    """Where there is one folder that can be meant; what others installed is none."""
    path = folder({"prisma/migrations/1_a/migration.sql": "", "prisma/schema.prisma": ""}, "shop")
    folder({"node_modules/other/1_a.up.sql": ""}, "shop")
    found = path / "prisma" / "migrations"
    for above in (path, path / "prisma", found):
        assert find(above)[0] == found
        assert find(above)[1].name == "prisma"
        assert find(above, layout="prisma")[0] == found


def test_the_folder_itself_comes_before_those_in_it(folder):
    path = folder({"1_a.up.sql": "", "old/1_b.up.sql": ""})
    assert find(path)[0] == path


def test_several_folders_below_are_named(folder):
    """And the one with the engine's name is taken if it is the only one."""
    path = folder({"mysql/1_a.up.sql": "", "postgres/1_a.up.sql": ""})
    with pytest.raises(UsageError) as told:
        find(path)
    assert f"{path}/mysql: golang-migrate, " in str(told.value)
    assert f"{path}/postgres: golang-migrate, " in str(told.value)
    assert find(path, "postgres")[0] == path / "postgres"
    folder({"postgres-old/1_a.up.sql": ""})
    with pytest.raises(UsageError, match="postgres-old"):
        find(path, "postgres")


def test_a_folder_below_that_fits_two_layouts_is_not_passed_over(folder):
    """It may be the one that is meant."""
    both = {"a/1_a.up.sql": "", "a/1700000000000_b.sql": "-- Up Migration\n"}
    path = folder({**both, "b/1_a.up.sql": ""})
    with pytest.raises(UsageError, match=r"/a: golang-migrate, .* or node-pg-migrate"):
        find(path)
    with pytest.raises(UsageError, match="more than one layout"):
        find(path / "a")


def test_what_lies_deeper_is_only_named(folder):
    path = folder({"a/b/c/1_a.up.sql": ""})
    with pytest.raises(UsageError, match="name the folder that is meant"):
        find(path)


def test_a_folder_for_each_version_is_read_by_numbers(folder):
    """Files without a number come last in theirs; folders by other names are left out, and told."""
    path = folder(
        {
            **{"0.9/b.sql": "", "0.9/02_a.sql": "", "0.10/1.sql": "", "2024/03/01-x.sql": ""},
            **{"LATEST": "0.10", "seeds/1.sql": "", "0.9/02_a.down.sql": ""},
        }
    )
    assert detect(path).name == "version-folders"
    assert "left out 1 file (not in a folder named by a version): seeds/1.sql" in (
        detect(path).evidence
    )
    versions = [m.version for m in read(path, "version-folders")]
    assert versions == ["0.9/02_a", "0.9/b", "0.10/1", "2024/03/01-x"]


def test_other_files_do_not_matter_and_are_told(folder):
    """Hidden ones and a README are nothing; an .sql file that the tool passes over is told."""
    path = folder({"1_a.up.sql": "", ".2_b.up.sql": "", "README.md": "", "2_b.UP.sql": ""})
    assert detect(path).evidence.endswith(
        "left out 1 file (the tool does not take them): 2_b.UP.sql"
    )
    assert [m.name for m in read(path, "golang-migrate")] == ["1_a"]


def test_links_are_followed(folder, tmp_path):
    """To files and to folders of migrations; one that leads nowhere is told."""
    path = folder({"real/up.sql": "SELECT 1;"}, "elsewhere")
    links = tmp_path / "links"
    links.mkdir()
    (links / "1_a").symlink_to(path / "real")
    assert [m.version for m in read(links, "diesel")] == ["1"]
    files = folder({"1_a.up.sql": ""})
    (files / "2_b.up.sql").symlink_to(path / "gone")
    assert "2_b.up.sql:1: cannot be read (No such file or directory)" in refusal(
        files, "golang-migrate"
    )


HEAD = "revision = '{}'\ndown_revision = {}\n"
PROBLEMS = {
    "two files of one version": (
        "golang-migrate",
        {"1_a.up.sql": "", "001_b.up.sql": ""},
        "1_a.up.sql:1: found version 1 again; it is already",
    ),
    "a way down alone": (
        "golang-migrate",
        {"1_a.up.sql": "", "2_b.down.sql": ""},
        "2_b.down.sql:1: found a way down for version 2 and no way up",
    ),
    "no UTF-8": (
        "numbered",
        {"1.sql": b"SELECT 1;\nSELECT 'caf\xe9';\n"},
        "1.sql:2: found the byte 0xE9, wanted UTF-8. If it is Latin-1: iconv -f latin1 -t UTF-8 ",
    ),
    "UTF-16 with its mark": (
        "numbered",
        {"1 a.sql": "SELECT 1;\n".encode("utf-16")},
        "1 a.sql:1: found UTF-16 (it begins with FF FE), wanted UTF-8. Next: iconv -f UTF-16 -t",
    ),
    "UTF-16 without a mark": (
        "goose",
        {"1_a.sql": "-- +goose Up\nSELECT 1;\n".encode("utf-16-be")},
        "1_a.sql:1: found UTF-16BE (every other byte is 0), wanted UTF-8. Next: iconv -f UTF-16BE",
    ),
    "UTF-32": (
        "numbered",
        {"1.sql": "SELECT 1;\n".encode("utf-32")},
        "1.sql:1: found UTF-32 (it begins with FF FE 00 00)",
    ),
    "goose and a byte order mark": (
        "goose",
        {"1_a.sql": "\ufeff-- +goose Up\nSELECT 1;\n"},
        "1_a.sql:1: found no line '-- +goose Up', which goose requires (a byte order mark hides",
    ),
    "dbmate without down": (
        "dbmate",
        {"1_a.sql": "-- migrate:up\nSELECT 1;\n"},
        "1_a.sql:2: found no line '-- migrate:down'",
    ),
    "dbmate with two pairs": (
        "dbmate",
        {"1_a.sql": "-- migrate:up\n-- migrate:down\n-- migrate:up\n-- migrate:down\n"},
        "1_a.sql:3: found a second -- migrate:up",
    ),
    "dbmate without up": ("dbmate", {"1_a.sql": "SELECT 1;"}, "1_a.sql:1: found no line"),
    "dbmate and a byte order mark": (
        "dbmate",
        {"1_a.sql": "\ufeff-- migrate:up\n-- migrate:down\n"},
        "1_a.sql:1: found a byte order mark",
    ),
    "dbmate in a wrong order": (
        "dbmate",
        {"1_a.sql": "-- migrate:down\n-- migrate:up\n"},
        "1_a.sql:1: found -- migrate:down before",
    ),
    "dbmate with a statement before": (
        "dbmate",
        {"1_a.sql": "-- x\nSELECT 1;\n-- migrate:up\n-- migrate:down\n"},
        "1_a.sql:2: found a statement before -- migrate:up",
    ),
    "goose without up": ("goose", {"1_a.sql": ""}, "1_a.sql:1: found no line '-- +goose Up'"),
    "goose twice": (
        "goose",
        {"1_a.sql": "-- +goose Up\n-- +goose Up\n"},
        "1_a.sql:2: found -- +goose Up again",
    ),
    "goose with an unknown annotation": (
        "goose",
        {"1_a.sql": "-- +goose Up\n-- +goose Begin\n"},
        "1_a.sql:2: found the goose annotation 'begin'; known: down, ",
    ),
    "goose with an open block": (
        "goose",
        {"1_a.sql": "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n"},
        "1_a.sql:2: found no -- +goose StatementEnd",
    ),
    "goose without a semicolon": (
        "goose",
        {"1_a.sql": "-- +goose Up\nSELECT 1;\nSELECT 2 -- ;\n-- +goose Down\n"},
        "1_a.sql:3: found no semicolon",
    ),
    "goose and no number": ("goose", {"a.sql": "-- +goose Up\n"}, "a.sql:1: goose wants <number>_"),
    "flyway with equal versions": (
        "flyway",
        {"V1__a.sql": "", "deep/V01_0__b.sql": ""},
        "deep/V01_0__b.sql:1: found version 01.0 again; it is already V1__a.sql",
    ),
    "diesel with an empty file": ("diesel", {"1_a/up.sql": ""}, "1_a/up.sql:1: is empty"),
    "diesel without up.sql": (
        "diesel",
        {"1_a/up.sql": "x", "2_b/down.sql": "x"},
        "2_b:1: found no up.sql",
    ),
    "diesel with wrong metadata": (
        "diesel",
        {"1_a/up.sql": "x", "1_a/metadata.toml": "\nrun_in_transaction = no\n"},
        "1_a/metadata.toml:2: is no TOML",
    ),
    "sqitch without a script": (
        "sqitch",
        {"sqitch.plan": "%project=x\n\na 2024-01-01T12:00:00Z A <a@b> # x\n"},
        "sqitch.plan:3: found the change a, and there is no",
    ),
    "sqitch with a line of another kind": (
        "sqitch",
        {"sqitch.plan": "what is this\n"},
        "sqitch.plan:1: found 'what is this'",
    ),
    "sql-migrate with an open block": (
        "sql-migrate",
        {"1.sql": "-- +migrate Up\n-- +migrate StatementBegin\n"},
        "1.sql:2: found no -- +migrate StatementEnd",
    ),
    "yoyo with an unknown need": (
        "yoyo",
        {"1.sql": "-- x\n-- depends: 0\n", "1.rollback.sql": ""},
        "1.sql:2: depends on '0', and no file has it",
    ),
    "yoyo in a circle": (
        "yoyo",
        {"1.sql": "-- depends: 2\n", "2.sql": "-- depends: 1\n"},
        "1.sql:1: depends on itself",
    ),
    "drizzle without a file": (
        "drizzle",
        {"meta/_journal.json": '{"entries": [{"tag": "0_a", "when": 1}]}'},
        "meta/_journal.json:1: lists 0_a, and there is no 0_a.sql",
    ),
    "drizzle with a broken journal": (
        "drizzle",
        {"meta/_journal.json": '{"entries":\n'},
        "meta/_journal.json:2: is no JSON",
    ),
    "alembic with two heads": (
        "alembic",
        {
            f"{n}.py": f'revision = "{n}"\ndown_revision = {d}\n'
            for n, d in (("a", None), ("b", '"a"'), ("c", '"a"'))
        },
        "b.py:2: found 2 heads (b, c)",
    ),
    "alembic without an ancestor": (
        "alembic",
        {"b.py": 'revision = "b"\ndown_revision = "a"\n'},
        "b.py:2: found revision 'a' before this one, and no file has it",
    ),
    "alembic that is no Python": (
        "alembic",
        {"b.py": 'revision = "b"\ndown_revision = (\n'},
        "b.py:2: is no Python 3",
    ),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_the_tool_would_refuse_is_told_with_its_place(folder, problem):
    """File and line, what was found, and the next move."""
    layout, files, wanted = PROBLEMS[problem]
    assert wanted in refusal(folder(files), layout)


def test_all_problems_are_told_at_once(folder):
    """One run shows everything that is to be mended."""
    path = folder({"1_a.sql": "", "2_b.sql": "", "2_c.sql": ""})
    assert len(refusal(path, "dbmate").splitlines()) == 4


def test_goose_statements_end_with_lines(folder):
    """So a body without StatementBegin falls to pieces, as goose sends it."""
    text = "-- +goose Up\nCREATE FUNCTION f() AS $$\nBEGIN;\nEND $$;\nSELECT 1; SELECT 2;\n"
    (migration,) = read(folder({"1_a.sql": text}), "goose")
    found = [(s.line, s.text) for s in migration.up.cut("postgres")]
    body = (2, "CREATE FUNCTION f() AS $$\nBEGIN;")
    assert found == [body, (4, "END $$;"), (5, "SELECT 1; SELECT 2;")]


@pytest.mark.parametrize("down, transaction", [(" a:b", True), (" a:b transaction:false", False)])
def test_each_way_of_dbmate_has_its_own_transaction(folder, down, transaction):
    """The option of one way says nothing about the other."""
    text = f"-- migrate:up\nSELECT 1;\n-- migrate:down{down}\nSELECT 2;\n"
    (migration,) = read(folder({"1_a.sql": text}), "dbmate")
    assert (migration.up.transaction, migration.down.transaction) == (True, transaction)


def test_metadata_without_the_key_turns_diesels_transaction_off(folder):
    """That is what a missing key means to Diesel, though a missing file means the opposite."""
    path = folder({"1_a/up.sql": "x", "1_a/metadata.toml": "", "2_b/up.sql": "x"})
    assert [m.up.transaction for m in read(path, "diesel")] == [False, True]


def test_versions_of_flyway_are_compared_number_by_number(folder):
    """Not as text, and not as one number."""
    names = ["V2__a", "V10__b", "V1.10__c", "V1.9__d", "V1_9_1__e", "V003__f", "R__b", "R__a"]
    path = folder({f"{name}.sql": "" for name in names})
    versions = [m.version for m in read(path, "flyway")]
    assert versions == ["1.9", "1.9.1", "1.10", "2", "003", "10", "R__a", "R__b"]


def test_a_squashed_django_migration_stands_for_those_it_replaces(folder):
    """As on a database that has none of them."""
    head = "class Migration(migrations.Migration):\n"
    path = folder(
        {
            "migrations/0001_a.py": head + "    dependencies = []\n",
            "migrations/0002_b.py": head + '    dependencies = [("shop", "0001_a")]\n',
            "migrations/0001_squashed_0002_b.py": head
            + '    replaces = [("shop", "0001_a"), ("shop", "0002_b")]\n',
            "migrations/0003_c.py": head + '    dependencies = [("shop", "0002_b")]\n',
        },
        "shop",
    )
    assert detect(path).name == "django"
    assert [m.version for m in read(path, "django")] == ["0001_squashed_0002_b", "0003_c"]


def test_two_layouts_in_one_folder_are_told_apart_by_the_user(folder):
    """Each with its evidence, and the option that decides."""
    path = folder({"1_a.up.sql": "", "V1__a.sql": ""})
    with pytest.raises(UsageError) as caught:
        detect(path)
    assert "golang-migrate: 1 file *.up.sql, 0 *.down.sql" in str(caught.value)
    assert "Next: --layout golang-migrate or --layout flyway" in str(caught.value)


def test_a_folder_that_fits_nothing_is_told_what_would(folder):
    """What was seen, and what each layout looks for."""
    with pytest.raises(UsageError) as caught:
        detect(folder({"notes.txt": ""}))
    assert "found 1 file (notes.txt); wanted one of" in str(caught.value)
    assert all(kind.looks_for in str(caught.value) for kind in LAYOUTS.values())
    assert "--layout NAME" in str(caught.value)


def test_a_folder_above_names_the_one_that_is_meant(folder):
    """The one of the dialect first."""
    path = folder({"mysql/1_a.up.sql": "", "postgres/1_a.up.sql": "", "x/readme": ""})
    with pytest.raises(UsageError) as caught:
        detect(path, "postgres")
    last = str(caught.value).splitlines()[-2:]
    assert [line.split(": ")[0].rpartition("/")[2] for line in last] == ["postgres", "mysql"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_empty_folder_is_no_layout(tmp_path, name):
    """Nothing to do must never look like done."""
    with pytest.raises(UsageError, match="found nothing"):
        detect(tmp_path)
    with pytest.raises(UsageError):
        read(tmp_path, name)


def test_a_path_that_is_no_folder_is_told(tmp_path, folder):
    """A file, a wrong name, an unknown layout: each with the next move."""
    path = folder({"1_a.up.sql": ""})
    with pytest.raises(UsageError, match="no such folder"):
        detect(tmp_path / "gone")
    with pytest.raises(UsageError, match=f"wanted a folder: name {path}"):
        read(path / "1_a.up.sql", "golang-migrate")
    with pytest.raises(UsageError, match="unknown layout 'rails'; known: golang-migrate, dbmate"):
        read(path, "rails")


def test_time_is_linear_in_the_number_of_files(folder):
    """Twice the files take about twice the time; only the ratio is judged."""

    def seconds(path):
        began = time.process_time()
        read(path, detect(path).name)
        return time.process_time() - began

    text = "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"
    half = folder({f"{n:05}_a.sql": text for n in range(1000)}, "half")
    whole = folder({f"{n:05}_a.sql": text for n in range(2000)}, "whole")
    pairs = [(seconds(half), seconds(whole)) for _ in range(5)]
    assert min(b for _, b in pairs) / min(a for a, _ in pairs) <= 3.0


def test_a_part_that_nobody_declared_is_cut_as_usual():
    """Before, between and after what is one statement."""
    text = "A;B;\nC; D;\nE;"
    script = Script("f", 5, text, whole=((5, 11),))
    found = [(s.line, s.column, s.text) for s in script.cut("mysql")]
    assert found == [(5, 1, "A"), (5, 3, "B"), (6, 1, "C; D;"), (7, 1, "E")]
