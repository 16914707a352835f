"""The application works, from now on, as its users would see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class AppClaim(ClaimKind):
    """``works``: each worker does ``operations`` without an error, begun after the question.
    ``fails``: at least one operation gets an error. ``hangs``: at least one waits.

    ``within`` bounds how long it may take; the claim answers as soon as it can. ``version``
    wants that version deployed; ``saying`` wants these words in the first error.
    """

    app: Literal["works", "fails", "hangs"]
    operations: int = 3
    within_s: float = 5.0
    version: str | None = None
    saying: str | None = None
    needs_app: ClassVar[bool] = True

    def check(self, target: Target) -> Finding:
        if target.app is None:
            return Finding(Answer.UNANSWERABLE, "no application runs", self.app, population=0)
        traffic = target.app.works(self.operations, self.within_s)
        said = f"{traffic.ok} ok, {traffic.errors} errors, {traffic.waiting} waiting"
        if traffic.waiting:
            said += f", the longest for {traffic.longest_wait_ms:.0f} ms"
        if traffic.first_error:
            said += f" (first: {traffic.first_error})"
        if self.version:
            said = f"version {target.app.version}: {said}"
        enough = traffic.errors == 0 and not traffic.waiting and traffic.reached
        right = {
            "works": enough,
            "fails": traffic.errors > 0 and (self.saying or "") in traffic.first_error,
            "hangs": traffic.waiting > 0,
        }[self.app] and self.version in (None, target.app.version)
        return Finding(
            answer=Answer.HELD if right else Answer.NOT_HELD,
            found=said,
            wanted=self._wanted(),
            population=traffic.ok + traffic.errors + traffic.waiting,
        )

    def _wanted(self) -> str:
        wanted = f"the application {self.app}"
        if self.app == "works":
            wanted = f"each worker does {self.operations} operations without an error"
        if self.saying:
            wanted += f" and says {self.saying!r}"
        return f"version {self.version}: {wanted}" if self.version else wanted


KIND = AppClaim
