"""Deploys another version of the application."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import StepFailed
from harness.verbs.protocols import StepKind, Target


@dataclass(frozen=True)
class SwitchApp(StepKind):
    """Every operation that begins afterwards is one of that version."""

    switch_app: str

    def perform(self, target: Target, deadline_s: float) -> str:
        if target.app is None:
            raise StepFailed("this scenario has no application")
        before = target.app.version
        target.app.switch(self.switch_app)
        return f"the application went from version {before} to {self.switch_app}"


KIND = SwitchApp
