"""Holds what is kept twice against itself, and mends what follows from something else.

Which things those are is said in `gate.verify_v1` and `gate.repair_v1`, which do the work: here
they are asked, facility by facility where something is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from gated.core.errors import ConfigError, StoreError
from gated.core.ids import Slug
from gated.db.connect import Connection, connected
from gated.db.sql import sql

# A whole platform is read once over.
SECONDS_MAX = 3600.0


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is stated in one place and counted otherwise in another.

    `facility` is None where it belongs to none that gated runs. `mended` is None where nobody
    tried.
    """

    kind: str
    facility: Slug | None
    field: str
    subject: UUID
    stated: str | None
    counted: str | None
    mended: bool | None = None


async def verify(dsn: str, facility: str | None = None) -> list[Drift]:
    """What says two things, in this facility or in all. Changes nothing.

    Raises ConfigError for an unknown facility, StoreError when the database cannot be had.
    """
    async with connected(dsn, command_timeout_seconds=SECONDS_MAX) as connection:
        chosen = await _facility(connection, facility) if facility is not None else None
        rows = await _asked(connection, "verify", chosen)
        return [
            Drift(
                row["kind"],
                Slug(row["facility"]) if row["facility"] else None,
                row["field"],
                row["subject"],
                row["stated"],
                row["counted"],
            )
            for row in rows
        ]


async def repair(
    dsn: str, found: Sequence[Drift], actor: str, on_step: Callable[[str], None]
) -> list[Drift]:
    """Mend the facilities in which something was found: all that was wrong there, and whether it
    is right now. Each facility is a transaction of its own, with an audit row.
    """
    mended: list[Drift] = []
    async with connected(dsn, command_timeout_seconds=SECONDS_MAX) as connection:
        for slug in sorted({drift.facility for drift in found if drift.facility is not None}):
            on_step(slug)
            facility = await _facility(connection, slug)
            mended += [
                Drift(
                    row["kind"],
                    slug,
                    row["field"],
                    row["subject"],
                    row["stated"],
                    row["counted"],
                    row["mended"],
                )
                for row in await _asked(connection, "repair", facility, actor)
            ]
    return mended + [drift for drift in found if drift.facility is None]


async def _facility(connection: Connection, slug: str) -> UUID:
    row = await connection.fetchrow(sql("site_facility"), slug)
    if row is None:
        raise ConfigError(f'there is no facility "{slug}"')
    facility: UUID = row["id"]
    return facility


async def _asked(connection: Connection, name: str, *arguments: object) -> Sequence[asyncpg.Record]:
    try:
        return await connection.fetch(sql(name), *arguments)
    except (asyncpg.UndefinedFunctionError, asyncpg.InvalidSchemaNameError) as error:
        raise ConfigError(f"{error}: `gated db upgrade` makes what is missing") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigError(f"{error}: the owner of the database may (--dsn names it)") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StoreError(f"{name}: {error}", retryable=True) from error
