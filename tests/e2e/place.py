"""A car park to test with: its site file, its database and broker, and what its tables say."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from gated.db.connect import Connection, connected
from gated.db.site import apply
from gated.devices.families import CODECS
from gated.site_rules import load_site
from tests.e2e.daemon import Daemon, running_daemon
from tests.e2e.devices import AxisShelly, Native, Wire
from tests.e2e.waiting import eventually_asked
from tests.services.brokers import BrokerHandle
from tests.services.databases import Database
from tests.services.postgres import PostgresServer

FACILITY = "north"

# Two lanes of camera and relay, two of gated's own contract; three spots in two zones, so that it
# is soon full. The price has no free minutes: the shortest stay costs something.
SITE = """\
[facility]
slug = "north"
name = "North Quay"
city = "Kiel"
time_zone = "Europe/Berlin"
currency = "EUR"

[policy]
backout_seconds_max = 1.0

[[zone]]
slug = "deck-1"
name = "Deck 1"
[[zone.spots]]
prefix = "A-"
count = 2

[[zone]]
slug = "deck-2"
name = "Deck 2"
[[zone.spots]]
prefix = "B-"
count = 1

[[tariff]]
name = "Half hours"
strategy = "BLOCK"
steps = [{ minutes = 30, price = "1.50" }]
limit_reading = "inclusive"
zero_stay = "free"
new_day = "continue"
second_visit = "separate"

[[lane]]
slug = "in-1"
direction = "entry"
zones = ["deck-1", "deck-2"]
[[lane.device]]
slug = "in-1-camera"
family = "axis"
topic = "axis/B8A44F5E0001"
[[lane.device]]
slug = "in-1-relay"
family = "shelly"
topic = "shellyplus1-5e0000000001"
inputs = { presence = 0, closing = 1 }

[[lane]]
slug = "out-1"
direction = "exit"
[[lane.device]]
slug = "out-1-camera"
family = "axis"
topic = "axis/B8A44F5E0002"
[[lane.device]]
slug = "out-1-relay"
family = "shelly"
topic = "shellyplus1-5e0000000002"
inputs = { presence = 0, closing = 1 }

[[lane]]
slug = "in-2"
direction = "entry"
zones = ["deck-1", "deck-2"]
[[lane.device]]
slug = "in-2-controller"
family = "native"

[[lane]]
slug = "out-2"
direction = "exit"
[[lane.device]]
slug = "out-2-controller"
family = "native"
"""

LANE_MORE = """
[[lane]]
slug = "in-3"
direction = "entry"
zones = ["deck-2", "deck-1"]
[[lane.device]]
slug = "in-3-controller"
family = "native"
"""


def in_1(wire: Wire) -> AxisShelly:
    return AxisShelly(wire, "in-1", "axis/B8A44F5E0001", "shellyplus1-5e0000000001")


def out_1(wire: Wire) -> AxisShelly:
    return AxisShelly(wire, "out-1", "axis/B8A44F5E0002", "shellyplus1-5e0000000002")


def native(wire: Wire, lane: str) -> Native:
    return Native(wire, FACILITY, lane)


@dataclass(slots=True)
class Place:
    """One car park, for one test."""

    postgres: PostgresServer
    database: Database
    broker: BrokerHandle
    directory: Path
    daemons: int = 0
    _connection: "Connection | None" = None

    # ── its set-up ──────────────────────────────────────────────────────────────────────────

    async def apply(self, site: str = SITE) -> None:
        """Bring the database to a site file, as `gated site apply` does."""
        file = self.directory / "site.toml"
        file.write_text(site)
        async with connected(self.database.dsn) as connection:
            await apply(connection, load_site(file, CODECS))

    def config(self, **changes: Mapping[str, object]) -> Path:
        """A configuration file; `changes` add keys to its sections, or sections."""
        sections: dict[str, dict[str, object]] = {
            "database": {"dsn": self.database.dsn_as("gated_daemon")},
            "mqtt": {"host": self.broker.host, "port": self.broker.port, "heartbeat_seconds": 1.0},
            "daemon": {"node": f"gate-{self.daemons}"},
            "http": {"port": 0},
            "log": {"format": "json"},
        }
        for name, keys in changes.items():
            sections.setdefault(name, {}).update(keys)
        lines: list[str] = []
        for name, keys in sections.items():
            lines.append(f"[{name}]")
            # JSON's texts, numbers and truth values are TOML's as well.
            lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
        file = self.directory / f"config-{self.daemons}.toml"
        file.write_text("\n".join(lines) + "\n")
        return file

    def daemon(
        self, *, expected_errors: Iterable[str] = (), **changes: Mapping[str, object]
    ) -> AbstractAsyncContextManager[Daemon]:
        """One more daemon of this place, with a configuration and a log of its own."""
        self.daemons += 1
        config = self.config(**changes)
        log = self.directory / f"daemon-{self.daemons}.log"
        return running_daemon(config, log, expected_errors=expected_errors)

    # ── what its tables say ─────────────────────────────────────────────────────────────────

    async def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """All rows, as tuples; ids as text."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self.database.dsn)
        found = await self._connection.fetch(query, *arguments)
        return [tuple(_plain(value) for value in row) for row in found]

    async def value(self, query: str, *arguments: object) -> Any:
        """The first column of the only row."""
        ((value, *_),) = await self.rows(query, *arguments)
        return value

    async def becomes(self, expected: object, query: str, *arguments: object) -> None:
        """Wait until the query answers these rows; a single value stands for its only row."""
        wanted = expected if isinstance(expected, list) else [(expected,)]
        seen: list[tuple[Any, ...]] = []

        async def look() -> bool:
            seen[:] = await self.rows(query, *arguments)
            return seen == wanted

        await eventually_asked(look, f"{query} answers {expected}", otherwise=lambda: seen)

    async def available(self) -> dict[str, int]:
        """The counters of the facility and its zones, each held against a recount."""
        counted = await self.rows(
            """
            SELECT z.code, z.available_spots,
                count(s.*) FILTER (WHERE s.status = 'AVAILABLE' AND s.is_active),
                count(s.*) FILTER (WHERE s.is_active AND NOT EXISTS (
                    SELECT FROM gate.claims c WHERE c.spot_id = s.id))
            FROM zones z LEFT JOIN parking_spots s ON s.zone_id = z.id
            GROUP BY z.id ORDER BY z.code
            """
        )
        for zone, counter, free, unclaimed in counted:
            assert counter == free == unclaimed, f"{zone}: {counter}, {free} and {unclaimed} free"
        total = await self.value("SELECT available_spots FROM facilities")
        assert total == sum(counter for _, counter, _, _ in counted)
        return {zone: counter for zone, counter, _, _ in counted}

    async def decisions(self) -> list[tuple[Any, ...]]:
        """Lane, plate, decision and reason, in the order of arrival."""
        return await self.rows(
            """
            SELECT l.slug, d.plate, d.decision, d.reason
            FROM gate.decisions d JOIN gate.lanes l ON l.id = d.lane_id
            ORDER BY d.received_at, d.decided_at
            """
        )

    async def decided(self, *expected: tuple[str, str, str, str]) -> None:
        """Wait until there are as many decisions, and they are these."""

        async def look() -> bool:
            return len(await self.decisions()) >= len(expected)

        await eventually_asked(look, f"{len(expected)} decisions")
        assert await self.decisions() == list(expected)

    async def settled(self) -> None:
        """Wait until every stored message is done with, and every command has met its end."""
        await self.becomes(0, "SELECT count(*) FROM gate.events WHERE status = 'new'")
        await self.becomes(
            0, "SELECT count(*) FROM gate.commands WHERE status IN ('accepted', 'dispatched')"
        )

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=5)


async def in_place(place: Place) -> AsyncIterator[Place]:
    """The place, set up, for one test."""
    await place.apply()
    try:
        yield place
    finally:
        await asyncio.shield(place.close())


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list() | tuple():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case _:
            return str(value)
