"""What is no SQL yet is told before a server is started."""

from __future__ import annotations

import pytest

from harness.errors import ScenarioError
from harness.layouts import Migration, Script, templates


def migration(text: str, line: int = 1) -> Migration:
    return Migration("1", "1_a", Script("db/1_a.sql", line, text), None, ("db/1_a.sql",))


@pytest.mark.parametrize(
    "mark", ["{{ .Prefix }}", "{% if big %}", "<%= prefix %>", "${app_schema}"]
)
def test_a_mark_of_a_template_is_refused_where_it_stands(mark):
    text = f"-- {mark} in a comment\nSELECT '{mark}';\nCREATE TABLE {mark}jobs (id int);\n"
    with pytest.raises(ScenarioError) as told:
        templates.refuse([migration("SELECT 1"), migration(text, 11)])
    (problem,) = told.value.problems
    assert (problem.file, problem.line) == ("db/1_a.sql", 13)
    assert f"{mark} is of a template" in problem.message
    assert "render it first" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t VALUES ('{{1,2},{3,4}}', '{\"a\": {\"b\": {}}}')",
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $body$ SELECT '${x}' || $1 $body$",
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT {{ x }} $$",
        "SELECT a <% b, c %> d, $1 FROM t /* {{ x }} */ -- <%= y %>",
        'CREATE TABLE "{{ odd }}" (id int)',
    ],
)
def test_what_only_looks_like_one_is_none(text):
    templates.refuse([migration(text)])
