"""Jinja for the reports: everything that is written is cleaned, then escaped."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from harness import bundled
from harness.reporting.words import clean, duration, number, one_line, plural


@cache
def environment() -> Environment:
    """Autoescaping, strict about names, and cleaning every value on its way out."""
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(source_of),
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        ms=duration, number=number, line=one_line, plural=plural, clean=clean,
        code=code, fence=fence, text=markdown_text,
    )  # fmt: skip
    return made


def source_of(name: str) -> str:
    """A template's text; HTML loses its indentation, which a page of many trials would repeat."""
    text = (bundled.folder("templates") / name).read_text(encoding="utf-8")
    return re.sub(r"\n[ \t]+", "\n", text) if name.endswith(".html.j2") else text


def asset(name: str) -> Markup:
    """One of our own files, trusted as it is."""
    return Markup((bundled.folder("templates") / name).read_text(encoding="utf-8"))


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) else clean(value)


def markdown_text(value: Any, limit: int = 300) -> Markup:
    """One line of Markdown in which nothing is markup or a mention, fit for a table cell."""
    escaped = re.sub(r"([\\`*_\[\]|~$])", r"\\\1", one_line(value, limit))
    escaped = re.sub(r"^([-+]|#{1,6}|=+|\d+[.)])(?=\s|$)", r"&#8203;\1", escaped)
    return Markup(re.sub(r"[<>@]|&(?!#8203;)", lambda m: f"&#{ord(m[0])};", escaped))


def code(value: Any, limit: int = 300, *, cell: bool = True) -> Markup:
    """Inline code between more backticks than it holds; in a table's cell, pipes are escaped.

    Code in a cell cannot hold a backslash before a pipe, so what does becomes text.
    """
    content = one_line(value, limit) or " "
    if cell and "\\|" in content:
        return markdown_text(content, limit)
    content = content.replace("|", "\\|") if cell else content
    ticks = "`" * (_longest_run(content) + 1)
    pad = " " if content.startswith("`") or content.endswith("`") else ""
    return Markup(f"{ticks}{pad}{content}{pad}{ticks}")


def fence(value: Any, language: str = "", limit: int = 4_000) -> Markup:
    """A fenced block whose fence is longer than any run of backticks in it."""
    content = clean(value, limit).rstrip("\n")
    ticks = "`" * max(3, _longest_run(content) + 1)
    return Markup(f"{ticks}{language}\n{content}\n{ticks}")


def _longest_run(content: str) -> int:
    return max((len(run) for run in re.findall(r"`+", content)), default=0)
