"""Which members of JSON documents the expressions of MySQL and MariaDB read."""

from __future__ import annotations

import re

from harness.engines.documents import NUMBER, PATH, Path, steps_of, wanted_as
from harness.engines.mysql import quoting

ONE_PATH = r"(?:_\w+\s*)?'\$[^']*'[\s,]*"
PATHS = re.compile(rf"\s*,\s*(?:(?:_\w+\s*)?'(?:one|all)'\s*,\s*)?((?:{ONE_PATH})+)")
RETURNED = re.compile(r"[\s)]*(?<!\w)(?:as|returning)\s+(\w+)", re.IGNORECASE)
COMPARED = re.compile(r"[\s)]*(?:[<>=!]+|between)\s*\(?-?\d", re.IGNORECASE)


def paths_in(text: str, column: str, sql_type: str = "") -> list[Path]:
    """The members of that column's documents that an expression names; ``sql_type`` is what the
    expression as a whole becomes, if that is known.

    >>> paths_in("json_unquote(json_extract(`doc`,_utf8mb4'$.a.b'))", "doc", "int")
    [Path(steps=('a', 'b'), wanted='number')]
    """
    found = []
    for match in re.finditer(re.escape(quoting.name(column)), text):
        paths = PATHS.match(text, match.end())
        if paths is None:
            continue
        wanted = _wanted(text, paths.end(), sql_type)
        found += [Path(steps_of(path[0]), wanted) for path in PATH.finditer(paths[1])]
    return found


def _wanted(text: str, at: int, sql_type: str) -> str:
    if (returned := RETURNED.match(text, at)) is not None:
        return wanted_as(returned[1])
    return NUMBER if COMPARED.match(text, at) else wanted_as(sql_type)
