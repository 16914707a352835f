"""Which versions of a folder are swept: ``--only``, ``--range``, ``--since``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import layouts, registry
from harness.cli import git_revision, selection
from harness.cli.git_revision import Revision
from harness.errors import NothingSelected, UsageError
from harness.layouts import Migration, Script

SHOWN = 5


def chosen(
    folder: Path, layout: str, migrations: Sequence[Migration], options: Any
) -> tuple[str, ...]:
    """The versions to sweep, in the order of the folder, never none.

    ``--since`` leaves out of what ``--only`` or ``--range`` asked for all that the revision has.
    UsageError for a version that is not there, or that is several; NothingSelected if the revision
    has every one.
    """
    if options.only and options.range_:
        raise UsageError(
            f"found --only {options.only[0]} and --range {options.range_}; wanted one of them"
        )
    asked = _asked(migrations, options)
    since = options.since
    if not since:
        return asked
    at = git_revision.revision(folder, since)
    changes = since_then(at, layout, migrations)
    for line in changes.told(at):
        selection.say(line)
    left = tuple(version for version in asked if version in changes.versions)
    if not left:
        names = f"all {len(asked)} migrations" if len(asked) > 1 else asked[0]
        raise NothingSelected(
            f"{folder}: {at.name} ({at.commit[:12]}) has {names}, as they are here: nothing to "
            "sweep. Next: name an older revision, or leave out --since"
        )
    return left


def _asked(migrations: Sequence[Migration], options: Any) -> tuple[str, ...]:
    versions = [migration.version for migration in migrations]
    if options.only:
        wanted = {_version(text, migrations) for text in options.only}
        return tuple(version for version in versions if version in wanted)
    if not options.range_:
        return tuple(versions)
    first, dots, last = options.range_.partition("..")
    if not dots:
        raise UsageError(f"--range wants A..B, found {options.range_!r}")
    begin = versions.index(_version(first, migrations)) if first else 0
    end = versions.index(_version(last, migrations)) if last else len(versions) - 1
    if begin > end:
        raise UsageError(f"--range {options.range_}: {last} comes before {first}")
    return tuple(versions[begin : end + 1])


# ---------------------------------------------------------------------- one version


def _version(text: str, migrations: Sequence[Migration]) -> str:
    """The one version that is meant: by its name, by the begin of its name, or as a number."""
    for meant in (_exactly, _begins_a_word, _begins, _is_number):
        found = {m.version: m.name for m in migrations if meant(text, m)}
        if len(found) == 1:
            return next(iter(found))
        if found:
            names = list(found.values())
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            raise UsageError(
                f"{text!r} is the begin of {len(names)} migrations: {', '.join(names[:SHOWN])}"
                f"{more}. Next: write more of the one that is meant"
            )
    known = (name for m in migrations for name in (m.name, m.version))
    raise UsageError(registry.unknown("migration", text, set(known)))


def _exactly(text: str, migration: Migration) -> bool:
    return text in (migration.version, migration.name)


def _begins_a_word(text: str, migration: Migration) -> bool:
    """``0003`` is the begin of ``0003_phone``, and not of ``00031_fax``."""
    return any(
        known.startswith(text) and not known[len(text) :][:1].isalnum()
        for known in (migration.version, migration.name)
    )


def _begins(text: str, migration: Migration) -> bool:
    return any(known.startswith(text) for known in (migration.version, migration.name))


def _is_number(text: str, migration: Migration) -> bool:
    """``3`` is version ``0003``."""
    both = text, migration.version
    return all(one.isascii() and one.isdigit() for one in both) and int(text) == int(both[1])


# ---------------------------------------------------------------------- since a revision


@dataclass(frozen=True)
class Changes:
    """What of a folder a revision lacks, by version."""

    added: Collection[str]
    changed: Mapping[str, str]
    """Versions that the revision has, with another content; and which files."""
    gone: Collection[str]
    """Names of migrations that only the revision has."""

    @property
    def versions(self) -> frozenset[str]:
        """Those to be swept."""
        return frozenset(self.added) | frozenset(self.changed)

    def told(self, at: Revision) -> Iterator[str]:
        """A line on what was found, and one for each migration that was published otherwise."""
        yield (
            f"since {at.name} ({at.commit[:12]}): {len(self.added)} new, "
            f"{len(self.changed)} changed" + ("" if at.tree else "; it has no such folder")
        )
        for version, files in self.changed.items():
            yield (
                f"{version} was changed after it was published: {files} is not as {at.name} has "
                "it. Where it has been applied, the change never runs"
            )
        for name in self.gone:
            yield f"{name} is not here any more; {at.name} has it"


def since_then(at: Revision, layout: str, migrations: Sequence[Migration]) -> Changes:
    """What of the folder's migrations the revision lacks, or has with another content.

    What is compared is what the tool takes from the files: a name that changed and left the version
    as it was is no change. Line ends do not count.
    """
    with at.files() as copy:
        before = _read(copy, layout) if copy else ()
        had = {migration.version: _content(migration) for migration in before}
    added, changed = [], {}
    for migration in migrations:
        if migration.version not in had:
            added.append(migration.version)
            continue
        now, then = _content(migration), had[migration.version]
        if now != then:
            other = [part for part in {**now, **then} if now.get(part) != then.get(part)]
            changed[migration.version] = _files(migration, other)
    here = {migration.version for migration in migrations}
    gone = tuple(migration.name for migration in before if migration.version not in here)
    return Changes(tuple(added), changed, gone)


def _read(copy: Path, layout: str) -> tuple[Migration, ...]:
    """What was there; nothing, if a tool could not have read it."""
    try:
        return layouts.read(copy, layout)
    except UsageError as error:
        told = str(error).replace(f"{copy}/", "").partition("\n")[0]
        selection.say(f"the folder could not be read as it was then ({told}); all counts as new")
        return ()


Content = dict[str, object]


def _content(migration: Migration) -> Content:
    """What a tool takes of a migration; of one that is code, all its files."""
    if migration.up is None:
        texts = sorted(Path(file).read_bytes().replace(b"\r\n", b"\n") for file in migration.files)
        return {"files": texts}
    ways = {"up": migration.up, "down": migration.down}
    return {way: _of(script) for way, script in ways.items() if script is not None}


def _of(script: Script) -> tuple[object, ...]:
    return script.text.replace("\r\n", "\n"), script.transaction


def _files(migration: Migration, parts: Sequence[str]) -> str:
    """The files in which those parts are, or were."""
    ways = {"up": migration.up, "down": migration.down}
    named = [script.file for part in parts if (script := ways.get(part)) is not None]
    return ", ".join(dict.fromkeys(named)) or ", ".join(migration.files) or migration.name
