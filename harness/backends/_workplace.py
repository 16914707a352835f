"""Where one local server lives and how programs are started there; not a backend itself."""

from __future__ import annotations

import os
import platform
import secrets
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.backends import _binaries
from harness.cache import READY, Cache, key_of
from harness.errors import DeadlineExceeded, EnvironmentProblem
from harness.ports import Address, Recipe, ToolResult, text_of

HOST = "127.0.0.1"
INIT_DEADLINE_S = 180
STDERR_LIMIT = 64_000
BOOTSTRAP, FIRST_PASSWORD = "bootstrap.sql", "first-password"


class Workplace:
    """A private folder with the data, the secrets and the log of one server.

    Everything started here runs as the server's account, in a session of its own, and sees
    nothing of the user's environment. Placeholders of a recipe: ``{data}``, ``{socket_dir}``,
    ``{port}``, ``{password_file}`` (a bare password: that of nobody where the recipe has a way to
    renew it, for what is made with it may be kept), ``{bootstrap_file}`` (the recipe's SQL with the
    password in it), ``{user}`` and ``{binary_dir}`` (the folder of the server program).
    """

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self.recipe = recipe
        self.folder = folder
        self.data = folder / "data"
        self.sockets = folder / "s"
        self.temporary = folder / "tmp"
        self.log = folder / "log"
        self.port = 0
        self._said = 0
        self._password = secrets.token_urlsafe(24)
        self._account = _binaries.server_account()
        self.program = _binaries.within_reach(_binaries.installed(recipe), self._account, folder)
        self._lay_out()

    def address(self) -> Address:
        return Address(HOST, self.port, self.recipe.superuser, self._password)

    def take_port(self) -> None:
        """Choose a port that nobody has at this moment."""
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]

    def make_data(self, kept: Cache | None) -> None:
        """Make the data directory as the recipe says, or copy one that is kept, and give it this
        server's password. EnvironmentProblem with the log if that fails.
        """
        name, *rest = self.recipe.init_argv
        key = kept and self._key()
        if not (kept and key and kept.take(READY, key, self.data)):
            self._run(name, rest, b"", "make a data directory")
            if kept and key:
                self.forget_identity()
                kept.keep(READY, key, self.data)
        self.renew()

    def fill_data(self, fill: Callable[[Path], bool]) -> None:
        """Fill the data directory with that of another server, which becomes this one's own."""
        if not fill(self.data):
            raise EnvironmentProblem("the data directory that was kept is not there, or not whole")
        self.forget_identity()
        self.renew()

    def renew(self) -> None:
        """Put this server's password in the place of the one that the data was made with; where no
        program does that, the server will when it starts.
        """
        if self.recipe.renew_argv:
            name, *rest = self.recipe.renew_argv
            sql = (self.folder / BOOTSTRAP).read_bytes()
            self._run(name, rest, sql, "set a password in the data directory")

    def forget_identity(self) -> None:
        """Remove what tells the server from others; it will make that anew."""
        for name in self.recipe.identity_files:
            (self.data / name).unlink(missing_ok=True)

    def _key(self) -> str:
        """Of all that makes a data directory what it is before it has a password."""
        recipe, maker = self.recipe, self._companion(self.recipe.init_argv[0])
        return key_of(
            *(recipe.engine, self.program.digest, self.program.version, maker.read_bytes()),
            *(recipe.init_argv, recipe.bootstrap_sql, self._account, platform.platform()),
        )

    def _run(self, name: str, arguments: Sequence[str], stdin: bytes, doing: str) -> None:
        """Run one of the server's programs on the data to its end."""
        argv = [str(self._companion(name)), *self._filled(arguments)]
        with self.log.open("ab") as log:
            process = self._spawn(argv, stdin=subprocess.PIPE, stdout=log, stderr=log)
            _finish(process, name, stdin, INIT_DEADLINE_S)
        if process.returncode != 0:
            raise EnvironmentProblem(
                f"{name} could not {doing} for {self.recipe.engine} (exit code "
                f"{process.returncode}); the end of its output:\n{self.last_words()}"
            )

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the server process and note its pid; sockets of an earlier one are removed."""
        for stale in self.sockets.iterdir():
            stale.unlink()
        self._said = self.log.stat().st_size
        arguments = self._filled([*self.recipe.serve_argv[1:], *self.recipe.settings])
        with self.log.open("ab") as log:
            process = self._spawn(
                [str(self.program.path), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        (self.folder / "server.pid").write_text(str(process.pid))
        return process

    def listening(self) -> bool:
        """True once the server has made its Unix socket, which it does after its TCP port.

        Unlike an open port, a socket in this folder can be nobody else's.
        """
        return any(entry.is_socket() for entry in self.sockets.iterdir())

    def port_was_taken(self) -> bool:
        """True if the server last started complains that somebody has its port."""
        with self.log.open("rb") as log:
            log.seek(self._said)
            return b"address already in use" in log.read().lower()

    def run_tool(
        self, argv: Sequence[str], stdin: bytes | Iterator[bytes], timeout_s: float
    ) -> ToolResult:
        """Run a client program as the superuser; see :meth:`harness.ports.HasTools.run_tool`."""
        name, *rest = argv
        values = {
            "host": HOST,
            "port": self.port,
            "superuser": self.recipe.superuser,
            "password": self._password,
        }
        connection = _binaries.CLIENT_ARGUMENTS.get(self.recipe.binary, ())
        told = _binaries.fill(_binaries.CLIENT_ENVIRONMENT.values(), values)
        tool = self._spawn(
            [str(self._companion(name)), *_binaries.fill(connection, values), *rest],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment() | dict(zip(_binaries.CLIENT_ENVIRONMENT, told, strict=True)),
        )
        stdout, stderr = _finish(tool, name, stdin, timeout_s)
        return ToolResult(tool.returncode, stdout, stderr[-STDERR_LIMIT:])

    def logs(self) -> str:
        """The log, capped; a server may quote the statement that sets the password."""
        return text_of(self.log).replace(self._password, "********")

    def last_words(self) -> str:
        return self.logs()[-2000:]

    def _lay_out(self) -> None:
        for path, mode in ((self.data, 0o700), (self.sockets, 0o711), (self.temporary, 0o700)):
            path.mkdir()
            self._account.own(path, mode)
        self.log.touch(0o600)
        bootstrap = self.recipe.bootstrap_sql.replace("{password}", self._password)
        first = secrets.token_urlsafe(24) if self.recipe.renew_argv else self._password
        told = {"password": self._password, FIRST_PASSWORD: first, BOOTSTRAP: bootstrap}
        for name, text in told.items():
            path = self.folder / name
            path.touch(0o600)
            path.write_text(f"{text}\n")
            self._account.own(path, 0o600)

    def _companion(self, name: str) -> Path:
        path = self.program.companion(name)
        if path is None:
            raise _binaries.missing(self.recipe, name)
        return path

    def _filled(self, words: Sequence[str]) -> list[str]:
        values = {
            "data": self.data,
            "socket_dir": self.sockets,
            "port": self.port,
            "password_file": self.folder / FIRST_PASSWORD,
            "bootstrap_file": self.folder / BOOTSTRAP,
            "user": self._account.name,
            "binary_dir": self.program.path.parent,
        }
        return _binaries.fill(words, values)

    def _environment(self) -> dict[str, str]:
        kept = {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} & os.environ.keys()
        return {
            "PATH": f"{self.program.path.parent}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.temporary),
            "TMPDIR": str(self.temporary),
            "LC_ALL": "C",
            "TZ": "UTC",
        } | {name: os.environ[name] for name in kept}

    def _spawn(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        options.setdefault("env", self._environment())
        try:
            return subprocess.Popen(
                argv,
                cwd=self.data,
                start_new_session=True,
                **options,
                **self._account.process_options,
            )
        except OSError as error:
            raise EnvironmentProblem(f"{argv[0]} could not be started: {error}") from error


def _finish(
    process: subprocess.Popen[bytes], name: str, stdin: bytes | Iterator[bytes], timeout_s: float
) -> tuple[bytes, bytes]:
    """Feed a program and wait for its end; at the deadline it and its children are killed."""
    feeder = None if isinstance(stdin, bytes) else _Feeder(process, stdin)
    try:
        found = process.communicate(stdin if isinstance(stdin, bytes) else None, timeout=timeout_s)
        if feeder:
            feeder.finish()
        return found
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)
        if isinstance(error, subprocess.TimeoutExpired):
            raise DeadlineExceeded(f"{name} did not end within {timeout_s:g} s") from None
        raise


class _Feeder:
    """Writes pieces into a program's input beside whoever waits for its end."""

    def __init__(self, process: subprocess.Popen[bytes], pieces: Iterator[bytes]) -> None:
        self._process, self._pieces = process, pieces
        self._pipe, process.stdin = process.stdin, None
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        assert self._pipe is not None
        try:
            for piece in self._pieces:
                self._pipe.write(piece)
        except BrokenPipeError:
            pass  # it reads no more; its exit code tells why
        except BaseException as error:
            self._failed = error
        if self._failed:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(OSError):
            self._pipe.close()

    def finish(self) -> None:
        """When the program has ended. Raises what came up while the pieces were made."""
        self._thread.join()
        if self._failed:
            raise self._failed
