"""What the claim about the application answers, whatever the application experiences."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.ports import Answer, Traffic
from harness.verbs.claims.app import AppClaim

WELL = Traffic(ok=6, reached=True)
NO_COLUMN = Traffic(ok=1, errors=1, first_error='42703: column "username" does not exist')


def target(traffic: Traffic, version: str = "old") -> SimpleNamespace:
    app = SimpleNamespace(version=version, works=lambda operations, deadline_s: traffic)
    return SimpleNamespace(app=app)


@pytest.mark.parametrize(
    ("claim", "traffic", "version", "answer"),
    [
        (AppClaim("works"), WELL, "new", Answer.HELD),
        (AppClaim("works", version="old"), WELL, "old", Answer.HELD),
        (AppClaim("works", version="old"), WELL, "new", Answer.NOT_HELD),
        (AppClaim("works"), NO_COLUMN, "old", Answer.NOT_HELD),
        (AppClaim("fails"), NO_COLUMN, "old", Answer.HELD),
        (AppClaim("fails", saying="username"), NO_COLUMN, "old", Answer.HELD),
        (AppClaim("fails", saying="deadlock"), NO_COLUMN, "old", Answer.NOT_HELD),
        (AppClaim("fails", saying="username"), WELL, "old", Answer.NOT_HELD),
    ],
)
def test_the_version_and_the_error_are_part_of_the_claim(claim, traffic, version, answer) -> None:
    """Another version at work proves nothing, nor does an error about something else."""
    assert claim.check(target(traffic, version)).answer is answer


def test_without_an_application_there_is_no_answer() -> None:
    """No application is not a working one."""
    finding = AppClaim("works").check(SimpleNamespace(app=None))
    assert (finding.answer, finding.population) == (Answer.UNANSWERABLE, 0)
