"""junit.xml: one test case a backup; not usable is a failure, not proven an error."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from harness.backup.findings import Verdict
from harness.backup.results import BackupResult, BackupsResult
from harness.reporting import Format
from harness.reporting.backup import view
from harness.reporting.words import clean, one_line

FILE_NAME = "junit.xml"
TAGS = {Verdict.NOT_USABLE: "failure", Verdict.NOT_PROVEN: "error"}


def render(result: BackupsResult) -> str:
    """One suite; a run that found no dump has an error in it, and never reads green."""
    root = Xml.Element("testsuites", name="migration-drill backup")
    suite = Xml.SubElement(root, "testsuite", name="backup", timestamp=one_line(result.started))
    for backup in result.backups:
        suite.append(_case(backup))
    if not result.backups:
        case = Xml.SubElement(suite, "testcase", classname="backup", name="no dump", time="0")
        Xml.SubElement(case, "error", message="no dump was found, so nothing was proved")
    for element in (suite, root):
        element.set("tests", str(len(suite)))
        element.set("failures", str(len(suite.findall("*/failure"))))
        element.set("errors", str(len(suite.findall("*/error"))))
    Xml.indent(root)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"
    )


def _case(backup: BackupResult) -> Xml.Element:
    took = backup.read_ms + (backup.restore_ms or 0) + (backup.verify_ms or 0)
    case = Xml.Element(
        "testcase", classname="backup", name=one_line(backup.path, 400), time=f"{took / 1000:.3f}"
    )
    told = [f"{finding.name}: {says}" for finding, says in view.findings(backup)]
    text = "\n" + clean("\n".join([*view.facts(backup), *told]), 8_000) + "\n"
    tag = TAGS.get(backup.verdict)
    if tag:
        message = one_line(f"{backup.verdict.value}: {told[0]}", 500)
        Xml.SubElement(case, tag, type=backup.verdict.value, message=message).text = text
    else:
        Xml.SubElement(case, "system-out").text = text
    return case


KIND = Format(FILE_NAME, render)
