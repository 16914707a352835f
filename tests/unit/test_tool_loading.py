"""A migration tool's file is refused for what could not be done, or typed, at its very line."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from harness import loading
from harness.errors import ScenarioError
from harness.tools.adapter import Adapter, Emulation, Shell

RUN = """\
title: our script
how: run
layouts: [numbered]
engines: [postgres, mysql]
program: deploy
url:
  postgres: postgresql://{host}
  mysql: mysql://{host}
apply: ["{program}", "up", "{folder}"]
down: ["{program}", "down", "{previous}"]
tables: [deployed]
applied: SELECT number FROM deployed
mark_applied: ["INSERT INTO deployed VALUES ('{version}')"]
shell:
  up: deploy up {folder}
  down:
    postgres: deploy down {previous}
    mysql: deploy down {previous} --mysql
repairs:
  - name: deploy unlock
    run: ["{program}", "unlock"]
    shell: deploy unlock {url}
"""
EMULATED = """\
title: what our script sends
how: emulated
layouts: [numbered]
engines: [postgres, mysql]
tables: [deployed]
applied: SELECT number FROM deployed
mark_applied: ["INSERT INTO deployed VALUES ('{version}')"]
mark_reverted: ["DELETE FROM deployed WHERE number = '{version}'"]
shell:
  up: deploy up {folder} ${HOME} {project}
  unmark: deploy forget {version}
repairs:
  - name: deploy unlock
    sql: [DELETE FROM deploy_lock]
    shell: deploy unlock
emulation:
  postgres:
    wire: whole-file
  mysql:
    wire: whole-file
"""
COMMANDS = {
    key: f'{key}: ["{{program}}", "x"]' for key in ("apply", "down", "mark_command", "version")
}


def load(text: str, folder: Path) -> Adapter:
    path = folder / "ours.yaml"
    path.write_text(text, "utf-8")
    return loading.load_tool(path)


@pytest.mark.parametrize("text", [RUN, EMULATED], ids=["run", "emulated"])
def test_a_right_file_loads(text: str, tmp_path: Path) -> None:
    """A shell's own variables are no placeholders."""
    assert load(text, tmp_path).id == "ours"


NO_PROGRAM = "no program to run; give the SQL"
REFUSED = [
    # what it is, a file, a part of it, what stands there instead; where, and what is said
    *(
        (f"emulated with {key}", EMULATED, "tables:", f"{line}\ntables:", line, NO_PROGRAM)
        for key, line in {**COMMANDS, "program": "program: x", "url": "url: x"}.items()
    ),
    (
        *("emulated repair that runs", EMULATED),
        *("sql: [DELETE FROM deploy_lock]", 'run: ["deploy", "unlock"]', "run: ", NO_PROGRAM),
    ),
    (
        *("emulated on fewer engines", EMULATED, "  mysql:\n    wire: whole-file\n", ""),
        *("emulation:", "found nothing under 'emulation' for mysql, which 'engines' names"),
    ),
    (
        *("no emulation", EMULATED, EMULATED[EMULATED.index("emulation:") :], ""),
        *("title:", "found no 'emulation'"),
    ),
    (
        *("no apply", RUN, 'apply: ["{program}", "up", "{folder}"]\n', ""),
        *("title:", "found no 'apply'"),
    ),
    (
        *("url of fewer engines", RUN, "  mysql: mysql://{host}\n", ""),
        *("url:", "found nothing under 'url' for mysql"),
    ),
    (
        *("applied on fewer engines", EMULATED, "applied: SELECT", "applied:\n  postgres: SELECT"),
        *("applied:", "found nothing under 'applied' for mysql"),
    ),
    ("unknown engine", RUN, "    mysql: deploy", "    mysq: deploy", "mysq:", "mean 'mysql'?"),
    (
        *("unknown engine of a repair", RUN, '    run: ["{program}", "unlock"]'),
        *('    run:\n      oracle: ["{program}", "unlock"]', "oracle:"),
        "unknown engine under 'run': 'oracle'",
    ),
    ("unknown line", RUN, "  up: deploy", "  upp: deploy", "upp:", "did you mean 'up'?"),
    ("unknown key of a repair", RUN, "    shell: deploy", "    shel: deploy", "shel:", "'shell'?"),
    ("unknown word", RUN, "deploy up {folder}", "deploy up {foler}", "foler", "'folder'?"),
    ("in one engine's line", RUN, "{previous} --mysql", "{before}", "{before}", "'before'"),
    ("in a repair's line", RUN, "unlock {url}", "unlock {uri}", "{uri}", "did you mean 'url'?"),
    ("scratch in a line", RUN, "unlock {url}", "unlock {scratch}", "{scratch}", "'scratch'"),
    (
        *(
            "a repair of a drill alone",
            RUN,
            '["{program}", "unlock"]\n    shell: deploy unlock {url}',
        ),
        *('["{scratch}/unlock"]', "scratch", "say under 'shell' what a person types"),
    ),
    (
        *("a mark of a drill alone", RUN, "tables:", 'mark_command: ["{scratch}/mark"]\ntables:'),
        *("scratch", "say under 'shell: mark' what a person types"),
    ),
]


@pytest.mark.parametrize(
    "text, old, new, where, message", [pytest.param(*case[1:], id=case[0]) for case in REFUSED]
)
def test_a_wrong_file_is_refused_at_its_line(
    text: str, old: str, new: str, where: str, message: str, tmp_path: Path
) -> None:
    """With the file and the line that has what is wrong."""
    assert text.count(old) == 1
    wrong = text.replace(old, new)
    with pytest.raises(ScenarioError) as caught:
        load(wrong, tmp_path)
    line = wrong[: wrong.index(where)].count("\n") + 1
    told = [str(problem) for problem in caught.value.problems if message in problem.message]
    assert [said[: said.index(": ")] for said in told] == [f"{tmp_path / 'ours.yaml'}:{line}"]


README = (Path(loading.__file__).parents[1] / "tools" / "README.md").read_text("utf-8")


def test_the_example_of_the_readme_loads(tmp_path: Path) -> None:
    """A newcomer who copies it has a tool."""
    (text,) = re.findall(r"```yaml\n(title: .*?)```", README, re.DOTALL)
    tool = load(text, tmp_path)
    assert tool.shell.up
    assert tool.mark_reverted


@pytest.mark.parametrize("cls", [Adapter, Shell, Emulation])
def test_the_readme_names_every_key(cls: type) -> None:
    """Nothing in a file is left for the reader to guess."""
    hidden = {"id", "file"}
    keys = {field.name.removesuffix("_s") for field in fields(cls)} - hidden
    assert {key for key in keys if f"`{key}`" not in README} == set()


def test_every_problem_of_a_file_comes_at_once(tmp_path: Path) -> None:
    """An emulated tool with four commands has four of them."""
    more = "".join(f"{command}\n" for command in COMMANDS.values())
    with pytest.raises(ScenarioError) as caught:
        load(EMULATED + more, tmp_path)
    lines = [problem.line for problem in caught.value.problems]
    last = EMULATED.count("\n")
    assert lines == [last + 1, last + 2, last + 3, last + 4]
