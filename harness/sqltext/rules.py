"""What a server says about a statement and transactions, known before it is sent.

PostgreSQL's own list is its calls of ``PreventInTransactionBlock``; the unit tests ask a real
server about each of them. MySQL and MariaDB refuse no statement for being in a transaction:
most DDL commits it instead.
"""

from __future__ import annotations

from harness.sqltext.postgres import Token, tokens
from harness.sqltext.source import Source
from harness.sqltext.statement import Statement

_TRANSACTION_CONTROL = frozenset(
    {
        *("BEGIN", "START TRANSACTION", "COMMIT", "END", "ROLLBACK", "ABORT", "ROLLBACK TO"),
        *("SAVEPOINT", "RELEASE", "PREPARE TRANSACTION", "COMMIT PREPARED"),
        *("ROLLBACK PREPARED", "SET AUTOCOMMIT", "XA"),
    }
)
_ALWAYS_ALONE = frozenset(
    {
        *("CREATE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY", "VACUUM", "ALTER SYSTEM"),
        *("CREATE DATABASE", "DROP DATABASE", "CREATE TABLESPACE", "DROP TABLESPACE"),
        *("REINDEX SCHEMA", "REINDEX DATABASE", "REINDEX SYSTEM", "DISCARD ALL"),
        *("COMMIT PREPARED", "ROLLBACK PREPARED", "DROP SUBSCRIPTION"),
    }
)


def is_transaction_control(statement: Statement) -> bool:
    """Whether it opens, ends or divides a transaction (BEGIN … XA, SET autocommit)."""
    return statement.kind in _TRANSACTION_CONTROL


def must_be_alone(statement: Statement, dialect: str, *, server_major: int = 12) -> str | None:
    """Why the server refuses it inside a transaction block; None if it does not.

    A message of several statements is such a block too. ``server_major`` matters for
    ``ALTER TYPE … ADD VALUE`` only, which PostgreSQL allows since 12 (its new value is usable
    after the commit). Always None for MySQL and MariaDB.
    """
    refused = _REFUSED.get(dialect)
    what = refused(statement, server_major) if refused else None
    return what and f"{what} is refused in a transaction block: send it alone, in autocommit"


def _refused_by_postgres(statement: Statement, server_major: int) -> str | None:
    kind = statement.kind
    if kind in _ALWAYS_ALONE or (kind.startswith("REINDEX") and kind.endswith("CONCURRENTLY")):
        return kind
    check = _BY_WORDS.get(kind)
    what = check(_words(statement)) if check else None
    if what == _ADD_VALUE and server_major >= 12:
        return None
    return what


def _words(statement: Statement) -> list[str]:
    """Bare words in capitals; all else as it is written, so a quoted name equals no word."""
    text = statement.text
    code = (t for t in tokens(Source(text, statement.file)) if t[0] in (Token.WORD, Token.CODE))
    return [text[a:b].upper() if token is Token.WORD else text[a:b] for token, a, b in code]


def _cluster(words: list[str]) -> str | None:
    rest = words[1:]
    if rest[:1] == ["("]:
        rest = rest[rest.index(")") + 1 :]
    return "CLUSTER of all tables" if rest in ([], ["VERBOSE"]) else None


def _alter_table(words: list[str]) -> str | None:
    detaches = _follow(words, "DETACH", "PARTITION") and words[-1] == "CONCURRENTLY"
    return "DETACH PARTITION CONCURRENTLY" if detaches else None


def _alter_database(words: list[str]) -> str | None:
    return "ALTER DATABASE SET TABLESPACE" if _follow(words, "SET", "TABLESPACE") else None


_ADD_VALUE = "ALTER TYPE ADD VALUE (before version 12)"


def _alter_type(words: list[str]) -> str | None:
    return _ADD_VALUE if _follow(words, "ADD", "VALUE") else None


def _create_subscription(words: list[str]) -> str | None:
    options = words[words.index("WITH") :] if "WITH" in words else []
    off = any(
        _follow(options, name, "=", value)
        for name in ("CONNECT", "CREATE_SLOT")
        for value in ("FALSE", "OFF", "0", "'false'", "'off'")
    )
    return None if off else "CREATE SUBSCRIPTION that creates a replication slot"


def _alter_subscription(words: list[str]) -> str | None:
    if _follow(words, "REFRESH", "PUBLICATION"):
        return "ALTER SUBSCRIPTION REFRESH PUBLICATION"
    changes = any(_follow(words, verb, "PUBLICATION") for verb in ("SET", "ADD", "DROP"))
    off = any(_follow(words, "REFRESH", "=", value) for value in ("FALSE", "OFF", "0"))
    return "ALTER SUBSCRIPTION that refreshes" if changes and not off else None


def _follow(words: list[str], *wanted: str) -> bool:
    """Whether these words stand in a row somewhere."""
    size = len(wanted)
    return any(tuple(words[i : i + size]) == wanted for i in range(len(words) - size + 1))


_BY_WORDS = {
    "CLUSTER": _cluster,
    "ALTER TABLE": _alter_table,
    "ALTER DATABASE": _alter_database,
    "ALTER TYPE": _alter_type,
    "CREATE SUBSCRIPTION": _create_subscription,
    "ALTER SUBSCRIPTION": _alter_subscription,
}

_REFUSED = {"postgres": _refused_by_postgres}
