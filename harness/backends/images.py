"""Builds stand-ins for the official images where no registry can be reached.

A stand-in is made of Debian's own packages on a Debian sid base. It keeps the contract of the
official image (port, environment variables, arguments), and its data directory is initialised
when it is built, so that a container answers within a second or a few. It is no substitute for
testing on the image that production runs; the record names the image that ran.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import EnvironmentProblem, UsageError

RECIPES = Path(__file__).parent / "image_recipes"
PREFIX = "migration-drill"
BASE = f"{PREFIX}/base:sid"
BASES = (BASE, "debian:sid-slim", "debian:sid")
"""The first of these that is on this machine is built upon; else debootstrap makes the first."""
APT = Path("/etc/apt")
ASK_S, BOOTSTRAP_S, BUILD_S = 10, 1200, 1800


def stand_ins() -> dict[str, str]:
    """Every engine that has a recipe, with the name of its stand-in image."""
    return {
        path.parent.name: f"{PREFIX}/{path.parent.name}:{_version(path)}"
        for path in sorted(RECIPES.glob("*/Dockerfile"))
    }


def build(engine: str, say: Callable[[str], object]) -> str:
    """Build the stand-in of ``engine`` and return its name; ``say`` is told of each stage.

    UsageError for an engine without a recipe; EnvironmentProblem, with the next move, if the
    machine cannot do it.
    """
    known = stand_ins()
    if engine not in known:
        raise UsageError(f"no image recipe for '{engine}'. Known: {', '.join(known)}")
    _docker_must_answer()
    base = _base(say)
    image = known[engine]
    say(f"building {image} on {base} from Debian's packages; this takes a minute or two")
    how = ["--network", "host", "--build-arg", f"BASE={base}", "--tag", image]
    _run(["docker", "build", *how, str(RECIPES / engine)], BUILD_S)
    say(f"built {image}")
    return image


def _version(dockerfile: Path) -> str:
    found = re.search(r"^ARG VERSION=(\S+)$", dockerfile.read_text("utf-8"), re.MULTILINE)
    if not found:
        raise EnvironmentProblem(f"{dockerfile} has no line 'ARG VERSION=...'")
    return found[1]


def _docker_must_answer() -> None:
    if not shutil.which("docker"):
        raise EnvironmentProblem(
            "the docker command is not on PATH; building an image needs it. "
            "Install Docker's command-line client and try again"
        )
    _run(["docker", "version", "--format", "{{.Server.Version}}"], ASK_S)


def _base(say: Callable[[str], object]) -> str:
    for name in BASES:
        if _run(["docker", "image", "ls", "-q", name], ASK_S).strip():
            return name
    _must_be_able_to_bootstrap()
    mirror = debian_mirror(APT)
    say(f"making {BASE} with debootstrap from {mirror}; this takes a minute or two")
    scratch = Path(tempfile.mkdtemp(prefix="migration-drill-base-"))
    try:
        root = scratch / "root"
        _run(["debootstrap", "--variant=minbase", "sid", str(root), mirror], BOOTSTRAP_S)
        _import(root)
    finally:
        _discard(scratch)
    return BASE


def _must_be_able_to_bootstrap() -> None:
    instead = "Or bring a base image: `docker pull debian:sid-slim`"
    if not shutil.which("debootstrap"):
        raise EnvironmentProblem(
            f"none of {', '.join(BASES)} is on this machine, and debootstrap, which makes one, "
            f"is missing. Next: `sudo apt-get install debootstrap`. {instead}"
        )
    if os.geteuid() != 0:
        raise EnvironmentProblem(
            f"none of {', '.join(BASES)} is on this machine, and debootstrap, which makes one, "
            f"needs root. Next: run this command with sudo. {instead}"
        )


def debian_mirror(apt: Path) -> str:
    """The Debian archive this machine's apt already uses; EnvironmentProblem if there is none."""
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        text = path.read_text("utf-8", "replace")
        entries = _stanzas(text) if path.suffix == ".sources" else _lines(text)
        for uri, suites in entries:
            security = any("security" in suite for suite in suites) or "security" in uri
            if uri.startswith("http") and uri.rstrip("/").endswith("/debian") and not security:
                return uri.rstrip("/")
    raise EnvironmentProblem(
        f"apt's sources under {apt} name no Debian archive to make an image from. "
        "Next: bring a base image: `docker pull debian:sid-slim`"
    )


def _lines(text: str) -> list[tuple[str, list[str]]]:
    """(address, suites) of each entry of a one-line-style file."""
    wanted = re.compile(r"^\s*deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", re.MULTILINE)
    return [(uri, [suite]) for uri, suite in wanted.findall(text)]


def _stanzas(text: str) -> list[tuple[str, list[str]]]:
    """(address, suites) of each enabled entry of a deb822-style file."""
    found = []
    for stanza in re.split(r"\n\s*\n", re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)):
        fields = dict(re.findall(r"^(\w[\w-]*):[ \t]*(.*)$", stanza, re.MULTILINE))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
            suites = fields.get("Suites", "").split()
            found += [(uri, suites) for uri in fields.get("URIs", "").split()]
    return found


def _import(root: Path) -> None:
    archive = root.with_suffix(".tar")
    left_out = [f"--exclude=./{folder}/*" for folder in ("proc", "sys", "dev")]
    left_out.append("--exclude=./var/cache/apt/archives/*.deb")
    _run(["tar", "-C", str(root), "--one-file-system", *left_out, "-cf", str(archive), "."], 300)
    _run(["docker", "import", "--change", 'CMD ["sh"]', str(archive), BASE], 300)


def _discard(scratch: Path) -> None:
    """An interrupted debootstrap may leave file systems mounted; never delete through them."""
    inside = f"{scratch}/"
    for _ in _mounts(inside):
        for point in reversed(_mounts(inside)):
            subprocess.run(["umount", point], capture_output=True, timeout=ASK_S, check=False)
    still = _mounts(inside)
    if still:
        raise EnvironmentProblem(
            f"{', '.join(still)} could not be unmounted; unmount it, then remove {scratch}"
        )
    shutil.rmtree(scratch, ignore_errors=True)


def _mounts(inside: str) -> list[str]:
    table = Path("/proc/mounts").read_text("utf-8", "replace").splitlines()
    return [point for point in (line.split()[1] for line in table) if point.startswith(inside)]


def _run(argv: Sequence[str], deadline_s: float) -> str:
    """What the command printed; EnvironmentProblem with the end of it if it fails or hangs."""
    shown = " ".join(argv[:2])
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=deadline_s,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        end = (late.stdout or b"").decode("utf-8", "replace")[-2000:]
        raise EnvironmentProblem(f"`{shown}` did not end within {deadline_s:g} s:\n{end}") from None
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        raise EnvironmentProblem(
            f"`{shown}` ended with exit code {done.returncode}:\n{said[-2000:].strip()}"
        )
    return said
