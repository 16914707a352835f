"""What the background application sends: parameters are found, keys are never shared."""

from __future__ import annotations

import pytest

from harness.application.ledger import Ledger, Op, WriteOutcome
from harness.application.workload import Reader, Writer, bind, statements_of
from harness.errors import StepFailed
from harness.model import App, AppVersion

FULL = AppVersion(
    read="SELECT email FROM users WHERE id = :id",
    insert="INSERT INTO users (id, email) VALUES (:id, :email)",
    update="UPDATE users SET email = :email WHERE id = :id",
    delete="DELETE FROM users WHERE id = :id",
)


def make_app(version: AppVersion = FULL, **changes) -> App:
    given = {
        "table": "users",
        "key": "id",
        "keys": (1, 40),
        "versions": {"old": version},
        "values": {"email": "w{n}@example.test"},
        "writers": 3,
    }
    return App(**(given | changes))


@pytest.mark.parametrize(
    "sql, bound, names",
    [
        ("a = :id", "a = %s", ("id",)),
        ("(:id,:email)", "(%s,%s)", ("id", "email")),
        ("a = :id::bigint", "a = %s::bigint", ("id",)),
        ("a::text = :id", "a::text = %s", ("id",)),
        ("a = ':id' AND b = :id", "a = ':id' AND b = %s", ("id",)),
        ("a = 'it''s :id' AND b = :id", "a = 'it''s :id' AND b = %s", ("id",)),
        ('":id" = :id', '":id" = %s', ("id",)),
        ("`:id` = :id", "`:id` = %s", ("id",)),
        ("a = $$:id$$ AND b = :id", "a = $$:id$$ AND b = %s", ("id",)),
        ("a = $x$:id $$ $x$ AND b = :id", "a = $x$:id $$ $x$ AND b = %s", ("id",)),
        ("-- :id\na = :id", "-- :id\na = %s", ("id",)),
        ("/* :id */ a = :id", "/* :id */ a = %s", ("id",)),
        ("a LIKE '%x' AND b % 2 = :id", "a LIKE '%%x' AND b %% 2 = %s", ("id",)),
        ("a LIKE '%x'", "a LIKE '%x'", ()),
        ("@a := 1, :id", "@a := 1, %s", ("id",)),
        ("a[lo:hi] = :id", "a[lo:hi] = %s", ("id",)),
        (":id = :id", "%s = %s", ("id", "id")),
    ],
)
def test_parameters_are_replaced_and_nothing_else(sql, bound, names):
    """Casts, quoted text and comments stay; percent signs are doubled only for the driver."""
    statement = bind(sql)
    assert (statement.sql, statement.names) == (bound, names)


def test_a_parameter_without_a_value_is_refused_with_the_known_ones():
    """The message names the version, the parameter and what there is."""
    version = AppVersion(read="SELECT 1", update="UPDATE users SET phone = :phone WHERE id = :id")
    with pytest.raises(StepFailed, match=r"version old .* :phone.* known: email, id"):
        statements_of(make_app(version), "postgres")


def test_a_version_takes_the_first_dialect_it_has_and_skips_writes_it_lacks():
    """MariaDB falls back to MySQL's text; a write that is missing is no error."""
    version = AppVersion(
        read={"postgres": "SELECT 1", "mysql": "SELECT 2"}, delete={"postgres": "DELETE"}
    )
    statements = statements_of(make_app(version), "mariadb", "mysql")["old"]
    assert (statements.read.sql, dict(statements.writes)) == ("SELECT 2", {})


def test_a_version_without_a_read_for_the_engine_is_refused():
    """The message says which dialects it does have."""
    version = AppVersion(read={"postgres": "SELECT 1"})
    with pytest.raises(StepFailed, match=r"no read for mysql; it has: postgres"):
        statements_of(make_app(version), "mysql")


def run(writer: Writer, app: App, times: int, outcome: WriteOutcome = WriteOutcome.ACKNOWLEDGED):
    statements = statements_of(app, "postgres")[app.start]
    done = []
    for _ in range(times):
        operation = writer.next(statements)
        if operation is not None:
            writer.learn(operation, outcome)
            done.append(operation)
    return done


def test_writers_never_share_a_key_and_values_never_repeat():
    """So the order of writes per key is one worker's order, and a value names its write."""
    app = make_app()
    done = [run(Writer(app, number, 5), app, 200) for number in range(3)]
    keys = [{operation.key for operation in one} for one in done]
    assert len(set.union(*keys)) == sum(map(len, keys))
    values = [op.values["email"] for one in done for op in one if op.values]
    assert len(values) == len(set(values)) > 100
    assert {op.op for op in done[0]} == set(Op)


def test_a_writer_never_writes_a_row_it_deleted_and_spares_most_of_the_range():
    """A row that is back after its delete can then be told from one that was inserted anew."""
    app = make_app()
    gone = set()
    for operation in run(Writer(app, 1, 5), app, 400):
        assert operation.key not in gone
        if operation.op is Op.DELETE:
            gone.add(operation.key)
    assert 0 < len([key for key in gone if key <= 40]) <= 4


def test_a_row_whose_write_got_no_answer_is_left_alone():
    """Its statement may still commit, after whatever would be written next."""
    app = make_app()
    seen = set()
    for operation in run(Writer(app, 0, 5), app, 200, WriteOutcome.UNKNOWN):
        assert operation.key not in seen
        seen.add(operation.key)


def test_the_same_seed_gives_the_same_operations():
    """A rerun sends what was sent; another seed sends something else."""
    app = make_app()
    first, again, other = (
        [(op.op, op.key) for op in run(Writer(app, 0, seed), app, 50)] for seed in (5, 5, 6)
    )
    assert first == again != other


def read_keys(seed: int, **how) -> list[int]:
    app = make_app()
    reader = Reader(app, 0, seed, **how)
    return [reader.next(statements_of(app, "postgres")["old"]).key for _ in range(400)]


def test_half_of_the_reads_go_to_keys_that_were_written_lately_above_all():
    """So that a value which was destroyed is read before it is overwritten."""
    ledger = Ledger()
    for key in range(1001, 1101):
        ledger.answered(ledger.sent(Op.INSERT, key, {}, 0), WriteOutcome.ACKNOWLEDGED, 1)
    ledger.sent(Op.INSERT, 2000, {}, 2)
    keys = read_keys(5, lately=ledger.lately)
    written = [key for key in keys if key > 1000]
    assert 150 < len(written) < 250
    assert sum(key > 1050 for key in written) > 0.7 * len(written)
    assert {key for key in keys if key <= 1000} <= set(range(1, 41))
    assert 2000 not in keys, "it was not acknowledged"
    assert min(written) < 1020, "what was written long ago is read, too"


def test_the_same_seed_reads_the_same_keys_where_the_same_was_written():
    """And what was written changes nothing about the other reads."""
    assert read_keys(5) == read_keys(5) != read_keys(6)
    assert read_keys(5, lately=lambda back: int(back * 9)) == read_keys(
        5, lately=lambda back: int(back * 9)
    )
    other = read_keys(5, lately=lambda _back: 77)
    assert all(a == b for a, b in zip(read_keys(5), other, strict=True) if b != 77)


def test_a_key_that_is_written_again_is_the_latest():
    """Asked from the last one backwards."""
    ledger = Ledger()
    assert ledger.lately(0) is None
    for key in (1, 2, 3, 1):
        ledger.answered(ledger.sent(Op.UPDATE, key, {}, 0), WriteOutcome.ACKNOWLEDGED, 1)
    assert [ledger.lately(back) for back in (0, 0.34, 0.99)] == [1, 3, 2]


def test_a_version_without_writes_gives_a_writer_nothing_to_do():
    """It then waits, and nobody waits for it."""
    app = make_app(AppVersion(read="SELECT 1"))
    statements = statements_of(app, "postgres")["old"]
    writer = Writer(app, 0, 5)
    assert (writer.has_work(statements), writer.next(statements)) == (False, None)
    assert Reader(app, 0, 5).next(statements).op is None
