"""MySQL's and MariaDB's protocol, read from streams that are cut anywhere."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_streams import cuts, drive

from harness.wire import mysql_packets as packets
from harness.wire.mysql import MySQLDialogue

PROTOCOL_41 = 1 << 9
EVERYTHING = 0xFFFFFFFF
IN_TRANSACTION, MORE, CURSOR = 1, 8, 0x40
MULTI = packets.MULTI_STATEMENTS
EOF_PACKETS, NO_EOF_PACKETS = 0, packets.DEPRECATE_EOF


def packet(payload: bytes, sequence: int = 0) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([sequence & 0xFF]) + payload


def greeting(offered: int = EVERYTHING, mariadb: int | None = None) -> bytes:
    rest = bytes(10) if mariadb is None else bytes(6) + struct.pack("<I", mariadb)
    return packet(
        b"\x0a9.7\0"
        + struct.pack("<I", 77)
        + b"12345678\0"
        + struct.pack("<HBHHB", offered & 0xFFFF, 255, 2, offered >> 16, 21)
        + rest
        + b"123456789012\0caching_sha2_password\0"
    )


def login(wanted: int) -> bytes:
    return packet(struct.pack("<IIB23s", wanted | PROTOCOL_41, 1 << 24, 255, b"") + b"me\0\0", 1)


def ok(status: int = 2, sequence: int = 1, kind: int = 0) -> bytes:
    return packet(bytes([kind, 0, 0]) + struct.pack("<HH", status, 0), sequence)


def eof(status: int = 2, sequence: int = 1) -> bytes:
    return packet(b"\xfe" + struct.pack("<HH", 0, status), sequence)


def error(number: int, sequence: int = 1) -> bytes:
    return packet(b"\xff" + struct.pack("<H", number) + b"#HY000no", sequence)


def command(kind: int, body: bytes | str = b"") -> bytes:
    return packet(bytes([kind]) + (body.encode() if isinstance(body, str) else body))


def query(sql: str) -> bytes:
    return command(3, sql)


def rows(deprecate_eof: int, status: int = 2, sequence: int = 1, columns: int = 2) -> bytes:
    """A result set of two rows."""
    parts = [bytes([columns]), *[b"\3def column"] * columns]
    parts += [] if deprecate_eof else [b"\xfe" + struct.pack("<HH", 0, 2)]
    parts += [b"\1a\1b", b"\xfb\xfb"]
    sent = b"".join(packet(p, sequence + n) for n, p in enumerate(parts))
    last = sequence + len(parts)
    return sent + (ok(status, last, 0xFE) if deprecate_eof else eof(status, last))


def logged_in(wanted: int, split=None) -> MySQLDialogue:
    dialogue = MySQLDialogue(split)
    list(dialogue.heard_server(greeting()))
    drive(dialogue, [login(wanted)], [(b"", ok(sequence=2))])
    return dialogue


def conversation(deprecate_eof: int) -> list[tuple[bytes, bytes]]:
    definitions = b"".join(packet(b"\3def", 2 + n) for n in range(2))
    ends = b"" if deprecate_eof else eof(sequence=4)
    prepared = packet(b"\0" + struct.pack("<IHHBH", 9, 0, 2, 0, 0), 1)
    bound = struct.pack("<IBI", 9, 0, 1) + b"\0\1" + b"\x08\0\xfd\0"
    return [
        (query("SELECT 1"), rows(deprecate_eof)),
        (query("INSERT 'ü'"), ok(IN_TRANSACTION)),
        (query("CALL p()"), rows(deprecate_eof, MORE) + ok(2, 7)),
        (query("DROP t; DROP u"), ok(MORE) + error(1051, 2)),
        (command(0x16, "UPDATE t SET a = ?, b = ?"), prepared + definitions + ends),
        (command(0x17, bound + struct.pack("<q", -5) + b"\3abc"), ok()),
        (command(0x0E), ok()),
        (command(9), packet(b"Uptime: 1", 1)),
        (command(0x1B, b"\0\0"), eof()),
        (query("ALTER t"), packet(b"\xff\xff\xff\1\1\1\0\0\0", 1) + ok()),
    ]


@pytest.mark.parametrize("deprecate_eof", [EOF_PACKETS, NO_EOF_PACKETS])
def test_an_exchange_is_read_as_messages(deprecate_eof):
    """Texts, bound values, error numbers and transactions; answers of many results are one."""
    talk = conversation(deprecate_eof)
    seen = drive(logged_in(MULTI | deprecate_eof), [sent for sent, _ in talk], talk)
    assert seen.texts == [
        "SELECT 1",
        "INSERT 'ü'",
        "CALL p()",
        "DROP t; DROP u",
        "",
        "UPDATE t SET a = ?, b = ?",
        "",
        "",
        "",
        "ALTER t",
    ]
    assert seen.requests[5].values == ("-5", "abc")
    assert [p.error for p in seen.ends] == ["", "", "", "1051", "", "", "", "", "", ""]
    assert [p.in_transaction for p in seen.ends[:4]] == [False, True, False, None]
    assert seen.dialogue.pid == 77


@pytest.mark.parametrize("deprecate_eof", [EOF_PACKETS, NO_EOF_PACKETS])
@given(st.data())
def test_any_cut_of_the_streams_gives_the_same_messages(deprecate_eof, data):
    """The network may cut bytes anywhere; a client may send all of its commands ahead."""
    talk = conversation(deprecate_eof)
    whole = b"".join(sent for sent, _ in talk)
    expected = drive(logged_in(MULTI | deprecate_eof), [whole], talk)
    seen = drive(
        logged_in(MULTI | deprecate_eof),
        cuts(data, whole),
        talk,
        lambda answer: cuts(data, answer),
    )
    assert seen.requests == expected.requests
    assert [p.error for p in seen.ends] == [p.error for p in expected.ends]
    assert seen.to_server == whole
    assert seen.to_client == b"".join(answer for _, answer in talk)


def test_the_greeting_offers_neither_tls_nor_compression():
    """Nothing else of it changes but two other ways to leave things out."""
    (piece,) = MySQLDialogue().heard_server(greeting())
    offered = EVERYTHING & ~(1 << 5 | 1 << 11 | 1 << 25 | 1 << 26)
    assert piece.data == greeting(offered)
    (piece,) = MySQLDialogue().heard_server(greeting(EVERYTHING - 1, mariadb=0xFF))
    assert piece.data == greeting(offered - 1, mariadb=0xFF - (1 << 4))


def test_a_server_that_refuses_to_greet_is_heard():
    """Too many connections, for example."""
    (piece,) = MySQLDialogue().heard_server(error(1040, 0))
    assert piece.data == error(1040, 0)


def test_the_log_in_may_take_several_packets():
    """A switch of the method, a public key, a scrambled password: all before the first OK."""
    dialogue = MySQLDialogue()
    list(dialogue.heard_server(greeting()))
    dialogue.heard_client(login(MULTI))
    dialogue.next()
    list(dialogue.heard_server(packet(b"\xfecaching_sha2_password\0salt", 2)))
    for ours, theirs in ((packet(b"scrambled", 3), packet(b"\1\4", 4)), (packet(b"\2", 5), b"")):
        dialogue.heard_client(ours)
        assert dialogue.next().data == ours
        assert not any(piece.over for piece in dialogue.heard_server(theirs))
    dialogue.heard_client(query("DROP a"))
    assert dialogue.next() is None
    (piece,) = dialogue.heard_server(ok(sequence=6))
    assert piece.over
    assert dialogue.next().text == "DROP a"


def test_a_client_that_would_speak_tls_is_refused():
    """It was not offered."""
    dialogue = MySQLDialogue()
    list(dialogue.heard_server(greeting()))
    dialogue.heard_client(login(1 << 11))
    with pytest.raises(ValueError, match="TLS"):
        dialogue.next()


def test_attributes_before_a_query_are_passed_over():
    """A client that can send attributes sends at least their number, which is none."""
    named = b"\1\1" + b"\0" + b"\1" + b"\xfd\0\4name" + b"\5value"
    sent = [command(3, b"\0\1INSERT a"), command(3, named + b"INSERT b")]
    seen = drive(logged_in(packets.QUERY_ATTRIBUTES), sent, [(b"", ok()), (b"", ok())])
    assert seen.texts == ["INSERT a", "INSERT b"]


def test_values_with_attributes_are_shown_without_these():
    """The statement's own values come first."""
    definitions = packet(b"\3def", 2)
    talk = [
        (
            command(0x16, "DO ?"),
            packet(b"\0" + struct.pack("<IHHBH", 1, 0, 1, 0, 0), 1) + definitions,
        ),
        (
            command(
                0x17,
                struct.pack("<IBI", 1, 8, 1) + b"\2\0\1" + b"\xfd\0\0" + b"\xfd\0\1n" + b"\1x\1y",
            ),
            ok(),
        ),
    ]
    wanted = packets.QUERY_ATTRIBUTES | packets.DEPRECATE_EOF
    seen = drive(logged_in(wanted), [sent for sent, _ in talk], talk)
    assert seen.requests[1].values == ("x",)


def test_a_cursor_s_answer_ends_with_its_columns():
    """The rows are fetched by commands of their own."""
    opened = packet(b"\1", 1) + packet(b"\3def", 2) + eof(CURSOR, 3)
    talk = [(command(0x17, struct.pack("<IBI", 1, 1, 1)), opened), (command(0x1C), eof())]
    seen = drive(logged_in(MULTI), [sent for sent, _ in talk], talk)
    assert len(seen.ends) == 2


def test_a_file_of_the_client_follows_its_query():
    """LOAD DATA LOCAL: the rows are no commands, whatever numbers their packets have."""
    dialogue = logged_in(MULTI)
    dialogue.heard_client(query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t"))
    dialogue.next()
    (piece,) = dialogue.heard_server(packet(b"\xfbf", 1))
    assert piece.urgent
    dialogue.heard_client(packet(b"rows", 0) + packet(b"", 1))
    assert [dialogue.next().data, dialogue.next().data] == [packet(b"rows", 0), packet(b"", 1)]
    (piece,) = dialogue.heard_server(ok(sequence=2))
    assert piece.over


def test_a_payload_of_16_mb_travels_in_two_packets():
    """It is one message; and the answer may hold such a row."""
    sql = "INSERT '" + "x" * 0xFFFFFF + "'"
    sent = packets.packed(b"\3" + sql.encode())
    assert len(sent) == len(sql) + 1 + 8
    big = b"\xfe" + b"y" * 0xFFFFFE
    answer = packet(b"\1", 2) + packet(b"\3def", 3) + packet(big, 4) + packet(b"z", 5)
    talk = [(sent, answer + ok(2, 6, 0xFE))]
    seen = drive(logged_in(MULTI | NO_EOF_PACKETS), [sent], talk)
    assert seen.texts == [sql]
    assert (seen.to_server, seen.to_client) == (sent, talk[0][1])


def halves(text: str) -> list[str]:
    return [part.strip() for part in text.split(";")]


@pytest.mark.parametrize("deprecate_eof", [EOF_PACKETS, NO_EOF_PACKETS])
@given(st.data())
def test_paced_answers_are_joined_to_the_one_the_client_waits_for(deprecate_eof, data):
    """Every status but the last says that more follows, and the packets are numbered on."""
    sent = query("INSERT a; SELECT b; DELETE c")
    answers = [ok(2), rows(deprecate_eof), ok(2)]
    seen = drive(
        logged_in(MULTI | deprecate_eof, halves),
        cuts(data, sent),
        [(b"", answer) for answer in answers],
        lambda answer: cuts(data, answer),
    )
    assert [(r.text, r.part, r.parts) for r in seen.requests] == [
        ("INSERT a", 1, 3),
        ("SELECT b", 2, 3),
        ("DELETE c", 3, 3),
    ]
    last = 8 if deprecate_eof else 9
    assert seen.to_client == ok(MORE | 2) + rows(deprecate_eof, MORE | 2, 2) + ok(2, last)
    assert not seen.dialogue.unfinished


def test_an_error_ends_a_paced_message():
    """What follows it is not sent, as the server would not have run it."""
    seen = drive(
        logged_in(MULTI, halves),
        [query("INSERT a; INSERT b; INSERT c") + query("INSERT d")],
        [(b"", ok()), (b"", error(1062)), (b"", ok())],
    )
    assert seen.texts == ["INSERT a", "INSERT b", "INSERT d"]
    assert seen.to_client == ok(MORE | 2) + error(1062, 2) + ok()


def test_only_who_may_send_several_statements_is_paced():
    """To anybody else the server answers with an error, and so it must."""
    seen = drive(logged_in(0, halves), [query("INSERT a; INSERT b")], [(b"", error(1064))])
    assert seen.texts == ["INSERT a; INSERT b"]


def test_the_right_to_several_statements_can_be_given_and_taken():
    """COM_SET_OPTION, as some clients do around such a message."""
    sent = [command(0x1B, b"\0\0"), query("INSERT a; INSERT b"), command(0x1B, b"\1\0")]
    answers = [eof(), ok(), ok(), eof(), error(1064)]
    seen = drive(
        logged_in(0, halves),
        [*sent, query("INSERT a; INSERT b")],
        [(b"", answer) for answer in answers],
    )
    assert seen.texts == ["", "INSERT a", "INSERT b", "", "INSERT a; INSERT b"]


def test_parts_of_a_huge_message_are_numbered_as_its_answer_would_be():
    """The answer to a message of two packets begins with number 2."""
    big = "INSERT '" + "x" * 0xFFFFFF + "'"
    seen = drive(
        logged_in(MULTI, halves),
        [packets.packed(b"\3" + f"INSERT a; {big}".encode())],
        [(b"", ok()), (b"", ok(sequence=2))],
    )
    assert seen.texts == ["INSERT a", big]
    assert seen.to_client == ok(MORE | 2, 2) + ok(sequence=3)


def test_a_statement_executed_before_its_preparation_was_answered_is_known():
    """MariaDB's clients may name the last prepared one without its id."""
    prepared = packet(b"\0" + struct.pack("<IHHBH", 5, 0, 0, 0, 0), 1)
    talk = [
        (command(0x16, "DROP TABLE t"), prepared),
        (command(0x17, struct.pack("<IBI", 0xFFFFFFFF, 0, 1)), ok()),
    ]
    seen = drive(logged_in(MULTI), [b"".join(sent for sent, _ in talk)], talk)
    assert seen.texts == ["", "DROP TABLE t"]
