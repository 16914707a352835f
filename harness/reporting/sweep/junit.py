"""junit.xml: one test case a cell, for the test tab of a CI system.

What counts against the sweep (``--fail-on``, ``--baseline``) is a ``failure``; what nothing was
learned of is an ``error``, as is a migration that fails by itself. Where a way down leads, and
whether the migration goes through on rows, are cases beside the cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as Xml

from harness.reporting import Format
from harness.reporting.sweep import overview, rivals, view
from harness.reporting.sweep.grades import GRADES
from harness.reporting.words import one_line
from harness.sweep.results import CellResult, Finding, MigrationResult, SweepResult
from harness.sweep.threshold import IN_ONE_RUN, ON_ROWS, WAY_BACK
from harness.sweep.verdicts import Grade

FILE_NAME = "junit.xml"
WHOLE = "the sweep"
"""The suite of what is about no migration."""


def render(result: SweepResult) -> str:
    """The suites, one a migration, in the order of the run."""
    root = Xml.Element("testsuites", name=one_line(f"migration-drill sweep {result.folder}"))
    against = {(finding.migration, finding.point) for finding in result.against}
    suites: dict[str, Xml.Element] = {}
    for migration in result.migrations:
        suite = suites[migration.version] = _suite(root, migration.name)
        _migration(suite, result, migration, against)
    for finding in result.findings:
        if finding.migration not in suites:
            suites[finding.migration] = _suite(root, finding.migration or WHOLE)
        counts = (finding.migration, finding.point) in against
        _finding(suites[finding.migration], result, finding, counts)
    if in_one_run := overview.in_one_run(result):
        suites[""] = suites[""] if "" in suites else _suite(root, WHOLE)
        case = _case(suites[""], f"{IN_ONE_RUN} [{result.engine}]")
        Xml.SubElement(case, "system-out").text = one_line(in_one_run, 400)
    for what, says in (("no error", result.crashed), ("no signal", _signal(result))):
        if says:
            suites[""] = suites[""] if "" in suites else _suite(root, WHOLE)
            case = _case(suites[""], f"is ended by {what}")
            Xml.SubElement(case, "error", message=one_line(says, 400))
    for suite in suites.values():
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(count, str(len(suite.findall(f".//{tag}"))))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _signal(result: SweepResult) -> str:
    return f"interrupted by signal {result.interrupted}" if result.interrupted else ""


def _suite(root: Xml.Element, name: str) -> Xml.Element:
    return Xml.SubElement(root, "testsuite", name=one_line(name))


def _migration(
    suite: Xml.Element,
    result: SweepResult,
    migration: MigrationResult,
    against: set[tuple[str, str]],
) -> None:
    if migration.broken:
        case = _case(suite, "runs without a fault")
        Xml.SubElement(case, "error", message=one_line(migration.broken, 400))
    for point, says in _good(migration):
        case = _case(suite, f"{point} [{result.engine}]")
        Xml.SubElement(case, "system-out").text = one_line(says, 400)
    for cell in migration.every_cell:
        case = _case(suite, f"{cell.point} [{result.engine}]")
        _cell(case, cell, (migration.version, cell.point) in against)
        if case.find("failure") is not None:
            case[0].text = one_line(view.again(result, migration, cell.way), 400)


def _good(migration: MigrationResult) -> Iterator[tuple[str, str]]:
    """What was looked at besides the cells, and is no finding."""
    reference = migration.reference
    if migration.cells and not view.back_is_told(migration):
        yield WAY_BACK, view.rollback(migration)
    if migration.cells and reference.is_looked_at and not reference.fails_on_rows:
        yield ON_ROWS, "it goes through on tables with rows"


def _case(suite: Xml.Element, name: str) -> Xml.Element:
    return Xml.SubElement(
        suite, "testcase", classname=str(suite.get("name")), name=one_line(name, 300)
    )


def _cell(case: Xml.Element, cell: CellResult, counts: bool) -> None:
    says = rivals.told(cell) if cell.rival.meets else view.told(cell)
    told = one_line(f"{GRADES[cell.grade].word}: {says}", 400)
    _tell(case, cell.grade, told, counts)


def _finding(suite: Xml.Element, result: SweepResult, finding: Finding, counts: bool) -> None:
    case = _case(suite, f"{finding.point} [{result.engine}]")
    _tell(case, finding.grade, one_line(finding.says, 400), counts)


def _tell(case: Xml.Element, grade: Grade, told: str, counts: bool) -> None:
    if grade is Grade.INCONCLUSIVE:
        Xml.SubElement(case, "error", message=told)
    elif counts:
        Xml.SubElement(case, "failure", type=str(grade), message=told)
    else:
        Xml.SubElement(case, "system-out").text = told


KIND = Format(FILE_NAME, render)
