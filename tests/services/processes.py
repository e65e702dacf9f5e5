"""Whether a process lives, and waiting for conditions that only polling can see."""

import os
import time
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.02


def process_alive(pid: int) -> bool:
    """True for a process that runs; a zombie, which only waits to be collected, has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # ended this moment, or a system without /proc
        return not Path("/proc/self/stat").exists()
    return _state(status) not in {"Z", "X"}


def process_stopped(pid: int) -> bool:
    """True once SIGSTOP has reached each thread of the process; it takes them a moment."""
    try:
        states = [_state(task.read_text()) for task in Path(f"/proc/{pid}/task").glob("*/stat")]
    except (FileNotFoundError, ProcessLookupError):  # a thread that ended as we looked
        return False
    return set(states) == {"T"}


def _state(status: str) -> str:
    """The letter after the program's name, which may itself hold spaces and brackets."""
    return status.rpartition(")")[2].split()[0]


def wait_until(condition: Callable[[], bool], what: str, seconds_max: float = 20.0) -> None:
    """Return as soon as `condition` holds; fail, naming `what`, when it never does."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds_max:.0f} s: {what}"
        time.sleep(POLL_SECONDS)
