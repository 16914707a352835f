"""What PostgreSQL's own grammar says that the statements of the changes are about."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

from pglast import ast, parse_sql
from pglast.enums import ObjectType
from pglast.parser import ParseError

from snapshot_changes.worlds import Kind, names_of


def types_of_objects(kind: Kind) -> set[str]:
    """Every type of object that some statement names; one that is newer than the grammar is not
    read.
    """
    numbers = itertools.count(1)
    found: set[str] = set()
    for each in kind.changes:
        change = each.with_names(names_of(kind, random.Random(1), numbers, "database", ""))
        for sql in (*change.given, *change.does, *change.back):
            try:
                found |= {one.name for one in _types(parse_sql(sql))}
            except ParseError:
                continue
    return found


def _types(node: Any) -> Iterator[ObjectType]:
    if isinstance(node, ObjectType):
        yield node
    elif isinstance(node, ast.Node):
        for slot in node:
            yield from _types(getattr(node, slot))
    elif isinstance(node, tuple | list):
        for each in node:
            yield from _types(each)
