"""Commands about the machine: ``doctor``, ``images``, ``gc``."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter

import click

from harness import cache, registry
from harness.backends import images as stand_ins
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.cli import provisioning, selection, versions
from harness.errors import EnvironmentProblem

ENOUGH_DISK = 2 * 1024**3
CACHED = {cache.READY: "ready data directories", cache.STATES: "states of earlier sweeps"}
"""What is kept, in words."""


@click.command(short_help="What can be used here, and what mends the rest.")
@click.option("--mend", is_flag=True, help="First bring what is missing, as `make setup` does.")
def doctor(mend: bool) -> int:
    """What of this machine can be used, what is missing, and the command that mends it."""
    if mend:
        provisioning.mend(click.echo)
    backends = (DockerBackend("doctor"), LocalBackend("doctor"))
    usable = [backend for backend in backends if _about(backend)]
    free = shutil.disk_usage(tempfile.gettempdir()).free
    click.echo(f"disk: {free / 1024**3:.1f} GiB free{'' if free > ENOUGH_DISK else ', too little'}")
    click.echo(_about_cache())
    left = [line for backend in backends if not backend.available() for line in backend.leftovers()]
    click.echo(f"leftovers: {len(left)}{'; `mdrill gc` removes them' if left else ''}")
    if not usable:
        raise EnvironmentProblem(
            "no engine can be started on this machine; the lines above name what mends it"
        )
    return 0


def _about(backend: DockerBackend | LocalBackend) -> bool:
    """Tell of every engine on a backend; True if one is ready."""
    problem = backend.available()
    click.echo(f"{backend.name}: {problem or 'can be used'}")
    found = [] if problem else provisioning.look(backend)
    for item in found:
        told = f"ready ({item.runs})" if item.runs else item.missing
        click.echo(f"  {item.engine.title:<12} {told}")
        if item.remedy:
            click.echo(f"  {'':<12} next: {item.remedy}")
        if backend.name == "docker":
            click.echo(f"  {'':<12} versions: {versions.in_words(versions.of(item.engine))}")
    return any(item.runs for item in found)


@click.group(invoke_without_command=True)
@click.pass_context
def images(context: click.Context) -> int:
    """The versions of each engine that are here, and stand-in images for the others."""
    if context.invoked_subcommand is None:
        for engine in registry.engines().values():
            for found in versions.of(engine):
                click.echo(f"{found.engine.label:<16} {found.runs or f'next: {found.remedy}'}")
    return 0


@images.command()
@click.argument("engines", nargs=-1, metavar="[ENGINE[:VERSION] | all]...")
def build(engines: tuple[str, ...]) -> int:
    """Build stand-in images from Debian's packages: of each engine, or of those named."""
    if not engines or "all" in engines:
        engines = ("postgres", "mysql", "mariadb")
    for engine in [registry.engine(name) for name in selection.named(engines)]:
        click.echo(f"built {stand_ins.build(engine.recipe, click.echo)}")
    return 0


def _about_cache() -> str:
    """What is kept, and where."""
    kept = cache.usual()
    if kept is None:
        return f"cache: none, so each server's data is made anew: {cache.why_none()}"
    kinds = Counter(one.kind for one in kept.kept())
    told = ", ".join(f"{CACHED.get(kind, kind)}: {count}" for kind, count in sorted(kinds.items()))
    size = sum(one.bytes for one in kept.kept()) / 1024**2
    return f"cache: {told or 'nothing'} ({size:.0f} MiB) in {kept.folder}" + (
        "; `mdrill gc --cache` removes them" if told else ""
    )


@click.command(short_help="Remove what dead runs have left.")
@click.option("--cache", "with_cache", is_flag=True, help="And all that is kept to save time.")
def gc(with_cache: bool) -> int:
    """Remove exactly what runs whose process is gone have left: nothing of a living one."""
    removed = []
    for backend in (DockerBackend("gc"), LocalBackend("gc")):
        if backend.available() is None:
            removed += backend.collect_garbage()
    kept = cache.usual()
    gone = kept.trim(most=0 if with_cache else cache.MOST) if kept else []
    removed += [f"removed {o.kind}/{o.key}: {o.bytes / 1024**2:.0f} MiB" for o in gone]
    for line in removed:
        click.echo(line)
    click.echo(f"{len(removed)} removed")
    click.echo(_about_cache())
    return 0
