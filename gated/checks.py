"""What `gated check` looks at: the database, the broker and every facility. Changes nothing.

Each check ends in one Finding that says what is, or what to do. Printing is the command's part.
"""

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum

import asyncpg

from gated.config import Mqtt, Settings
from gated.connections import broker_settings, database_settings
from gated.core.beside import neighbours
from gated.core.effects import Do
from gated.core.errors import ConfigError, StoreError
from gated.core.ids import Slug
from gated.core.reasons import DisplayNotice
from gated.core.site import Direction, FacilitySetup
from gated.core.wording import LINE_LENGTH_MAX
from gated.db import migrate
from gated.db.connect import Connection, connected
from gated.db.site import plan
from gated.db.sql import sql
from gated.db.store import PostgresStore, open_store
from gated.devices.families import codec_for
from gated.devices.mqtt import RefusedError, probe
from gated.ports import Codec
from gated.site_rules import SiteFile

SERVER_VERSIONS = range(15, 19)

_BROKER_HINT = "see mqtt.host and mqtt.port, and whether the broker runs"


class State(StrEnum):
    """`note`: works, and somebody should know."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The end of one check; `text` says what is, or what to do."""

    state: State
    check: str
    text: str


async def findings(
    settings: Settings, codecs: Mapping[str, Codec], site: SiteFile | None = None
) -> AsyncIterator[Finding]:
    """Every check in order; what cannot be looked at because of an earlier failure is left out."""
    async for finding in _database(settings, codecs, site):
        yield finding
    yield await _broker(settings.mqtt)


def _ok(check: str, text: str) -> Finding:
    return Finding(State.OK, check, text)


def _failed(check: str, text: object) -> Finding:
    return Finding(State.FAILED, check, str(text))


# ── the database ────────────────────────────────────────────────────────────────────────────


async def _database(
    settings: Settings, codecs: Mapping[str, Codec], site: SiteFile | None
) -> AsyncIterator[Finding]:
    dsn = settings.database.dsn.get_secret_value()
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(
                connected(dsn, command_timeout_seconds=10.0)
            )
        except (ConfigError, StoreError) as error:
            yield _failed("database", error)
            return
        yield _server(connection)
        schema = await _schema(dsn)
        yield schema
        if schema.state is State.FAILED:
            return
        try:
            yield await _role(connection)
            yield await _rights(connection)
            store = await stack.enter_async_context(
                open_store(database_settings(settings.database))
            )
            async for finding in _facilities(settings, codecs, connection, store):
                yield finding
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, StoreError) as error:
            yield _failed("database", error)
            return
        if site is not None:
            yield await _site(connection, site)


def _server(connection: Connection) -> Finding:
    version = connection.get_server_version()
    # asyncpg has the second number of "15.18" as the third of three.
    text = f"PostgreSQL {version.major}.{version.micro}"
    if version.major in SERVER_VERSIONS:
        return _ok("database", text)
    known = f"gated is made for {SERVER_VERSIONS[0]} to {SERVER_VERSIONS[-1]}"
    if version.major > SERVER_VERSIONS[-1]:
        return Finding(State.NOTE, "database", f"{text} is newer than what was tried: {known}")
    return _failed("database", f"{text} is too old: {known}")


async def _schema(dsn: str) -> Finding:
    try:
        status = await migrate.status(dsn)
    except (ConfigError, StoreError) as error:
        return _failed("schema", error)
    except asyncpg.PostgresError as error:
        return _failed("schema", f"{error}: run `gated db upgrade` as the owner")
    if not status.current:
        due = ", ".join(status.pending)
        return _failed("schema", f"due: {due}: run `gated db upgrade` as the owner")
    return _ok("schema", f"{len(status.applied)} migrations, nothing due")


async def _role(connection: Connection) -> Finding:
    row = await connection.fetchrow(sql("check_role"))
    assert row is not None, "the statement promises a row"
    if row["is_superuser"] or row["is_owner"]:
        what = "a superuser" if row["is_superuser"] else "the owner of the schema"
        return Finding(
            State.NOTE, "role", f"{row['name']} is {what}: the daemon needs only gated_daemon"
        )
    return _ok("role", row["name"])


async def _rights(connection: Connection) -> Finding:
    missing = [row[0] for row in await connection.fetch(sql("check_rights"))]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        listed = ", ".join(missing[:3])
        return _failed("rights", f"missing: {listed}{more}: connect as gated_daemon")
    return _ok("rights", "all that the daemon needs")


# ── facilities ──────────────────────────────────────────────────────────────────────────────


async def _facilities(
    settings: Settings,
    codecs: Mapping[str, Codec],
    connection: Connection,
    store: PostgresStore,
) -> AsyncIterator[Finding]:
    stored: set[Slug] = set()
    for facility in await store.facility_ids():
        try:
            setup = await store.facility_setup(facility)
        except StoreError as error:
            yield _failed("facility", error)
            continue
        stored.add(setup.slug)
        if not settings.daemon.runs(setup.slug):
            continue
        tariff = await connection.fetchval(sql("check_tariff"), facility)
        for finding in _set_up(setup, codecs, tariff):
            yield finding
    if not stored:
        yield _failed("facility", "there is none: run `gated site apply FILE` as the owner")
    for slug in settings.daemon.facilities:
        if slug != "*" and slug not in stored:
            yield _failed(f"facility {slug}", "named in daemon.facilities, but not set up")


def _set_up(
    setup: FacilitySetup, codecs: Mapping[str, Codec], tariff: str | None
) -> Iterator[Finding]:
    """What is wrong with a facility, or that nothing is; and what somebody should know."""
    name = f"facility {setup.slug}"
    problems = _problems(setup, codecs)
    if tariff is None:
        problems.append("no tariff is in force, so no stay can be priced")
    for problem in problems:
        yield _failed(name, problem)
    for note in _notes(setup, codecs):
        yield Finding(State.NOTE, name, note)
    if not problems:
        spots = sum(zone.capacity for zone in setup.zones)
        yield _ok(
            name,
            f"{len(setup.zones)} zones, {spots} spots, {len(setup.lanes)} lanes,"
            f" {len(setup.devices)} devices, tariff {tariff}",
        )


def _problems(setup: FacilitySetup, codecs: Mapping[str, Codec]) -> list[str]:
    problems: list[str] = []
    openers = dict.fromkeys((lane.id for lane in setup.lanes), 0)
    for device in setup.devices:
        try:
            codec = codec_for(device.family, codecs)
            codec.check(device)
        except ConfigError as error:
            problems.append(f"lane {device.lane_slug}, device {device.slug}: {error}")
            continue
        openers[device.lane] = openers.get(device.lane, 0) + (Do.OPEN in codec.does)
    for lane in setup.lanes:
        if openers[lane.id] != 1:
            problems.append(f"lane {lane.slug}: {openers[lane.id]} devices open it, needed is one")
        if lane.direction is not Direction.EXIT and not lane.zones:
            kind = "an entry" if lane.direction is Direction.ENTRY else "a transfer"
            problems.append(f"lane {lane.slug}: {kind} that fills no zone")
    if not setup.lanes:
        problems.append("it has no lane")
    return problems


def _notes(setup: FacilitySetup, codecs: Mapping[str, Codec]) -> Iterator[str]:
    """Lanes that the display of none beside them can name: `gated.core.showing` shows no half name.

    A lane whose device cannot show anything offers nothing anyway.
    """
    shows = {
        device.lane
        for device in setup.devices
        if device.family in codecs and Do.DENY in codecs[device.family].does
    }
    room = _room_for_a_lane(setup)
    for lane in setup.lanes:
        length = len(lane.slug)
        if length > room and not shows.isdisjoint(neighbours(lane, setup.lanes)):
            yield (
                f"lane {lane.slug}: never offered to who stands at a lane beside it that is closed"
                f" or out of service: the display has room for {room} characters of its name, and"
                f" it has {length}"
            )


def _room_for_a_lane(setup: FacilitySetup) -> int:
    """How long a lane's name may be for the facility's display to have all of it."""
    for length in range(LINE_LENGTH_MAX, 0, -1):
        name = "m" * length
        if name in setup.wording.text(DisplayNotice.USE_LANE_BESIDE, lane=name):
            return length
    return 0


async def _site(connection: Connection, site: SiteFile) -> Finding:
    name = f"site {site.site.facility.slug}"
    try:
        found = await plan(connection, site)
    except (ConfigError, StoreError) as error:
        return _failed(name, error)
    if found:
        text = f"not applied yet, {len(found)} to change: `gated site apply {site.document.name}`"
        return Finding(State.NOTE, name, text)
    return _ok(name, "stored as the file says")


# ── the broker ──────────────────────────────────────────────────────────────────────────────


async def _broker(mqtt: Mqtt) -> Finding:
    """Whether the broker lets us in, as it would let the daemon in; nothing is left behind.

    Under a client id of its own: one of a facility's would throw out the daemon that runs it.
    """
    settings = broker_settings(mqtt)
    secured = " with TLS" if mqtt.tls is not None else ""
    try:
        await probe(settings, f"gated-check-{secrets.token_hex(4)}")
    except RefusedError as error:
        return _failed("broker", f"{settings.place}{secured}: {error}: {_BROKER_HINT}")
    return _ok("broker", f"{settings.place} accepts connections{secured}")
