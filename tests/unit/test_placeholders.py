"""Values come in the place of placeholders, as the tool itself would put them there."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import layouts, loading, registry
from harness.errors import ScenarioError, UsageError
from harness.layouts import Migration, Script, placeholders
from harness.tools.by_hand import ByHand


def migration(text: str, line: int = 1) -> Migration:
    return Migration("1", "V1__a", Script("db/V1__a.sql", line, text), None, ("db/V1__a.sql",))


def flyway(text: str, **values: str) -> str:
    (done,), _ = placeholders.filled([migration(text)], values, everywhere=True)
    assert done.up is not None
    return done.up.text


def test_flyway_fills_in_everywhere():
    """In texts and comments, whatever the case; what was filled in is not looked at again."""
    text = "-- ${A}\nCREATE TABLE ${schema}.t ();\nINSERT INTO t VALUES ('${SCHEMA} ${A}');\n"
    wanted = "-- ${schema}\nCREATE TABLE app.t ();\nINSERT INTO t VALUES ('app ${schema}');\n"
    assert flyway(text, a="${schema}", Schema="app") == wanted
    assert flyway("SELECT '${a}';", a="") == "SELECT '';"


def test_a_placeholder_without_a_value_names_the_option():
    """Each name once, where it stands first."""
    text = "SELECT 1;\nSELECT '${app_schema}', '${x}', '${app_schema}', '${known}';"
    with pytest.raises(ScenarioError) as told:
        placeholders.filled([migration(text, 11)], {"known": "1"}, everywhere=True)
    one, other = sorted(told.value.problems, key=lambda problem: problem.message)
    assert (one.file, one.line) == (other.file, other.line) == ("db/V1__a.sql", 12)
    assert "no value for the placeholder ${app_schema}" in one.message
    assert one.message.endswith("Next: --placeholder app_schema=VALUE")
    assert "--placeholder x=VALUE" in other.message


def test_a_value_that_no_file_has_is_named():
    _, unused = placeholders.filled(
        [migration("SELECT ${A};")], {"a": "1", "b": "2"}, everywhere=True
    )
    assert unused == {"b"}


@pytest.mark.parametrize("pair", ["name", "=value", ""])
def test_a_pair_is_a_name_and_a_value(pair):
    with pytest.raises(UsageError, match="--placeholder wants NAME=VALUE"):
        placeholders.values_of([pair])


def test_a_name_has_one_value():
    """A value may have an equals sign, and may be empty."""
    assert placeholders.values_of(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    with pytest.raises(UsageError, match="a has two values"):
        placeholders.values_of(["a=1", "a=2"])


GOOSE = """\
-- +goose Up
SELECT '${OUTSIDE}';
-- +goose ENVSUB ON
-- +goose StatementBegin
CREATE FUNCTION ${SCHEMA}.f() RETURNS int LANGUAGE sql AS $$ SELECT $1 || '$NAME'; SELECT 2 $$;
-- +goose StatementEnd
SELECT '${OTHER:-none}';
-- +goose ENVSUB OFF
SELECT '$NAME';
-- +goose Down
DROP FUNCTION ${SCHEMA}.f;
"""


def test_goose_fills_in_where_its_file_asks_for_it(tmp_path: Path):
    """Statements that were declared stay one each, though they grow."""
    (tmp_path / "1_f.sql").write_text(GOOSE)
    read = layouts.read(tmp_path, "goose")
    assert placeholders.takes_any(read)
    values = {"SCHEMA": "a_long_name", "NAME": "x"}
    (done,), unused = placeholders.filled(read, values, everywhere=False)
    assert done.up is not None
    assert done.down is not None
    assert [one.text for one in done.up.cut("postgres")] == [
        "SELECT '${OUTSIDE}'",
        "CREATE FUNCTION a_long_name.f() RETURNS int LANGUAGE sql AS $$ SELECT $1 || 'x'; "
        "SELECT 2 $$",
        "SELECT 'none'",
        "SELECT '$NAME'",
    ]
    assert not unused
    assert done.down.text == "DROP FUNCTION ${SCHEMA}.f;\n"


def test_goose_without_a_value_is_refused(tmp_path: Path):
    """goose itself would take an unset variable for nothing, which is somebody's schema."""
    (tmp_path / "1_f.sql").write_text(GOOSE)
    with pytest.raises(ScenarioError, match=r"1_f.sql:5: no value for the placeholder \$\{SCHEMA"):
        placeholders.filled(layouts.read(tmp_path, "goose"), {"NAME": ""}, everywhere=False)


def test_what_was_filled_in_is_not_pasted_from_its_file(tmp_path: Path):
    """A client would send the placeholder."""
    file = tmp_path / "U1__a.sql"
    file.write_text("DROP TABLE ${schema}.t;\n")
    script = Script(str(file), 1, file.read_text())
    read = Migration("1", "V1__a", script, script, (str(file),))
    values = {"version": "1", "previous": "0", "name": "V1__a", "sha256": ""}

    def down(migration: Migration) -> str:
        tool, engine = loading.our_tools()["flyway"], registry.engine("postgres")
        return "\n".join(ByHand(tool, engine, tmp_path, {}, [migration]).down(values))

    (done,), _ = placeholders.filled([read], {"schema": "app"}, everywhere=True)
    assert f"-f {file}" in down(read)
    assert "DROP TABLE app.t;" in down(done)
    assert str(file) not in down(done)
