"""junit.xml of a rollback run: a suite a migration, a case for each thing that was looked at.

What is wrong is a ``failure``, what is not known an ``error``.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from harness.reporting import Format
from harness.reporting.rollback import sentences
from harness.reporting.words import one_line
from harness.rollback.results import MigrationBack, RollbackResult

FILE_NAME = "junit.xml"


def render(result: RollbackResult) -> str:
    """The suites, one a migration, in the order of the folder."""
    root = Xml.Element("testsuites", name=one_line(f"migration-drill rollback {result.folder}"))
    for one in result.migrations:
        _suite(root, result, one)
    if result.crashed or result.interrupted:
        suite = Xml.SubElement(root, "testsuite", name="the run")
        case = _case(suite, "comes to its end")
        says = result.crashed or f"interrupted by signal {result.interrupted}"
        Xml.SubElement(case, "error", message=one_line(says, 400))
    for suite in root:
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(count, str(len(suite.findall(f".//{tag}"))))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _suite(root: Xml.Element, result: RollbackResult, one: MigrationBack) -> None:
    suite = Xml.SubElement(root, "testsuite", name=one_line(one.name))
    findings = [finding for finding in result.findings if finding.migration == one.version]
    for number, finding in enumerate(findings, 1):
        case = _case(suite, f"way down, finding {number} [{result.engine}]")
        tag = "failure" if finding.known else "error"
        Xml.SubElement(case, tag, message=one_line(finding.says, 400))
    if not findings:
        case = _case(suite, f"way down [{result.engine}]")
        told = f"{sentences.word(result, one)}. {sentences.sentence(result, one)}"
        Xml.SubElement(case, "system-out").text = one_line(told, 400)


def _case(suite: Xml.Element, name: str) -> Xml.Element:
    return Xml.SubElement(
        suite, "testcase", classname=str(suite.get("name")), name=one_line(name, 300)
    )


KIND = Format(FILE_NAME, render)
