"""Where servers come from, and what may be done to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.ports.values import Address, Capability, Recipe, ServerFacts, ToolResult, Witness


class Server(Protocol):
    """A throwaway server started by this run. It may be told to die, never to be someone else's.

    ``address`` is looked up anew at each call: after a restart the port may differ.
    """

    facts: ServerFacts
    capabilities: frozenset[Capability]

    def address(self) -> Address: ...

    def proof(self) -> str:
        """Proves from outside (label, pid) that we started this server; else GuardRefused."""

    def logs(self) -> str:
        """The server's log so far, capped."""

    def destroy(self) -> None:
        """Remove it and all it left; safe to call twice."""


@runtime_checkable
class Killable(Protocol):
    """The server can be killed by SIGKILL and started again on the same data."""

    def kill(self) -> Sequence[Witness]:
        """SIGKILL the whole server; returns the witnesses of its death."""

    def start_again(self) -> None:
        """Start it on the same data; returns when its process runs, not when it is ready."""


@runtime_checkable
class Pausable(Protocol):
    """The server can be frozen and thawed (SIGSTOP, cgroup freezer)."""

    def pause(self) -> Sequence[Witness]: ...

    def resume(self) -> None: ...


@runtime_checkable
class HasTools(Protocol):
    """The engine's own command-line tools can be run against the server."""

    def run_tool(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterator[bytes] = b"",
        timeout_s: float = 120,
    ) -> ToolResult:
        """Run a client program beside the server, already authenticated as the superuser.

        ``stdin`` may come in pieces, for what is too large to be held in memory; an exception
        while they are made ends the program and leaves this.
        """


@runtime_checkable
class Rests(Protocol):
    """The server can be ended cleanly, so that its data directory holds all that it knows."""

    def at_rest(self, look: Callable[[Path], object]) -> bool:
        """End it cleanly, hand its data directory to ``look``, and start it again on it.

        False if it did not end cleanly; nothing was looked at then.
        """


@runtime_checkable
class StartsOnData(Protocol):
    """The backend can start a server on a data directory that was that of another one."""

    def what_runs(self, recipe: Recipe) -> str:
        """All that a server of it would be told by or made of, as one text: its program, the
        machine, its settings. EnvironmentProblem if there is none.
        """
        ...

    def start_on(self, recipe: Recipe, fill: Callable[[Path], bool]) -> Server:
        """Start a server on what ``fill`` puts into its empty data directory, with a password of
        its own; EnvironmentProblem if that is False, or if it does not start.
        """
        ...


class Backend(Protocol):
    """Where servers come from."""

    name: str
    capabilities: frozenset[Capability]
    """What each of its servers can do; asked when trials are planned."""

    def available(self) -> str | None:
        """None if it can be used here, else one sentence on why not."""

    def cannot_run(self, recipe: Recipe) -> str | None:
        """None if a server of that engine can be had here, else one sentence with the remedy."""

    def start(self, recipe: Recipe, image: str | None = None) -> Server:
        """Start a server; returns when its process runs. EnvironmentProblem if it cannot be had."""

    def leftovers(self) -> list[str]:
        """What dead owners left, one line each; nothing is removed."""

    def collect_garbage(self) -> list[str]:
        """Remove what dead owners left; returns what was removed, one line each."""
