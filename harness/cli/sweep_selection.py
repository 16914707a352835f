"""What a folder of migrations is, and what can run it here."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import layouts, loading, registry, sqltext
from harness.cli import selection
from harness.errors import UsageError
from harness.layouts import Layout, Migration, templates
from harness.ports import Engine
from harness.tools.adapter import Adapter, filled
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
    layout = _layout(folder, options)
    migrations = layouts.read(folder, layout.name)
    if not migrations:
        raise UsageError(f"{folder}: no migration found ({layout.evidence})")
    engine = registry.engine(options.engine or engine_of(folder, migrations))
    tool, program = _tool(options, layout, engine, folder)
    if tool.how == "emulated":
        templates.refuse(migrations, fills_in=tool.placeholders)
    plain_for = _plain_for(tool, layout)
    tool = _of_app(tool, app_of(migrations))
    chosen = _chosen(options, migrations)
    selection.say(
        f"{folder}: {len(migrations)} migrations of {layout.title} ({layout.evidence}); "
        f"tool: {tool.title}; engine: {engine.title}"
    )
    if plain_for:
        selection.say(
            f"swept as plain SQL: what {plain_for} itself would leave is not known"
            + ("" if options.tool else f"; install {plain_for}, or name its program by --program")
        )
    return SweepPlan(folder, layout, migrations, chosen, tool, program, engine, plain_for)


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


def _layout(folder: Path, options: Any) -> Layout:
    """The layout asked for, else the one that the folder shows."""
    if not options.layout:
        return layouts.detect(folder, (options.engine or "").partition(":")[0])
    if options.layout not in layouts.LAYOUTS:
        raise UsageError(registry.unknown("layout", options.layout, layouts.LAYOUTS))
    kind = layouts.LAYOUTS[options.layout]
    return Layout(kind.name, kind.title, "asked for")


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


def _chosen(options: Any, migrations: Sequence[Migration]) -> tuple[str, ...]:
    """The versions to sweep; UsageError for one that is not there."""
    versions = [migration.version for migration in migrations]
    names = {m.name: m.version for m in migrations} | {v: v for v in versions}

    def version(text: str) -> str:
        if text not in names:
            raise UsageError(registry.unknown("migration", text, names))
        return names[text]

    if options.only:
        return tuple(version(text) for text in options.only)
    if options.range_:
        first, dots, last = options.range_.partition("..")
        if not dots:
            raise UsageError(f"--range wants A..B, found {options.range_!r}")
        begin = versions.index(version(first)) if first else 0
        end = versions.index(version(last)) if last else len(versions) - 1
        if begin > end:
            raise UsageError(f"--range {options.range_}: {last} comes before {first}")
        return tuple(versions[begin : end + 1])
    return tuple(versions)


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
