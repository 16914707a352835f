"""PostgreSQL's protocol, read from streams that are cut anywhere."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_streams import cuts, drive

from harness.wire.postgres import PostgresDialogue


def frame(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


def startup(code: int, body: bytes = b"") -> bytes:
    return struct.pack("!II", len(body) + 8, code) + body


def query(sql: str) -> bytes:
    return frame("Q", sql.encode() + b"\0")


def parse(name: str, sql: str) -> bytes:
    return frame("P", f"{name}\0{sql}\0".encode() + b"\0\0")


def bind(name: str, *values: str | None, binary: bool = False) -> bytes:
    body = f"\0{name}\0".encode()
    body += struct.pack("!hh", 1, 1) if binary else struct.pack("!h", 0)
    body += struct.pack("!h", len(values))
    for value in values:
        raw = b"" if value is None else value.encode()
        body += struct.pack("!i", -1 if value is None else len(raw)) + raw
    return frame("B", body + b"\0\0")


EXECUTE = frame("E", b"\0\0\0\0\0")
SYNC, FLUSH = frame("S"), frame("H")
LOGIN = startup(196608, b"user\0me\0\0")
READY, IN_TRANSACTION, FAILED = frame("Z", b"I"), frame("Z", b"T"), frame("Z", b"E")
WELCOME = frame("R", b"\0\0\0\0") + frame("K", struct.pack("!II", 4711, 1)) + READY
DONE = frame("C", b"INSERT 0 1\0")
REFUSED = frame("E", b"SERROR\0C23505\0Mno\0\0")
EXTENDED = parse("", "INSERT INTO t VALUES ($1, $2)") + bind("", "ä", None) + EXECUTE + SYNC

CONVERSATION = [
    (LOGIN, WELCOME),
    (query("BEGIN"), DONE + IN_TRANSACTION),
    (EXTENDED, frame("1") + frame("2") + DONE + IN_TRANSACTION),
    (query("INSERT 'ü'; COMMIT"), DONE + REFUSED + FAILED),
    (query("COPY t FROM STDIN"), frame("G", b"\0\0\0") + DONE + READY),
]


def test_an_exchange_is_read_as_messages():
    """With texts, bound values, errors, and whether a transaction stays open."""
    seen = drive(PostgresDialogue(), [sent for sent, _ in CONVERSATION], CONVERSATION)
    assert seen.texts == [
        "",
        "BEGIN",
        "INSERT INTO t VALUES ($1, $2)",
        "INSERT 'ü'; COMMIT",
        "COPY t FROM STDIN",
    ]
    assert seen.requests[2].values == ("ä", None)
    assert [piece.in_transaction for piece in seen.ends] == [False, True, True, True, False]
    assert [piece.error for piece in seen.ends] == ["", "", "", "23505", ""]
    assert seen.dialogue.pid == 4711


@given(st.data())
def test_any_cut_of_the_streams_gives_the_same_messages(data):
    """The network may cut bytes anywhere; a client may send all of its messages ahead."""
    whole = b"".join(sent for sent, _ in CONVERSATION)
    seen = drive(
        PostgresDialogue(), cuts(data, whole), CONVERSATION, lambda answer: cuts(data, answer)
    )
    expected = drive(PostgresDialogue(), [whole], CONVERSATION)
    assert seen.requests == expected.requests
    assert [(p.error, p.in_transaction) for p in seen.ends] == [
        (p.error, p.in_transaction) for p in expected.ends
    ]
    assert seen.to_server == whole
    assert seen.to_client == b"".join(answer for _, answer in CONVERSATION)


def test_encryption_is_declined():
    """Both kinds; the client then goes on in the clear."""
    dialogue = PostgresDialogue()
    dialogue.heard_client(startup(80877103))
    assert dialogue.next().data == b"N"
    dialogue.heard_client(startup(80877104) + LOGIN)
    assert dialogue.next().data == b"N"
    assert dialogue.next().data == LOGIN


def test_a_request_to_cancel_has_no_answer():
    """It goes on as it is, on a connection of its own."""
    dialogue = PostgresDialogue()
    dialogue.heard_client(startup(80877102, b"\0" * 8))
    assert dialogue.next().data == startup(80877102, b"\0" * 8)
    assert not dialogue.unfinished


def test_what_is_no_postgres_client_is_refused():
    """A TLS hello, for example."""
    with pytest.raises(ValueError, match="does not begin with"):
        PostgresDialogue().heard_client(b"\x16\x03\x01\x02\x00\x01\x00\x01")


def test_a_statement_is_remembered_by_its_name():
    """Prepared once, executed in later messages."""
    seen = drive(
        PostgresDialogue(),
        [LOGIN, parse("s", "DELETE FROM t") + SYNC, bind("s") + EXECUTE + SYNC],
        [
            (b"", WELCOME),
            (b"", frame("1") + READY),
            (b"", frame("2") + DONE + READY),
        ],
    )
    assert seen.texts == ["", "", "DELETE FROM t"]


def test_binary_values_are_not_shown():
    """They would have to be decoded by type."""
    seen = drive(
        PostgresDialogue(),
        [LOGIN, parse("", "DELETE $1") + bind("", "\0\1", binary=True) + EXECUTE + SYNC],
        [(b"", WELCOME), (b"", DONE + READY)],
    )
    assert seen.requests[1].values is None


def test_a_message_that_waits_at_a_flush_is_answered_there():
    """Some drivers send Flush, read, and send Sync later; after an error the server is silent."""
    unit = parse("", "DELETE FROM t") + bind("") + EXECUTE + FLUSH
    dialogue = PostgresDialogue()
    seen = drive(
        dialogue,
        [LOGIN, unit, SYNC, unit, unit, SYNC],
        [
            (b"", WELCOME),
            (b"", frame("1") + frame("2") + DONE),
            (b"", READY),
            (b"", frame("1") + REFUSED),
            (b"", READY),
        ],
    )
    assert seen.texts == ["", "DELETE FROM t", "", "DELETE FROM t", ""]
    assert [piece.error for piece in seen.ends] == ["", "", "", "23505", ""]


def test_the_sync_after_copied_rows_belongs_to_the_copy():
    """In the extended protocol the server passes over the Sync that came before the rows."""
    dialogue = PostgresDialogue()
    dialogue.heard_client(LOGIN)
    dialogue.next()
    list(dialogue.heard_server(WELCOME))
    dialogue.heard_client(parse("", "COPY t FROM STDIN") + bind("") + EXECUTE + SYNC)
    assert dialogue.next().text == "COPY t FROM STDIN"
    (piece,) = dialogue.heard_server(frame("1") + frame("2") + frame("G", b"\0\0\0"))
    assert piece.urgent
    dialogue.heard_client(frame("d", b"1\n") + frame("c") + SYNC + query("SELECT 1"))
    assert dialogue.next().data == frame("d", b"1\n") + frame("c")
    assert dialogue.next().data == SYNC
    assert dialogue.next() is None
    (piece,) = dialogue.heard_server(DONE + READY)
    assert piece.over
    assert dialogue.next().text == "SELECT 1"
