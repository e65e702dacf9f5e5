"""What a daemon with the demo's three facilities costs while nothing happens."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Idle:
    """Resident memory in MiB, and the share of one core in percent."""

    memory_mib: float
    core_percent: float
    seconds: float


async def watch(pid: int, seconds: float) -> Idle:
    """Watch a process for so long, through /proc."""
    before = _cpu_seconds(pid)
    await asyncio.sleep(seconds)
    used = _cpu_seconds(pid) - before
    return Idle(_resident_bytes(pid) / 2**20, 100 * used / seconds, seconds)


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
