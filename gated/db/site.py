"""Brings a stored facility to its site file, in one transaction; shows beforehand what changes.

What differs is decided by `gated.site_plan`; here it is read, and carried out by named statements.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import Any, assert_never
from uuid import UUID

import asyncpg

from gated.core.errors import ConfigError, StoreError
from gated.core.ids import FacilityId, Slug
from gated.db.connect import Connection
from gated.db.sql import sql
from gated.site_plan import (
    CalendarRow,
    Change,
    DeviceRow,
    FacilityRow,
    LaneRow,
    Rows,
    SpotRow,
    Verb,
    ZoneRow,
    changes,
    describe,
    wanted,
)
from gated.site_rules import SiteFile
from gated.tariff.row import TariffRow

_TAKEN_SHOWN_MAX = 5
_AUDIT_LINES_MAX = 200

# The columns that are tables in themselves, and come as JSON.
_TABLES = frozenset(
    {
        *("policy", "parking", "penalties", "opening", "display", "metres_from", "options"),
        *("config", "limits"),
    }
)


async def plan(connection: Connection, file: SiteFile) -> list[Change]:
    """What applying the file would change; changes nothing.

    Raises what `apply` raises, apart from what only shows while it is carried out.
    """
    async with _translated(), connection.transaction(isolation="repeatable_read", readonly=True):
        at = await connection.fetchval(sql("site_now"))
        facility, found = await _compare(connection, file, at)
        if facility is not None:
            await _check_removals(connection, file, facility, found)
        return found


async def apply(
    connection: Connection, file: SiteFile, *, on_step: Callable[[str], None] | None = None
) -> list[Change]:
    """Bring the stored facility to the file: all of it or, on any error, nothing.

    Answers what was changed; nothing the second time. `on_step` hears what is being done. One
    apply at a time works on a facility. A running daemon notices the new revision. Raises
    ConfigError, with the file's name, for a spot in use that the file has no longer, a changed
    currency, a time zone unknown to the server and a role without the rights; StoreError for
    whatever else the database refuses.
    """
    step = on_step or _ignore
    slug = file.site.facility.slug
    async with _translated(), connection.transaction():
        at = await connection.fetchval(sql("site_lock"), slug)
        step("comparing")
        facility, found = await _compare(connection, file, at)
        if not found:
            return found
        if facility is not None:
            await _hold(connection, facility, found)
            await _check_removals(connection, file, facility, found)
        work = _Work(connection, at, facility)
        for kind, group in groupby(found, lambda change: change.kind):
            step(f"{kind}s")
            await work.carry_out(list(group))
        await work.finish(found)
        return found


def _ignore(_: str) -> None:
    pass


async def _compare(
    connection: Connection, file: SiteFile, at: datetime
) -> tuple[FacilityId | None, list[Change]]:
    target = wanted(file.site)
    facility, stored = await _read(connection, file.site.facility.slug, at)
    found = changes(stored, target)
    before, after = stored.facility, target.facility
    assert after is not None, "a site file describes a facility"
    if before is not None and before.currency != after.currency:
        raise file.document.error(
            ("facility", "currency"),
            f"cannot change: tariffs and stays of {before.slug} are in {before.currency}."
            " A facility of another slug can have another currency",
        )
    if (before is None or before.time_zone != after.time_zone) and not await connection.fetchval(
        sql("site_time_zone_known"), after.time_zone
    ):
        raise file.document.error(
            ("facility", "time_zone"), f"PostgreSQL knows no time zone {after.time_zone}"
        )
    return facility, found


async def _read(connection: Connection, slug: Slug, at: datetime) -> tuple[FacilityId | None, Rows]:
    row = await connection.fetchrow(sql("site_facility"), slug)
    if row is None:
        return None, Rows()
    values = _plain_row(row)
    facility = FacilityId(UUID(str(values.pop("id"))))

    async def rows(name: str, *arguments: object) -> list[dict[str, Any]]:
        found = await connection.fetch(sql(name), facility, *arguments)
        return [_plain_row(found_row) for found_row in found]

    return facility, Rows(
        facility=FacilityRow(**values),
        zones=tuple([ZoneRow(**each) for each in await rows("site_zones")]),
        spots=tuple([SpotRow(**each) for each in await rows("site_spots")]),
        lanes=tuple([LaneRow(**each) for each in await rows("site_lanes")]),
        devices=tuple([DeviceRow(**each) for each in await rows("site_devices")]),
        calendar=tuple([CalendarRow(**each) for each in await rows("site_calendar")]),
        tariffs=tuple([TariffRow(**each) for each in await rows("site_tariffs", at)]),
    )


def _plain_row(row: asyncpg.Record) -> dict[str, Any]:
    return {key: _plain(key, value) for key, value in row.items()}


def _plain(key: str, value: object) -> object:
    if key in _TABLES and value is not None:
        return json.loads(str(value))
    return tuple(value) if isinstance(value, list) else value


async def _hold(connection: Connection, facility: FacilityId, found: Sequence[Change]) -> None:
    """Lock the facility's row, then the spots that change or go, before any other row.

    Whoever changes a spot takes the facility's counters only if nobody holds them, and may want
    another spot after that. So who does wait for the counters, as we do, waits without a spot.
    """
    await connection.execute(sql("site_hold_facility"), facility)
    spots = [
        change.row
        for change in found
        if isinstance(change.row, SpotRow) and change.verb is not Verb.ADD
    ]
    zones, numbers = [spot.zone for spot in spots], [spot.number for spot in spots]
    await connection.execute(sql("site_hold_spots"), facility, zones, numbers)


async def _check_removals(
    connection: Connection, file: SiteFile, facility: FacilityId, found: Sequence[Change]
) -> None:
    """Refuse to take away a spot that is in use."""
    for zone, spots in _spots_by_zone(found, {Verb.REMOVE}):
        numbers = [spot.number for spot in spots]
        rows = await connection.fetch(sql("site_taken_spots"), facility, zone, numbers)
        if taken := [str(row[0]) for row in rows]:
            more = len(taken) - _TAKEN_SHOWN_MAX
            names = ", ".join(taken[:_TAKEN_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
            slugs = [each.slug for each in file.site.zone]
            path = ("zone", slugs.index(zone)) if zone in slugs else ("zone",)
            raise file.document.error(
                path,
                f"the file has no longer the spot {names} of zone {zone}, but a stay or a"
                " reservation holds it: put it back, or apply again when that has ended",
            )


class _Work:
    """The carrying out of changes within the transaction of `apply`."""

    def __init__(self, connection: Connection, at: datetime, facility: FacilityId | None) -> None:
        self._connection = connection
        self._at = at
        self._facility = facility
        self._is_new = facility is None

    async def carry_out(self, part: Sequence[Change]) -> None:
        """All changes of one kind that follow one another."""
        for change in part:
            await self._carry_out(change)
        for zone, spots in _spots_by_zone(part, {Verb.ADD, Verb.CHANGE}):
            rows = json.dumps([asdict(spot) for spot in spots])
            await self._execute("site_put_spots", zone, rows)
            await self._execute("site_put_distances", zone, rows)
        for zone, spots in _spots_by_zone(part, {Verb.REMOVE}):
            numbers = [spot.number for spot in spots]
            await self._execute("site_remove_spots", zone, numbers)

    async def _carry_out(self, change: Change) -> None:
        match change.row:
            case FacilityRow():
                await self._facility_row(change.row)
            case ZoneRow():
                await self._zone(change.verb, change.row)
            case SpotRow():
                pass  # in bulk, above
            case LaneRow():
                await self._lane(change.verb, change.row)
            case DeviceRow():
                await self._device(change.verb, change.row)
            case CalendarRow():
                await self._calendar_day(change.verb, change.row)
            case TariffRow():
                await self._tariff(change)
            case _:
                assert_never(change.row)

    async def finish(self, found: Sequence[Change]) -> None:
        """Revision and audit."""
        if not self._is_new:
            await self._execute("site_revise")
        lines = [" ".join(part for part in line if part) for line in describe(found)]
        details = {"changes": lines[:_AUDIT_LINES_MAX], "count": len(found)}
        await self._execute("site_audit", json.dumps(details))

    async def _facility_row(self, row: FacilityRow) -> None:
        if self._facility is None:
            self._facility = await self._connection.fetchval(
                sql("site_add_facility"), row.slug, *_facility_values(row), row.currency
            )
        else:
            await self._execute("site_change_facility", *_facility_values(row))
        opening = None if row.opening is None else json.dumps(row.opening)
        await self._execute("site_put_opening", opening, json.dumps(row.display))
        await self._execute("site_put_penalties", json.dumps(row.penalties))
        await self._execute("site_put_limits", None, json.dumps(row.limits))

    async def _zone(self, verb: Verb, row: ZoneRow) -> None:
        if verb is Verb.REMOVE:
            await self._execute("site_remove_zone", row.slug)
        else:
            await self._execute("site_put_zone", row.slug, row.name, row.fill)
        limits = [] if verb is Verb.REMOVE else row.limits
        await self._execute("site_put_limits", row.slug, json.dumps(limits))

    async def _lane(self, verb: Verb, row: LaneRow) -> None:
        if verb is Verb.REMOVE:
            await self._execute("site_remove_lane", row.slug)
            return
        opening = None if row.opening is None else json.dumps(row.opening)
        await self._execute(
            "site_put_lane",
            row.slug,
            row.direction,
            json.dumps(row.policy),
            opening,
            row.from_zone,
        )
        await self._execute("site_put_lane_zones", row.slug, list(row.zones))

    async def _device(self, verb: Verb, row: DeviceRow) -> None:
        if verb is Verb.REMOVE:
            await self._execute("site_remove_device", row.slug)
            return
        options = json.dumps(row.options)
        await self._execute("site_put_device", row.slug, row.lane, row.family, row.topic, options)

    async def _calendar_day(self, verb: Verb, row: CalendarRow) -> None:
        if verb is Verb.REMOVE:
            await self._execute("site_remove_calendar_day", row.day, row.kind)
            return
        await self._execute("site_put_calendar_day", row.day, row.kind, row.name)

    async def _tariff(self, change: Change) -> None:
        old = change.row if change.verb is Verb.REMOVE else change.before
        if isinstance(old, TariffRow):
            await self._execute("site_end_tariff", old.id, self._at)
        new = change.row
        if change.verb is not Verb.REMOVE and isinstance(new, TariffRow):
            config = json.dumps(new.config)
            await self._execute(
                "site_add_tariff",
                new.name,
                new.strategy,
                config,
                new.priority,
                new.free_minutes,
                self._at,
            )

    async def _execute(self, name: str, *arguments: object) -> None:
        await self._connection.execute(sql(name), self._facility, *arguments)


def _facility_values(row: FacilityRow) -> tuple[object, ...]:
    place = row.time_zone, row.latitude, row.longitude
    return row.name, row.city, *place, json.dumps(row.policy), json.dumps(row.parking)


def _spots_by_zone(
    found: Iterable[Change], verbs: set[Verb]
) -> Iterable[tuple[Slug, list[SpotRow]]]:
    zones: dict[Slug, list[SpotRow]] = {}
    for change in found:
        if isinstance(change.row, SpotRow) and change.verb in verbs:
            zones.setdefault(change.row.zone, []).append(change.row)
    return zones.items()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """The database's errors in gated's words."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigError(
            f"{error}: a site is applied by the owner of the database, not by the daemon's role"
            " (--dsn names it)"
        ) from error
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError) as error:
        raise ConfigError(f"{error}: `gated db upgrade` makes what is missing") from error
    except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as error:
        raise StoreError(f"{error}; nothing was changed: try again", retryable=True) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StoreError(f"nothing was changed: {error}", retryable=False) from error
