"""How values become words, and where a checkout's or a wheel's files are found."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import bundled
from harness.errors import EnvironmentProblem
from harness.reporting import words
from harness.reporting.run.drawing import Bar, place
from harness.reporting.templating import code, fence, markdown_text


@pytest.mark.parametrize(
    "raw, shown",
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x00b\x08c", "abc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\u202eevil", "evil"),
        ("\ud800", "\ufffd"),
        (None, ""),
        (12, "12"),
        ("x" * 4_010, "x" * 4_000 + " … (10 more characters)"),
    ],
)
def test_clean(raw, shown):
    """Escapes, controls and overrides go; half a surrogate pair becomes a replacement."""
    assert words.clean(raw) == shown


@given(st.text(st.characters(), max_size=400))
def test_cleaned_text_can_always_be_encoded_and_has_no_controls(raw):
    """Whatever a server sends."""
    cleaned = words.clean(raw)
    cleaned.encode("utf-8")
    assert not [c for c in cleaned if ord(c) < 32 and c not in "\n\t"]


@given(st.text(st.sampled_from("`|a \n<-"), max_size=60))
def test_a_fence_never_ends_inside_its_content(raw):
    """The first line that is the fence alone is the last one."""
    lines = str(fence(raw)).split("\n")
    assert lines.index(lines[0], 1) == len(lines) - 1
    assert "\n" not in code(raw)
    assert "\n" not in markdown_text(raw)


@pytest.mark.parametrize(
    "ms, shown",
    [
        (None, "–"), (0.04, "0.0 ms"), (4.21, "4.2 ms"), (412.4, "412 ms"), (3_421, "3.42 s"),
        (42_100, "42.1 s"), (125_000, "2 min 05 s"),
    ],
)  # fmt: skip
def test_duration(ms, shown):
    """As people say it."""
    assert words.duration(ms) == shown


@given(
    st.lists(
        st.tuples(st.floats(0, 99), st.floats(0.3, 40), st.text("ab ", max_size=60)), max_size=30
    )
)
def test_bars_of_one_row_never_cover_each_other_while_rows_are_left(spans):
    """Bars share a row only side by side, until all four rows are in use."""
    bars = [Bar(x, min(w, 100 - x), 0, "good", label, "") for x, w, label in sorted(spans)]
    placed = place(bars)
    assert len(placed) == len(bars)
    rows = {bar.row for bar in placed}
    assert rows <= {0, 1, 2, 3}
    if len(rows) < 4:
        for row in rows:
            mates = [bar for bar in placed if bar.row == row]
            for left, right in itertools.pairwise(mates):
                assert left.x + left.w <= right.x + 0.02


@pytest.mark.parametrize("name", ["scenarios", "drills", "templates"])
def test_folders_are_found_in_a_checkout_and_in_a_wheel(name, tmp_path, monkeypatch):
    """The checkout first, then what the wheel carries, else one sentence that helps."""
    package = tmp_path / "harness"
    monkeypatch.setattr(bundled, "PACKAGE", package)
    with pytest.raises(EnvironmentProblem, match=f"no {name} folder"):
        bundled.folder(name)
    carried = package / "_bundled" / name
    carried.mkdir(parents=True)
    beside = tmp_path / ("reports/templates" if name == "templates" else name)
    beside.mkdir(parents=True)
    assert bundled.folder(name) == carried
    (tmp_path / "pyproject.toml").touch()
    assert bundled.folder(name) == beside
