"""Throwaway servers in containers; the only module that speaks to a Docker engine.

Every container carries the run it belongs to and the process that owns it as labels, so that
``proof`` tells ours from anyone else's and ``collect_garbage`` finds what a killed process
left. Ports are published on the loopback interface only.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any

import requests
import urllib3
from docker import DockerClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.images import Image
from testcontainers.core import docker_client
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from harness.backends import _owner
from harness.backends._exec import converse
from harness.errors import DeadlineExceeded, EnvironmentProblem, GuardRefused, ServerLost
from harness.ports import Address, Capability, Recipe, ServerFacts, ToolResult, Witness

RUN_LABEL = "migration-drill.run"
OWNER_LABEL = "migration-drill.owner"
LOOPBACK = "127.0.0.1"
LIMIT_S = 10
"""How long the engine may take for one answer; starting and killing take a fraction of it."""
PING_S = 4
PULL_S = 900
POLL_S = 0.01
LOG_LINES, LOG_LIMIT = 5000, 64_000
KILLED = 137
"""128 + SIGKILL, the exit code of a container whose first process was killed."""


class DockerBackend:
    """Starts servers as containers of the Docker engine of this machine."""

    name = "docker"

    def __init__(self, run_id: str) -> None:
        """``run_id`` marks every container; the engine is not spoken to before it is needed."""
        self.run_id = run_id
        testcontainers_config.ryuk_disabled = True

    def available(self) -> str | None:
        host = docker_client.get_docker_host() or ""
        if host.startswith(("tcp:", "http", "ssh:")) and not _is_loopback(host):
            return (
                f"the Docker engine is on another machine ({host}), where a port published on "
                f"{LOOPBACK} cannot be reached from here; use a local engine or another backend"
            )
        try:
            with closing(_client(PING_S)) as client:
                client.ping()
        except _FAILURES as error:
            where = host or "its usual socket"
            return f"no Docker engine answers at {where}: {_reason(error)}; start it and try again"
        return None

    def start(self, recipe: Recipe, image: str | None = None) -> DockerServer:
        with _told(f"start {recipe.engine} in a container"):
            client = _client()
            try:
                return self._start(client, recipe, *_find_image(client, recipe, image))
            except BaseException:
                client.close()
                raise

    def _start(
        self, client: DockerClient, recipe: Recipe, chosen: str, image: Image
    ) -> DockerServer:
        name = f"migration-drill-{recipe.engine}-{secrets.token_hex(6)}"
        password = secrets.token_urlsafe(24)
        container = DockerContainer(
            chosen,
            docker_client_kw={"timeout": LIMIT_S},
            name=name,
            labels={RUN_LABEL: self.run_id, OWNER_LABEL: _owner.of_this_process()},
        )
        container.image = chosen
        container.env = {
            key: value.replace("{password}", password)
            for key, value in recipe.container_env.items()
        }
        container.ports = {f"{recipe.port}/tcp": (LOOPBACK, None)}
        container._command = list(recipe.container_args)
        try:
            container.start()
        except BaseException:
            with suppress(*_FAILURES):
                _remove(client, name)
            raise
        finally:
            container.get_docker_client().client.close()
        facts = ServerFacts(self.name, recipe.engine, chosen, _digest(image))
        identifier = container.get_container_id()
        return DockerServer(client, identifier, self.run_id, recipe, password, facts)

    def cannot_run(self, recipe: Recipe) -> str | None:
        """Looks for an image on this machine, and pulls the official one if there is none."""
        try:
            with _told(f"look for an image of {recipe.engine}"), closing(_client()) as client:
                _find_image(client, recipe, None)
        except EnvironmentProblem as problem:
            return str(problem)
        return None

    def leftovers(self) -> list[str]:
        with _told("look for what dead runs left"), closing(_client()) as client:
            return [f"{what}: its owner {owner} is gone" for what, owner, _ in _abandoned(client)]

    def collect_garbage(self) -> list[str]:
        lines = []
        with _told("collect what dead runs left"), closing(_client()) as client:
            for what, owner, remove in _abandoned(client):
                remove()
                lines.append(f"removed {what}: its owner {owner} is gone")
        return lines


class DockerServer:
    """One server in one container; it lives on through ``kill`` and ``start_again``."""

    capabilities = frozenset({Capability.KILL, Capability.PAUSE, Capability.TOOLS})

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

    def proof(self) -> str:
        run = (self._inspect()["Config"]["Labels"] or {}).get(RUN_LABEL)
        if run != self._run_id:
            raise GuardRefused(
                f"{self._title} has the label {RUN_LABEL}={run or '(none)'}, "
                f"wanted {self._run_id}: this run did not start it"
            )
        return f"{self._title} has the label {RUN_LABEL}={run}"

    def logs(self) -> str:
        with _told(f"read the log of {self._title}"):
            raw: bytes = self._client.api.logs(self.container_id, tail=LOG_LINES)
        if len(raw) > 2 * LOG_LIMIT:
            raw = raw[:LOG_LIMIT] + b"\n... cut ...\n" + raw[-LOG_LIMIT:]
        return raw.decode("utf-8", "replace")

    def destroy(self) -> None:
        with _told(f"remove {self._title}"):
            _remove(self._client, self.container_id)
            self._client.close()

    def kill(self) -> Sequence[Witness]:
        with _told(f"kill {self._title}"):
            began = self._inspect()["State"]["StartedAt"]
            self._client.api.kill(self.container_id, "SIGKILL")
            self._killed = True
            self._client.api.wait(self.container_id, timeout=LIMIT_S)
            code = self._inspect()["State"]["ExitCode"]
        if code != KILLED:
            raise EnvironmentProblem(
                f"{self._title} was sent SIGKILL and ended with exit code {code}, wanted {KILLED}"
            )
        sent = Witness("injector", f"docker kill sent SIGKILL to {self.container_id[:12]}")
        died = Witness("os", f"{self._title} ended with exit code {code}", {"exit_code": code})
        return [sent, died, *self._death_event(began)]

    def _death_event(self, since: str) -> list[Witness]:
        """What the engine itself reported since then, by its own clock; empty if it is silent."""
        only = {"type": "container", "container": self.container_id, "event": "die"}
        moment = f"{datetime.fromisoformat(since).timestamp():.6f}"
        with suppress(*_FAILURES):
            stream = self._client.api.events(since=moment, filters=only, decode=True)
            with closing(stream):
                for event in stream:
                    code = event["Actor"]["Attributes"].get("exitCode", "")
                    says = f"the engine reported the event die with exit code {code}"
                    data = {"exit_code": int(code), "time_ns": event["timeNano"]}
                    return [Witness("docker", says, data)]
        return []

    def start_again(self) -> None:
        with _told(f"start {self._title} again"):
            self._client.api.start(self.container_id)
        self._killed = False

    def pause(self) -> Sequence[Witness]:
        with _told(f"pause {self._title}"):
            self._client.api.pause(self.container_id)
        if not self._inspect()["State"]["Paused"]:
            raise EnvironmentProblem(f"{self._title} was paused, but its state does not say so")
        return [
            Witness("injector", f"docker pause froze {self.container_id[:12]}"),
            Witness("docker", f"the engine says that {self._title} is paused", {"paused": True}),
        ]

    def resume(self) -> None:
        with _told(f"thaw {self._title}"):
            if self._inspect()["State"]["Paused"]:
                self._client.api.unpause(self.container_id)

    def run_tool(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 120
    ) -> ToolResult:
        """Run a program inside the container as root; DeadlineExceeded kills it there."""
        began = time.monotonic()
        api = self._client.api
        with _told(f"run {argv[0]} in {self._title}"):
            run = api.exec_create(
                self.container_id,
                ["timeout", "-s", "KILL", f"{timeout_s:g}", *argv],
                stdin=True,
                environment=self._credentials(),
                user="root",
            )["Id"]
            with closing(api.exec_start(run, socket=True)) as stream:
                out, err = converse(stream, stdin, timeout_s + LIMIT_S)
            code = self._exit_code(run)
        if code == KILLED and time.monotonic() - began >= timeout_s:
            raise DeadlineExceeded(f"{argv[0]} was killed: no end within {timeout_s:g} s")
        return ToolResult(code, out, err)

    def _exit_code(self, run: str) -> int:
        """The output may end a moment before the engine knows the exit code."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            found = self._client.api.exec_inspect(run)
            if not found["Running"] and found["ExitCode"] is not None:
                return found["ExitCode"]
            time.sleep(POLL_S)
        raise DeadlineExceeded(f"a program in {self._title} closed its output and did not end")

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
        with _told(f"look at {self._title}"):
            try:
                return self._client.api.inspect_container(self.container_id)
            except NotFound:
                raise ServerLost(f"{self._title} is gone: someone removed it") from None


_FAILURES = (
    DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
)


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Whatever the engine or the way to it answers becomes one sentence, no traceback."""
    try:
        yield
    except _FAILURES as error:
        raise EnvironmentProblem(f"could not {doing}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    said = error.explanation if isinstance(error, APIError) and error.explanation else error
    return " ".join(str(said).split()).rstrip(".")


def _client(timeout_s: float = LIMIT_S) -> DockerClient:
    return docker_client.DockerClient(timeout=timeout_s).client


def _is_loopback(host: str) -> bool:
    return urllib3.util.parse_url(host).host in (LOOPBACK, "localhost", "[::1]")


def _find_image(client: DockerClient, recipe: Recipe, image: str | None) -> tuple[str, Image]:
    """The image asked for, else the official one, else the stand-in, else a pull."""
    names = [image] if image else [recipe.image, recipe.stand_in]
    for name in names:
        with suppress(ImageNotFound):
            return name, client.images.get(name)
    try:
        _pull(names[0])
        return names[0], client.images.get(names[0])
    except _FAILURES as error:
        build = "" if image else f", or `mdrill images build {recipe.engine}` makes a stand-in"
        raise EnvironmentProblem(
            f"no image of {recipe.engine} on this machine ({', '.join(names)}), and pulling "
            f"failed: {_reason(error)}. Next: `docker pull {names[0]}`{build}"
        ) from error


def _abandoned(client: DockerClient) -> list[tuple[str, str, Callable[[], None]]]:
    """What is labelled as ours and has no living owner: its name, its owner, how to remove it."""
    labelled = {"label": OWNER_LABEL}
    found = [
        (
            f"container {(c['Names'] or [c['Id'][:12]])[0].lstrip('/')}",
            c["Labels"].get(OWNER_LABEL, ""),
            partial(_remove, client, c["Id"]),
        )
        for c in client.api.containers(all=True, filters=labelled)
    ]
    for kind, things in (("network", client.networks), ("volume", client.volumes)):
        for thing in things.list(filters=labelled):
            owner = (thing.attrs.get("Labels") or {}).get(OWNER_LABEL, "")
            found.append((f"{kind} {thing.name}", owner, partial(_remove_thing, thing)))
    return [item for item in found if _owner.is_dead(item[1])]


def _remove_thing(thing: Any) -> None:
    with suppress(NotFound):
        thing.remove()


def _pull(name: str) -> None:
    end = time.monotonic() + PULL_S
    with closing(_client(60)) as client:
        for step in client.api.pull(name, stream=True, decode=True):
            if "error" in step:
                raise DockerException(step["error"])
            if time.monotonic() >= end:
                raise DeadlineExceeded(f"pulling {name} took longer than {PULL_S} s")


def _digest(image: Image) -> str:
    """The digest in its registry, or of an image that was made here its id."""
    published = image.attrs.get("RepoDigests") or []
    return published[0].rpartition("@")[2] if published else image.id


def _remove(client: DockerClient, container: str) -> None:
    """Remove it with its anonymous volumes; fine if it is gone or just being removed."""
    end = time.monotonic() + 2 * LIMIT_S
    try:
        client.api.remove_container(container, v=True, force=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != requests.codes.conflict:
            raise
    except requests.ReadTimeout:
        pass
    while time.monotonic() < end:
        try:
            client.api.inspect_container(container)
        except NotFound:
            return
        time.sleep(POLL_S)
    raise DeadlineExceeded(f"container {container[:12]} is still there although it was removed")
