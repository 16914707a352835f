"""A server in a container, killed and started again without its container.

The container's first process is a small shell script that starts the image's own entry point
and outlives it. A second one, held by one ``docker exec`` for as long as the server is ours,
strikes: it sends SIGKILL to every process of the container but the first and itself, in one
call of the kernel, ``kill(-1, SIGKILL)``, so that none is born or lives on unseen. The tools
that run beside the server die with it, as they do when a container is killed.

A server that ends by itself ends its container, with its own exit code. SIGTERM, SIGINT and
SIGQUIT are passed on to it, so ``docker stop`` works as without the script.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from docker import APIClient
from docker.errors import APIError

from harness.backends._api import LIMIT_S, POLL_S
from harness.backends._exec import Lines
from harness.errors import EnvironmentProblem

TALK = "talk=/dev/shm/migration-drill"
"""Memory that every container has for itself and every account may write."""

FIRST = f"""{TALK}
mkdir "$talk" && mkfifo "$talk/do" "$talk/done" && : > "$talk/held" || exec "$@"
exec 3<>"$talk/do" 4<>"$talk/done"
server= again=
pass() {{ if [ "$server" ]; then kill -s "$1" "$server"; else exit 0; fi; }}
trap 'pass TERM' TERM
trap 'pass INT' INT
trap 'pass QUIT' QUIT
while :; do
    "$@" 3>&- 4>&- &
    server=$!
    [ -z "$again" ] || echo "$server" >&4
    while :; do
        wait "$server"
        code=$?
        kill -0 "$server" 2>/dev/null || break
    done
    server=
    [ -s "$talk/held" ] || exit "$code"
    echo "migration-drill: the server ended with status $code, its container is kept" >&2
    echo "$code" >&4
    read -r order <&3
    again=yes
    : > "$talk/held"
done
"""
"""The first process. ``wait`` also returns when a signal was passed on, hence the inner loop.

``held`` is filled by whoever is about to kill the server; that tells a kill from an end by
itself, which ends the container. An image without these tools gets its server as usual.
"""

KILLER = f"""{TALK}
[ -p "$talk/do" ] && [ -p "$talk/done" ] || exit 1
exec 3<>"$talk/do" 4<>"$talk/done"
echo ready
while read -r order; do
    case $order in
        kill) echo killing > "$talk/held"; kill -9 -1 ;;
        start) echo start >&3 ;;
    esac
    read -r answer <&4
    echo "$answer"
done
"""
"""The second process. It answers a kill with the exit status that the first one was told by the
kernel, a start with the process id inside the container. It uses nothing but the shell itself."""


def ways(
    image: dict[str, Any], arguments: Sequence[str]
) -> list[tuple[list[str] | None, list[str]]]:
    """Each (entry point, command) to try for a container: under the script, then without it.

    ``image`` is the image's configuration. ``arguments`` replace its command, as for
    ``docker run``. Entry point None: the image's own.
    """
    server = [*(image.get("Entrypoint") or ()), *(arguments or image.get("Cmd") or ())]
    return [(["sh", "-c", FIRST, "sh"], server), (None, list(arguments))]


def no_shell(error: APIError) -> bool:
    """True if a container could not be started because its image has no ``sh``."""
    said = str(error.explanation or error)
    return "executable file" in said and "not found" in said


class ServerKiller:
    """The second process of one container, spoken to over one socket that stays open."""

    def __init__(self, api: APIClient, container_id: str, lines: Lines, own: set[str]) -> None:
        """``own`` holds the ids of the two processes, as the engine's machine counts them."""
        self._api = api
        self._container_id = container_id
        self._lines = lines
        self._own = own
        self._ordered = False

    def kill(self) -> int:
        """SIGKILL all processes of the server at once; its exit status once none is left.

        ConnectionError if the socket is closed, as it is when the container has ended.
        """
        if not self._ordered:
            self.order_kill()
        self._ordered = False
        return int(self._lines.receive(LIMIT_S))

    def order_kill(self) -> None:
        """Send the order, which is carried out as soon as the container is not frozen."""
        self._lines.send("kill")
        self._ordered = True

    def start(self) -> int:
        """Start the image's entry point anew; its process id inside the container."""
        return int(self._ask("start"))

    def wait_nobody(self) -> int:
        """Wait until the engine, asked from outside, lists nothing but the two scripts.

        Returns how many it lists. EnvironmentProblem with the names of what stays.
        """
        end = time.monotonic() + LIMIT_S
        while True:
            listed = self._api.top(self._container_id, ps_args="-eo pid,stat,comm")["Processes"]
            alive = [row for row in listed if row[1][:1] not in ("Z", "X")]
            left = [row[-1] for row in alive if row[0] not in self._own]
            if not left:
                return len(alive)
            if time.monotonic() >= end:
                raise EnvironmentProblem(
                    f"{', '.join(left)} still run in container {self._container_id[:12]} "
                    f"{LIMIT_S} s after SIGKILL"
                )
            time.sleep(POLL_S)

    def close(self) -> None:
        self._lines.close()

    def _ask(self, order: str) -> str:
        self._lines.send(order)
        return self._lines.receive(LIMIT_S)


def killer(api: APIClient, container_id: str) -> ServerKiller | None:
    """Start the second process; None where the first is not our script (an image without sh)."""
    run = api.exec_create(container_id, ["sh", "-c", KILLER], stdin=True, user="root")["Id"]
    lines = Lines(api.exec_start(run, socket=True))
    try:
        if lines.receive(LIMIT_S) != "ready":
            raise ConnectionError("the engine could not start it")
        first = api.inspect_container(container_id)["State"]["Pid"]
        second = api.exec_inspect(run)["Pid"]
    except ConnectionError:
        lines.close()
        return None
    except BaseException:
        lines.close()
        raise
    return ServerKiller(api, container_id, lines, {str(first), str(second)})
