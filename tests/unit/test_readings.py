"""A snapshot rests on the server's counts where they hold, and finds out where they do not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from harness.ports.contents import Table, Writes
from harness.state import readings
from harness.state.readings import CountsMissed, Readings

TABLES = ("t", "u")
NOTHING_YET = Writes("now", 1, "", {}, "", "", {t: ((n, 0, ""),) for n, t in enumerate(TABLES)})


@dataclass
class Server:
    """One database with two tables, whose snapshot module counts what is asked of it."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 1))
    objects: dict[str, str] = field(default_factory=lambda: {f"table {t}": "" for t in TABLES})
    counted: Writes | None = field(default_factory=lambda: NOTHING_YET)
    asked: list[str] = field(default_factory=list)

    def writes_to(self, table: str, rows: int, *, counted: bool = True) -> None:
        self.rows[table] = rows
        if counted and self.counted:
            number, count, version = self.counted.tables[table][0]
            tables = {**self.counted.tables, table: ((number, count + 1, version),)}
            self.counted = replace(self.counted, tables=tables)

    def run(self, sql: str) -> Any:
        """What :func:`harness.state.rows.checksums` asks."""
        read = [t for t in TABLES if f"FROM {t}" in sql]
        self.asked += read
        return SimpleNamespace(rows=[(t, self.rows[t], f"sum of {self.rows[t]}") for t in read])

    def engine(self) -> Any:
        module = SimpleNamespace(
            SETTINGS="",
            literal=repr,
            summed=str,
            row_hash=str,
            objects=lambda _: self.asked.append("objects") or dict(self.objects),
            tables=lambda _: {t: Table(t, t, {"a": "a"}, (), {}) for t in TABLES},
            counters=lambda _: {},
            tables_of=lambda changed: {key.partition(" ")[2] for key in changed},
            reads_alike=lambda changed: all(key.startswith("table ") for key in changed),
            writes=lambda _: self.counted,
            in_a_copy=lambda _, template: template,
            defined_alike=lambda _, then, now: then.catalogues == now.catalogues,
        )
        return SimpleNamespace(snapshot=module)


@pytest.fixture
def server() -> Server:
    return Server()


def again(server: Server, monkeypatch: pytest.MonkeyPatch, *, share: float = 0.0) -> Readings:
    """Readings that have read the database once."""
    monkeypatch.setattr(readings, "SHARE", share)
    made = Readings(server.engine())
    made.take("db", server)
    server.asked.clear()
    return made


def test_what_nobody_wrote_to_is_not_read(server, monkeypatch):
    """Neither definitions nor rows."""
    made = again(server, monkeypatch)
    assert made.take("db", server).contents == {"t": (1, "sum of 1"), "u": (1, "sum of 1")}
    assert server.asked == []


def test_a_table_that_was_written_to_is(server, monkeypatch):
    """And no other."""
    made = again(server, monkeypatch)
    server.writes_to("u", 2)
    assert made.take("db", server).contents["u"] == (2, "sum of 2")
    assert server.asked == ["u"]


def test_a_table_that_is_defined_otherwise_is_read(server, monkeypatch):
    """Its rows may be the same and read otherwise."""
    made = again(server, monkeypatch)
    server.objects["table t"] = "with one more column"
    server.counted = replace(server.counted, catalogues={"pg_attribute": (1, 0)})
    made.take("db", server)
    assert server.asked == ["objects", "t"]


def test_another_kind_of_change_has_every_row_read(server, monkeypatch):
    """An enum's value with another name is another text in every row."""
    made = again(server, monkeypatch)
    server.objects["enum mood"] = "sad"
    server.counted = replace(server.counted, catalogues={"pg_enum": (1, 0)})
    made.take("db", server)
    assert server.asked == ["objects", "t", "u"]


@pytest.mark.parametrize("told", [{"began": "later"}, {"reset": "later"}])
def test_counts_that_began_anew_say_nothing(server, monkeypatch, told):
    """A crash throws them away, and a migration may."""
    made = again(server, monkeypatch)
    server.counted = replace(server.counted, **told)
    made.take("db", server)
    assert server.asked == ["objects", "t", "u"]


def test_without_counts_everything_is_read_each_time(server, monkeypatch):
    """Also the next time: what was read while somebody was connected leads to nothing."""
    made = again(server, monkeypatch)
    counted, server.counted = server.counted, None
    made.take("db", server)
    server.counted = counted
    made.take("db", server)
    assert server.asked == ["objects", "t", "u"] * 2


def test_other_volatile_columns_have_everything_read(server, monkeypatch):
    """The checksums are of other columns."""
    made = again(server, monkeypatch)
    made.take("db", server, {"t": ("a",)})
    assert server.asked == ["objects", "t", "u"]


def test_tables_that_may_not_be_read_are_left_out(server, monkeypatch):
    """And the next one reads them again."""
    made = again(server, monkeypatch)
    assert set(made.take("db", server, unread=("u",)).contents) == {"t"}
    assert set(made.take("db", server).contents) == {"t", "u"}


def test_a_copy_is_known_if_its_template_is_as_it_was_seen(server, monkeypatch):
    """Else it is read."""
    made = again(server, monkeypatch)
    held = made.take("db", server)
    made.copied("db", "copy", held, server)
    made.take("copy", server)
    assert server.asked == []
    made.copied("db", "other", replace(held, contents={}), server)
    made.take("other", server)
    assert server.asked == ["objects", "t", "u"]


def test_counts_that_miss_a_change_are_found_out(server, monkeypatch):
    """By the share of snapshots that is read in full as well."""
    made = again(server, monkeypatch, share=1.0)
    server.writes_to("t", 5, counted=False)
    with pytest.raises(CountsMissed, match="t: 1 rows, now 5"):
        made.take("db", server)
