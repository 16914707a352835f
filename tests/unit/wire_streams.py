"""Leads a dialogue through a made-up conversation, in whole messages or in any pieces."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from harness.wire.exchange import Dialogue, Onward, Piece, Reply, Request


@dataclass
class Seen:
    """What came out of a dialogue."""

    dialogue: Dialogue
    requests: list[Request] = field(default_factory=list)
    ends: list[Piece] = field(default_factory=list)
    to_server: bytes = b""
    to_client: bytes = b""

    @property
    def texts(self) -> list[str]:
        return [request.text for request in self.requests]


def drive(
    dialogue: Dialogue,
    sent: Iterable[bytes],
    conversation: Sequence[tuple[bytes, bytes]],
    pieces: Callable[[bytes], Iterable[bytes]] = lambda answer: [answer],
) -> Seen:
    """The client sends everything ahead; the n-th request gets the n-th answer."""
    seen = Seen(dialogue)
    answers = deque(answer for _, answer in conversation)
    for chunk in sent:
        dialogue.heard_client(chunk)
        _go_on(seen, answers, pieces)
    assert not answers, "some answers were never asked for"
    return seen


def _go_on(seen: Seen, answers: deque[bytes], pieces: Callable) -> None:
    while (step := seen.dialogue.next()) is not None:
        if isinstance(step, Reply):
            seen.to_client += step.data
            continue
        seen.to_server += step.data
        if isinstance(step, Onward):
            continue
        seen.requests.append(step)
        for chunk in pieces(answers.popleft()):
            for piece in seen.dialogue.heard_server(chunk):
                seen.to_client += piece.data
                seen.ends += [piece] * piece.over


def cuts(data: st.DataObject, stream: bytes) -> list[bytes]:
    """The stream in pieces of any size."""
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=30).map(sorted))
    return [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]
