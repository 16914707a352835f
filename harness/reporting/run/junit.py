"""junit.xml: one test case per trial, for the test tab of a CI system.

A recovery that FAILs is a ``failure``; whatever proves nothing (INCONCLUSIVE, ERROR,
ABORTED, or planned and never run) is an ``error``, never a skip. A counter-check is a
failure when it does not come out as it must. Only a cell that cannot exist is ``skipped``,
with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as Xml

from harness.record.timeline import Event
from harness.reporting import Format
from harness.reporting.run.record_view import claim_names, settled
from harness.reporting.words import clean, is_counter_check, one_line, unfinished

FILE_NAME = "junit.xml"
BROKEN = ("ERROR", "ABORTED")


def render(run: Mapping[str, Any], events: Callable[[str], Sequence[Event]]) -> str:
    """The suites, one per scenario, in the order of the run."""
    suites: dict[str, Xml.Element] = {}
    root = Xml.Element("testsuites", name=one_line(f"migration-drill {run.get('drill', '')}"))
    for trial in settled(run)["trials"]:
        suite = _suite(root, suites, str((trial.get("cell") or {}).get("scenario", "?")), run)
        suite.append(_case(trial))
    never = [(name, "error", "planned, but the run was stopped") for name in unfinished(run)]
    for item in run.get("not_applicable") or ():
        never.append((item.get("id", "?"), "skipped", one_line(item.get("because"), 400)))
    for name, tag, why in never:
        scenario, _, rest = str(name).partition("/")
        suite = _suite(root, suites, scenario, run)
        case = Xml.SubElement(
            suite, "testcase", classname=one_line(scenario), name=one_line(rest, 400), time="0"
        )
        Xml.SubElement(case, tag, message=why)
    for element in [*suites.values(), root]:
        _count(element)
    Xml.indent(root)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"
    )


def _suite(
    root: Xml.Element, suites: dict[str, Xml.Element], scenario: str, run: Mapping[str, Any]
) -> Xml.Element:
    if scenario not in suites:
        suites[scenario] = Xml.SubElement(
            root,
            "testsuite",
            name=one_line(scenario),
            timestamp=one_line(run.get("started")),
        )
    return suites[scenario]


def _case(trial: Mapping[str, Any]) -> Xml.Element:
    scenario, _, rest = str(trial.get("id", "?")).partition("/")
    case = Xml.Element(
        "testcase",
        classname=one_line(scenario),
        name=one_line(rest, 400),
        time=f"{(trial.get('took_ms') or 0) / 1000:.3f}",
    )
    tag = _tag(trial)
    if tag:
        problem = Xml.SubElement(
            case, tag, type=one_line(trial.get("reason")), message=_message(trial)
        )
        problem.text = _details(trial)
    else:
        Xml.SubElement(case, "system-out").text = _message(trial)
    return case


def _tag(trial: Mapping[str, Any]) -> str:
    """How the case is told; "" for one that came out as it should."""
    if trial.get("as_expected"):
        return ""
    if trial.get("verdict") in BROKEN:
        return "error"
    return "failure" if trial.get("verdict") == "FAIL" or is_counter_check(trial) else "error"


def _message(trial: Mapping[str, Any]) -> str:
    text = f"{trial.get('verdict')}: {one_line(trial.get('sentence'), 500)}"
    if is_counter_check(trial):
        text += f" (a counter-check; {trial.get('expected')} must come out)"
    return one_line(text, 600)


def _details(trial: Mapping[str, Any]) -> str:
    signs = {True: "met", False: "NOT MET", None: "unknown"}
    lines = [
        f"{signs.get(criterion.get('met'), 'unknown'):8} {one_line(criterion.get('name'))}: "
        f"{one_line(criterion.get('says'), 500)}"
        for criterion in trial.get("criteria") or ()
    ]
    lines += [f"not held: {one_line(name)}" for name in claim_names(trial.get("failed_claims"))]
    lines.append(f"run it again: {one_line(trial.get('rerun'), 500)}")
    return "\n" + clean("\n".join(lines), 8_000) + "\n"


def _count(element: Xml.Element) -> None:
    cases = list(element.iter("testcase"))
    counts = {"tests": len(cases)}
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        counts[name] = sum(1 for case in cases if case.find(tag) is not None)
    for name, value in counts.items():
        element.set(name, str(value))
    element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


KIND = Format(FILE_NAME, render)
