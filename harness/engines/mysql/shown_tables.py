"""A table taken apart as ``SHOW CREATE TABLE`` tells it, a line for each of its parts.

It is the only place that tells everything: a FULLTEXT parser, a tablespace, a period of MariaDB's
stand in no table of the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

NAME = r"`((?:[^`]|``)+)`"
COLUMN = re.compile(rf"  {NAME} (.*)", re.DOTALL)
PRIMARY = re.compile(r"  (PRIMARY KEY .*)", re.DOTALL)
INDEX = re.compile(rf"  ((?:UNIQUE |FULLTEXT |SPATIAL |VECTOR )?KEY) {NAME} (.*)", re.DOTALL)
CONSTRAINT = re.compile(rf"  CONSTRAINT {NAME} (.*)", re.DOTALL)
PERIOD = re.compile(rf"  PERIOD FOR (?:{NAME}|(SYSTEM_TIME)) (.*)", re.DOTALL)
BEGINS = re.compile(r"  (?:`|PRIMARY |UNIQUE |FULLTEXT |SPATIAL |VECTOR |KEY |CONSTRAINT |PERIOD )")
PARTITION = re.compile(rf"\s*\(?(SUB)?PARTITION (?:{NAME}|(\S+))(.*)", re.DOTALL)

Part = tuple[str, str, str]
"""Its kind, its name in the table, its definition."""


QUOTED = r"('(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`)"
FROM_THE_TABLE = re.compile(rf"{QUOTED}| CHARACTER SET \w+| COLLATE \w+", re.DOTALL)
"""Shown of a column where it is not the table's; the catalogue tells it in any case."""
NOT_OF_THE_TABLE = re.compile(
    rf"{QUOTED}| AUTO_INCREMENT=\d+| (?:/\*!80016 )?ENCRYPTION='N'(?: \*/)?", re.DOTALL
)
"""Its next value, which is no part of its definition; and what is shown if the database's default
is another."""
OF_EVERY_PARTITION = re.compile(rf"{QUOTED}| ENGINE = \w+", re.DOTALL)


def take_apart(shown: str, collations: Mapping[str, str]) -> Iterator[Part]:
    """Every part of the table; itself last, with kind ``table`` and no name of its own.

    ``collations`` are those of its columns of text.

    >>> shown = "CREATE TABLE `t` (\\n  `a` int NOT NULL,\\n  KEY `k` (`a`)\\n) ENGINE=InnoDB"
    >>> list(take_apart(shown, {}))[:2]
    [('column', 'a', 'int NOT NULL'), ('index', 'k', 'KEY (`a`)')]
    >>> list(take_apart(shown, {}))[2:]
    [('column order', '', 'a'), ('table', '', 'ENGINE=InnoDB')]
    """
    body, _, end = shown.partition("` (\n")[2].rpartition("\n) ")
    columns, unknown = [], []
    for line in _lines(body):
        part = _part(line, collations)
        if part is None:
            unknown.append(line.strip())
            continue
        if part[0] == "column":
            columns.append(part[1])
        yield part
    head, partitions = _partitions(end)
    yield from partitions
    yield "column order", "", ", ".join(columns)
    options = NOT_OF_THE_TABLE.sub(r"\1", head)
    yield "table", "", " ".join((options, *unknown))


def _lines(body: str) -> Iterator[str]:
    """The lines between the parentheses; a name may hold the end of a line."""
    gathered: list[str] = []
    for line in body.split("\n"):
        if gathered and BEGINS.match(line):
            yield "\n".join(gathered).removesuffix(",")
            gathered = []
        gathered.append(line)
    if gathered:
        yield "\n".join(gathered)


def _part(line: str, collations: Mapping[str, str]) -> Part | None:
    if match := COLUMN.fullmatch(line):
        name = _plain(match[1])
        told = FROM_THE_TABLE.sub(r"\1", match[2])
        return "column", name, told + (f" COLLATE {collations[name]}" if name in collations else "")
    if match := PRIMARY.fullmatch(line):
        return "index", "PRIMARY", match[1].strip()
    if match := INDEX.fullmatch(line):
        return "index", _plain(match[2]), f"{match[1]} {match[3].strip()}"
    if match := CONSTRAINT.fullmatch(line):
        return "constraint", _plain(match[1]), match[2]
    if match := PERIOD.fullmatch(line):
        return "period", _plain(match[1] or match[2]), match[3]
    return None


def _partitions(end: str) -> tuple[str, list[Part]]:
    """What stands behind the columns, and the partitions that are listed there by name."""
    head, parts, parent = [], [], ""
    for line in end.split("\n"):
        match = PARTITION.fullmatch(line)
        if match is None or match[3] == "BY":
            head.append(line.strip())
            continue
        name = _plain(match[2]) if match[2] else match[3]
        parent, named = (parent, f"{parent}.{name}") if match[1] else (name, name)
        told = OF_EVERY_PARTITION.sub(r"\1", match[4]).strip().removesuffix("*/").strip(" ,")
        while told.endswith(")") and told.count(")") > told.count("("):
            told = told[:-1]
        parts.append(("partition", named, told))
    return " ".join(head), parts


def _plain(name: str) -> str:
    return name.replace("``", "`")
