"""What the types cannot say of a migration tool: engines, placeholders, and lines that a person
can type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from harness import registry
from harness.loading.checks import Complain, items, keys, nodes, texts
from harness.loading.yaml_nodes import Mapping, Node, Scalar, Sequence
from harness.tools.by_hand import ADDRESS

BY_ENGINE = (
    *("applied", "tables", "stuck", "mark_applied", "mark_command", "mark_reverted"),
    *("emulation", "url", "apply", "apply_all", "down"),
)
"""Keys of a tool that may be a mapping by engine."""
NO_PROGRAM_HAS = ("apply", "apply_all", "down", "mark_command", "program", "url", "version")
PLACEHOLDER = re.compile(r"(?<!\$)\{(\w+)\}")
IN_A_LINE = frozenset(
    {*ADDRESS, "program", "folder", "project", "marker", "app", "file", "down_file"}
    | {"version", "previous", "name", "sha256"}
)
"""What can be filled into a line that a person types."""
TYPED_AS = {"apply": "up", "down": "down", "mark_command": "mark"}
"""Commands of a tool, and the line under ``shell`` that stands for each."""


def tool(root: Mapping, complain: Complain) -> None:
    """Engines that a tool names, what it needs to be run or emulated, and the lines it gives."""
    engines = texts(root, "engines")
    for name, line in engines:
        if name not in registry.engines():
            complain(line, registry.unknown("engine", name, registry.engines()))
    found = root.get("how")
    how = found.value if isinstance(found, Scalar) else ""
    needed = {"emulated": ("emulation",), "run": ("program", "url", "apply")}
    for key in needed.get(how, ()):
        if root.get(key) is None:
            complain(root.line, f"found no '{key}', which a tool needs that is {how}")
    for key in (*needed.get(how, ()), "applied", "tables", "mark_applied"):
        _covers(root, key, [name for name, _ in engines], complain)
    _by_engine(root, complain)
    _shell(root, complain)
    if how == "emulated":
        _no_commands(root, complain)
    elif how == "run":
        _typed(root, complain)


def _no_commands(root: Mapping, complain: Complain) -> None:
    """An emulated tool has no program, so nothing that asks for one can be done."""
    for item, key in [
        *((root, key) for key in NO_PROGRAM_HAS),
        *((item, "run") for item in items(root, "repairs")),
    ]:
        if item.get(key) is not None:
            complain(
                item.line_of(key),
                f"found '{key}', but an emulated tool has no program to run; give the SQL that "
                "the command would send, and under 'shell' what a person types",
            )


def _covers(root: Mapping, key: str, engines: Iterable[str], complain: Complain) -> None:
    """A mapping by engine says something for every engine that the tool works with."""
    node = root.get(key)
    if not isinstance(node, Mapping):
        return
    for name in engines:
        engine = registry.engines().get(name)
        if engine is not None and not {name, engine.dialect} & {*keys(node)}:
            line = root.line_of(key)
            complain(line, f"found nothing under '{key}' for {name}, which 'engines' names")


def _by_engine(root: Mapping, complain: Complain) -> None:
    """The keys of every mapping by engine are engines."""
    known = registry.engines()
    shell = root.get("shell")
    mappings = [(root, BY_ENGINE), *((item, ("run", "sql", "shell")) for item in _repairs(root))]
    if isinstance(shell, Mapping):
        mappings.append((shell, keys(shell)))
    for item, own in mappings:
        for key in own:
            node = item.get(key)
            for pair in node.pairs if isinstance(node, Mapping) else ():
                if pair.key not in known:
                    complain(pair.line, registry.unknown(f"engine under '{key}':", pair.key, known))


def _repairs(root: Mapping) -> tuple[Mapping, ...]:
    return items(root, "repairs")


def _lines(item: Mapping, key: str) -> Iterator[Scalar]:
    """A line that a person types, or the one for each engine."""
    node = item.get(key)
    for part in nodes(node) or (node,):
        if isinstance(part, Scalar) and isinstance(part.value, str):
            yield part


def _shell(root: Mapping, complain: Complain) -> None:
    """What stands in braces in a line is something that can be filled in."""
    shell = root.get("shell")
    lines = [line for item in _repairs(root) for line in _lines(item, "shell")]
    if isinstance(shell, Mapping):
        lines += [line for key in keys(shell) for line in _lines(shell, key)]
    for line in lines:
        for word in PLACEHOLDER.findall(str(line.value)):
            if word not in IN_A_LINE:
                complain(line.line, registry.unknown("word in braces:", word, IN_A_LINE))


def _typed(root: Mapping, complain: Complain) -> None:
    """A command that needs what is only here has a line for a person beside it."""
    shell = root.get("shell")
    given = keys(shell) if isinstance(shell, Mapping) else ()
    for item, key, line, known in [
        *((root, key, f"shell: {word}", word in given) for key, word in TYPED_AS.items()),
        *((item, "run", "shell", item.get("shell") is not None) for item in _repairs(root)),
    ]:
        words = _words(item.get(key))
        if not known and any("{scratch}" in str(word.value) for word in words):
            complain(
                item.line_of(key),
                f"found {{scratch}} in '{key}', which nobody has but a drill; say under "
                f"'{line}' what a person types",
            )


def _words(node: Node | None) -> list[Scalar]:
    """Every word of a command, for all engines."""
    if isinstance(node, Scalar):
        return [node]
    parts = node.items if isinstance(node, Sequence) else nodes(node)
    return [word for part in parts for word in _words(part)]
