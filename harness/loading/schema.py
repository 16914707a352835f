"""The JSON Schema of a scenario file, made from the same shapes that the loader uses."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import itertools
import sys
import textwrap
import typing
from collections import abc
from functools import cache
from typing import Any, Literal

from harness import model
from harness.loading import shapes, sql
from harness.loading.shapes import Key, Shape

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DURATION = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$", "examples": ["10s"]}
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema() -> dict[str, Any]:
    """Draft 2020-12; editors complete from it every key and word that the loader takes."""
    defs: dict[str, Any] = {}
    root = _Writer(defs).shape(shapes.SCENARIO)
    body = defs.pop(root["$ref"].rsplit("/", 1)[1])
    return {
        "$schema": DIALECT,
        "title": "migration-drill scenario",
        **body,
        "$defs": dict(sorted(defs.items())),
    }


class _Writer:
    def __init__(self, defs: dict[str, Any]) -> None:
        self.defs = defs

    def shape(self, shape: Shape) -> dict[str, Any]:
        """A reference to the shape's definition, which is written on first use."""
        if shape.name not in self.defs:
            self.defs[shape.name] = {}
            self.defs[shape.name] = self._definition(shape)
        return {"$ref": f"#/$defs/{shape.name}"}

    def _definition(self, shape: Shape) -> dict[str, Any]:
        about = {"description": sentence_of(shape.cls)} if shape.cls is not dict else {}
        if not shape.kinds:
            return {**about, **self._object(shape.cls, shape.keys), **_together(shape)}
        variants = []
        for word, cls in shape.kinds.known().items():
            flat = not shape.kinds.by_key
            own = self._object(cls, shapes.kind_keys(cls, word, flat=flat))
            common = self._object(shape.cls, shape.keys)
            named = {} if flat else {shape.kinds.by_key: {"const": word}}
            variants.append(
                {
                    "title": word,
                    "description": f"{sentence_of(sys.modules[cls.__module__])} {sentence_of(cls)}",
                    "type": "object",
                    "properties": {**common["properties"], **named, **own["properties"]},
                    "required": sorted({*common["required"], *named, *own["required"]}),
                    "additionalProperties": False,
                    **_together(shape),
                }
            )
        return {**about, "oneOf": variants}

    def _object(self, cls: type, keys: abc.Mapping[str, Key]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {name: self._property(cls, key) for name, key in keys.items()},
            "required": sorted(name for name, key in keys.items() if key.required),
            "additionalProperties": False,
        }

    def _property(self, cls: type, key: Key) -> dict[str, Any]:
        hint: dict[str, Any] = {**DURATION} if key.unit else self.hint(key.hint)
        if key.required and key.name not in shapes.MAY_BE_EMPTY and hint.get("type") == "array":
            hint = {"minItems": 1, **hint}
        about = field_docs(cls).get(key.field)
        return {"description": about, **hint} if about else hint

    def hint(self, hint: Any) -> dict[str, Any]:
        """The schema of one type."""
        if isinstance(hint, Shape):
            return self.shape(hint)
        choices = list(shapes.members(hint))
        texts = set(shapes.members(model.Sql))
        if texts <= set(choices):
            rest = [choice for choice in choices if choice not in texts]
            return _one_of([self._sql(), *(self.hint(choice) for choice in rest)])
        if len(choices) > 1:
            return _one_of([self.hint(choice) for choice in choices])
        if hint is Any:
            return {}
        if hint is type(None):
            return {"type": "null"}
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is Literal:
            return {"enum": list(args)}
        if origin is tuple:
            return self._tuple(args)
        if origin in (dict, abc.Mapping):
            return {"type": "object", "additionalProperties": self.hint(args[1])}
        if dataclasses.is_dataclass(hint):
            return self.shape(shapes.shape_of(typing.cast(type, hint)))
        if issubclass(hint, enum.Enum):
            return {"enum": [member.value for member in hint]}
        return {"type": PLAIN[hint]}

    def _tuple(self, args: tuple[Any, ...]) -> dict[str, Any]:
        if args[-1] is not ...:
            return {
                "type": "array",
                "prefixItems": [self.hint(arg) for arg in args],
                "minItems": len(args),
                "maxItems": len(args),
            }
        many = {"type": "array", "items": self.hint(args[0])}
        return _one_of([self.hint(args[0]), many]) if shapes.scalars_only(args[0]) else many

    def _sql(self) -> dict[str, Any]:
        text = {"type": ["string", "number", "boolean"]}
        self.defs["sql"] = {
            "description": "SQL for every engine, or one text per engine; MariaDB takes mysql's.",
            "oneOf": [
                text,
                {
                    "type": "object",
                    "properties": dict.fromkeys(sql.NAMES, text),
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ],
        }
        return {"$ref": "#/$defs/sql"}


def _one_of(variants: list[dict[str, Any]]) -> dict[str, Any]:
    return variants[0] if len(variants) == 1 else {"anyOf": variants}


def _together(shape: Shape) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    if shape.exactly_one:
        rules["oneOf"] = [{"required": [key]} for key in shape.exactly_one]
    if shape.at_most_one:
        rules["not"] = {"required": list(shape.at_most_one)}
    if shape.needs:
        rules["dependentRequired"] = {key: list(beside) for key, beside in shape.needs.items()}
    return rules


def sentence_of(thing: Any) -> str:
    """The first paragraph of a module's or a class's docstring on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


@cache
def field_docs(cls: type) -> dict[str, str]:
    """The texts that stand below the fields of a dataclass, by field."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
