"""The server of a sweep, with what an earlier sweep kept for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.cli import folder_commands
from harness.cli.signals import postponed
from harness.cli.state_key import state_before
from harness.cli.sweep_options import SweepOptions
from harness.cli.sweep_selection import SweepPlan
from harness.sweep.beginning import Start
from harness.sweep.sweep_server import SweepServer


@contextmanager
def server(
    planned: SweepPlan, options: SweepOptions, run_id: str
) -> Iterator[tuple[SweepServer, str, Start]]:
    """A server, why it is that one, and what it begins with; nothing of it is left afterwards."""
    chosen = folder_commands.place(planned, options, run_id)
    before = None
    if not options.no_cache:
        environment = folder_commands.of_environment()
        before = state_before(planned, chosen.engine, chosen.backend, run_id, environment)
    kept = before.server(chosen.backend, chosen.engine) if before else None
    if kept is None:
        with folder_commands.server(chosen) as started:
            yield started, chosen.why, Start(before)
        return
    started, made = kept
    try:
        yield started, chosen.why, Start(before, made)
    finally:
        with postponed():
            started.close()
