"""What is done to a client, to its session or to its connection, and what witnesses it.

The faults of a drill and the ways of dying of a sweep are made of these. Each act answers with a
witness of its own doing; that it really struck, another source has to tell.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Sequence

from harness.errors import Missed
from harness.ports import Engine, Session, SessionInfo, Witness
from harness.waiting import until
from harness.wire import Proxy


def are_enough(witnesses: Iterable[Witness]) -> bool:
    """True if at least two independent sources tell that a fault struck."""
    return len({witness.source for witness in witnesses}) >= 2


def end_sessions(engine: Engine, observer: Session, victims: Sequence[SessionInfo]) -> Witness:
    """End server sessions, by pid and start, never by the text of a query. Missed if none is."""
    end = engine.sessions.end
    return _to_each("ended", end, observer, victims)


def cancel_queries(engine: Engine, observer: Session, victims: Sequence[SessionInfo]) -> Witness:
    """End what the sessions are running, and nothing else. Missed if none of them is there."""
    cancel = engine.sessions.cancel
    return _to_each("cancelled the query of", cancel, observer, victims)


def _to_each(
    verb: str,
    act: Callable[[Session, int, str], bool],
    observer: Session,
    victims: Sequence[SessionInfo],
) -> Witness:
    done = [v.pid for v in victims if act(observer, v.pid, v.started)]
    if not done:
        raise Missed("the migrator had no session to strike")
    told = ", ".join(map(str, done))
    return Witness("injector", f"{verb} server session {told}", {"pids": done})


def sessions_gone(
    engine: Engine,
    observer: Callable[[], Session],
    victims: Sequence[SessionInfo],
    deadline_s: float,
) -> Witness:
    """Wait until an observer no longer sees them: a statement may outlive its client."""
    told = ", ".join(str(victim.pid) for victim in victims)
    find = engine.sessions.find
    until(
        f"session {told} to be gone",
        deadline_s,
        lambda: not any(find(observer(), v.pid, v.started) for v in victims),
    )
    return Witness("observer", f"session {told} is no longer listed")


def cut(proxy: Proxy | None, *, server_notices: bool = True) -> Witness:
    """Cut a client's connections between it and the server. Missed if it had none."""
    count = proxy.cut(server_notices=server_notices) if proxy else 0
    if not count:
        raise Missed("there was no connection to cut")
    return Witness("injector", f"cut {count} connection{'s' if count > 1 else ''}")


def signalled(signum: signal.Signals, pid: int | None = None) -> Witness:
    """A signal was sent to the client's process."""
    to = "the tool" if pid is None else f"process {pid}"
    return Witness("injector", f"sent {signum.name} to {to}")


def client_ended(status: int | None, code: str = "", message: str = "") -> Witness:
    """How the client itself ended: by the server's error, or by the exit status of its process."""
    if code or message:
        says = f"the client met {code or 'a lost connection'}: {message}"
        return Witness("victim", says, {"code": code})
    return Witness("os", f"the client's process {_how(status)}", {"exit_status": status})


def _how(status: int | None) -> str:
    if status is not None and status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
