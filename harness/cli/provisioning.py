"""What of this machine can run which engine, and what ``make setup`` does where it cannot.

``look`` changes nothing and pulls nothing. ``mend`` does only what needs no question: it pulls
or builds images, and as root on Debian and its kin it installs packages that start no service.
Everywhere else the one command that mends it is told.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence

from harness import registry
from harness.backends import images as stand_ins
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.cli.selection import FAMILY
from harness.cli.versions import PROGRAMS, Found, build_command
from harness.errors import EnvironmentProblem
from harness.ports import Engine

DRILLED = ("postgres", "mysql")
"""The engines that our own drills ask for."""
APT = "apt-get install "
APT_DEADLINE_S = 900
ELSEWHERE: Mapping[str, str] = {
    "brew": "brew install mariadb",
    "dnf": "sudo dnf install -y mariadb-server mariadb",
    "pacman": "sudo pacman -S --noconfirm mariadb",
    "apk": "sudo apk add mariadb mariadb-client",
    "zypper": "sudo zypper install -y mariadb mariadb-client",
}
"""How other systems get MariaDB's programs, by their package manager."""
Say = Callable[[str], object]


def look(backend: DockerBackend | LocalBackend) -> list[Found]:
    """Every engine on a backend that can be used."""
    if isinstance(backend, DockerBackend):
        return [_in_docker(backend, engine) for engine in registry.engines().values()]
    return [_as_processes(backend, engine) for engine in registry.engines().values()]


def _in_docker(backend: DockerBackend, engine: Engine) -> Found:
    image = backend.image_here(engine.recipe)
    if image:
        return Found(engine, runs=image)
    remedy = f"docker pull {engine.recipe.image}, or without a registry: {build_command(engine)}"
    return Found(engine, missing="no image on this machine yet", remedy=remedy)


def _as_processes(backend: LocalBackend, engine: Engine) -> Found:
    problem = backend.cannot_run(engine.recipe)
    if problem is None:
        return Found(engine, runs=PROGRAMS)
    told = engine.recipe.fetch_hint in problem and not engine.recipe.fetch_hint.startswith(APT)
    return Found(engine, missing=problem, remedy="" if told else remedy(engine))


def mend(say: Say) -> None:
    """Bring what our drills need, as far as may be done unasked; quick where all is there."""
    docker, local = DockerBackend("setup"), LocalBackend("setup")
    in_docker = docker.available() is None
    for name in DRILLED:
        engine = registry.engine(name)
        if in_docker:
            _bring_image(docker, engine, say)
        kin = [engine, *(registry.engine(FAMILY[name]) for _ in range(name in FAMILY))]
        ready = in_docker and docker.image_here(engine.recipe)
        if not ready and all(local.cannot_run(one.recipe) for one in kin):
            _bring_programs(kin[-1], say)


def _bring_image(docker: DockerBackend, engine: Engine, say: Say) -> None:
    if docker.image_here(engine.recipe):
        return
    say(f"setup: pulling {engine.recipe.image}")
    problem = docker.cannot_run(engine.recipe)
    if problem is None:
        return
    say(f"setup: {engine.recipe.image} cannot be pulled; building a stand-in")
    try:
        if may_install() and not shutil.which("debootstrap"):
            _install(["debootstrap"], say)
        stand_ins.build(engine.recipe, lambda line: say(f"setup: {line}"))
    except EnvironmentProblem as error:
        say(f"setup: no image of {engine.title}: {error}")


def _bring_programs(engine: Engine, say: Say) -> None:
    hint = shlex.split(engine.recipe.fetch_hint)
    if engine.recipe.fetch_hint.startswith(APT) and may_install():
        try:
            _install([word for word in hint[2:] if not word.startswith("-")], say)
        except EnvironmentProblem as error:
            say(f"setup: {error}")
    else:
        say(f"setup: no server of {engine.title} on this machine. Next: {remedy(engine)}")


def remedy(engine: Engine) -> str:
    """The one command that brings an engine's programs to this machine."""
    hint = engine.recipe.fetch_hint
    if not hint.startswith(APT):
        return hint
    if shutil.which("apt-get"):
        return f"sudo {hint}" if os.geteuid() else hint
    return next((how for tool, how in ELSEWHERE.items() if shutil.which(tool)), hint)


def may_install() -> bool:
    """True where packages can be installed without asking anybody: root, with apt."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(packages: Sequence[str], say: Say) -> None:
    say(f"setup: installing {' '.join(packages)}")
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
    _run([*apt, "update"])
    _run([*apt, "install", "-y", "--no-install-recommends", *packages])


def _run(argv: Sequence[str]) -> None:
    """EnvironmentProblem with the end of what the command said if it fails or takes too long."""
    try:
        subprocess.run(
            argv,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=APT_DEADLINE_S,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = error.output if isinstance(error.output, str) else ""
        raise EnvironmentProblem(f"`{shlex.join(argv)}` failed:\n{said[-1500:].strip()}") from error
