"""The daemon as its users run it: a process of its own, known by its log, its pages and its end."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from gated.embedded.guard import ask_for_signal_at_death_of_parent
from tests.e2e.waiting import eventually, eventually_asked

LOUD = frozenset({"error", "critical"})
STOP_SECONDS_MAX = 15.0

LogEvent = dict[str, Any]


class Daemon:
    """One process of `python -m gated run`, from its start to its exit status."""

    def __init__(self, config: Path, log: Path) -> None:
        self._log = log
        self._read_bytes = 0
        self._events: list[LogEvent] = []
        self.strays: list[str] = []
        """What came out that is no log event: the interpreter's own complaints."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("GATED_")
        }
        with log.open("xb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gated", "run", "--config", config],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=environment,
                start_new_session=True,
                preexec_fn=ask_for_signal_at_death_of_parent(SIGKILL),  # noqa: PLW1509 - one call
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    # ── the log ─────────────────────────────────────────────────────────────────────────────

    def events(self, name: str | None = None, **fields: object) -> list[LogEvent]:
        """The log events so far, of this name and with these fields."""
        self._read_on()
        return [
            event
            for event in self._events
            if (name is None or event["event"] == name)
            and all(event.get(key) == value for key, value in fields.items())
        ]

    async def event(self, name: str, *, after: int = 0, **fields: object) -> LogEvent:
        """Wait for the event; the one behind the first `after` that match."""

        def look() -> LogEvent | None:
            found = self.events(name, **fields)
            if len(found) <= after and not self.running():
                raise AssertionError(f"the daemon ended without {name}\n{self.tail()}")
            return found[after] if len(found) > after else None

        return await eventually(look, f"log event {name} {fields or ''}", otherwise=self.tail)

    def text(self) -> str:
        """The whole log, as it was written."""
        return self._log.read_text()

    def tail(self, lines: int = 40) -> str:
        """The end of the log, for a message."""
        return "\n".join(self.text().splitlines()[-lines:])

    def _read_on(self) -> None:
        with self._log.open("rb") as log:
            log.seek(self._read_bytes)
            text = log.read()
        whole, newline, _ = text.rpartition(b"\n")
        self._read_bytes += len(whole) + len(newline)
        for line in whole.splitlines():
            try:
                self._events.append(json.loads(line))
            except ValueError:
                self.strays.append(line.decode(errors="replace"))

    # ── its pages ───────────────────────────────────────────────────────────────────────────

    async def listening(self) -> str:
        """Wait until the monitoring server is up; its address."""
        bound = await self.event("http.listening")
        return f"http://{bound['host']}:{bound['port']}"

    async def readiness(self) -> tuple[int, dict[str, str]]:
        """The status of /readyz, and the parts that are not ready with their reasons."""
        url = await self.listening()
        async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as answer:
            said = await answer.json()
            assert said["ready"] is (answer.status == 200)
            return answer.status, {part["part"]: part["reason"] for part in said["waiting"]}

    async def ready(self, *facilities: str) -> None:
        """Wait until all that the daemon owns is ready, and it owns these."""
        for facility in facilities:
            await self.event("facility.started", facility=facility)

        async def look() -> bool:
            assert self.running(), self.tail()
            return (await self.readiness())[0] == 200

        await eventually_asked(look, "ready", otherwise=self.tail)

    async def ready_among(self, facility: str, *, waiting: str) -> None:
        """Wait until the facility runs and the part called `waiting` alone is not ready."""
        await self.event("facility.started", facility=facility)

        async def look() -> bool:
            assert self.running(), self.tail()
            return set((await self.readiness())[1]) == {waiting}

        await eventually_asked(look, f"all is ready but {waiting}", otherwise=self.tail)

    async def not_ready(self, part: str, because: str = "") -> str:
        """Wait until the part is not ready, for a reason that begins like this; the reason."""

        async def look() -> str | None:
            reason = (await self.readiness())[1].get(part, "")
            return reason if reason.startswith(because) else None

        return await eventually_asked(look, f"{part} is not ready", otherwise=self.tail)

    async def metric(self, name: str, **labels: str) -> float:
        """The metric now: the sum over what has these labels, 0 if there is nothing."""
        url = await self.listening()
        async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as answer:
            assert answer.status == 200
            text = await answer.text()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    async def metric_is(self, expected: float, name: str, **labels: str) -> None:
        """Wait until the metric has this value."""
        seen: list[float] = []

        async def look() -> bool:
            seen[:] = [await self.metric(name, **labels)]
            return seen == [expected]

        await eventually_asked(look, f"{name} {labels} is {expected:g}", otherwise=lambda: seen)

    # ── its end ─────────────────────────────────────────────────────────────────────────────

    async def stop(self) -> int:
        """SIGTERM, as a service manager does it; the exit status."""
        self._process.send_signal(SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for the end; the exit status, -9 after SIGKILL."""
        await eventually(
            lambda: not self.running(),
            "the daemon ends",
            seconds_max=STOP_SECONDS_MAX,
            otherwise=self.tail,
        )
        return self._process.returncode

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        self._process.kill()
        self._process.wait()

    def complaints(self, expected: Iterable[str] = ()) -> Sequence[str]:
        """What the log should not contain: errors not expected, and lines that are no events."""
        self._read_on()
        allowed = set(expected)
        return [
            *self.strays,
            *(
                json.dumps(event)
                for event in self._events
                if (event["level"] in LOUD or "exception" in event)
                and event["event"] not in allowed
            ),
        ]


@asynccontextmanager
async def running_daemon(
    config: Path, log: Path, *, expected_errors: Iterable[str] = ()
) -> AsyncIterator[Daemon]:
    """A daemon for the block; one that still runs is stopped by SIGTERM and must end with 0.

    Its log must then hold no errors but the expected ones. After a failure of the block its end
    is SIGKILL, and the end of its log goes with the failure.
    """
    daemon = Daemon(config, log)
    try:
        yield daemon
        if daemon.running():
            status = await daemon.stop()
            assert status == 0, daemon.tail()
        assert daemon.complaints(expected_errors) == [], daemon.tail()
    except BaseException as error:
        error.add_note(f"the log of {log.stem}:\n{daemon.tail()}")
        raise
    finally:
        daemon.kill()


async def run_to_end(
    *arguments: str | Path, directory: Path, environment: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Run `gated` with these arguments until it ends: exit status, standard output and error."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GATED_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gated", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=directory,
        env=inherited | (environment or {}),
        start_new_session=True,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), STOP_SECONDS_MAX)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()
