"""How YAML files become scenarios and drills, and how a person is told what is wrong."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness import loading, registry
from harness.errors import Problem, ScenarioError
from harness.loading import shapes, yaml_nodes
from harness.model import Claim, Deployment, Moment, Objectives, Rows, Scope

FIXTURES = Path(__file__).parents[1] / "fixtures"
BUNDLED = Path(__file__).parents[2] / "scenarios"
EVERYTHING = FIXTURES / "scenarios" / "2-everything.yaml"
TEXT = EVERYTHING.read_text("utf-8")


@dataclass(frozen=True)
class FakeColumn:
    """A column is there."""

    column: str
    exists: bool = True


@dataclass(frozen=True)
class FakePause:
    """A pause with every type a kind may ask for."""

    pause_it: str
    for_ms: float
    at_most: float | None = None
    both: tuple[int, str] = (1, "a")
    within_s: float = 1.0

    def __post_init__(self) -> None:
        if self.for_ms > 60_000:
            raise ValueError("found a pause above 1m, wanted less")


def problems_of(text: str, tmp_path: Path, name: str = "1-broken.yaml") -> list[Problem]:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(ScenarioError) as caught:
        loading.load_scenario(path)
    return list(caught.value.problems)


def changed(old: str, new: str) -> tuple[str, int]:
    """The complete example with one text replaced, and the line where the change begins."""
    assert TEXT.count(old) == 1, f"{old!r} must stand in the example exactly once"
    return TEXT.replace(old, new), TEXT[: TEXT.index(old)].count("\n") + 1


def only_problem(old: str, new: str, tmp_path: Path) -> tuple[int, str]:
    """The one problem of the changed example: its line counted from the change, its message."""
    text, first = changed(old, new)
    problems = problems_of(text, tmp_path)
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0].line - first, problems[0].message


# ----------------------------------------------------------------------------- what loads


def test_every_section_becomes_its_value() -> None:
    """The complete example loads, and each section arrives where the model wants it."""
    made = loading.load_scenario(EVERYTHING)
    assert made.id == "everything"
    assert made.sha256 == hashlib.sha256(EVERYTHING.read_bytes()).hexdigest()
    assert made.given.rows == {
        "users": Rows(1000, {"id": "n", "email": "concat('user', n, '@example.test')"})
    }
    assert made.given.backup == ("users",)
    assert made.app.keys == (1, 100)
    assert made.app.versions["new"].update is None
    assert made.objectives == Objectives(rto_s=10.0)
    assert made.damage[1].claims[0].scope == Scope(faults=("lost-between",))


def test_a_claim_is_its_kind_with_the_word_as_its_principal_value() -> None:
    """``column: users.phone`` beside ``exists: false`` is the column kind with both values."""
    made = loading.load_scenario(EVERYTHING).steady_state[0]
    wanted = registry.kind("claims", "column")(column="users.phone", exists=False)
    line = TEXT[: TEXT.index("- claim: phone is not")].count("\n") + 1
    assert made == Claim("phone is not there yet", wanted, Scope(), line)


def test_durations_lose_their_unit_and_fill_the_field_with_the_suffix() -> None:
    """200ms fills lock_timeout_ms and 1.5s fills deadline_s."""
    made = loading.load_scenario(EVERYTHING)
    assert made.faults[1].kind.lock_timeout_ms == 200.0
    assert made.recoveries[0].steps[0].deadline_s == 1.5


def test_a_moment_holds_its_gate_and_a_late_fault_needs_none(tmp_path: Path) -> None:
    """``inside`` has a hold of its kind; migration-succeeds stands without ``at``."""
    made = loading.load_scenario(EVERYTHING)
    hold = registry.kind("holds", "table-read")(table_read="users")
    assert made.faults[1].at == Moment(inside=1, hold=hold, released="before-verify")
    text, _ = changed("kind: kill-session\n    at: {after: 1}", "kind: migration-succeeds")
    path = tmp_path / "late.yaml"
    path.write_text(text)
    assert loading.load_scenario(path).faults[0].at == Moment()


def test_a_condition_without_a_name_is_named_after_what_it_asks() -> None:
    """``unless: {column: users.phone}`` is called "column users.phone" in the record."""
    step = loading.load_scenario(EVERYTHING).recoveries[0].steps[0]
    assert step.unless.name == "column users.phone"


def test_a_decoy_is_what_names_its_catcher() -> None:
    """Recoveries have no caught_by, decoys have one."""
    made = loading.load_scenario(EVERYTHING)
    assert [p.is_decoy for p in (*made.recoveries, *made.decoys)] == [False, True]


def test_kinds_come_from_the_catalog_and_from_nowhere_else(tmp_path, monkeypatch) -> None:
    """A kind that the catalog gains is a word at once, with every type its fields have."""
    real = registry.kinds
    fakes = {"claims": {"column": FakeColumn}, "steps": {"pause-it": FakePause}}
    monkeypatch.setattr(registry, "kinds", lambda room: {**real(room), **fakes.get(room, {})})
    text, _ = changed(
        "        migrate: up",
        "        pause_it: all\n        for: 2s\n        both: [3, b]\n        within: 1m",
    )
    path = tmp_path / "faked.yaml"
    path.write_text(text)
    made = loading.load_scenario(path)
    assert made.decoys[0].steps[0].action == FakePause("all", 2000.0, None, (3, "b"), 60.0)
    assert made.steady_state[0].probe == FakeColumn("users.phone", False)


def test_what_a_kind_refuses_of_its_own_is_a_problem_at_its_line(tmp_path, monkeypatch) -> None:
    """A ValueError of the kind's dataclass is told like any other problem."""
    real = registry.kinds
    fakes = {"steps": {"pause-it": FakePause}}
    monkeypatch.setattr(registry, "kinds", lambda room: {**real(room), **fakes.get(room, {})})
    line, said = only_problem(
        "        migrate: up", "        pause_it: all\n        for: 5m", tmp_path
    )
    assert (line, said) == (-1, "found a pause above 1m, wanted less")


# ----------------------------------------------------------------------------- what is refused


REFUSED = [
    ("unknown key", "story: >", "sotry: x\nstory: >", 0, "did you mean 'story'?"),
    (
        "unknown key of a kind",
        "    exists: false\n  - claim: all",
        "    exist: false\n  - claim: all",
        0,
        "did you mean 'exists'?",
    ),
    ("unknown kind", "kind: kill-session", "kind: kill-sesion", 0, "did you mean 'kill-session'?"),
    ("unknown word of a step", "migrate: up", "migrat: up", 0, "did you mean 'migrate'?"),
    ("two words", "migrate: up", "migrate: up\n        thaw: server", -1, "exactly one"),
    ("no word", "    rows: users\n    holds: phone = ''\n", "", -1, "wanted exactly one of: alert"),
    ("on is not where", "where: not-one-transaction", "on: not-one-transaction", 0, "use 'where'"),
    ("no is no boolean", "seed: true", "seed: no", 0, "found the text 'no', wanted true or false"),
    ("number for text", "title: Every section once", "title: 9.10", 0, "quote it"),
    ("text for number", "count: 1000", "count: 1_000", 0, "wanted a whole number"),
    ("boolean for number", "count: 1000", "count: true", 0, "wanted a whole number"),
    ("octal-like", "applied_version: 20240101", "applied_version: 0012", 0, "quote it"),
    ("no unit", "rto: 10s", "rto: 10", 0, "a duration with its unit"),
    ("wrong unit", "lock_timeout: 200ms", "lock_timeout: 200 ms", 0, "such as 500ms"),
    ("suffix in the key", "deadline: 1.5s", "deadline_s: 1.5", 0, "did you mean 'deadline'?"),
    ("wrong choice", "migrate: up", "migrate: down", 0, "Known: force, up"),
    ("wrong length", "keys: [1, 100]", "keys: [1]", 0, "wanted exactly 2"),
    ("nothing", "level: 2", "level:", 0, "found nothing, wanted a whole number"),
    ("wrong format", "format: 1", "format: 2", 0, "wanted one of: 1"),
    ("no format", "format: 1\n", "", 0, "found no 'format'"),
    (
        "list for mapping",
        'values: {email: "w{n}@example.test"}',
        "values: [a]",
        0,
        "found a list",
    ),
    (
        "no column of a table",
        "untouched: [users.id, users.email]",
        "untouched: [users.a.b]",
        0,
        "table.column",
    ),
    (
        "nothing to see broken",
        TEXT[TEXT.index("    claims:\n      - claim: no column") : TEXT.index("  - claims:")],
        "    claims: []\n",
        0,
        "at least one",
    ),
    (
        "SQL in a flow map",
        "unless: {column: users.phone}",
        "unless: {query: SELECT 1, equals: 1}",
        0,
        "inside { } or [ ]",
    ),
    (
        "quoted SQL in a flow list",
        "    - ANALYZE users",
        "    ['ANALYZE users']",
        0,
        "inside { } or [ ]",
    ),
    (
        "SQL cut by #",
        "    - ANALYZE users",
        "    - SELECT 1 # 2",
        0,
        "cuts this SQL off before '# 2'",
    ),
    (
        "unknown dialect",
        "          - postgres: SELECT 1",
        "          - postgre: SELECT 1",
        0,
        "did you mean 'postgres'?",
    ),
    (
        "two conditions",
        "        if:\n",
        "        unless: {column: users.a}\n        if:\n",
        1,
        "at most one",
    ),
    (
        "two moments",
        "at: {after: 1}",
        "at: {after: 1, before: 2}",
        0,
        "exactly one of: before, after, inside",
    ),
    (
        "hold without inside",
        "at: {after: 1}",
        "at: {after: 1, hold: {table_read: users}}",
        0,
        "'hold' without 'inside'",
    ),
    ("inside without hold", "at: {after: 1}", "at: {inside: 1}", 0, "'inside' without 'hold'"),
    ("no moment", "    at: {after: 1}\n", "", -2, "found no 'at'"),
    ("a moment too many", "kind: kill-session", "kind: migration-succeeds", 1, "remove it"),
    ("statement 3 of 2", "at: {after: 1}", "at: {after: 3}", 0, "wanted 1 to 2"),
    ("statement 0", "at: {after: 1}", "at: {after: 0}", 0, "wanted 1 to 2"),
    (
        "query and builtin",
        "    builtin: root",
        "    sql: SELECT 1\n    builtin: root",
        -1,
        "exactly one of: sql, builtin",
    ),
    (
        "unknown fault",
        "faults: lost-between",
        "faults: lost-betwen",
        0,
        "did you mean 'lost-between'?",
    ),
    (
        "unknown word",
        "where: not-one-transaction",
        "where: not-one-transactoin",
        0,
        "did you mean 'one-transaction'?",
    ),
    (
        "unknown catcher",
        "caught_by: [every phone was written, ",
        "caught_by: [every phone was writen, ",
        0,
        "did you mean 'every phone was written'?",
    ),
    (
        "catcher of nothing",
        "{rto: 10s, lost_writes: 0}",
        "{lost_writes: 0}",
        None,
        "'rto' can catch nothing",
    ),
    ("recovery caught", "    seed: true", "    caught_by: ledger", 0, "unknown key 'caught_by'"),
    (
        "decoy uncaught",
        "    caught_by: [every phone was written, run it again, ledger, rto]\n",
        "",
        -2,
        "found no 'caught_by'",
    ),
    ("vacuous zero", "    of: SELECT COUNT(*) FROM users\n", "", -1, "proves nothing"),
    ("query of nothing", "    equals: 1000\n", "", -1, "expects nothing, wanted one of: equals"),
    ("condition of nothing", "          at_least: 1\n", "", -1, "expects nothing"),
    ("same id", "fault: timed-out", "fault: lost-between", 0, "again; it is already on line"),
    (
        "same claim",
        "claim: nobody is lost",
        "claim: every phone was written",
        0,
        "again; it is already on line",
    ),
    ("taken id", "decoy: do-it-again", "decoy: nothing-done", 0, "is taken"),
    ("id as a path", "decoy: do-it-again", "decoy: ../../etc", 0, "small letters"),
    (
        "mode of another tool",
        "modes: [one-transaction, autocommit]",
        "modes: [whole-file]",
        0,
        "knows only autocommit or autocommit-off or one-transaction",
    ),
]


@pytest.mark.parametrize(
    "old, new, offset, message",
    [pytest.param(*case[1:], id=case[0]) for case in REFUSED],
)
def test_a_wrong_file_is_refused_at_its_line(old, new, offset, message, tmp_path) -> None:
    """One problem, on the line of the very key, saying what was found and what was wanted."""
    line, said = only_problem(old, new, tmp_path)
    assert message in said
    if offset is not None:
        assert line == offset


def test_an_unknown_version_of_the_app_is_refused(tmp_path: Path) -> None:
    """A step may switch only to a version that the scenario's app has."""
    _, said = only_problem("        migrate: up", "        switch_app: newest", tmp_path)
    assert "unknown version of the app 'newest'" in said


@pytest.mark.parametrize(
    "step, message",
    [
        ("{after: 1, deploys: newest}", "unknown version of the app 'newest'"),
        ("{after: 7, deploys: old}", "found statement 7, wanted 1 to 2"),
        ("{after: 1}", "found no 'deploys'"),
    ],
)
def test_a_rollout_that_cannot_be_is_refused(tmp_path: Path, step: str, message: str) -> None:
    """It deploys versions that the application has, after statements that there are."""
    old = "    at: {after: 1}\n"
    _, said = only_problem(old, f"{old}    rollout:\n      - {step}\n", tmp_path)
    assert message in said


def test_a_rollout_is_read(tmp_path: Path) -> None:
    """Several versions, each after its statement."""
    old = "    at: {after: 1}\n"
    path = tmp_path / "1-rolled.yaml"
    rolled = f"{old}    rollout:\n      - {{after: 1, deploys: old}}\n"
    path.write_text(TEXT.replace(old, rolled, 1), "utf-8")
    rollouts = [fault.rollout for fault in loading.load_scenario(path).faults]
    assert (Deployment(1, "old"),) in rollouts


def test_all_problems_of_a_file_come_at_once_in_the_order_of_its_lines(tmp_path: Path) -> None:
    """Three independent mistakes give three problems, whatever kind they are."""
    text = TEXT.replace("level: 2", "levl: 2").replace("rto: 10s", "rto: soon")
    text = text.replace("at: {after: 1}", "at: {after: 7}")
    problems = problems_of(text, tmp_path)
    assert ["levl" in problems[0].message, "to 2" in problems[1].message] == [True, True]
    assert "duration" in problems[2].message
    assert len(problems) == 3
    assert [p.line for p in problems] == sorted(p.line for p in problems)
    assert str(problems[0]).startswith(f"{tmp_path}/1-broken.yaml:6: ")


HOSTILE = [
    ("alias", "a: &x [1]\nb: *x\n", 2, "alias *x"),
    ("anchor", "a: &x 1\n", 1, "anchor &x"),
    ("tag", "a: !!python/object:os.system x\n", 1, "tag"),
    ("merge", "<<: {a: 1}\n", 1, "merge key"),
    ("duplicate", "a: 1\nb: 2\na: 3\n", 3, "already on line 1"),
    ("number key", "1: x\n", 1, "found the number 1 as a key"),
    ("boolean key", "true: x\n", 1, "found the boolean true as a key"),
    ("list key", "? [a]\n: x\n", 1, "as a key"),
    ("two documents", "a: 1\n---\nb: 1\n", 2, "second document"),
    ("deep", "[" * 20_000, 1, "more than 50 levels"),
    ("deep in blocks", "".join(" " * n + "a:\n" for n in range(60)), 51, "more than 50 levels"),
    ("tab", "a:\n\t- b\n", 2, "indent with spaces"),
    ("colon", "a: SELECT b: c\n", 1, "must be quoted"),
    ("control", "a: 1\nb: \x01\n", 2, "forbids"),
    ("empty", "", 1, "an empty file"),
    ("a list", "- a\n", 1, "found a list"),
    ("directive", "%YAML 1.1\n---\na: 1\n", 1, "directive"),
    ("large", "a: " + "x" * 1_000_001, 1, "wanted at most 1000000"),
    ("huge number", "level: " + "9" * 5000 + "\n", 1, "wanted a whole number"),
]


@pytest.mark.parametrize("text, line, message", [pytest.param(*c[1:], id=c[0]) for c in HOSTILE])
def test_hostile_yaml_is_refused_without_harm(text, line, message, tmp_path) -> None:
    """YAML that expands, executes or silently overwrites is a problem with a line."""
    found = [(p.line, p.message) for p in problems_of(text, tmp_path)]
    assert any(where == line and message in said for where, said in found), found


def test_bytes_that_are_not_utf8_are_a_problem(tmp_path: Path) -> None:
    """The line of the first bad byte is named."""
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"format: 1\ntitle: \xff\n")
    with pytest.raises(ScenarioError, match=r"bytes\.yaml:2: .*UTF-8"):
        loading.load_scenario(path)


WORDS = {
    **{word: word for word in ("no", "on", "Yes", "1:30", "12:30:00", "2024-02-15", "1_000")},
    **{word: word for word in (".inf", ".", "-", "e5", "1.2.3", "0.0.1", "+")},
    **{"true": True, "FALSE": False, "~": None, "": None},
    **{"0": 0, "-7": -7, "9.10": 9.1, "1e3": 1000.0, "1.": 1.0, ".5": 0.5, "-0.5": -0.5},
}


@pytest.mark.parametrize("raw, value", WORDS.items())
def test_plain_words_mean_what_the_core_schema_says(raw, value) -> None:
    """Nothing that reads as a word becomes a boolean, a date or seconds."""
    found = yaml_nodes.core_value(raw)
    assert (found, type(found)) == (value, type(value))


@given(st.text(max_size=400))
def test_any_text_is_a_tree_or_a_problem(text: str) -> None:
    """Whatever stands in a file, reading it ends with a tree or with a problem that has a line."""
    root, problems = yaml_nodes.parse(text.encode("utf-8", "replace"), "f")
    assert (
        root is not None
        or problems
        or not text.strip(" \n\r\t\ufeff\x85\u2028\u2029")
        or (text.lstrip().startswith(("#", "%", "...", "\ufeff")))
    )
    assert all(problem.line >= 1 for problem in problems)


@given(st.integers(0, TEXT.count("\n") - 1), st.sampled_from(["", "x", "- x", "a: [", "  b: 0x1"]))
def test_a_damaged_scenario_never_breaks_the_loader(tmp_path_factory, n: int, line: str) -> None:
    """Any line of the example replaced: it loads, or there are problems, never another error."""
    lines = TEXT.splitlines()
    lines[n] = line
    path = tmp_path_factory.mktemp("damaged") / "damaged.yaml"
    path.write_text("\n".join(lines))
    with contextlib.suppress(ScenarioError):
        assert loading.load_scenario(path).id == "damaged"


# ----------------------------------------------------------------------------- folders, drills


def test_a_folder_loads_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    """10 comes after 2, and an id that two files share is refused."""
    for name in ("10-b.yaml", "2-a.yaml"):
        (tmp_path / name).write_text(TEXT)
    assert [s.id for s in loading.load_all(tmp_path)] == ["a", "b"]
    (tmp_path / "3-b.yaml").write_text(TEXT)
    with pytest.raises(ScenarioError, match="found the id 'b' again"):
        loading.load_all(tmp_path)


def test_a_folder_tells_the_problems_of_all_its_files(tmp_path: Path) -> None:
    """One wrong file does not hide the next one."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("format: 1\n")
    with pytest.raises(ScenarioError) as caught:
        loading.load_all(tmp_path)
    assert {Path(p.file).name for p in caught.value.problems} == {"a.yaml", "b.yaml"}


def test_a_drill_is_its_file_with_all_left_out_fields_at_their_defaults(tmp_path: Path) -> None:
    """Rows are a number, objectives are durations and counts, the id is the file name."""
    path = tmp_path / "staging.yaml"
    path.write_text("format: 1\ntitle: S\nengines: postgres\nrows: 5000\nobjectives: {rto: 2m}\n")
    made = loading.load_drill(path)
    assert (made.id, made.engines, made.rows) == ("staging", ("postgres",), 5000)
    assert made.objectives == Objectives(rto_s=120.0)
    assert made.recoveries == "all"


def test_a_drill_with_an_unknown_engine_or_mode_is_refused(tmp_path: Path) -> None:
    """Both are named at their lines."""
    path = tmp_path / "wrong.yaml"
    path.write_text("format: 1\ntitle: S\nengines: [postgress]\nmodes:\n  - autocomit\n")
    with pytest.raises(ScenarioError) as caught:
        loading.load_drill(path)
    said = [(p.line, "did you mean" in p.message) for p in caught.value.problems]
    assert said == [(3, True), (5, True)]


# ----------------------------------------------------------------------------- the schema


def schema_of() -> jsonschema.Draft202012Validator:
    made = loading.schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def test_the_schema_takes_the_complete_example() -> None:
    """An editor shows no error in a file that loads."""
    assert [e.message for e in schema_of().iter_errors(yaml.safe_load(TEXT))] == []


STRUCTURAL = (
    *("unknown key", "unknown key of a kind", "unknown kind", "unknown word of a step"),
    *("two words", "no word", "two conditions", "two moments", "query and builtin"),
    *("hold without inside", "inside without hold", "number for text", "no unit", "no format"),
    *("wrong choice", "wrong length", "wrong format", "list for mapping", "nothing to see broken"),
    *("recovery caught", "decoy uncaught", "unknown dialect", "suffix in the key"),
)


@pytest.mark.parametrize(
    "old, new", [pytest.param(*c[1:3], id=c[0]) for c in REFUSED if c[0] in STRUCTURAL]
)
def test_the_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    """An unknown key, a wrong word or a wrong type is marked in the editor too."""
    text, _ = changed(old, new)
    assert not schema_of().is_valid(yaml.safe_load(text))


def test_the_schema_offers_every_word_of_every_room() -> None:
    """Claims, steps, holds and faults are alternatives named by their words."""
    made = loading.schema()["$defs"]
    for name in ("claim", "step", "hold"):
        assert [v["title"] for v in made[name]["oneOf"]] == list(
            getattr(shapes, name.upper()).kinds.known()
        )
    assert [v["title"] for v in made["fault"]["oneOf"]] == list(registry.kinds("faults"))
    assert all(v["description"] for v in made["step"]["oneOf"])


@pytest.mark.parametrize(
    "room, shape", [("claims", "CLAIM"), ("steps", "STEP"), ("faults", "FAULT"), ("holds", "HOLD")]
)
def test_no_kind_has_a_key_that_its_item_has_already(room: str, shape: str) -> None:
    """Kinds are written flat, so their keys must differ from the item's and from other words."""
    of = getattr(shapes, shape)
    for word, cls in of.kinds.known().items():
        keys = set(shapes.kind_keys(cls, word, flat=not of.kinds.by_key))
        others = set() if of.kinds.by_key else set(of.kinds.known()) - {word}
        assert keys & {*of.keys, *others, of.kinds.by_key} == set(), word


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.yaml")), ids=lambda path: path.name)
def test_every_bundled_scenario_loads_and_fits_the_schema(path: Path) -> None:
    """What is shipped is valid for the loader and for editors."""
    loading.load_scenario(path)
    document = yaml.safe_load(path.read_text("utf-8"))
    assert [e.message for e in schema_of().iter_errors(document)] == []


# ----------------------------------------------------------------------------- the README


README = (BUNDLED / "README.md").read_text("utf-8")


def test_the_example_of_the_readme_loads(tmp_path: Path) -> None:
    """A newcomer who copies it has a scenario that is valid for the loader and for editors."""
    text = re.findall(r"```yaml\n(format: 1\n.*?)```", README, re.DOTALL)[0]
    path = tmp_path / "example.yaml"
    path.write_text(text)
    assert len(loading.load_scenario(path).damage) == 2
    assert schema_of().is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("shape", ["FAULT", "HOLD", "STEP", "CLAIM"])
def test_the_readme_lists_every_word_with_its_keys(shape: str) -> None:
    """Its tables are neither behind the catalog nor ahead of it; italics may be left out."""
    of = getattr(shapes, shape).kinds
    section = README.split(f"### {of.room}\n")[1].split("\n#")[0]
    listed = dict(re.findall(r"^\| `([\w-]+)` \| ?(.*?) ?\|", section, re.MULTILINE))
    keys = {
        word: shapes.kind_keys(cls, word, flat=not of.by_key) for word, cls in of.known().items()
    }
    assert listed == {
        word: ", ".join(
            key.name if key.required else f"*{key.name}*"
            for key in found.values()
            if key.name != word or of.by_key
        )
        for word, found in keys.items()
    }


@pytest.mark.parametrize("name", sorted(shapes.SCENARIO.keys))
def test_the_readme_names_every_section(name: str) -> None:
    """No key of a scenario is left for the reader to guess."""
    assert f"`{name}`" in README
