"""What a statement is, from its first tokens."""

from __future__ import annotations

from collections.abc import Sequence

HEAD_TOKENS = 40
"""How many tokens are looked at: a DEFINER clause and more fit before the object's word."""

_OBJECTS = (
    *("ACCESS METHOD", "DEFAULT PRIVILEGES", "EVENT TRIGGER", "FOREIGN DATA WRAPPER"),
    *("FOREIGN TABLE", "LARGE OBJECT", "LOGFILE GROUP", "MATERIALIZED VIEW"),
    *("OPERATOR CLASS", "OPERATOR FAMILY", "RESOURCE GROUP", "SPATIAL REFERENCE SYSTEM"),
    *("TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER"),
    *("TEXT SEARCH TEMPLATE", "UNDO TABLESPACE", "USER MAPPING", "PACKAGE BODY"),
    *("AGGREGATE", "CAST", "COLLATION", "COLUMN", "CONVERSION", "DATABASE", "DOMAIN", "EVENT"),
    *("EXTENSION", "FUNCTION", "GROUP", "INDEX", "INSTANCE", "LANGUAGE", "OPERATOR", "OWNED"),
    *("PACKAGE", "POLICY", "PREPARE", "PROCEDURE", "PUBLICATION", "ROLE", "ROUTINE", "RULE"),
    *("SCHEMA", "SEQUENCE", "SERVER", "STATISTICS", "SUBSCRIPTION", "SYSTEM", "TABLE"),
    *("TABLESPACE", "TRANSFORM", "TRIGGER", "TYPE", "USER", "VIEW"),
)
_PHRASES = tuple(tuple(phrase.split()) for phrase in _OBJECTS)

_VERB_PHRASES = tuple(
    tuple(phrase.split())
    for phrase in (
        *("START TRANSACTION", "PREPARE TRANSACTION", "COMMIT PREPARED", "ROLLBACK PREPARED"),
        *("SET TRANSACTION", "SET CONSTRAINTS", "SET AUTOCOMMIT", "REASSIGN OWNED"),
        *("LOCK TABLES", "UNLOCK TABLES", "LOAD DATA", "DISCARD ALL", "SECURITY LABEL"),
        *("RENAME TABLE", "RENAME USER", "OPTIMIZE TABLE", "REPAIR TABLE", "FLUSH TABLES"),
        *("IMPORT FOREIGN SCHEMA", "BEGIN NOT ATOMIC"),
    )
)


def kind_of(head: Sequence[str]) -> str:
    """The kind of the statement that begins with these tokens (words in capitals)."""
    words = [token for token in head if token not in ("(", ")")]
    verb = words[0] if words and words[0].isidentifier() else ""
    if verb in ("CREATE", "DROP", "ALTER"):
        return _on_object(verb, words)
    if verb == "REINDEX":
        return _reindex(head)
    if words[:3] == ["REFRESH", "MATERIALIZED", "VIEW"]:
        return _with_concurrently(words[:3], words[3:])
    if verb == "ROLLBACK" and "TO" in words[1:3]:
        return "ROLLBACK TO"
    return next((" ".join(p) for p in _VERB_PHRASES if _is_at(words, 0, p)), verb)


def _on_object(verb: str, words: Sequence[str]) -> str:
    for at in range(1, len(words)):
        for phrase in _PHRASES:
            if _is_at(words, at, phrase):
                return _with_concurrently([verb, *phrase], words[at + len(phrase) :])
    return verb


def _with_concurrently(kind: Sequence[str], rest: Sequence[str]) -> str:
    return " ".join([*kind, "CONCURRENTLY"] if rest[:1] == ["CONCURRENTLY"] else kind)


def _reindex(head: Sequence[str]) -> str:
    """``REINDEX ( options ) what CONCURRENTLY name``; options may say CONCURRENTLY as well."""
    closing = head.index(")") if head[1:2] == ["("] and ")" in head else 0
    options, rest = head[2:closing], head[closing + 1 :]
    kind = ["REINDEX", *rest[:1]]
    if "CONCURRENTLY" in options:
        value = options[options.index("CONCURRENTLY") + 1 :][:1]
        off = value and value[0] in ("FALSE", "OFF", "0")
        return " ".join(kind if off else [*kind, "CONCURRENTLY"])
    return _with_concurrently(kind, rest[1:])


def _is_at(words: Sequence[str], at: int, phrase: tuple[str, ...]) -> bool:
    return tuple(words[at : at + len(phrase)]) == phrase
