"""A file can be read in one sitting, and says in its first line what it is for."""

from __future__ import annotations

import ast

import pytest
from house import MODULES, defined

MODULE_LINES = 350
FUNCTION_LINES = 50
KIND_LINES = range(20, 91)

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
KINDS = [module for module in MODULES if module.room == "verbs" and "\nKIND = " in module.text]


@each_module
def test_a_module_is_short(module):
    """One that outgrows this has kinds: it wants to be a folder."""
    assert len(module.text.splitlines()) <= MODULE_LINES


@each_module
def test_a_function_is_short(module):
    """One that outgrows this does several things: each wants a name."""
    long = {
        name: node.end_lineno - node.lineno + 1
        for name, node in defined(module)
        if not isinstance(node, ast.ClassDef) and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    }
    assert long == {}


@pytest.mark.parametrize("module", KINDS, ids=lambda module: module.name)
def test_a_kind_fits_on_a_screen(module):
    """One file, one word of the YAML, one effect."""
    assert len(module.text.splitlines()) in KIND_LINES


@each_module
def test_a_module_says_what_it_is_for(module):
    """Also the helpers: somebody opens them without having come from their caller."""
    empty = not module.text.strip()
    assert empty or ast.get_docstring(module.tree)


@each_module
def test_public_classes_and_functions_say_what_they_mean(module):
    """Top-level names without an underscore; methods that a protocol describes are free."""
    silent = [
        node.name
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []
