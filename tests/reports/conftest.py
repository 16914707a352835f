"""What the report tests share: a made-up run, and a browser where there is one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import made_up
import pytest

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
    "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


@pytest.fixture(params=["all_passed", "every_verdict", "teeth", "practice", "hostile"])
def made(request: pytest.FixtureRequest) -> made_up.MadeUpRun:
    """Each kind of run a report must be able to tell."""
    return getattr(made_up, request.param)()


@pytest.fixture
def browser(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the browser with an empty profile; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        return subprocess.run(
            [CHROMIUM, *QUIET, profile, *args], capture_output=True, text=True, timeout=120
        )

    return run
