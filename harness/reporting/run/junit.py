"""junit.xml: one test case per trial, for the test tab of a CI system.

A recovery that FAILs is a ``failure``; whatever proves nothing (INCONCLUSIVE, ERROR,
ABORTED, or planned and never run) is an ``error``, never a skip. A counter-check is a
failure when it does not come out as it must. Only a cell that cannot exist is ``skipped``,
with the reason.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from harness.drill.results import RunResult, TrialResult
from harness.reporting import Format
from harness.reporting.run.outcomes import in_words, wanted
from harness.reporting.run.record_view import Events
from harness.reporting.words import clean, one_line

FILE_NAME = "junit.xml"


def render(run: RunResult, events: Events) -> str:
    """The suites, one per scenario, in the order of the run."""
    suites: dict[str, Xml.Element] = {}
    root = Xml.Element("testsuites", name=one_line(f"migration-drill {run.drill}"))
    for trial in run.last_attempts():
        _suite(root, suites, trial.cell.scenario or "?", run).append(_case(trial))
    never = [(name, "error", "planned, but the run was stopped") for name in run.unfinished]
    never += [(c.id, "skipped", one_line(c.because, 400)) for c in run.not_applicable]
    for name, tag, why in never:
        scenario, _, rest = name.partition("/")
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
    root: Xml.Element, suites: dict[str, Xml.Element], scenario: str, run: RunResult
) -> Xml.Element:
    if scenario not in suites:
        name, timestamp = one_line(scenario), one_line(run.started)
        suites[scenario] = Xml.SubElement(root, "testsuite", name=name, timestamp=timestamp)
    return suites[scenario]


def _case(trial: TrialResult) -> Xml.Element:
    scenario, _, rest = trial.id.partition("/")
    case = Xml.Element(
        "testcase",
        classname=one_line(scenario),
        name=one_line(rest, 400),
        time=f"{trial.took_ms / 1000:.3f}",
    )
    tag = _tag(trial)
    if tag:
        problem = Xml.SubElement(case, tag, type=one_line(trial.reason), message=_message(trial))
        problem.text = _details(trial)
    else:
        Xml.SubElement(case, "system-out").text = _message(trial)
    return case


def _tag(trial: TrialResult) -> str:
    """How the case is told; "" for one that came out as it should."""
    if trial.as_expected:
        return ""
    return "failure" if trial.outcome in ("FAIL", "NOT CAUGHT", "NOT REPAIRED") else "error"


def _message(trial: TrialResult) -> str:
    text = one_line(in_words(trial), 500)
    if trial.is_counter_check:
        text += f" (a counter-check; {one_line(wanted(trial), 80)} must come out)"
    return one_line(text, 600)


def _details(trial: TrialResult) -> str:
    signs = {True: "met", False: "NOT MET", None: "unknown"}
    lines = [
        f"{signs[criterion.met]:8} {one_line(criterion.name)}: {one_line(criterion.says, 500)}"
        for criterion in trial.criteria
    ]
    lines += [f"not held: {one_line(name)}" for name in trial.failed_claims]
    lines.append(f"run it again: {one_line(trial.rerun, 500)}")
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
