"""YAML text becomes a small tree that knows its lines; the only module that imports yaml.

Takes less than YAML allows, because a scenario is read by people: no anchors, aliases, tags,
merge keys or further documents, no duplicate or non-string keys, at most 50 levels and 1 MB.
Plain words become values by the YAML 1.2 core schema, so ``no``, ``on``, ``1:30`` and
``2024-02-15`` stay text; numbers that YAML versions disagree about (``0012``, ``0x1F``) are
refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml import events

from harness.errors import Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
LONGEST_NUMBER = 40

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
DISPUTED = re.compile(r"[-+]?0([0-9_]+(\.[0-9]*)?|o[0-7_]+|x[0-9a-fA-F_]+|b[01_]+)")


@dataclass(frozen=True)
class Node:
    """Something at a line (counted from 1); ``flow`` is True inside ``{…}`` or ``[…]``."""

    line: int
    flow: bool = False


@dataclass(frozen=True)
class Broken(Node):
    """A value already complained about; takes any place without a further complaint."""


@dataclass(frozen=True)
class Scalar(Node):
    """One value. ``cut`` is the comment that follows it on its line, if it is unquoted."""

    value: Any = None
    cut: str = ""


@dataclass(frozen=True)
class Pair:
    """One key of a mapping with its own line."""

    key: str
    line: int
    node: Node


@dataclass(frozen=True)
class Mapping(Node):
    """Keys in their order; ``get`` gives the node of a key."""

    pairs: tuple[Pair, ...] = ()

    def get(self, key: str) -> Node | None:
        return next((pair.node for pair in self.pairs if pair.key == key), None)

    def line_of(self, key: str) -> int:
        return next((pair.line for pair in self.pairs if pair.key == key), self.line)


@dataclass(frozen=True)
class Sequence(Node):
    """Items in their order."""

    items: tuple[Node, ...] = ()


def parse(raw: bytes, file: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a document and what is wrong with it as YAML; None if it cannot be read."""
    if len(raw) > MAX_BYTES:
        return None, [Problem(file, 1, f"found {len(raw)} bytes, wanted at most {MAX_BYTES}")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return None, [Problem(file, line, "found bytes that are not UTF-8; save it as UTF-8")]
    reader = _Reader(text, file)
    try:
        return reader.document(), reader.problems
    except _TooDeepError as error:
        message = f"found more than {MAX_DEPTH} levels of nesting; a scenario needs about six"
        return None, [*reader.problems, Problem(file, error.line, message)]
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        message = f"found a character that YAML forbids (#x{error.character:04x}); remove it"
        return None, [*reader.problems, Problem(file, line, message)]
    except yaml.MarkedYAMLError as error:
        return None, [*reader.problems, _not_yaml(error, file)]


def _not_yaml(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = f"not YAML: {error.problem or error.context}"
    if error.problem and "mapping values are not allowed" in error.problem:
        message += "; a text with ': ' in it must be quoted or written below a '|'"
    if error.problem and "\\t" in error.problem:
        message += "; indent with spaces"
    return Problem(file, mark.line + 1 if mark else 1, message)


class _TooDeepError(Exception):
    def __init__(self, line: int) -> None:
        self.line = line


class _Reader:
    """Builds the tree from the parser's events, which come without recursion."""

    def __init__(self, text: str, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines = text.splitlines()
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> Node | None:
        root = None
        for event in self._events:
            if isinstance(event, events.DocumentStartEvent):
                if root is not None:
                    self._complain(event, "found a second document, wanted one per file")
                    break
                if event.tags or event.version:
                    self._complain(event, "found a % directive, wanted none; remove it")
                root = self._node(next(self._events), 0, False)
        return root

    def _complain(self, event: Any, message: str) -> None:
        self.problems.append(Problem(self._file, event.start_mark.line + 1, message))

    def _node(self, event: Any, depth: int, flow: bool) -> Node:
        line = event.start_mark.line + 1
        if depth > MAX_DEPTH:
            raise _TooDeepError(line)
        if isinstance(event, events.AliasEvent):
            self._complain(event, f"found the alias *{event.anchor}; write the value out again")
            return Broken(line, flow)
        if event.anchor:
            self._complain(event, f"found the anchor &{event.anchor}; the format has none")
        if event.tag:
            self._complain(event, f"found the tag {event.tag}; quote a text instead of tagging it")
        if isinstance(event, events.MappingStartEvent):
            return self._mapping(event, depth, line, flow)
        if isinstance(event, events.SequenceStartEvent):
            return self._sequence(event, depth, line, flow)
        return self._scalar(event, line, flow)

    def _sequence(self, event: Any, depth: int, line: int, flow: bool) -> Node:
        inside = flow or bool(event.flow_style)
        items = []
        while not isinstance(entry := next(self._events), events.SequenceEndEvent):
            items.append(self._node(entry, depth + 1, inside))
        return Sequence(line, flow, tuple(items))

    def _mapping(self, event: Any, depth: int, line: int, flow: bool) -> Node:
        inside = flow or bool(event.flow_style)
        pairs: dict[str, Pair] = {}
        while not isinstance(entry := next(self._events), events.MappingEndEvent):
            key = self._key(entry, depth + 1, inside)
            node = self._node(next(self._events), depth + 1, inside)
            if key is None:
                continue
            if key in pairs:
                self._complain(
                    entry, f"found the key '{key}' again; it is already on line {pairs[key].line}"
                )
                continue
            pairs[key] = Pair(key, entry.start_mark.line + 1, node)
        return Mapping(line, flow, tuple(pairs.values()))

    def _key(self, event: Any, depth: int, flow: bool) -> str | None:
        before = len(self.problems)
        node = self._node(event, depth, flow)
        if len(self.problems) > before:
            return None
        if isinstance(node, Scalar) and node.value == "<<":
            self._complain(event, "found a merge key '<<'; write the keys out again")
        elif isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        elif isinstance(node, Scalar):
            self._complain(event, f"found {describe(node)} as a key, wanted text; quote it")
        else:
            self._complain(event, "found a list or mapping as a key, wanted text")
        return None

    def _scalar(self, event: Any, line: int, flow: bool) -> Node:
        if event.style is not None:
            return Scalar(line, flow, event.value)
        text = event.value
        if DISPUTED.fullmatch(text):
            self._complain(
                event,
                f"found {text}, which YAML versions read as different numbers; "
                f"quote it ('{text}') or write the plain number",
            )
            return Broken(line, flow)
        return Scalar(line, flow, core_value(text), self._comment_after(event.end_mark))

    def _comment_after(self, end: Any) -> str:
        line = self._lines[end.line] if end.line < len(self._lines) else ""
        rest = line[end.column :].strip()
        return rest if rest.startswith("#") else ""


def core_value(text: str) -> Any:
    """What a plain word means by the YAML 1.2 core schema."""
    if text in NULLS:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if INTEGER.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text):
        return float(text)
    return text


def describe(node: Node) -> str:
    """What was found, in words for a message."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    value = node.value if isinstance(node, Scalar) else None
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, str):
        shown = value if len(value) <= 40 else value[:37] + "..."
        return f"the text {shown!r}"
    return f"the number {value}"
