"""What a folder of migrations is, and what can run it here."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import layouts, loading, registry, sqltext
from harness.cli import selection, version_choice
from harness.dumps import dump as dumps
from harness.dumps.dump import Dump
from harness.errors import UsageError
from harness.layouts import Layout, Migration, placeholders, stored_programs, templates
from harness.ports import Engine
from harness.tools.adapter import Adapter, Emulation, filled, for_dialect
from harness.tools.program import app_of, project_of

PLAIN = "psql"
"""The tool that sends any folder of SQL, and keeps no record."""


@dataclass(frozen=True)
class SweepPlan:
    """What is going to be swept, with what tool."""

    folder: Path
    layout: Layout
    migrations: tuple[Migration, ...]
    chosen: tuple[str, ...]
    tool: Adapter
    program: str
    engine: Engine
    dump: Dump | None = None
    plain_for: str = ""
    """The tool that keeps a record of such a folder, where the one that runs it keeps none."""

    @property
    def named(self) -> dict[str, str]:
        """What the tool's own commands name besides the folder."""
        project, marker = project_of(self.tool, self.folder)
        return {"project": str(project), "marker": marker, "app": app_of(self.migrations)}


def plan(folder: Path, options: Any) -> SweepPlan:
    """Look at the folder and tell what was found. UsageError with the next move."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name the folder that holds your migrations")
    if options.engine and "," in options.engine:
        raise UsageError(f"a sweep runs on one engine, found --engine {options.engine}")
    folder, layout = _found(folder, options)
    migrations = layouts.read(folder, layout.name)
    if not migrations:
        raise UsageError(f"{folder}: no migration found ({layout.evidence})")
    chosen = version_choice.chosen(folder, layout.name, migrations, options)
    dump = dumps.read(options.seed_dump, selection.say)
    engine = _engine(folder, migrations, options, dump)
    tool, program = _tool(options, layout, engine, folder)
    migrations = _filled(migrations, tool, placeholders.values_of(options.placeholder))
    migrations = _with_bodies(migrations, tool, engine)
    plain_for = _plain_for(tool, layout)
    tool = _of_app(tool, app_of(migrations))
    selection.say(
        f"{folder}: {len(migrations)} migrations of {layout.title} ({layout.evidence}); "
        f"tool: {tool.title}; engine: {engine.title}"
    )
    if plain_for:
        selection.say(
            f"swept as plain SQL: what {plain_for} itself would leave is not known"
            + ("" if options.tool else f"; install {plain_for}, or name its program by --program")
        )
    return SweepPlan(folder, layout, migrations, chosen, tool, program, engine, dump, plain_for)


def _filled(
    migrations: tuple[Migration, ...], tool: Adapter, values: Mapping[str, str]
) -> tuple[Migration, ...]:
    """With values in the place of placeholders. ScenarioError for one without, and for templates.

    A program reads its own settings; an emulation has only what the command line says.
    """
    takes = tool.how == "emulated" and (tool.placeholders or placeholders.takes_any(migrations))
    if values and not takes:
        known = [t.id for t in loading.our_tools().values() if t.placeholders]
        raise UsageError(
            f"--placeholder {next(iter(values))}: {tool.title} fills in none from here; wanted "
            f"{' or '.join(known)}, or goose with ENVSUB in its files. Next: "
            + (
                "give the program its values by its own settings"
                if tool.how == "run"
                else "leave it out"
            )
        )
    if tool.how == "run":
        return migrations
    done, unused = placeholders.filled(migrations, values, everywhere=tool.placeholders)
    for name in sorted(unused):
        selection.say(f"--placeholder {name}: no file has it")
    if not tool.placeholders:
        templates.refuse(done)
    return done


def _with_bodies(
    migrations: tuple[Migration, ...], tool: Adapter, engine: Engine
) -> tuple[Migration, ...]:
    """As the tool cuts them. ScenarioError for a stored program that it cuts into pieces."""
    sends: Emulation | None = for_dialect(tool.emulation, engine.name, engine.dialect, None)
    if sends is None or sends.wire == "whole-file" or sends.knows_bodies:
        return stored_programs.known(migrations)
    stored_programs.refuse(migrations, engine.dialect, tool.title)
    return migrations


def _plain_for(tool: Adapter, layout: Layout) -> str:
    """The folder's own tool, if that keeps a record and the chosen one keeps none."""
    if tool.applied:
        return ""
    known = _by_nearness(loading.our_tools().values(), layout)
    own = [tool for tool in known if tool.layouts[0] == layout.name]
    return next((tool.title for tool in own if tool.applied), "")


def _tool(options: Any, layout: Layout, engine: Engine, folder: Path) -> tuple[Adapter, str]:
    """The tool asked for, else the first of those for the layout that can be used here."""
    known = loading.our_tools()
    if options.tool and options.tool.endswith((".yaml", ".yml")):
        candidates = [loading.load_tool(Path(options.tool))]
    elif options.tool:
        if options.tool not in known:
            raise UsageError(registry.unknown("tool", options.tool, known))
        candidates = [known[options.tool]]
    else:
        candidates = _by_nearness(known.values(), layout)
    problems = []
    for tool in candidates:
        if engine.name not in tool.engines:
            problems.append(f"{tool.title} does not work with {engine.title}")
            continue
        if tool.how == "emulated":
            for problem in problems if tool.applied else ():
                selection.say(f"{problem}; what {tool.title} sends stands in for it")
            return tool, ""
        path = options.program or program(tool.program, folder)
        if path:
            return tool, path
        problems.append(_absent(tool, known.values()))
    raise UsageError(
        f"no tool can run a folder of the layout {layout.name} here: "
        + ("; ".join(problems) or f"none is known for it; --tool {PLAIN} sends it as plain SQL")
    )


def _absent(tool: Adapter, known: Iterable[Adapter]) -> str:
    """That the tool's program is not here, and what can be done about it."""
    others = [t.id for t in known if t.how == "emulated" and t.layouts[0] == tool.layouts[0]]
    return (
        f"{tool.title}: no program {tool.program!r} on PATH (--program names it"
        + "".join(f", --tool {name} does without" for name in others)
        + ")"
    )


def _found(folder: Path, options: Any) -> tuple[Path, Layout]:
    """The folder of the migrations, and the layout asked for or else the one that it shows."""
    if options.layout and options.layout not in layouts.LAYOUTS:
        raise UsageError(registry.unknown("layout", options.layout, layouts.LAYOUTS))
    found, layout = layouts.find(
        folder, (options.engine or "").partition(":")[0], options.layout or ""
    )
    if found != folder:
        selection.say(f"{folder}: the migrations are in {found}")
    return found, layout


def program(name: str, folder: Path) -> str | None:
    """The project's own copy of a program before the one on PATH."""
    for place in (folder.resolve(), *folder.resolve().parents):
        for bin_ in (".venv/bin", "venv/bin", "node_modules/.bin"):
            if (place / bin_ / name).is_file():
                return str(place / bin_ / name)
    return shutil.which(name)


def _of_app(tool: Adapter, app: str) -> Adapter:
    """Django counts per app, whose name is that of the folder."""

    def named(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {engine: named(sql) for engine, sql in value.items()}
        if isinstance(value, tuple):
            return tuple(named(sql) for sql in value)
        return filled(value, {"app": app})

    return replace(
        tool,
        applied=named(tool.applied),
        mark_applied=named(tool.mark_applied),
        mark_reverted=named(tool.mark_reverted),
    )


def _by_nearness(known: Iterable[Adapter], layout: Layout) -> list[Adapter]:
    """The layout's own program first, then its emulation, then tools for other layouts too."""
    fits = [tool for tool in known if layout.name in tool.layouts]
    return sorted(fits, key=lambda t: (t.layouts[0] != layout.name, t.how != "run", t.id))


def _engine(
    folder: Path, migrations: Sequence[Migration], options: Any, dump: Dump | None
) -> Engine:
    """The engine asked for, else the one that the dump is of, else the one that the SQL tells."""
    told = dump.engine if dump and not options.engine else None
    name = options.engine or (told.name if told else engine_of(folder, migrations))
    engine = registry.engine(name)
    if dump:
        dump.check(engine)
    return engine


def engine_of(folder: Path, migrations: Sequence[Migration]) -> str:
    """The engine whose own words the SQL uses. UsageError where it is not plain."""
    text = "\n".join(m.up.text for m in migrations if m.up is not None)
    counts = sqltext.words_of_each(text)
    best, other = sorted(counts, key=lambda name: counts[name], reverse=True)
    if counts[best] and counts[best] >= 4 * counts[other]:
        return best
    told = ", ".join(f"{count} words of {engine} alone" for engine, count in counts.items())
    raise UsageError(
        f"{folder}: the SQL does not tell its engine ({told}); name it: --engine postgres or mysql"
    )
