"""The schema that editors read is the one that the loader means."""

from __future__ import annotations

import json
from pathlib import Path

from harness import loading

FILE = Path(__file__).parents[2] / "scenarios" / "scenario.schema.json"


def test_the_schema_file_is_what_the_loader_knows():
    """A word that was added to the format is offered by editors, too: `make schema` writes it."""
    expected = json.dumps(loading.schema(), indent=2) + "\n"
    assert FILE.read_text("utf-8") == expected
