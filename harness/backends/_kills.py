"""The two ways a server in a container is killed, each with the witnesses of its death."""

from __future__ import annotations

import socket
from contextlib import closing, suppress
from datetime import datetime
from typing import Any

from docker import DockerClient

from harness.backends._api import FAILURES, LIMIT_S, LOOPBACK
from harness.backends._exec import KILLED
from harness.backends._supervisor import ServerKiller
from harness.errors import EnvironmentProblem
from harness.ports import Witness

HANG_UP_S = 2
"""How long the engine's proxy may take to close a connection that it has nobody for."""


def of_processes(killer: ServerKiller, title: str, port: int) -> list[Witness]:
    """SIGKILL every process of the server and keep the container; none is left on return.

    ConnectionError if the container has ended meanwhile.
    """
    code = killer.kill()
    scripts = killer.wait_nobody()
    _must_be_killed(title, code)
    says = f"the engine lists no process in the container but our {scripts} scripts"
    return [
        Witness("injector", f"kill -9 -1 sent SIGKILL to all processes of {title}"),
        Witness("os", f"{title} ended with status {code}", {"exit_code": code}),
        Witness("docker", says, {"left": 0}),
        *_silence(port),
    ]


def of_container(client: DockerClient, container: str, title: str) -> list[Witness]:
    """SIGKILL the container's first process, by which the kernel ends all others."""
    began = client.api.inspect_container(container)["State"]["StartedAt"]
    client.api.kill(container, "SIGKILL")
    client.api.wait(container, timeout=LIMIT_S)
    code = client.api.inspect_container(container)["State"]["ExitCode"]
    _must_be_killed(title, code)
    sent = Witness("injector", f"docker kill sent SIGKILL to {title}, the container as a whole")
    died = Witness("os", f"{title} ended with exit code {code}", {"exit_code": code})
    return [sent, died, *_death_event(client, container, began)]


def _must_be_killed(title: str, code: int) -> None:
    if code != KILLED:
        raise EnvironmentProblem(
            f"{title} was sent SIGKILL and ended with exit code {code}, wanted {KILLED}"
        )


def _silence(port: int) -> list[Witness]:
    """A new connection is refused, or closed by the engine's proxy; empty if it stays open."""
    with suppress(ConnectionError):
        try:
            with socket.create_connection((LOOPBACK, port), HANG_UP_S) as probe:
                if probe.recv(1):
                    return []
        except TimeoutError:
            return []
    return [Witness("observer", f"nobody answers on port {port}")]


def _death_event(client: DockerClient, container: str, since: str) -> list[Witness]:
    """What the engine itself reported since then, by its own clock; empty if it is silent."""
    only = {"type": "container", "container": container, "event": "die"}
    moment: Any = f"{datetime.fromisoformat(since).timestamp():.6f}"
    with suppress(*FAILURES):
        stream = client.api.events(since=moment, filters=only, decode=True)
        with closing(stream):
            for event in stream:
                code = event["Actor"]["Attributes"].get("exitCode", "")
                says = f"the engine reported the event die with exit code {code}"
                data = {"exit_code": int(code), "time_ns": event["timeNano"]}
                return [Witness("docker", says, data)]
    return []
