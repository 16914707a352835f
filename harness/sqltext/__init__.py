"""SQL files cut into statements, exactly as the engine's own client would cut them.

A statement is a slice of the file: nothing is re-printed. It runs from its first to its last
token of code, so white space, comments, delimiters and DELIMITER commands before, between and
after statements are gaps, while comments inside a statement stay in its text. Slices and gaps
together are the file. Offsets count characters of the text as it was given (a leading BOM is
character 0 and belongs to a gap); lines and columns begin at 1, and a line ends at a line feed,
so CRLF files count alike. Optimizer hints (``/*+ … */``) belong to the statement they precede.

============ ==================================================================================
PostgreSQL   cut where psql cuts (``src/fe_utils/psqlscan.l``): at ``;`` outside parentheses,
             literals, comments and BEGIN ATOMIC bodies; ``standard_conforming_strings`` is on.
             Where psql guesses, the server's rule holds: which END closes a body, and that an
             E'' string goes on in a quote on the next line
MySQL        cut where the ``mysql`` client cuts (``client/mysql.cc``): at the delimiter in
MariaDB      force, so a stored program needs a DELIMITER command, or it is cut at its first
             ``;``; backslash escapes are on
============ ==================================================================================

What only a client understands (psql's ``\\d``, data after COPY FROM stdin, ``source``), what
changes how strings are read (``standard_conforming_strings = off``, NO_BACKSLASH_ESCAPES) and
what is never closed is refused with a ScenarioError that carries file and line; the first such
problem ends the reading, since what follows it cannot be told apart.
"""

from __future__ import annotations

from typing import Literal

from harness.errors import UsageError
from harness.sqltext import mysql, postgres
from harness.sqltext.recognition import is_named, words_of_each
from harness.sqltext.rules import is_transaction_control, must_be_alone
from harness.sqltext.source import Source
from harness.sqltext.statement import Statement

Dialect = Literal["postgres", "mysql", "mariadb"]

_CUT = {"postgres": postgres.cut, "mysql": mysql.cut, "mariadb": mysql.cut_mariadb}

__all__ = [
    "Dialect",
    "Statement",
    "is_named",
    "is_transaction_control",
    "must_be_alone",
    "split",
    "words_of_each",
]


def split(
    text: str, dialect: Dialect, file: str = "<sql>", *, as_server: bool = False
) -> tuple[Statement, ...]:
    """The statements of a file, in order; empty ones and lone comments are none.

    ``as_server``: of a message, as MySQL's server cuts it and not its client: the body of a stored
    program is one statement without a DELIMITER.
    ``file`` is only a name for messages. ScenarioError (file and line) for what the module's
    docstring says is refused; UsageError for an unknown dialect. Linear in the text's length.
    """
    cut = _CUT.get(dialect)
    if cut is None:
        raise UsageError(f"unknown SQL dialect {dialect!r}; known: {', '.join(_CUT)}")
    return cut(Source(text, file, as_server=as_server))
