"""How the Docker engine is asked: connections, images, what dead owners left, removal."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any

import requests
import urllib3
from docker import DockerClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.images import Image
from testcontainers.core import docker_client

from harness.backends import _owner
from harness.errors import DeadlineExceeded, EnvironmentProblem
from harness.ports import Recipe

OWNER_LABEL = "migration-drill.owner"
LOOPBACK = "127.0.0.1"
LIMIT_S = 10
"""How long the engine may take for one answer; starting and killing take a fraction of it."""
PULL_S = 900
POLL_S = 0.01
FAILURES = (
    DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
)


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Whatever the engine or the way to it answers becomes one sentence, no traceback."""
    try:
        yield
    except FAILURES as error:
        raise EnvironmentProblem(f"could not {doing}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What the engine itself says, on one line."""
    said = error.explanation if isinstance(error, APIError) and error.explanation else error
    return " ".join(str(said).split()).rstrip(".")


def connect(timeout_s: float = LIMIT_S) -> DockerClient:
    """A connection of its own to the engine that testcontainers would find."""
    return docker_client.DockerClient(timeout=timeout_s).client


@contextmanager
def connected(doing: str) -> Iterator[DockerClient]:
    """A connection for one question; its end, and what goes wrong, are seen to."""
    with told(doing), closing(connect()) as client:
        yield client


def is_loopback(host: str) -> bool:
    """True if the address is this machine's own."""
    return urllib3.util.parse_url(host).host in (LOOPBACK, "localhost", "[::1]")


def find_image(client: DockerClient, recipe: Recipe, image: str | None) -> tuple[str, Image]:
    """The image asked for, else the official one, else the stand-in, else a pull."""
    names = [image] if image else [recipe.image, recipe.stand_in]
    here = image_here(client, names)
    if here:
        return here
    try:
        _pull(names[0])
        return names[0], client.images.get(names[0])
    except FAILURES as error:
        what = f"{recipe.engine}:{recipe.asked}" if recipe.asked else recipe.engine
        can = not image and recipe.version in recipe.suites
        build = "" if not can else f", or `mdrill images build {what}` makes a stand-in"
        raise EnvironmentProblem(
            f"no image of {recipe.engine} on this machine ({', '.join(names)}), and pulling "
            f"failed: {reason(error)}. Next: `docker pull {names[0]}`{build}"
        ) from error


def image_here(client: DockerClient, names: Sequence[str]) -> tuple[str, Image] | None:
    """The first of the images that is on this machine; nothing is pulled."""
    for name in names:
        with suppress(ImageNotFound):
            return name, client.images.get(name)
    return None


def versions_here(client: DockerClient, recipe: Recipe) -> dict[str, str]:
    """Every version on this machine, and the image that would run: the official one first."""
    here = sorted(tag for image in client.images.list() for tag in image.tags)
    found = {}
    for name in (recipe.stand_in, recipe.image):
        repository = re.escape(name.rpartition(":")[0])
        versions = (re.fullmatch(rf"{repository}:(\d+(?:\.\d+)*)", tag) for tag in here)
        found.update({version[1]: version[0] for version in versions if version})
    return found


def abandoned(client: DockerClient) -> list[tuple[str, str, Callable[[], None]]]:
    """What is labelled as ours and has no living owner: its name, its owner, how to remove it."""
    labelled = {"label": OWNER_LABEL}
    found = [
        (
            f"container {(c['Names'] or [c['Id'][:12]])[0].lstrip('/')}",
            c["Labels"].get(OWNER_LABEL, ""),
            partial(remove, client, c["Id"]),
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
    with closing(connect(60)) as client:
        for step in client.api.pull(name, stream=True, decode=True):
            if "error" in step:
                raise DockerException(step["error"])
            if time.monotonic() >= end:
                raise DeadlineExceeded(f"pulling {name} took longer than {PULL_S} s")


def digest(image: Image) -> str:
    """The digest in its registry, or of an image that was made here its id."""
    published = image.attrs.get("RepoDigests") or []
    return str(published[0]).rpartition("@")[2] if published else str(image.id)


def remove(client: DockerClient, container: str) -> None:
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
