"""A tree of nodes becomes the values of the model, strictly by their types.

Goes on after a problem, so that a person sees all of them at once, each at its own line.
"""

from __future__ import annotations

import enum
import re
import typing
from collections import abc
from dataclasses import is_dataclass
from typing import Any, Literal

from harness import model, registry
from harness.errors import Problem
from harness.loading import shapes, sql
from harness.loading.shapes import INVALID, Invalid, Key, Kinds, Shape, name_of
from harness.loading.yaml_nodes import Broken, Mapping, Node, Pair, Scalar, Sequence, describe

DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
IN_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
HINTS = {
    "on": "use 'where'",
    "when": "use 'where', or 'if' in a step",
    "id": "the file name is the id; an item is named by its own word, such as 'fault: lost'",
}


def ms_of(text: str) -> float | None:
    """A duration with its unit, such as ``2m``, in milliseconds; None if it is none."""
    match = DURATION.fullmatch(text)
    return float(match[1]) * IN_MS[match[2]] if match else None


class Decoder:
    """Makes values from nodes and collects what is wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def complain(self, line: int, message: str) -> Invalid:
        self.problems.append(Problem(self.file, line, message))
        return INVALID

    def wanted(self, node: Node, what: str) -> Invalid:
        """One problem: found this node, wanted ``what``."""
        return self.complain(node.line, f"found {describe(node)}, wanted {what}")

    # ------------------------------------------------------------------ mappings

    def record(self, node: Node, shape: Shape, **more: Any) -> Any:
        """A mapping as the dataclass of its shape, or of the kind it names.

        ``more`` are fields that no key fills.
        """
        if isinstance(node, Broken):
            return INVALID
        if not isinstance(node, Mapping):
            return self.wanted(node, f"a mapping of a {shape.name}")
        own = [pair for pair in node.pairs if pair.key in shape.keys]
        rest = [pair for pair in node.pairs if pair.key not in shape.keys]
        word, kinds = "", shape.kinds
        if kinds is None:
            self._unknown_keys(shape, rest, {})
            values = {**self._fields(node, shape.keys, own), **more}
        else:
            kind = self._kind(node, shape, kinds)
            if isinstance(kind, Invalid):
                self._fields(node, shape.keys, node.pairs)
                return INVALID
            word, cls = kind
            rest = [pair for pair in rest if not kinds.by_key or pair.key != kinds.by_key]
            keys = shapes.kind_keys(cls, word, flat=not kinds.by_key)
            self._unknown_keys(shape, rest, keys)
            values = {**self._fields(node, shape.keys, own), **more}
            values[kinds.into] = self._make(node, cls, self._fields(node, keys, rest))
        if isinstance(self._together(node, shape), Invalid):
            return INVALID
        return self._finish(node, shape, values, word)

    def _finish(self, node: Mapping, shape: Shape, values: dict[str, Any], word: str) -> Any:
        if shape is shapes.HOLD:
            return values["hold"]
        if shape is shapes.CONDITION:
            principal = node.get(word)
            told = principal.value if isinstance(principal, Scalar) else ""
            values.setdefault("name", f"{word} {told}".strip())
        if shape is shapes.FAULT:
            values.setdefault("at", model.Moment())
        return self._make(node, shape.cls, values)

    def _make(self, node: Mapping, cls: type, values: dict[str, Any]) -> Any:
        if any(isinstance(value, Invalid) for value in values.values()):
            return INVALID
        if "where" in values or "faults" in values:
            names = typing.get_type_hints(cls)
            if names.get("scope") is model.Scope:
                parts = {k: values.pop(k) for k in ("where", "faults") if k in values}
                values["scope"] = model.Scope(**parts)
        if "line" in typing.get_type_hints(cls):
            values["line"] = node.line
        try:
            return cls(**values)
        except ValueError as error:
            return self.complain(node.line, str(error))

    def _kind(self, node: Mapping, shape: Shape, of: Kinds) -> tuple[str, type] | Invalid:
        known = of.known()
        if of.by_key:
            return self._named_kind(node, of, known)
        words = [pair.key for pair in node.pairs if pair.key in known]
        if len(words) == 1:
            return words[0], known[words[0]]
        if words:
            return self.complain(
                node.line, f"found {' and '.join(words)}, wanted exactly one of them"
            )
        strange = [pair for pair in node.pairs if pair.key not in shape.keys]
        for pair in strange:
            self.complain(pair.line, registry.unknown("key", pair.key, {*known, *shape.keys}))
        if not strange:
            self.complain(
                node.line,
                f"found no key that says what the {shape.name} does, "
                f"wanted exactly one of: {', '.join(sorted(known))}",
            )
        return INVALID

    def _named_kind(
        self, node: Mapping, of: Kinds, known: dict[str, type]
    ) -> tuple[str, type] | Invalid:
        found = node.get(of.by_key)
        if found is None:
            return self.complain(
                node.line, f"found no '{of.by_key}', wanted one of: {', '.join(sorted(known))}"
            )
        if isinstance(found, Broken):
            return INVALID
        if not isinstance(found, Scalar) or not isinstance(found.value, str):
            return self.wanted(found, f"one of: {', '.join(sorted(known))}")
        if found.value not in known:
            return self.complain(found.line, registry.unknown("kind", found.value, known))
        return found.value, known[found.value]

    def _unknown_keys(self, shape: Shape, rest: list[Pair], keys: dict[str, Key]) -> None:
        for pair in rest:
            if pair.key in keys:
                continue
            known = {*shape.keys, *keys, *((shape.kinds.by_key,) if shape.kinds else ())} - {""}
            message = registry.unknown("key", pair.key, known)
            if pair.key in HINTS:
                message += f". For '{pair.key}': {HINTS[pair.key]}"
            self.complain(pair.line, message)

    def _fields(
        self, node: Mapping, keys: abc.Mapping[str, Key], pairs: abc.Iterable[Pair]
    ) -> dict[str, Any]:
        """The values of those pairs that are ``keys``, by field; missing ones are complained of."""
        values = {
            keys[pair.key].field: self.keyed(pair.node, keys[pair.key])
            for pair in pairs
            if pair.key in keys
        }
        for key in keys.values():
            if key.required and key.field not in values:
                wish = "a duration such as 10s" if key.unit else name_of(key.hint)
                values[key.field] = self.complain(
                    node.line, f"found no '{key.name}', wanted {wish}"
                )
        return values

    def _together(self, node: Mapping, shape: Shape) -> Invalid | None:
        found = {pair.key for pair in node.pairs}
        one = [key for key in shape.exactly_one if key in found]
        if shape.exactly_one and len(one) != 1:
            wanted = ", ".join(shape.exactly_one)
            return self.complain(
                node.line, f"found {' and '.join(one) or 'none'}, wanted exactly one of: {wanted}"
            )
        both = [key for key in shape.at_most_one if key in found]
        if len(both) > 1:
            line = max(node.line_of(key) for key in both)
            return self.complain(line, f"found {' and '.join(both)}, wanted at most one of them")
        for key, beside in shape.needs.items():
            missing = [name for name in beside if key in found and name not in found]
            if missing:
                return self.complain(
                    node.line_of(key),
                    f"found '{key}' without '{missing[0]}'; it needs it beside it",
                )
        return None

    # ------------------------------------------------------------------ values

    def keyed(self, node: Node, key: Key) -> Any:
        """The value of one key: a duration where the key has a unit, else by its type."""
        if isinstance(node, Broken):
            return INVALID
        if key.unit:
            return self._duration(node, key)
        value = self.value(node, key.hint)
        if value == () and key.required and key.name not in shapes.MAY_BE_EMPTY:
            return self.complain(node.line, f"found an empty '{key.name}', wanted at least one")
        return value

    def _duration(self, node: Node, key: Key) -> float | Invalid | None:
        text = node.value if isinstance(node, Scalar) else None
        if text is None and isinstance(node, Scalar) and type(None) in shapes.members(key.hint):
            return None
        in_ms = ms_of(text) if isinstance(text, str) else None
        if in_ms is None:
            return self.wanted(node, "a duration with its unit, such as 500ms, 10s or 2m")
        return in_ms if key.unit == "ms" else in_ms / 1000

    def value(self, node: Node, hint: Any) -> Any:
        """``node`` as a value of the type ``hint``; INVALID and a problem if it is none."""
        if isinstance(node, Broken):
            return INVALID
        if isinstance(hint, Shape):
            return self.record(node, hint)
        choices = shapes.members(hint)
        if set(shapes.members(model.Sql)) <= set(choices):
            return sql.value(self, node, choices)
        if len(choices) > 1:
            return self._any_of(node, choices)
        if hint is Any:
            return self._free(node)
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is Literal:
            return self._choice(node, args)
        if origin is tuple:
            return self._tuple(node, args)
        if origin in (dict, abc.Mapping):
            return self._mapping(node, args[1])
        if is_dataclass(hint):
            return self.record(node, shapes.shape_of(typing.cast(type, hint)))
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            value = self._choice(node, tuple(member.value for member in hint))
            return value if isinstance(value, Invalid) else hint(value)
        return self._scalar(node, hint)

    def _any_of(self, node: Node, choices: tuple[Any, ...]) -> Any:
        before = len(self.problems)
        if isinstance(node, Scalar) and node.value is None and type(None) in choices:
            return None
        real = [choice for choice in choices if choice is not type(None)]
        if len(real) == 1:
            return self.value(node, real[0])
        for choice in real:
            value = self.value(node, choice)
            if not isinstance(value, Invalid):
                return value
            del self.problems[before:]
        return self.wanted(node, " or ".join(name_of(choice) for choice in real))

    def _choice(self, node: Node, known: tuple[Any, ...]) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if any(value == k and type(value) is type(k) for k in known):
            return value
        if isinstance(value, str) and all(isinstance(k, str) for k in known):
            return self.complain(node.line, registry.unknown("value", value, known))
        return self.wanted(node, f"one of: {', '.join(str(k) for k in known)}")

    def _tuple(self, node: Node, args: tuple[Any, ...]) -> Any:
        endless = len(args) == 2 and args[1] is ...
        if endless and not isinstance(node, Sequence) and shapes.scalars_only(args[0]):
            value = self.value(node, args[0])
            return value if isinstance(value, Invalid) else (value,)
        if not isinstance(node, Sequence):
            return self.wanted(node, "a list")
        if not endless and len(node.items) != len(args):
            return self.complain(
                node.line, f"found {len(node.items)} items, wanted exactly {len(args)}"
            )
        hints = [args[0]] * len(node.items) if endless else args
        values = tuple(self.value(item, h) for item, h in zip(node.items, hints, strict=True))
        return INVALID if any(isinstance(v, Invalid) for v in values) else values

    def _mapping(self, node: Node, hint: Any) -> Any:
        if not isinstance(node, Mapping):
            return self.wanted(node, "a mapping")
        values = {pair.key: self.value(pair.node, hint) for pair in node.pairs}
        return INVALID if any(isinstance(v, Invalid) for v in values.values()) else values

    def _free(self, node: Node) -> Any:
        if isinstance(node, Mapping):
            return self._mapping(node, Any)
        if isinstance(node, Sequence):
            return self._tuple(node, (Any, ...))
        return node.value if isinstance(node, Scalar) else INVALID

    def _scalar(self, node: Node, hint: type) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if hint is float and type(value) is int:
            return float(value)
        if value is not None and type(value) is hint:
            return value
        advice = ""
        if hint is str and isinstance(value, bool | int | float):
            advice = "; quote it"
        elif hint is bool and str(value).lower() in ("yes", "no", "on", "off", "y", "n"):
            advice = "; YAML versions disagree about this word"
        elif hint in (int, float) and isinstance(value, str):
            advice = "; write a plain decimal number, without quotes, separators or unit"
        return self.wanted(node, name_of(hint) + advice)
