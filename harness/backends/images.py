"""Builds stand-ins for the official images where no registry can be reached.

A stand-in is made of Debian's own packages, on a base of the suite that has the version; those of
one suite share it. It keeps the contract of the official image (port, environment variables,
arguments), and its data directory is initialised when it is built, so that a container answers
within a second or a few. It is no substitute for testing on the image that production runs; the
record names the image that ran.
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
from harness.ports import Recipe

RECIPES = Path(__file__).parent / "image_recipes"
PREFIX = "migration-drill"
APT = Path("/etc/apt")
ASK_S, BOOTSTRAP_S, BUILD_S = 10, 1200, 1800


def bases(suite: str) -> tuple[str, ...]:
    """The first that is on this machine is built upon; else debootstrap makes the first of them."""
    return (f"{PREFIX}/base:{suite}", f"debian:{suite}-slim", f"debian:{suite}")


def build(recipe: Recipe, say: Callable[[str], object]) -> str:
    """Build the stand-in of that engine and version and return its name; ``say`` is told of each
    stage.

    UsageError for one that no suite of Debian has; EnvironmentProblem, with the next move, if the
    machine cannot do it.
    """
    if recipe.version not in recipe.suites:
        known = ", ".join(f"{recipe.engine}:{version}" for version in recipe.suites)
        raise UsageError(
            f"no stand-in can be built of {recipe.engine}:{recipe.version}: Debian has no package "
            f"of it. Known: {known or 'none'}"
        )
    _docker_must_answer()
    base = _base(recipe.suites[recipe.version], say)
    say(f"building {recipe.stand_in} on {base} from Debian's packages; this takes a minute or two")
    _run(build_argv(recipe, base), BUILD_S)
    return recipe.stand_in


def build_argv(recipe: Recipe, base: str) -> list[str]:
    """The command that builds a stand-in on a base."""
    told = ["--build-arg", f"BASE={base}", "--build-arg", f"VERSION={recipe.version}"]
    folder = RECIPES / recipe.engine
    return ["docker", "build", "--network", "host", *told, "--tag", recipe.stand_in, str(folder)]


def _docker_must_answer() -> None:
    if not shutil.which("docker"):
        raise EnvironmentProblem(
            "the docker command is not on PATH; building an image needs it. "
            "Install Docker's command-line client and try again"
        )
    _run(["docker", "version", "--format", "{{.Server.Version}}"], ASK_S)


def _base(suite: str, say: Callable[[str], object]) -> str:
    base, *_ = names = bases(suite)
    for name in names:
        if _run(["docker", "image", "ls", "-q", name], ASK_S).strip():
            return name
    _must_be_able_to_bootstrap(names)
    mirror = debian_mirror(APT)
    say(f"making {base} with debootstrap from {mirror}; this takes a minute or two")
    scratch = Path(tempfile.mkdtemp(prefix="migration-drill-base-"))
    try:
        root = scratch / "root"
        _run(["debootstrap", "--variant=minbase", suite, str(root), mirror], BOOTSTRAP_S)
        _import(root, base)
    finally:
        _discard(scratch)
    return base


def _must_be_able_to_bootstrap(names: Sequence[str]) -> None:
    instead = f"Or bring a base image: `docker pull {names[1]}`"
    if not shutil.which("debootstrap"):
        raise EnvironmentProblem(
            f"none of {', '.join(names)} is on this machine, and debootstrap, which makes one, "
            f"is missing. Next: `sudo apt-get install debootstrap`. {instead}"
        )
    if os.geteuid() != 0:
        raise EnvironmentProblem(
            f"none of {', '.join(names)} is on this machine, and debootstrap, which makes one, "
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
        "Next: bring a base image, as with `docker pull debian:sid-slim`"
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


def _import(root: Path, base: str) -> None:
    archive = root.with_suffix(".tar")
    left_out = [f"--exclude=./{folder}/*" for folder in ("proc", "sys", "dev")]
    left_out.append("--exclude=./var/cache/apt/archives/*.deb")
    _run(["tar", "-C", str(root), "--one-file-system", *left_out, "-cf", str(archive), "."], 300)
    _run(["docker", "import", "--change", 'CMD ["sh"]', str(archive), base], 300)


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
