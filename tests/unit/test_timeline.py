"""The record only grows, from any thread, and no secret is ever in it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.record.timeline import Event, Timeline, read

SECRET = "Zq7-secret_word"
json_data = st.dictionaries(
    st.text(min_size=1).filter(lambda key: key not in ("t_ns", "lane", "kind")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(json_data)
def test_an_event_survives_its_file(data: dict) -> None:
    """What is read back is what was added, whatever text the database answered."""
    event = Event(17, "claims", "claim", data)
    line = event.to_json()
    assert "\n" not in line
    assert Event.from_json(line) == event


def test_events_of_many_threads_are_whole_and_in_order(tmp_path: Path) -> None:
    """No line is torn, no event lost, and the times never go back."""
    timeline = Timeline(tmp_path / "events.jsonl")
    start = threading.Barrier(8)

    def add(worker: int) -> None:
        start.wait()
        for n in range(200):
            timeline.add("application", "tick", worker=worker, n=n, text="x" * 200)

    threads = [threading.Thread(target=add, args=(w,)) for w in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timeline.close()
    events = read(tmp_path / "events.jsonl")
    assert events == timeline.events()
    assert [e.t_ns for e in events] == sorted(e.t_ns for e in events)
    for worker in range(8):
        own = [e.data["n"] for e in events if e.data.get("worker") == worker]
        assert own == list(range(200))


def test_a_secret_is_nowhere_in_the_record(tmp_path: Path) -> None:
    """Neither in the file nor in memory nor in what a listener is told, however deep it is."""
    heard: list[Event] = []
    timeline = Timeline(tmp_path / "events.jsonl", heard.append)
    timeline.redact(SECRET)
    timeline.add("trial", "log", text=f"dsn=postgres://root:{SECRET}@host")
    timeline.add("server", "facts", deep={"list": [{"of": (f"a{SECRET}b",)}], SECRET: 1})
    timeline.add("server", "error", error=ValueError(f"login with {SECRET} failed"))
    with timeline.span("recovery", "step", name=SECRET) as found:
        found["did"] = SECRET
    timeline.close()
    assert SECRET not in (tmp_path / "events.jsonl").read_text("utf-8")
    assert SECRET not in repr(heard) + repr(timeline.events())
    assert "********" in repr(timeline.events())


def test_each_event_is_on_disk_before_the_next(tmp_path: Path) -> None:
    """The harness may be killed at any time: what had happened can be told."""
    path = tmp_path / "events.jsonl"
    timeline = Timeline(path)
    for n in range(1, 4):
        timeline.add("trial", "note", n=n)
        assert read(path)[-1].data == {"n": n}
    timeline.close()


def test_a_line_cut_short_ends_the_record(tmp_path: Path) -> None:
    """Everything before it counts; nothing behind it does."""
    path = tmp_path / "events.jsonl"
    whole = [Event(n, "trial", "note", {"n": n}).to_json() for n in range(3)]
    for cut in range(1, len(whole[2])):
        path.write_text("\n".join(whole[:2]) + "\n" + whole[2][:cut], "utf-8")
        assert [event.t_ns for event in read(path)] == [0, 1]


def test_a_span_tells_how_it_ended(tmp_path: Path) -> None:
    """ok, the time it took and, where it failed, why; the exception goes on."""
    timeline = Timeline()
    with timeline.span("recovery", "step", n=1) as found:
        found["did"] = "something"
    with pytest.raises(RuntimeError), timeline.span("recovery", "step", n=2):
        raise RuntimeError("no")
    good, bad = [event.data for event in timeline.events() if event.kind == "step.end"]
    assert (good["ok"], good["did"], good["n"]) == (True, "something", 1)
    assert (bad["ok"], bad["error"], bad["n"]) == (False, "RuntimeError: no", 2)
    assert good["took_ns"] >= 0


def test_the_wall_clock_is_noted_once() -> None:
    """Everything else is monotonic; the first event says what time it was."""
    first, *_ = Timeline().events()
    assert (first.kind, json.loads(first.to_json())["wall"][:2]) == ("clock", "20")
