"""What each mapping of a file may hold, read from the dataclasses of the model and the kinds.

One description serves the loader and the JSON Schema, so that they cannot disagree.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Union

from harness import model, registry
from harness.errors import DrillError
from harness.tools.adapter import Adapter

HIDDEN = frozenset({"line", "file", "sha256"})
UNITS = {"_s": "s", "_ms": "ms"}


class Invalid:
    """Stands for a value that could not be made; its problem is already noted."""


INVALID = Invalid()


@dataclass(frozen=True)
class Key:
    """One key of a mapping: the dataclass field it fills, its type, whether it must be there.

    ``unit`` (``s`` or ``ms``) marks a duration, which is written with its unit and whose key
    lacks the suffix of the field: ``deadline: 30s`` fills ``deadline_s``.
    """

    name: str
    field: str
    hint: Any
    required: bool
    unit: str = ""


@dataclass(frozen=True)
class Kinds:
    """Which room's kind a mapping carries, in which field, and how it is named.

    ``by_key`` is ``kind`` where ``kind: kill-session`` names it; empty where one of the mapping's
    keys is the word itself, written as keys are (``end_session: migration``), and its value the
    kind's principal value.
    """

    room: str
    into: str
    by_key: str = ""

    def known(self) -> dict[str, type]:
        """Every kind by the word as it is written here."""
        found = registry.kinds(self.room)
        if self.by_key:
            return found
        return {word.replace("-", "_"): cls for word, cls in found.items()}


@dataclass(frozen=True, eq=False)
class Shape:
    """A mapping of the file and the dataclass it becomes."""

    cls: type
    name: str
    keys: Mapping[str, Key]
    kinds: Kinds | None = None
    exactly_one: tuple[str, ...] = ()
    at_most_one: tuple[str, ...] = ()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A key and those that must stand beside it."""


def members(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union; the hint itself if it is none."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return typing.get_args(hint)
    return (hint,)


def keys_of(
    cls: type,
    *,
    rename: Mapping[str, str] | None = None,
    drop: frozenset[str] = frozenset(),
    hints: Mapping[str, Any] | None = None,
    required: Mapping[str, bool] | None = None,
) -> dict[str, Key]:
    """The keys that fill ``cls``; a field of type Scope becomes its own keys, side by side."""
    known = typing.get_type_hints(cls)
    keys: dict[str, Key] = {}
    for f in dataclasses.fields(cls):
        if f.name in HIDDEN or f.name in drop:
            continue
        hint = (hints or {}).get(f.name, known[f.name])
        if hint is model.Scope:
            keys |= keys_of(model.Scope)
            continue
        suffix = next((end for end in UNITS if f.name.endswith(end)), "")
        if not {float, int} & set(members(hint)):
            suffix = ""
        name = (rename or {}).get(f.name, f.name.removesuffix(suffix))
        has_default = (
            f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING
        )
        must = (required or {}).get(f.name, not has_default)
        keys[name] = Key(name, f.name, hint, must, UNITS.get(suffix, ""))
    return keys


@cache
def kind_keys(cls: type, word: str, *, flat: bool) -> dict[str, Key]:
    """The keys of a kind; where it is ``flat``, the field named like the word takes its value."""
    if not dataclasses.is_dataclass(cls):
        raise DrillError(f"the kind '{word}' is no dataclass; see {cls.__module__}")
    if not flat:
        return keys_of(cls)
    keys = keys_of(cls)
    if word not in keys:
        raise DrillError(f"the kind '{word}' has no field '{word}'; see {cls.__module__}")
    return {**keys, word: dataclasses.replace(keys[word], required=True)}


def scalars_only(hint: Any) -> bool:
    """True for a tuple type that a single value may stand for: of texts, choices or SQL."""
    return all(
        m is str or typing.get_origin(m) is Literal or m in members(model.Sql)
        for m in members(hint)
    )


def name_of(hint: Any) -> str:
    """A type in words for a message."""
    if isinstance(hint, Shape):
        return f"a mapping of a {hint.name}"
    choices = [c for c in members(hint) if c is not type(None)]
    if set(members(model.Sql)) <= set(choices):
        return "SQL"
    if len(choices) > 1:
        return " or ".join(name_of(choice) for choice in choices)
    origin, args = typing.get_origin(choices[0]), typing.get_args(choices[0])
    if origin is Literal:
        return f"one of: {', '.join(str(arg) for arg in args)}"
    if origin is tuple:
        return "a list"
    plain = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    return plain.get(choices[0], "a mapping")


_NO_SCOPE = frozenset({"scope"})

CLAIM = Shape(
    model.Claim,
    "claim",
    keys_of(model.Claim, rename={"name": "claim"}, drop=frozenset({"probe"})),
    Kinds("claims", "probe"),
)
CONDITION = Shape(
    model.Claim,
    "condition",
    keys_of(
        model.Claim,
        rename={"name": "claim"},
        drop=_NO_SCOPE | {"probe"},
        required={"name": False},
    ),
    Kinds("claims", "probe"),
)


def list_of(shape: Shape) -> Any:
    """The type of a list of such mappings."""
    return types.GenericAlias(tuple, (shape, ...))


HOLD = Shape(dict, "hold", {}, Kinds("holds", "hold"))
MOMENT = Shape(
    model.Moment,
    "moment",
    keys_of(model.Moment, hints={"hold": HOLD}),
    exactly_one=("before", "after", "inside"),
    needs={"inside": ("hold",), "hold": ("inside",), "released": ("hold",)},
)
FAULT = Shape(
    model.Fault,
    "fault",
    keys_of(
        model.Fault,
        rename={"id": "fault"},
        drop=frozenset({"kind"}),
        hints={"at": MOMENT},
        required={"at": False},
    ),
    Kinds("faults", "kind", by_key="kind"),
)
DAMAGE = Shape(model.Damage, "damage", keys_of(model.Damage, hints={"claims": list_of(CLAIM)}))
LOOK = Shape(
    model.Look,
    "look",
    keys_of(model.Look, rename={"name": "look"}),
    exactly_one=("sql", "builtin"),
)
STEP = Shape(
    model.Step,
    "step",
    keys_of(
        model.Step,
        rename={"name": "step", "only_if": "if"},
        drop=frozenset({"action"}),
        hints={"only_if": CONDITION, "unless": CONDITION},
    ),
    Kinds("steps", "action"),
    at_most_one=("if", "unless"),
)
RECOVERY = Shape(
    model.Procedure,
    "recovery",
    keys_of(
        model.Procedure,
        rename={"id": "recovery"},
        drop=frozenset({"caught_by"}),
        hints={"steps": list_of(STEP)},
    ),
)
DECOY = Shape(
    model.Procedure,
    "decoy",
    keys_of(
        model.Procedure,
        rename={"id": "decoy"},
        hints={"steps": list_of(STEP)},
        required={"caught_by": True},
    ),
)
SCENARIO = Shape(
    model.Scenario,
    "scenario",
    keys_of(
        model.Scenario,
        drop=frozenset({"id"}),
        hints={
            "steady_state": list_of(CLAIM),
            "faults": list_of(FAULT),
            "damage": list_of(DAMAGE),
            "alerts": list_of(CLAIM),
            "diagnosis": list_of(LOOK),
            "recoveries": list_of(RECOVERY),
            "decoys": list_of(DECOY),
            "verify": list_of(CLAIM),
        },
        required={"format": True},
    ),
)
DRILL = Shape(
    model.Drill,
    "drill",
    keys_of(model.Drill, drop=frozenset({"id"}), required={"format": True}),
)
TOOL = Shape(Adapter, "tool", keys_of(Adapter, drop=frozenset({"id"})))

MAY_BE_EMPTY = frozenset({"decoys", "damage"})


@cache
def shape_of(cls: type) -> Shape:
    """The shape of a dataclass that is met as the type of a key."""
    if cls is model.Claim:
        return CONDITION
    return Shape(cls, cls.__name__.lower(), keys_of(cls))
