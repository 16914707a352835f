"""SQL in a file: one text for every engine, one for each, or (where a key takes it) a list.

Refused where YAML would change it unseen: inside ``{ }`` and ``[ ]``, where a comma cuts it, and
before a ``#``, which is an operator in PostgreSQL and a comment in YAML.
"""

from __future__ import annotations

import typing
from typing import Any, Protocol

from harness import model, registry
from harness.loading.shapes import Invalid, members
from harness.loading.yaml_nodes import Mapping, Node, Scalar, Sequence

PER_ENGINE = next(m for m in members(model.Sql) if typing.get_origin(m) is dict)
NAMES = typing.get_args(typing.get_args(PER_ENGINE)[0])


class Decoding(Protocol):
    """What is needed of the decoder."""

    def complain(self, line: int, message: str) -> Invalid: ...

    def wanted(self, node: Node, what: str) -> Invalid: ...

    def value(self, node: Node, hint: Any) -> Any: ...


def value(decoder: Decoding, node: Node, choices: tuple[Any, ...]) -> Any:
    """The value of a type that holds all of ``model.Sql`` among its ``choices``."""
    many = [choice for choice in choices if typing.get_origin(choice) is tuple]
    if isinstance(node, Sequence) and many:
        return decoder.value(node, many[0])
    if isinstance(node, Scalar) and node.value is None and type(None) in choices:
        return None
    if node.flow:
        return decoder.complain(
            node.line,
            "found SQL inside { } or [ ], where a comma would cut it; "
            "write one key or list item per line",
        )
    return _per_engine(decoder, node) if isinstance(node, Mapping) else _text(decoder, node)


def _per_engine(decoder: Decoding, node: Mapping) -> Any:
    texts: dict[str, Any] = {}
    for pair in node.pairs:
        if pair.key not in NAMES:
            texts[pair.key] = decoder.complain(
                pair.line, registry.unknown("engine", pair.key, NAMES)
            )
        elif isinstance(pair.node, Mapping):
            texts[pair.key] = decoder.wanted(pair.node, "SQL as text")
        else:
            texts[pair.key] = decoder.value(pair.node, model.Sql)
    if not texts:
        return decoder.complain(node.line, f"found no SQL, wanted one of: {', '.join(NAMES)}")
    bad = (text for text in texts.values() if isinstance(text, Invalid))
    return next(bad, texts)


def _text(decoder: Decoding, node: Node) -> str | Invalid:
    if not isinstance(node, Scalar) or node.value is None or node.value == "":
        return decoder.wanted(node, f"SQL as text, or a mapping of {', '.join(NAMES)}")
    if node.cut:
        return decoder.complain(
            node.line,
            f"YAML cuts this SQL off before {node.cut!r}; write it below a '|', "
            "or move the comment to a line of its own",
        )
    return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
