"""What the types cannot say: names that must exist, numbers that must be in range.

Works on the nodes and not on the model, so that it also speaks where the types already did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import get_args

from harness import model, registry
from harness.application.workload import bind
from harness.errors import Problem
from harness.loading.yaml_nodes import Mapping, Node, Scalar, Sequence
from harness.tools.scenario_tools import MODES

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TABLE_OR_COLUMN = re.compile(r"[^\s.]+(\.[^\s.]+)?")
RESERVED = frozenset({"nothing-done", "no-injection"})
ORACLES = {"ledger": "app", "untouched": "untouched", "rto": "objectives"}
"""What may catch a decoy besides a claim or a step, and the section that makes it count."""
EXPECTATIONS = {
    "query": ("equals", "at_least", "at_most"),
    "cost": ("at_least_times", "at_most_times"),
}
"""Claims that say nothing without one of these keys."""

MOMENTS = ("before", "after", "inside")

Complain = Callable[[int, str], object]


def items(node: Node | None, key: str = "") -> tuple[Mapping, ...]:
    """The mappings in the list under ``key``; none if there is no such list."""
    found = node.get(key) if isinstance(node, Mapping) else None
    if not isinstance(found, Sequence):
        return ()
    return tuple(item for item in found.items if isinstance(item, Mapping))


def texts(node: Node | None, key: str) -> tuple[tuple[str, int], ...]:
    """The texts under ``key``, one or a list of them, each with its line."""
    found = node.get(key) if isinstance(node, Mapping) else None
    if isinstance(found, Scalar):
        found = Sequence(found.line, items=(found,))
    if not isinstance(found, Sequence):
        return ()
    return tuple(
        (item.value, item.line)
        for item in found.items
        if isinstance(item, Scalar) and isinstance(item.value, str)
    )


def scenario(root: Mapping, complain: Complain) -> None:
    """Everything in a scenario that refers to something else in it or in the catalog."""
    _ids(root, complain)
    _scopes(root, complain)
    _moments(root, complain)
    _modes(root, complain)
    _claims(root, complain)
    _decoys(root, complain)
    _alerts(root, complain)
    _app(root, complain)
    for name, line in texts(root, "untouched"):
        if not TABLE_OR_COLUMN.fullmatch(name):
            complain(line, f"found '{name}', wanted table or table.column")


def drill(root: Mapping, complain: Complain) -> None:
    """Engines and modes that a drill names."""
    for key, known in (("engines", registry.engines()), ("modes", get_args(model.Mode))):
        for name, line in texts(root, key):
            if name not in known and name != "all":
                complain(line, registry.unknown(key.removesuffix("s"), name, {*known, "all"}))


def file_id(name: str, file: str) -> list[Problem]:
    """What is wrong with a file name that is to be an id."""
    if ID.fullmatch(name):
        return []
    message = f"found the file name '{name}', wanted words in small letters joined by '-'"
    return [Problem(file, 1, message)]


def _procedures(root: Mapping) -> Iterator[tuple[str, Mapping]]:
    for section, word in (("recoveries", "recovery"), ("decoys", "decoy")):
        for item in items(root, section):
            yield word, item


def _claim_lists(root: Mapping) -> Iterator[tuple[Mapping, ...]]:
    for section in ("steady_state", "alerts", "verify"):
        yield items(root, section)
    for damage in items(root, "damage"):
        yield items(damage, "claims")


def _scoped(root: Mapping) -> Iterator[Mapping]:
    """Every item that may have ``where`` and ``faults``."""
    for section in ("faults", "damage", "diagnosis"):
        yield from items(root, section)
    for _, procedure in _procedures(root):
        yield procedure
        yield from items(procedure, "steps")
    for claims in _claim_lists(root):
        yield from claims


def _alerts(root: Mapping, complain: Complain) -> None:
    for item in items(root, "alerts"):
        if item.get("alert") is None:
            complain(item.line, "found no 'alert', wanted one: the query of the rule")
        if item.get("fires") is not None:
            complain(
                item.line_of("fires"), "found 'fires', wanted none: an alert is asked for both"
            )


def _unique(named: Iterable[tuple[str, int]], what: str, complain: Complain) -> None:
    seen: dict[str, int] = {}
    for name, line in named:
        if name in seen:
            complain(line, f"found the {what} '{name}' again; it is already on line {seen[name]}")
        seen.setdefault(name, line)


def _ids(root: Mapping, complain: Complain) -> None:
    faults = [found for item in items(root, "faults") for found in texts(item, "fault")]
    procedures = [found for word, item in _procedures(root) for found in texts(item, word)]
    _unique(faults, "fault", complain)
    _unique(procedures, "recovery or decoy", complain)
    for name, line in [*faults, *procedures]:
        if not ID.fullmatch(name):
            complain(line, f"found the id '{name}', wanted words in small letters joined by '-'")
        if name in RESERVED:
            complain(line, f"the id '{name}' is taken: it names a trial without a procedure")
    for claims in _claim_lists(root):
        _unique(_names(claims, "claim"), "claim", complain)
    for _, procedure in _procedures(root):
        _unique(_names(items(procedure, "steps"), "step"), "step", complain)
    _unique(_names(items(root, "diagnosis"), "look"), "look", complain)


def _names(found: Iterable[Mapping], word: str) -> list[tuple[str, int]]:
    return [name for item in found for name in texts(item, word)]


def _scopes(root: Mapping, complain: Complain) -> None:
    faults = {name for item in items(root, "faults") for name, _ in texts(item, "fault")}
    words: set[str] = set(get_args(model.Mode))
    for engine in registry.engines().values():
        for mode in get_args(model.Mode):
            words |= model.words_of(engine.name, engine.traits, mode)
    for item in _scoped(root):
        for name, line in texts(item, "faults"):
            if name not in faults:
                complain(line, registry.unknown("fault", name, faults))
        for name, line in texts(item, "where"):
            if name.removeprefix("not-") not in words:
                complain(
                    line, registry.unknown("word in 'where'", name.removeprefix("not-"), words)
                )


def _moments(root: Mapping, complain: Complain) -> None:
    migration = root.get("migration")
    statements = migration.get("statements") if isinstance(migration, Mapping) else None
    many = len(statements.items) if isinstance(statements, Sequence) else 1
    count = many if statements is not None else 0
    known = registry.kinds("faults")
    for item in items(root, "faults"):
        kind = item.get("kind")
        word = kind.value if isinstance(kind, Scalar) else None
        cls = known.get(word) if isinstance(word, str) else None
        at = item.get("at")
        when_done = bool(getattr(cls, "strikes_when_done", False))
        if cls and at is None and not when_done:
            complain(item.line, f"found no 'at', wanted when {word} strikes: at: {{after: 1}}")
        if cls and at is not None and when_done:
            complain(
                item.line_of("at"),
                f"found 'at', but {word} strikes when the migration is done; remove it",
            )
        places = [at.get(key) for key in MOMENTS] if isinstance(at, Mapping) else []
        for n in [*places, *(step.get("after") for step in items(item, "rollout"))]:
            if (
                count
                and isinstance(n, Scalar)
                and type(n.value) is int
                and not 1 <= n.value <= count
            ):
                complain(
                    n.line,
                    f"found statement {n.value}, wanted 1 to {count}: "
                    "the migration has no more statements",
                )


def _modes(root: Mapping, complain: Complain) -> None:
    migration = root.get("migration")
    if not isinstance(migration, Mapping):
        return
    tool = next((name for name, _ in texts(migration, "tool")), "plain")
    modes = texts(migration, "modes") or (("autocommit", migration.line),)
    known = MODES.get(tool, frozenset(get_args(model.Mode)))
    for mode, line in modes:
        if mode in get_args(model.Mode) and mode not in known:
            wanted = " or ".join(sorted(known))
            complain(line, f"found the mode {mode}, but the tool '{tool}' knows only {wanted}")


def _claims(root: Mapping, complain: Complain) -> None:
    in_lists = [claim for claims in _claim_lists(root) for claim in claims]
    for claim in in_lists:
        equals = claim.get("equals")
        is_zero = isinstance(equals, Scalar) and str(equals.value) == "0"
        if claim.get("query") and is_zero and claim.get("of") is None:
            complain(
                claim.line_of("equals"),
                "found 'equals: 0' without 'of': zero of an empty table proves nothing; "
                "add 'of: SELECT COUNT(*) …' that counts what was looked at",
            )
    for claim in [*in_lists, *_conditions(root)]:
        for word, bounds in EXPECTATIONS.items():
            if claim.get(word) and all(claim.get(bound) is None for bound in bounds):
                complain(
                    claim.line_of(word),
                    f"found a {word} that expects nothing, wanted one of: {', '.join(bounds)}",
                )


def _conditions(root: Mapping) -> Iterator[Mapping]:
    for _, procedure in _procedures(root):
        for step in items(procedure, "steps"):
            for key in ("if", "unless", "wait_for"):
                found = step.get(key)
                if isinstance(found, Mapping):
                    yield found


def _decoys(root: Mapping, complain: Complain) -> None:
    verify = {name for name, _ in _names(items(root, "verify"), "claim")}
    usable = {word for word, section in ORACLES.items() if root.get(section) is not None}
    app = root.get("app")
    if not texts(app, "ledger"):
        usable.discard("ledger")
    objectives = root.get("objectives")
    if not isinstance(objectives, Mapping) or objectives.get("rto") is None:
        usable.discard("rto")
    for item in items(root, "decoys"):
        steps = {name for name, _ in _names(items(item, "steps"), "step")}
        for name, line in texts(item, "caught_by"):
            if name in ORACLES and name not in usable | verify | steps:
                complain(line, f"'{name}' can catch nothing: the scenario has no such section")
            elif name not in verify | usable | steps:
                what = "claim of verify, nor a step of this decoy, in 'caught_by':"
                complain(line, registry.unknown(what, name, verify | usable | steps))


def _app(root: Mapping, complain: Complain) -> None:
    app = root.get("app")
    versions = app.get("versions") if isinstance(app, Mapping) else None
    if not isinstance(app, Mapping) or not isinstance(versions, Mapping):
        return
    known = [pair.key for pair in versions.pairs]
    start = next(iter(texts(app, "start")), ("old", app.line))
    if start[0] not in known:
        complain(start[1], registry.unknown("version for the app to start with:", start[0], known))
    _app_values(app, versions, complain)
    deployed = [
        name
        for _, procedure in _procedures(root)
        for step in items(procedure, "steps")
        for name in texts(step, "switch_app")
    ]
    for fault in items(root, "faults"):
        deployed += [name for step in items(fault, "rollout") for name in texts(step, "deploys")]
    for name, line in deployed:
        if name not in known:
            complain(line, registry.unknown("version of the app", name, known))


def _app_values(app: Mapping, versions: Mapping, complain: Complain) -> None:
    """Every ``:name`` in the application's SQL is the key or one of its values."""
    values = app.get("values")
    if values is not None and not isinstance(values, Mapping):
        return
    known = {"id", *keys(values)}
    for version in nodes(versions):
        for statement in nodes(version):
            for text in nodes(statement) or (statement,):
                if isinstance(text, Scalar) and isinstance(text.value, str):
                    for name in {*bind(text.value).names} - known:
                        complain(text.line, registry.unknown("value of the app", name, known))


def keys(node: Node | None) -> tuple[str, ...]:
    """The keys of a mapping; none of anything else."""
    return tuple(pair.key for pair in node.pairs) if isinstance(node, Mapping) else ()


def nodes(node: Node | None) -> tuple[Node, ...]:
    """What stands under the keys of a mapping; nothing of anything else."""
    return tuple(pair.node for pair in node.pairs) if isinstance(node, Mapping) else ()
