"""Throwaway servers in containers; the only module that speaks to a Docker engine.

Every container carries the run it belongs to and the process that owns it as labels, so that
``proof`` tells ours from anyone else's and ``collect_garbage`` finds what a killed process
left. Ports are published on the loopback interface only.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import cached_property
from typing import Any

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.images import Image
from testcontainers.core import docker_client
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from harness.backends import _api, _kills, _owner, _supervisor
from harness.backends._api import LIMIT_S, LOOPBACK, OWNER_LABEL
from harness.backends._exec import run_tool
from harness.backends._supervisor import ServerKiller
from harness.errors import EnvironmentProblem, GuardRefused, ServerLost
from harness.ports import Address, Capability, Recipe, ServerFacts, ToolResult, Witness

RUN_LABEL = "migration-drill.run"
PING_S = 4
MEMORY_FOR_DATA = 6 << 30
"""Bytes that the engine's machine must have for data in memory."""
LOG_LINES, LOG_LIMIT = 5000, 64_000
END_S = 2
"""How long a container may take to end after its first process."""


CAPABILITIES = frozenset(Capability)
"""Every one that there is."""


class DockerBackend:
    """Starts servers as containers of the Docker engine of this machine."""

    name = "docker"
    capabilities = CAPABILITIES

    def __init__(self, run_id: str) -> None:
        """``run_id`` marks every container; the engine is not spoken to before it is needed."""
        self.run_id = run_id
        testcontainers_config.ryuk_disabled = True

    def available(self) -> str | None:
        host = docker_client.get_docker_host() or ""
        if host.startswith(("tcp:", "http", "ssh:")) and not _api.is_loopback(host):
            return (
                f"the Docker engine is on another machine ({host}), where a port published on "
                f"{LOOPBACK} cannot be reached from here; use a local engine or another backend"
            )
        try:
            with closing(_api.connect(PING_S)) as client:
                client.ping()
        except _api.FAILURES as error:
            where = host or "its usual socket"
            return (
                f"no Docker engine answers at {where}: {_api.reason(error)}; start it and try again"
            )
        return None

    def start(self, recipe: Recipe, image: str | None = None) -> DockerServer:
        with _api.told(f"start {recipe.engine} in a container"):
            client = _api.connect()
            try:
                return self._start(client, recipe, *_api.find_image(client, recipe, image))
            except BaseException:
                client.close()
                raise

    def _start(
        self, client: DockerClient, recipe: Recipe, chosen: str, image: Image
    ) -> DockerServer:
        password = secrets.token_urlsafe(24)
        for way in _supervisor.ways(image.attrs["Config"], recipe.container_args):
            try:
                identifier = self._run(client, recipe, chosen, password, *way)
                break
            except APIError as error:
                if not _supervisor.no_shell(error):
                    raise
                missing = error
        else:
            raise missing
        facts = ServerFacts(self.name, recipe.engine, chosen, _api.digest(image))
        return DockerServer(client, identifier, self.run_id, recipe, password, facts)

    def _run(
        self,
        client: DockerClient,
        recipe: Recipe,
        image: str,
        password: str,
        entry_point: list[str] | None,
        command: list[str],
    ) -> str:
        """Start a container and return its id; nothing is left of one that does not start."""
        name = f"migration-drill-{recipe.engine}-{secrets.token_hex(6)}"
        environment = recipe.container_env.items()
        container = DockerContainer(
            image,
            docker_client_kw={"timeout": LIMIT_S},
            env={key: value.replace("{password}", password) for key, value in environment},
            name=name,
            labels={RUN_LABEL: self.run_id, OWNER_LABEL: _owner.of_this_process()},
            entrypoint=entry_point,
        ).with_command(command)
        container.image = image
        on_loopback: Any = (LOOPBACK, None)
        container.ports[f"{recipe.port}/tcp"] = on_loopback
        if entry_point and self._has_memory_for_data(client):
            container.with_tmpfs_mount(recipe.data_folder)
        try:
            container.start()
        except BaseException:
            with suppress(*_api.FAILURES):
                _api.remove(client, name)
            raise
        finally:
            container.get_docker_client().client.close()
        return container.get_container_id()

    def _has_memory_for_data(self, client: DockerClient) -> bool:
        """Data in memory where the engine's machine has enough: files are made there 15 times
        faster, and like the page cache it outlives a killed process, as long as the container.
        """
        enough: bool = client.info()["MemTotal"] >= MEMORY_FOR_DATA
        return enough

    def cannot_run(self, recipe: Recipe) -> str | None:
        """Looks for an image on this machine, and pulls the official one if there is none."""
        try:
            with _api.connected(f"look for an image of {recipe.engine}") as client:
                _api.find_image(client, recipe, None)
        except EnvironmentProblem as problem:
            return str(problem)
        return None

    def image_here(self, recipe: Recipe) -> str:
        """The image that would run without a pull; "" if there is none on this machine."""
        with _api.connected(f"look for an image of {recipe.engine}") as client:
            here = _api.image_here(client, [recipe.image, recipe.stand_in])
        return here[0] if here else ""

    def versions_here(self, recipe: Recipe) -> dict[str, str]:
        """Every version on this machine, and the image that would run; nothing is pulled."""
        with _api.connected(f"look for images of {recipe.engine}") as client:
            return _api.versions_here(client, recipe)

    def leftovers(self) -> list[str]:
        with _api.connected("look for what dead runs left") as client:
            return [
                f"{what}: its owner {owner} is gone" for what, owner, _ in _api.abandoned(client)
            ]

    def collect_garbage(self) -> list[str]:
        lines = []
        with _api.connected("collect what dead runs left") as client:
            for what, owner, remove in _api.abandoned(client):
                remove()
                lines.append(f"removed {what}: its owner {owner} is gone")
        return lines


class DockerServer:
    """One server in one container; it lives on through ``kill`` and ``start_again``."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        client: DockerClient,
        container_id: str,
        run_id: str,
        recipe: Recipe,
        password: str,
        facts: ServerFacts,
    ) -> None:
        self.facts = facts
        self.container_id = container_id
        self._client = client
        self._run_id = run_id
        self._recipe = recipe
        self._password = password
        self._port = 0
        self._killed = False
        self._killer: ServerKiller | None = None

    def address(self) -> Address:
        """Where it listens now; while it is killed, where it listened. ServerLost if it died."""
        found = self._inspect()
        if found["State"]["Running"]:
            bound = found["NetworkSettings"]["Ports"].get(f"{self._recipe.port}/tcp")
            if not bound:
                raise ServerLost(f"{self._title} no longer publishes port {self._recipe.port}")
            self._port = int(bound[0]["HostPort"])
        elif not self._killed:
            raise ServerLost(
                f"{self._title} ended by itself with exit code {found['State']['ExitCode']}; "
                f"the end of its log:\n{self.logs()[-2000:]}"
            )
        return Address(LOOPBACK, self._port, self._recipe.superuser, self._password)

    @cached_property
    def _run_of_label(self) -> str | None:
        """Asked once: a container's labels are those it was made with."""
        return (self._inspect()["Config"]["Labels"] or {}).get(RUN_LABEL)

    def proof(self) -> str:
        run = self._run_of_label
        if run != self._run_id:
            raise GuardRefused(
                f"{self._title} has the label {RUN_LABEL}={run or '(none)'}, "
                f"wanted {self._run_id}: this run did not start it"
            )
        return f"{self._title} has the label {RUN_LABEL}={run}"

    def logs(self) -> str:
        with _api.told(f"read the log of {self._title}"):
            raw: bytes = self._client.api.logs(self.container_id, tail=LOG_LINES)
        if len(raw) > 2 * LOG_LIMIT:
            raw = raw[:LOG_LIMIT] + b"\n... cut ...\n" + raw[-LOG_LIMIT:]
        return raw.decode("utf-8", "replace")

    def destroy(self) -> None:
        with _api.told(f"remove {self._title}"):
            self._forget_killer()
            _api.remove(self._client, self.container_id)
            self._client.close()

    def kill(self) -> Sequence[Witness]:
        """SIGKILL every process of the server at once; none is left when this returns.

        The container stays, and so does its port. A frozen one is thawed with the order to kill
        already given. One whose image has no shell to stand first in it is killed as a whole: the
        injector's witness tells.
        ServerLost if the server had ended before.
        """
        self.address()
        if self._killed:
            raise ServerLost(f"{self._title} was killed before and not started again")
        with _api.told(f"kill {self._title}"):
            frozen = self._inspect()["State"]["Paused"]
            killer = self._killer or (None if frozen else self._find_killer())
            if killer:
                self._killed = True
                try:
                    if frozen:
                        killer.order_kill()
                        self._client.api.unpause(self.container_id)
                    return _kills.of_processes(killer, self._title, self._port)
                except ConnectionError as error:
                    self._killed = False
                    raise self._lost(error) from error
            self._forget_killer()
            self._killed = True
            return _kills.of_container(self._client, self.container_id, self._title)

    def _find_killer(self) -> ServerKiller | None:
        self._killer = self._killer or _supervisor.killer(self._client.api, self.container_id)
        return self._killer

    def _lost(self, error: ConnectionError) -> EnvironmentProblem:
        """Why the session in the container broke: the container ended, or the engine did."""
        with suppress(*_api.FAILURES):
            self._client.api.wait(self.container_id, timeout=END_S)
        self.address()
        return EnvironmentProblem(
            f"the exec session in container {self.container_id[:12]} is lost ({error}), so its "
            "server can no longer be killed; was the Docker engine restarted? Run again"
        )

    def _forget_killer(self) -> None:
        if self._killer:
            self._killer.close()
        self._killer = None

    def start_again(self) -> None:
        """Start it on the same data, in the container that it had; no-op while it runs."""
        with _api.told(f"start {self._title} again"):
            if not self._inspect()["State"]["Running"]:
                self._forget_killer()
                self._client.api.start(self.container_id)
            elif self._killed and self._killer:
                self._killer.start()
        self._killed = False

    def pause(self) -> Sequence[Witness]:
        with _api.told(f"pause {self._title}"):
            self._find_killer()
            self._client.api.pause(self.container_id)
        if not self._inspect()["State"]["Paused"]:
            raise EnvironmentProblem(f"{self._title} was paused, but its state does not say so")
        return [
            Witness("injector", f"docker pause froze {self.container_id[:12]}"),
            Witness("docker", f"the engine says that {self._title} is paused", {"paused": True}),
        ]

    def resume(self) -> None:
        with _api.told(f"thaw {self._title}"):
            if self._inspect()["State"]["Paused"]:
                self._client.api.unpause(self.container_id)

    def run_tool(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterator[bytes] = b"",
        timeout_s: float = 120,
    ) -> ToolResult:
        """Run a program inside the container as root; DeadlineExceeded kills it there."""
        with _api.told(f"run {argv[0]} in {self._title}"):
            return run_tool(
                self._client.api, self.container_id, argv, self._credentials(), stdin, timeout_s
            )

    def _credentials(self) -> dict[str, str]:
        """Through the environment: an argument would show in every list of processes."""
        return {
            "PGHOST": LOOPBACK,
            "PGPORT": str(self._recipe.port),
            "PGUSER": self._recipe.superuser,
            "PGPASSWORD": self._password,
            "MYSQL_PWD": self._password,
        }

    @property
    def _title(self) -> str:
        return f"{self._recipe.engine} in container {self.container_id[:12]}"

    def _inspect(self) -> dict[str, Any]:
        with _api.told(f"look at {self._title}"):
            try:
                found: dict[str, Any] = self._client.api.inspect_container(self.container_id)
                return found
            except NotFound:
                raise ServerLost(f"{self._title} is gone: someone removed it") from None
