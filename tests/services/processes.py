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
    except FileNotFoundError:  # ended this moment, or a system without /proc
        return not Path("/proc/self/stat").exists()
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def wait_until(condition: Callable[[], bool], what: str, seconds_max: float = 20.0) -> None:
    """Return as soon as `condition` holds; fail, naming `what`, when it never does."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds_max:.0f} s: {what}"
        time.sleep(POLL_SECONDS)
