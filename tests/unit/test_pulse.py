"""What the workers experience is counted as it was, from any moment on."""

from __future__ import annotations

from harness.application.pulse import WAITING_MS, Pulse

MS = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def make_pulse() -> tuple[Pulse, Clock]:
    clock = Clock()
    return Pulse(["a", "b"], clock), clock


def operate(pulse: Pulse, clock: Clock, worker: str, ms: int, error: str = "") -> None:
    pulse.begin(worker)
    clock.now += ms * MS
    pulse.finish(worker, error)


def test_finished_operations_are_counted_from_a_moment_on():
    """Count, worst time and first error, leaving out what ended before."""
    pulse, clock = make_pulse()
    operate(pulse, clock, "a", 9, "early")
    clock.now += 1
    since = clock.now
    operate(pulse, clock, "b", 3, "first")
    operate(pulse, clock, "a", 2, "second")
    operate(pulse, clock, "a", 5)
    traffic = pulse.traffic(since)
    assert (traffic.ok, traffic.errors, traffic.first_error) == (1, 2, "first")
    assert (traffic.worst_ms, traffic.waiting) == (5, 0)


def test_an_operation_in_flight_waits_once_it_is_long_in_coming():
    """It shows in the longest wait at once, among those waiting after a while."""
    pulse, clock = make_pulse()
    pulse.begin("a")
    clock.now += WAITING_MS * MS
    assert (pulse.traffic(0).waiting, pulse.traffic(0).longest_wait_ms) == (0, WAITING_MS)
    clock.now += 1
    assert (pulse.traffic(0).waiting, pulse.traffic(0).worst_ms) == (1, 0)
    pulse.finish("a", "")
    assert (pulse.traffic(0).waiting, pulse.traffic(0).worst_ms > WAITING_MS) == (0, True)


def test_what_began_before_the_question_does_not_answer_it():
    """An operation that was in flight already says nothing about from now on."""
    pulse, clock = make_pulse()
    pulse.begin("a")
    clock.now += MS
    since = clock.now
    clock.now += MS
    pulse.finish("a", "")
    assert (pulse.traffic(since).ok, pulse.traffic(since, begun_since_ns=since).ok) == (1, 0)
    assert pulse.ok_begun_since("a", since) == 0
    operate(pulse, clock, "a", 1)
    assert pulse.ok_begun_since("a", since) == 1


def test_an_abandoned_operation_leaves_no_trace():
    """Neither in flight nor finished."""
    pulse, clock = make_pulse()
    pulse.begin("a")
    clock.now += 100 * MS
    pulse.abandon("a")
    assert not pulse.in_flight("a")
    assert (pulse.traffic(0).ok, pulse.traffic(0).waiting) == (0, 0)
