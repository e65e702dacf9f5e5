"""A server as a child process behind a guard: started, watched and stopped for certain.

Knows nothing of any particular server; what a guard does is written in `guard.py`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals
from types import TracebackType

from gated.core.errors import ConfigError

GUARD = Path(__file__).with_name("guard.py")
SECONDS_SPARE = 5.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that a server runs as, where it may not run as ours."""

    name: str
    uid: int
    gid: int


class GuardedProcess:
    """One running server. `stop` it, or use it as a context manager; both may happen twice."""

    def __init__(self, guard: subprocess.Popen[bytes], pid: int, seconds_to_stop: float) -> None:
        self.pid = pid
        self._guard = guard
        self._seconds_to_stop = seconds_to_stop

    @property
    def guard_pid(self) -> int:
        return self._guard.pid

    def running(self) -> bool:
        return self._guard.poll() is None

    def stop(self) -> None:
        """Ask the server to end, insist as planned, and return once it has ended."""
        _stop(self._guard, self._seconds_to_stop)

    def kill(self) -> None:
        """The server dies by SIGKILL, as in a crash; return once it is dead."""
        if self.running():
            with suppress(ProcessLookupError):
                os.kill(self.pid, SIGKILL)
        self.stop()

    def __enter__(self) -> "GuardedProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_guarded(
    command: Sequence[str | Path],
    *,
    directory: Path,
    log: Path | None,
    stops: Sequence[tuple[Signals, float]],
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    until: "Callable[[GuardedProcess], None]" = lambda _: None,
) -> GuardedProcess:
    """Start `command` in `directory`, its output appended to `log`, or on our own standard output.

    `stops` lists what ends it: each signal with the seconds to wait before the next; SIGKILL comes
    last by itself. Whether the server is ready to serve is for the caller to find out, best by
    `until`, which returns when it is (`wait_ready`): whatever ends that, an interruption too, ends
    the server first. Raises ConfigError when the command cannot be run at all.
    """
    words = [os.fspath(part) for part in command]
    plan = {
        "command": words,
        "user": account.uid if account else None,
        "group": account.gid if account else None,
        "stops": [(number.name, seconds) for number, seconds in stops],
    }
    seconds = sum(seconds for _, seconds in stops) + SECONDS_SPARE
    with log.open("ab") if log else os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:
        guard = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", GUARD, json.dumps(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=directory,
            env=environment,
            start_new_session=True,
        )
    try:
        assert guard.stdout is not None
        with guard.stdout:
            pid = guard.stdout.readline()
        if pid:
            server = GuardedProcess(guard, int(pid), seconds)
            until(server)
            return server
    except BaseException:
        _stop(guard, seconds)
        raise
    _stop(guard, seconds)
    why = log_tail(log) if log else "see above"
    raise ConfigError(f"{words[0]} cannot be started: {why}")


def _stop(guard: subprocess.Popen[bytes], seconds_max: float) -> None:
    """Tell the guard that its owner is done, and return once it and its server have ended."""
    assert guard.stdin is not None
    guard.stdin.close()
    try:
        guard.wait(seconds_max)
    except subprocess.TimeoutExpired:
        guard.kill()
        guard.wait()


class EndedAtStartError(ConfigError):
    """A server ended before it could serve."""


def wait_ready(
    server: GuardedProcess, ready: Callable[[], bool], *, name: str, log: Path, seconds_max: float
) -> None:
    """Return once `ready()` holds; else stop the server and say what it wrote last.

    Raises EndedAtStartError when the server ended by itself, ConfigError when it takes too long.
    """
    deadline = time.monotonic() + seconds_max
    error: ConfigError | None = None
    try:
        while error is None and not ready():
            if not server.running():
                error = EndedAtStartError(f"{name} ended as it started: {log_tail(log)}")
            elif time.monotonic() > deadline:
                error = ConfigError(f"{name} is not up after {seconds_max:.0f} s: {log_tail(log)}")
            else:
                time.sleep(POLL_SECONDS)
    except BaseException:
        server.stop()
        raise
    if error:
        server.stop()
        raise error


def log_tail(log: Path, lines: int = 3) -> str:
    """The last words of a server, for an error message that also names the whole log."""
    words = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(words[-lines:]) + f" (the whole log: {log})"
