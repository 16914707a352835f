"""A crash does not change what a column that numbers itself gives next."""

from __future__ import annotations

import pytest

from harness.ports import Killable

pytestmark = pytest.mark.matrix(of=2)


def test_what_was_reserved_is_not_there_after_a_crash(bench):
    """Rows made by INSERT … SELECT reserve more numbers than they take."""
    if bench.engine.dialect != "mysql":
        pytest.skip(f"{bench.engine.title} numbers by sequences")
    if not isinstance(bench.server, Killable):
        pytest.skip("this server cannot be killed")
    database = bench.new_name()
    bench.engine.databases.create(bench.admin(), database)
    session = bench.connect(database=database)
    session.run("CREATE TABLE t (id integer AUTO_INCREMENT PRIMARY KEY, a integer)")
    session.run("CREATE TABLE u (id integer AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 7")
    session.run(f"INSERT INTO t (a) SELECT n FROM {bench.engine.databases.series(200)}")

    def next_keys() -> dict[str, int]:
        found = bench.engine.snapshot.counters(bench.connect(database=database))
        return {table: counter.next for table, counter in found.items()}

    assert next_keys()["t"] > 201, "nothing was reserved, so this shows nothing"
    bench.engine.databases.forget_reserved_keys(session, {"t"})
    assert next_keys() == {"t": 201, "u": 7}
    bench.server.kill()
    bench.server.start_again()
    assert next_keys() == {"t": 201, "u": 7}
