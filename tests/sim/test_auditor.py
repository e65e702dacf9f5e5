"""The auditor notices what is wrong: each fault is planted by itself into a day that agreed."""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeAlias

import asyncpg
import pytest

from tests.services.databases import Database, Databases
from tests.services.postgres import PostgresServer
from tests.sim.auditor import Auditor, Kind
from tests.sim.day import Day, Wish, simulate
from tests.sim.ledger import Ledger, Where
from tests.sim.plans import Rates

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Fault = Callable[[Owner, Ledger], Awaitable[object]]

VEHICLES = 40
pytestmark = [
    pytest.mark.direct("prepared statements keep its connections"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def day_database(
    postgres_embedded: PostgresServer, databases_of: Callable[[PostgresServer], Databases]
) -> Iterator[Database]:
    databases = databases_of(postgres_embedded)
    database = databases.clone()
    yield database
    databases.drop(database)


@pytest.fixture(scope="module")
def day(day_database: Database) -> Day:
    database = day_database
    return simulate(Wish(VEHICLES, 1, database.dsn, database.dsn_as("gated_daemon"), rates=Rates()))


async def a_stay_is_lost(owner: Owner, ledger: Ledger) -> None:
    await owner.execute("SET LOCAL session_replication_role = replica")
    await owner.execute(
        "DELETE FROM bookings WHERE id ="
        " (SELECT id FROM bookings WHERE status = 'COMPLETED' AND final_price = 0 LIMIT 1)"
    )


async def a_stay_goes_on(owner: Owner, ledger: Ledger) -> None:
    await owner.execute(
        "UPDATE bookings SET status = 'ACTIVE', actual_exit = NULL, exit_known = NULL,"
        " exit_lane_id = NULL, final_price = NULL WHERE id ="
        " (SELECT id FROM bookings WHERE status = 'COMPLETED' LIMIT 1)"
    )


async def a_stay_is_of_nobody(owner: Owner, ledger: Ledger) -> None:
    ledger.visits.remove(next(one for one in ledger.visits if one.began is not None))


async def a_vehicle_is_inside_unknown(owner: Owner, ledger: Ledger) -> None:
    next(one for one in ledger.visits if one.began is not None).where = Where.INSIDE


async def a_price_is_a_cent_too_high(owner: Owner, ledger: Ledger) -> None:
    await owner.execute(
        "UPDATE bookings SET final_price = final_price + 0.01 WHERE id ="
        " (SELECT id FROM bookings WHERE status = 'COMPLETED' LIMIT 1)"
    )


async def a_cent_moves_from_one_stay_to_another(owner: Owner, ledger: Ledger) -> None:
    await owner.execute(
        "UPDATE bookings SET final_price = final_price + CASE WHEN final_price = m.highest"
        " THEN -0.01 ELSE 0.01 END FROM (SELECT min(id::text) AS one, max(id::text) AS other,"
        " max(final_price) AS highest FROM bookings WHERE status = 'COMPLETED'"
        "  AND final_price > 0) m WHERE id::text IN (m.one, m.other)"
    )


async def a_payment_is_lost(owner: Owner, ledger: Ledger) -> None:
    await owner.execute(
        "UPDATE payments SET status = 'FAILED' WHERE id = (SELECT id FROM payments LIMIT 1)"
    )


async def an_arm_goes_up_twice(owner: Owner, ledger: Ledger) -> None:
    ledger.raised.append(ledger.raised[0])


async def an_arm_goes_up_by_itself(owner: Owner, ledger: Ledger) -> None:
    ledger.raised.append("nobody")


async def an_arm_goes_up_for_nobody(owner: Owner, ledger: Ledger) -> None:
    ledger.unasked.append(ledger.raised[0])


async def a_grant_has_two_commands(owner: Owner, ledger: Ledger) -> None:
    copied = await owner.fetchval(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
        " WHERE (table_schema, table_name) = ('gate', 'commands') AND column_name <> 'id'"
    )
    await owner.execute(
        f"INSERT INTO gate.commands (id, {copied}) SELECT gen_random_uuid(), {copied}"
        " FROM gate.commands WHERE do_what = 'open' LIMIT 1"
    )


async def a_spot_is_held_by_nobody(owner: Owner, ledger: Ledger) -> None:
    await owner.execute(
        "UPDATE parking_spots SET status = 'OCCUPIED' WHERE id ="
        " (SELECT id FROM parking_spots WHERE status = 'AVAILABLE' LIMIT 1)"
    )


async def a_message_is_forgotten(owner: Owner, ledger: Ledger) -> None:
    await owner.execute(
        "UPDATE gate.events SET status = 'new', outcome = NULL, settled_at = NULL WHERE id ="
        " (SELECT id FROM gate.events WHERE status = 'done' LIMIT 1)"
    )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (a_stay_is_lost, Kind.STAYS),
        (a_stay_goes_on, Kind.STAYS),
        (a_stay_goes_on, Kind.OCCUPANCY),
        (a_stay_is_of_nobody, Kind.STAYS),
        (a_vehicle_is_inside_unknown, Kind.OCCUPANCY),
        (a_price_is_a_cent_too_high, Kind.MONEY),
        (a_cent_moves_from_one_stay_to_another, Kind.MONEY),
        (a_payment_is_lost, Kind.MONEY),
        (an_arm_goes_up_twice, Kind.OPENINGS),
        (an_arm_goes_up_by_itself, Kind.OPENINGS),
        (an_arm_goes_up_for_nobody, Kind.OPENINGS),
        (a_grant_has_two_commands, Kind.OPENINGS),
        (a_spot_is_held_by_nobody, Kind.SPOTS),
        (a_message_is_forgotten, Kind.MESSAGES),
    ],
    ids=lambda one: one.__name__ if callable(one) else str(one),
)
def test_a_planted_fault_is_found(
    day: Day, day_database: Database, fault: Fault, kind: Kind
) -> None:
    assert not day.auditor.findings
    findings = asyncio.run(_audited(day_database, day, fault))
    assert kind in findings


def test_a_day_that_agreed_agrees_again(day: Day, day_database: Database) -> None:
    async def nothing(owner: Owner, ledger: Ledger) -> None: ...

    assert asyncio.run(_audited(day_database, day, nothing)) == set()


async def _audited(database: Database, day: Day, fault: Fault) -> set[Kind]:
    owner = await asyncpg.connect(database.dsn)
    try:
        ledger = copy.deepcopy(day.traffic.ledger)
        garage = day.traffic.garage
        transaction = owner.transaction()
        await transaction.start()
        await fault(owner, ledger)
        auditor = Auditor(owner, garage.id, ledger)
        await auditor.close(garage.clock.now())
        await transaction.rollback()
    finally:
        await owner.close()
    return {finding.kind for finding in auditor.findings}
