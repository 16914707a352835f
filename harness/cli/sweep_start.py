"""What a sweep starts: its server, with what was kept for it, and the client of its tool."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from harness.cli import selection
from harness.cli.signals import postponed
from harness.cli.state_key import state_before
from harness.cli.sweep_options import SweepOptions
from harness.cli.sweep_selection import SweepPlan
from harness.sweep.beginning import Start
from harness.sweep.sweep_server import SweepServer
from harness.tools.client import Client, EmulatedClient
from harness.tools.program import ProgramClient

KEPT_OF_THE_ENVIRONMENT = ("PATH", "HOME", "LANG", "JAVA_HOME", "NODE_PATH", "VIRTUAL_ENV")


@contextmanager
def server(
    planned: SweepPlan, options: SweepOptions, run_id: str
) -> Iterator[tuple[SweepServer, str, Start]]:
    """A server, why it is that one, and what it begins with; nothing of it is left afterwards."""
    images = selection.images(options.image)
    backend, why = selection.backend(options.backend, run_id, [planned.engine.label], images)
    (engine,), notes = selection.engines(
        [planned.engine.label], backend, images, asked=bool(options.engine)
    )
    for line in (why, *notes):
        selection.say(line)
    before = None
    if not options.no_cache:
        before = state_before(planned, engine, backend, run_id, _of_environment())
    kept = before.server(backend, engine) if before else None
    started, made = kept or (SweepServer(backend, engine, images.get(engine.name)), None)
    try:
        yield started, why, Start(before, made)
    finally:
        with postponed():
            started.close()


def client(planned: SweepPlan, server: SweepServer) -> Client:
    """What runs the tool, or sends what it would send."""
    if planned.tool.how == "emulated":
        return EmulatedClient(planned.tool, planned.migrations, server.guard)
    return ProgramClient(
        planned.tool,
        planned.folder,
        planned.migrations,
        server.guard,
        planned.program,
        _of_environment(),
    )


def _of_environment() -> dict[str, str]:
    """What a tool gets of ours."""
    return {k: os.environ[k] for k in KEPT_OF_THE_ENVIRONMENT if k in os.environ}
