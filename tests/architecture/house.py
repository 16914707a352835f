"""Reads the source of the package as text and syntax trees; nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "harness"


@dataclass(frozen=True)
class Module:
    """One file of ``harness``: its dotted name, its room, and what it says."""

    path: Path

    @property
    def parts(self) -> tuple[str, ...]:
        parts = self.path.relative_to(PACKAGE).with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def name(self) -> str:
        return ".".join(self.parts) or "harness"

    @property
    def room(self) -> str:
        """The folder or file directly under ``harness/``."""
        return self.parts[0] if self.parts else "harness"

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every imported dotted name with its line; ``from harness import x`` is harness.x."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}:{node.lineno} imports relatively"
                if node.module == "harness":
                    yield from ((f"harness.{alias.name}", node.lineno) for alias in node.names)
                else:
                    yield node.module, node.lineno

    def rooms_used(self) -> Iterator[tuple[str, int]]:
        """The other rooms of this package that it imports, with the lines."""
        for name, line in self.imports():
            words = name.split(".")
            if words[0] == "harness" and len(words) > 1 and words[1] != self.room:
                yield words[1], line


MODULES = [Module(path) for path in sorted(PACKAGE.rglob("*.py")) if "_bundled" not in path.parts]


def defined(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Every function and class with its dotted name inside the module."""

    def visit(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield prefix + child.name, child
                yield from visit(child, f"{prefix}{child.name}.")

    yield from visit(module.tree, f"{module.name}.")
