"""``mdrill practice`` on a terminal, with a person who repairs, gives up, or walks away."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import subprocess
import termios

import pytest
from mdrill_world import engines_of, until

from harness.record import timeline
from harness.record.events import CheckedByHand, HintGiven, SentByHand

PROMPT = "> "
REPAIR = (
    "UPDATE users SET phone = '' WHERE phone IS NULL",
    "ALTER TABLE users ADD COLUMN phone_verified SMALLINT NOT NULL DEFAULT 0",
)
"""One by one: in one transaction they would meet the application's writes in a deadlock."""
HARM = "UPDATE users SET email = 'nobody@example.test' WHERE id = 1900;"
SQL_OPTION = {"psql": "-c", "mysql": "-e", "mariadb": "-e"}


class Terminal:
    """A person's terminal: what was said on it so far, and a keyboard."""

    def __init__(self, world, *arguments):
        self._ours, theirs = pty.openpty()
        os.set_blocking(self._ours, False)
        self.said = ""
        self._read_until = 0
        self.process = world.start(
            *("practice", *arguments, "--out", str(world.out)),
            pipes=False,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)

    def _listen(self):
        with contextlib.suppress(OSError):
            while chunk := os.read(self._ours, 65536):
                self.said += chunk.decode("utf-8", "replace").replace("\r\n", "\n")
        return self.said

    def hear(self, words):
        """Everything said since the last time, up to these words."""

        def heard():
            found = self._listen().find(words, self._read_until)
            return found + len(words) if found >= 0 else 0

        end = until(f"{words!r} on the terminal:\n{self.said[-2000:]}", heard)
        told, self._read_until = self.said[self._read_until : end], end
        return told

    def press(self, keys):
        os.write(self._ours, keys.encode())

    def ended(self):
        """The exit code, after all was read."""
        until("the end of the practice", lambda: self._listen() and self.process.poll() is not None)
        self._listen()
        return self.process.returncode

    def close(self):
        """Close the window."""
        os.close(self._ours)

    def client(self):
        """The line with which a person connects, as it was told last."""
        return re.findall(r"^  (.*\b(?:psql|mysql|mariadb) .*)$", self.said, re.MULTILINE)[-1]


def _take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def run_sql(client, *statements):
    """What a person does in the other terminal: the very line that was told, with SQL."""
    program = next(name for name in SQL_OPTION if re.search(rf"\b{name} ", client))
    line = client.replace(" -it ", " ")
    for sql in statements:
        done = subprocess.run(
            ["sh", "-c", f'{line} {SQL_OPTION[program]} "$0"', sql],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{client}\n{done.stderr}"


def record_of(world):
    """Every event of the one trial of the latest run."""
    (path,) = world.runs()[-1].glob("*/events.jsonl")
    return timeline.read(path)


@pytest.fixture(params=["local", "docker"])
def pairs(request):
    """Every engine that the backend has, as arguments."""
    return [["--backend", request.param, "--engine", name] for name in engines_of(request.param)]


def test_a_person_repairs_it_through_the_client_line(world, pairs):
    """The claims that fail are named; the repair passes by the same claims, and is timed."""
    for arguments in pairs:
        terminal = Terminal(world, "partial-failure", *arguments)
        shown = terminal.hear(PROMPT)
        assert "The deployment is red" in shown
        assert "operations went through" in shown
        world.take_note()
        terminal.press("h\n")
        assert "ask the catalogue" in terminal.hear(PROMPT)
        terminal.press("c\n")
        checked = terminal.hear(PROMPT)
        assert "✗ every user who was there has a phone: found 0 of" in checked
        assert "✓ users.email is as before" in checked
        assert "3 not right yet" in checked
        run_sql(terminal.client(), *REPAIR)
        terminal.press("c\n")
        assert terminal.ended() == 0, terminal.said
        assert "All is right." in terminal.said
        assert "Repaired by hand in" in terminal.said
        (trial,) = world.result()["trials"]
        assert (trial["verdict"], trial["cell"]["procedure"]) == ("PASS", "by-hand")
        assert "mdrill practice partial-failure --only partial-failure/" in trial["rerun"]
        told = [event.what for event in record_of(world)]
        assert [w.text[:12] for w in told if isinstance(w, HintGiven)] == ["Do not trust"]
        wrong = [len(w.not_right) for w in told if isinstance(w, CheckedByHand)]
        assert wrong == [3, 0]
        sent = [w.sql.rstrip(";") for w in told if isinstance(w, SentByHand)]
        assert [sql for sql in sent if sql in REPAIR] == list(REPAIR)
        assert not any("email" in sql for sql in sent)
        assert world.leftovers() == []
        assert world.secrets != set()
        assert world.told_secrets() == []


def test_a_repair_that_harms_something_else_is_not_accepted(world, here):
    """A value that nobody meant to change is found by the check, before the verdict."""
    terminal = Terminal(world, "partial-failure", *here)
    terminal.hear(PROMPT)
    run_sql(terminal.client(), *REPAIR, HARM)
    terminal.press("c\n")
    checked = terminal.hear(PROMPT)
    assert "✗ users.email is as before" in checked
    assert "1 not right yet" in checked
    terminal.press("g\n")
    assert terminal.ended() == 1


@pytest.mark.parametrize("keys", ["g\n", "\x04"], ids=["give up", "end of input"])
def test_who_gives_up_sees_the_recovery_and_it_is_run(world, here, keys):
    """The recovery is shown with its commands and run; but it was not the person: NOT REPAIRED."""
    terminal = Terminal(world, "partial-failure", *here)
    terminal.hear(PROMPT)
    terminal.press(keys)
    assert terminal.ended() == 1
    assert "UPDATE users SET phone = '' WHERE phone IS NULL" in terminal.said
    assert "Not repaired by hand; given up after" in terminal.said
    result = world.result()
    assert (result["verdict"], result["exit_code"]) == ("FAIL", 1)
    assert result["counts"] == {"NOT REPAIRED": 1}
    (trial,) = result["trials"]
    assert trial["sentence"].startswith("Recovery: nobody repaired it: given up after")
    for report in ("report.html", "summary.md", "junit.xml", "postmortem.md"):
        text = (world.runs()[-1] / report).read_text("utf-8")
        assert "NOT REPAIRED" in text, report
    assert world.leftovers() == []


def test_hints_come_one_by_one(world, here):
    """Each is given once, in order, and then it is said that there are no more."""
    terminal = Terminal(world, "slow-index", *here)
    terminal.hear(PROMPT)
    heard = []
    for _ in range(4):
        terminal.press("h\n")
        heard.append(terminal.hear(PROMPT))
    assert "Compare the plan" in heard[0]
    assert "Removing the index" in heard[2]
    assert "There are no more hints." in heard[3]
    terminal.press("s\n")
    assert "a hundred times the work" in terminal.hear(PROMPT)
    terminal.press("g\n")
    assert terminal.ended() == 1


def test_ctrl_c_ends_the_practice_and_leaves_nothing(world, on):
    """Pressed at the prompt: exit code 130, and the server with all of its data is gone."""
    terminal = Terminal(world, "partial-failure", *on)
    terminal.hear(PROMPT)
    world.take_note()
    terminal.press("\x03")
    assert terminal.ended() == 130
    assert world.leftovers() == []
    assert world.result()["verdict"] == "ABORTED"
    assert world.told_secrets() == []


def test_a_terminal_that_is_closed_ends_the_practice_and_leaves_nothing(world, here):
    """The window is closed: HUP comes, nothing can be said any more, all is removed."""
    terminal = Terminal(world, "partial-failure", *here)
    terminal.hear(PROMPT)
    terminal.close()
    assert terminal.process.wait(timeout=60) == 129
    assert world.leftovers() == []
    assert world.result()["exit_code"] == 129
