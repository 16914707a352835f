"""junit.xml: one test case a cell, for the test tab of a CI system.

A cell that counts against the sweep (``--fail-on``, ``--baseline``) is a ``failure``; one of which
nothing was learned is an ``error``, as is a migration that fails by itself or was not swept to its
end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as Xml

from harness.reporting import Format
from harness.reporting.sweep import _view
from harness.reporting.words import one_line

FILE_NAME = "junit.xml"


def render(result: Mapping[str, Any], *_: Any) -> str:
    """The suites, one a migration, in the order of the run."""
    against = {(item["migration"], item["point"]) for item in result["against"]}
    root = Xml.Element("testsuites", name=one_line(f"migration-drill sweep {result['folder']}"))
    missing = _view.unfinished(result)
    for migration in _all(result, missing):
        suite = Xml.SubElement(root, "testsuite", name=one_line(migration["name"]))
        if migration["broken"]:
            case = _case(suite, migration, "runs without a fault")
            Xml.SubElement(case, "error", message=one_line(migration["broken"], 400))
        if migration["version"] in missing:
            case = _case(suite, migration, "is swept to its end")
            Xml.SubElement(case, "error", message="planned, but the sweep was stopped")
        for cell in migration["cells"]:
            case = _case(suite, migration, f"{cell['point']} [{result['engine']}]")
            _tell(case, cell, (migration["version"], cell["point"]) in against)
            if case.find("failure") is not None:
                case[0].text = one_line(_view.again(result, migration, cell["way"]), 400)
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(count, str(len(suite.findall(f".//{tag}"))))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _all(result: Mapping[str, Any], missing: Sequence[str]) -> list[Mapping[str, Any]]:
    """The migrations that were begun, then those that were not."""
    begun = result["migrations"]
    known = {migration["version"] for migration in begun}
    nothing = {"broken": "", "cells": []}
    return [*begun, *({"version": v, "name": v, **nothing} for v in missing if v not in known)]


def _case(suite: Xml.Element, migration: Mapping[str, Any], name: str) -> Xml.Element:
    return Xml.SubElement(
        suite, "testcase", classname=one_line(migration["name"]), name=one_line(name, 300)
    )


def _tell(case: Xml.Element, cell: Mapping[str, Any], counts: bool) -> None:
    told = one_line(f"{_view.WORDS[cell['grade']][0]}: {_view.told(cell)}", 400)
    if cell["grade"] == "inconclusive":
        Xml.SubElement(case, "error", message=told)
    elif counts:
        Xml.SubElement(case, "failure", type=str(cell["grade"]), message=told)
    else:
        Xml.SubElement(case, "system-out").text = told


KIND = Format(FILE_NAME, render)
