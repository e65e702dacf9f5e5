"""Applying site files to a real database: all or nothing, twice is once, nobody loses a spot."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gated.core.errors import ConfigError, StoreError
from gated.db.connect import Connection, connected
from gated.db.site import apply, plan
from gated.devices.families import CODECS
from gated.site_plan import Change, describe
from gated.site_rules import SiteFile, check_site, load_site
from gated.toml import parse
from tests.services.databases import Database
from tests.services.pgbouncer import PgBouncer
from tests.tariff.files import BLOCK, CALENDAR, EVERYTHING, FLAT, TIER

SAMPLE = Path(__file__).parent.parent.parent / "examples" / "site.toml"

NORTH = """\
[facility]
slug = "north"
name = "North"
city = "Bonn"
time_zone = "Europe/Berlin"
currency = "EUR"
[[zone]]
slug = "a"
name = "A"
[[zone.spots]]
prefix = "A-"
count = 3
[[zone]]
slug = "b"
name = "B"
[[zone.spots]]
numbers = ["B-1"]
[[lane]]
slug = "in"
direction = "entry"
zones = ["a", "b"]
[[lane.device]]
slug = "in-box"
family = "native"
[[lane]]
slug = "out"
direction = "exit"
[[lane.device]]
slug = "out-cam"
family = "axis"
topic = "axis/1"
[[lane.device]]
slug = "out-relay"
family = "shelly"
topic = "relay-1"
pulse_seconds = 2
[[tariff]]
name = "T"
strategy = "FLAT"
amount = "5"
zero_stay = "charged"
second_visit = "separate"
"""

BEFORE_ZONES = '[[zone]]\nslug = "a"'
PARKING = """\
[parking]
vehicle_type_default = "SUV"
stay_minutes_expected = 90
early_minutes_max = 10
late_minutes_max = 20
grace_minutes_exit = 5
ev_spots_kept = false
open_violation_denies = true
anti_passback = "soft"
sign_free_again = 4
[parking.penalties]
overstay = "30"
passback = "0"
"""
OPENING = """\
[opening]
exempt = ["staff"]
closed = ["sun"]
[[opening.hours]]
from = "06:00"
until = "01:00"
"""
DISPLAY = """\
[display]
language = "de"
[display.texts.de]
closed = "Zu"
"""


def site(*replaced: tuple[str, str]) -> SiteFile:
    text = NORTH
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    return check_site(parse(text, "north.toml"), CODECS)


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    async with connected(database.dsn) as opened:
        yield opened


async def dump(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All that an apply may write."""
    tables = (
        *("facilities", "zones", "parking_spots", "pricing_rules", "audit_logs"),
        *("gate.facility_settings", "gate.lanes", "gate.lane_zones", "gate.devices"),
        *(
            "gate.penalties",
            "gate.calendar_days",
            "gate.zone_settings",
            "gate.spot_distances",
            "gate.spot_changes",
            "gate.zone_limits",
        ),
    )
    rows = {table: await connection.fetch(f"SELECT * FROM {table}") for table in tables}
    return {table: sorted(map(tuple, found), key=str) for table, found in rows.items()}


async def counters(connection: Connection) -> list[tuple[str, int, int]]:
    rows = await connection.fetch(
        "SELECT code, total_spots, available_spots FROM zones UNION ALL"
        " SELECT 'facility', total_spots, available_spots FROM facilities ORDER BY 1"
    )
    return [tuple(row) for row in rows]


async def metres(connection: Connection) -> dict[tuple[str, str], float]:
    """How far it is from lane to spot."""
    rows = await connection.fetch(
        "SELECT l.slug, s.spot_number, d.metres FROM gate.spot_distances d"
        " JOIN gate.lanes l ON l.id = d.lane_id JOIN parking_spots s ON s.id = d.spot_id"
    )
    return {(lane, number): float(value) for lane, number, value in rows}


async def waiting(watch: Connection, work: asyncio.Task[list[Change]]) -> None:
    """Come back when the work waits for somebody's lock."""
    while not await watch.fetchval(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ):
        assert not work.done(), await work
        await asyncio.sleep(0)


def verbs(found: list[Change]) -> list[tuple[str, str]]:
    return [(change.verb.value, change.kind) for change in found]


async def test_the_sample_is_stored_as_it_says_and_the_second_time_is_nothing(
    connection: Connection,
) -> None:
    file = load_site(SAMPLE, CODECS)
    planned = await plan(connection, file)
    assert await connection.fetchval("SELECT count(*) FROM facilities") == 0
    assert await apply(connection, file) == planned != []
    assert await counters(connection) == [
        ("facility", 62, 62),
        ("ground", 42, 42),
        ("roof", 20, 20),
    ]
    setting = await connection.fetchrow("SELECT * FROM gate.facility_settings")
    assert setting is not None
    assert (setting["slug"], setting["currency"], setting["revision"]) == ("riverside", "EUR", 1)
    before = await dump(connection)
    assert await plan(connection, file) == []
    assert await apply(connection, file) == []
    assert await dump(connection) == before


INWARD = """\
[[lane]]
slug = "inward"
direction = "transfer"
from = "a"
zones = ["b"]
[[lane.device]]
slug = "inward-box"
family = "native"
[[tariff]]
"""
LIMITS = """\
[[facility.limits]]
group = "transient"
stays_max = 3
days = ["mon"]
from = "07:00"
until = "17:00"
[[facility.limits]]
group = "permit_holder"
stays_max = 1
"""


async def test_a_lane_between_zones_is_stored_and_taken_down(connection: Connection) -> None:
    between = ("[[tariff]]\n", INWARD)
    assert verbs(await apply(connection, site(between))) != []
    row = await connection.fetchrow(
        "SELECT l.direction, a.code AS came_from, z.code AS leads_to FROM gate.lanes l"
        " JOIN zones a ON a.id = l.from_zone_id JOIN gate.lane_zones f ON f.lane_id = l.id"
        " JOIN zones z ON z.id = f.zone_id WHERE l.slug = 'inward'"
    )
    assert row is not None
    assert tuple(row) == ("transfer", "a", "b")
    assert await plan(connection, site(between)) == []
    turned = ('from = "a"\nzones = ["b"]', 'from = "b"\nzones = ["a"]')
    [change] = await apply(connection, site(between, turned))
    assert list(describe([change])) == [
        ("change", "lane", "inward", "zones: b → a, from_zone: a → b")
    ]
    removed = await apply(connection, site())
    assert verbs(removed) == [("remove", "device"), ("remove", "lane")]


async def test_limits_are_stored_changed_and_taken_down(connection: Connection) -> None:
    limits = (BEFORE_ZONES, LIMITS + BEFORE_ZONES)
    of_zone = ('name = "A"\n', 'name = "A"\n' + LIMITS.replace("facility", "zone"))
    await apply(connection, site(limits, of_zone))
    stored = (
        "SELECT z.code, l.parker_group, l.stays_max, l.days, l.begins, l.ends"
        " FROM gate.zone_limits l LEFT JOIN zones z ON z.id = l.zone_id"
        " ORDER BY l.zone_id NULLS FIRST, l.position"
    )
    rows = [tuple(row) for row in await connection.fetch(stored)]
    both = [("transient", 3, ["mon"], "07:00", "17:00"), ("permit_holder", 1, None, None, None)]
    assert rows == [(zone, *row) for zone in (None, "a") for row in both]
    assert await plan(connection, site(limits, of_zone)) == []
    fewer = (
        BEFORE_ZONES,
        "[[facility.limits]]\ngroup = 'reservation'\nstays_max = 9\n" + BEFORE_ZONES,
    )
    changed = await apply(connection, site(fewer))
    assert verbs(changed) == [("change", "facility"), ("change", "zone")]
    rows = [tuple(row) for row in await connection.fetch(stored)]
    assert rows == [(None, "reservation", 9, None, None, None)]


async def test_every_kind_of_row_is_stored(connection: Connection) -> None:
    await apply(connection, site())
    spots = await connection.fetch("SELECT spot_number FROM parking_spots ORDER BY spot_order")
    assert [row[0] for row in spots] == ["A-1", "A-2", "A-3", "B-1"]
    zones = await connection.fetch(
        "SELECT l.slug, z.code FROM gate.lane_zones JOIN gate.lanes l ON l.id = lane_id"
        " JOIN zones z ON z.id = zone_id ORDER BY position"
    )
    assert [tuple(row) for row in zones] == [("in", "a"), ("in", "b")]
    relay = await connection.fetchrow(
        "SELECT family, topic, options->>'pulse_seconds' FROM gate.devices WHERE slug = 'out-relay'"
    )
    assert relay is not None
    assert tuple(relay) == ("shelly", "relay-1", "2")
    rule = await connection.fetchrow("SELECT strategy, config->>'amount' FROM pricing_rules")
    assert rule is not None
    assert tuple(rule) == ("FLAT", "5.00")
    audit = await connection.fetchrow("SELECT action, details->>'count' FROM audit_logs")
    assert audit is not None
    assert audit["action"] == "site.applied"
    assert await connection.fetchval(
        "SELECT amount FROM gate.price_stay_v1((SELECT id FROM facilities),"
        " clock_timestamp(), clock_timestamp() + interval '1 hour')"
    )


CHANGES: list[tuple[list[tuple[str, str]], list[tuple[str, str]]]] = [
    ([('name = "North"', 'name = "North Side"')], [("change", "facility")]),
    (
        [('"EUR"', '"EUR"\nlatitude = 50.123456789\nlongitude = 7.1')],
        [("change", "facility")],
    ),
    (
        [('[[zone]]\nslug = "a"', '[policy]\nfold_seconds = 3\n[[zone]]\nslug = "a"')],
        [("change", "facility")],
    ),
    ([(BEFORE_ZONES, PARKING + BEFORE_ZONES)], [("change", "facility")]),
    ([('name = "A"', 'name = "Deck"')], [("change", "zone")]),
    ([('name = "A"', 'name = "A"\nfill = "nearest"')], [("change", "zone")]),
    ([("count = 3", "count = 5")], [("add", "spot")] * 2),
    ([("count = 3", "count = 1")], [("remove", "spot")] * 2),
    ([("count = 3", "count = 3\nev_charger = true")], [("change", "spot")] * 3),
    ([("count = 3", "count = 3\nmetres_from = { in = 40.06 }")], [("change", "spot")] * 3),
    ([('zones = ["a", "b"]', 'zones = ["b", "a"]')], [("change", "lane")]),
    ([('zones = ["a", "b"]', 'zones = ["b"]')], [("change", "lane")]),
    ([("pulse_seconds = 2", "pulse_seconds = 3")], [("change", "device")]),
    (
        [('slug = "out-cam"\nfamily = "axis"\ntopic = "axis/1"\n[[lane.device]]\n', "")],
        [("remove", "device")],
    ),
    ([('amount = "5"', 'amount = "6"')], [("change", "tariff")]),
    ([('name = "T"', 'name = "U"')], [("add", "tariff"), ("remove", "tariff")]),
    ([("[[tariff]]", CALENDAR + "[[tariff]]")], [("add", "calendar")] * 2),
    ([(BEFORE_ZONES, OPENING + BEFORE_ZONES)], [("change", "facility")]),
    ([(BEFORE_ZONES, DISPLAY + BEFORE_ZONES)], [("change", "facility")]),
    (
        [
            (BEFORE_ZONES, OPENING + BEFORE_ZONES),
            ('zones = ["a", "b"]', 'zones = ["a", "b"]\n[lane.opening]\nexempt = []'),
        ],
        [("change", "facility"), ("change", "lane")],
    ),
    (
        [
            ('[[zone]]\nslug = "b"\nname = "B"\n[[zone.spots]]\nnumbers = ["B-1"]\n', ""),
            ('zones = ["a", "b"]', 'zones = ["a"]'),
        ],
        [("change", "lane"), ("remove", "spot"), ("remove", "zone")],
    ),
    (
        [('slug = "out"\n', 'slug = "way-out"\n')],
        [("add", "lane"), ("change", "device"), ("change", "device"), ("remove", "lane")],
    ),
]


@pytest.mark.parametrize(("replaced", "expected"), CHANGES)
async def test_a_change_is_planned_applied_and_taken_back(
    connection: Connection, replaced: list[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    await apply(connection, site())
    first = await counters(connection)
    before = await dump(connection)
    file = site(*replaced)
    planned = await plan(connection, file)
    assert verbs(planned) == expected
    assert await dump(connection) == before, "a plan changes nothing"
    assert list(describe(planned))
    assert await apply(connection, file) == planned
    assert await plan(connection, file) == []
    assert await connection.fetchval("SELECT revision FROM gate.facility_settings") == 2
    in_service = await connection.fetchval("SELECT count(*) FROM parking_spots WHERE is_active")
    assert ("facility", in_service, in_service) in await counters(connection)
    assert await connection.fetchval("SELECT gate.recount_v1(id) FROM facilities") == 0

    await apply(connection, site())
    assert await plan(connection, site()) == []
    back = {code: counts for code, *counts in await counters(connection)}
    assert back == {code: counts for code, *counts in first}


async def test_parking_is_stored_and_what_is_not_stated_any_more_is_the_default(
    connection: Connection,
) -> None:
    async def stored() -> tuple[object, ...]:
        row = await connection.fetchrow(
            "SELECT vehicle_type_default, stay_minutes_expected, early_minutes_max,"
            " late_minutes_max, grace_minutes_exit, ev_spots_kept, open_violation_denies,"
            " anti_passback FROM gate.facility_settings"
        )
        assert row is not None
        return tuple(row)

    async def penalties() -> dict[str, str]:
        rows = await connection.fetch("SELECT violation_type, amount::text FROM gate.penalties")
        return dict(map(tuple, rows))

    full = site((BEFORE_ZONES, PARKING + BEFORE_ZONES))
    await apply(connection, full)
    assert await stored() == ("SUV", 90, 10, 20, 5, False, True, "soft")
    assert await penalties() == {"overstay": "30.0000", "passback": "0.0000"}
    assert await plan(connection, full) == []

    fewer = site((BEFORE_ZONES, PARKING.replace("= 5\n", "= 6\n") + BEFORE_ZONES))
    assert list(describe(await apply(connection, fewer))) == [
        ("change", "facility", "north", "parking: grace_minutes_exit 5 → grace_minutes_exit 6")
    ]
    await apply(connection, site())
    assert await stored() == ("CAR", 240, 30, None, 15, True, False, "hard")
    assert await penalties() == {}


async def test_what_is_thought_of_phantoms_and_sensors_is_stored_and_taken_back(
    connection: Connection,
) -> None:
    async def stored() -> tuple[object, ...]:
        row = await connection.fetchrow(
            "SELECT phantom_days, phantom_policy, phantom_close_days, drift_count_max,"
            " overstay_grace_minutes, misuse_grace_minutes FROM gate.facility_settings"
        )
        assert row is not None
        return tuple(row)

    await apply(connection, site())
    assert await stored() == (7, "list", None, 5, 0, 15)
    said = (
        '[parking]\nphantom_days = 3\nphantom_policy = "close_after_days"\n'
        "phantom_close_days = 30\n"
        "drift_count_max = 0\noverstay_grace_minutes = 10\nmisuse_grace_minutes = 0\n"
    )
    file = site((BEFORE_ZONES, said + BEFORE_ZONES))
    await apply(connection, file)
    assert await stored() == (3, "close_after_days", 30, 0, 10, 0)
    assert await plan(connection, file) == []
    await apply(connection, site())
    assert await stored() == (7, "list", None, 5, 0, 15)


async def test_a_currency_without_decimals_has_penalties_without_them(
    connection: Connection,
) -> None:
    file = site(('"EUR"', '"KRW"'), (BEFORE_ZONES, PARKING + BEFORE_ZONES))
    await apply(connection, file)
    assert await plan(connection, file) == []


async def test_penalties_that_someone_else_stored_are_brought_to_the_file(
    connection: Connection,
) -> None:
    file = site((BEFORE_ZONES, PARKING + BEFORE_ZONES))
    await apply(connection, file)
    await connection.execute(
        "UPDATE gate.penalties SET amount = 30.005 WHERE violation_type = 'overstay'"
    )
    await connection.execute(
        "INSERT INTO gate.penalties SELECT id, 'littering', 40 FROM facilities"
    )
    assert list(describe(await apply(connection, file))) == [
        (
            *("change", "facility", "north"),
            "penalties: overstay 30.005, littering 40.00 → overstay 30.00",
        )
    ]
    assert await connection.fetchval("SELECT sum(amount) FROM gate.penalties") == 30


async def test_distances_are_those_of_the_file(connection: Connection) -> None:
    await apply(connection, site(("count = 3", "count = 2\nmetres_from = { in = 40.06 }")))
    assert await metres(connection) == {("in", "A-1"): 40.1, ("in", "A-2"): 40.1}

    # Another entry is nearer, and there is one spot more.
    exit_lane = '[[lane]]\nslug = "out"'
    second = '[[lane]]\nslug = "in2"\ndirection = "entry"\nzones = ["b"]\n'
    second += '[[lane.device]]\nslug = "in2-box"\nfamily = "native"\n'
    near = (
        ("count = 3", "count = 3\nmetres_from = { in = 39, in2 = 7.5 }"),
        (exit_lane, second + exit_lane),
    )
    found = await apply(connection, site(*near))
    assert [line[3] for line in describe(found) if line[1] == "spot"] == [
        "metres_from: in 40.1 → in 39.0, in2 7.5",
        "STANDARD, metres from in 39.0, in2 7.5",
    ]
    assert await metres(connection) == {
        (lane, f"A-{number}"): value
        for number in (1, 2, 3)
        for lane, value in (("in", 39.0), ("in2", 7.5))
    }

    # A lane has another name now; a spot goes, and comes back without its distance.
    await apply(
        connection,
        site(
            ("count = 3", "count = 2\nmetres_from = { way-in = 39 }"),
            ('slug = "in"', 'slug = "way-in"'),
        ),
    )
    assert await metres(connection) == {("way-in", "A-1"): 39.0, ("way-in", "A-2"): 39.0}
    await apply(connection, site())
    assert await metres(connection) == {}


async def test_a_changed_tariff_is_a_new_version_and_the_old_one_governs_who_entered_before(
    connection: Connection,
) -> None:
    await apply(connection, site())
    entered: datetime = await connection.fetchval("SELECT clock_timestamp()")
    await apply(connection, site(('amount = "5"', 'amount = "6"')))
    rules = await connection.fetch(
        "SELECT config->>'amount' AS amount, valid_from, valid_until FROM pricing_rules"
        " ORDER BY valid_from"
    )
    assert [rule["amount"] for rule in rules] == ["5.00", "6.00"]
    assert rules[0]["valid_until"] == rules[1]["valid_from"]
    assert rules[1]["valid_until"] is None
    price = (
        "SELECT amount FROM gate.price_stay_v1((SELECT id FROM facilities),"
        " $1::timestamptz, $1::timestamptz + interval '1 hour')"
    )
    assert await connection.fetchval(price, entered) == 5
    assert await connection.fetchval(price, rules[1]["valid_from"]) == 6


async def test_the_calendar_is_that_of_the_file(connection: Connection) -> None:
    async def stored() -> list[tuple[object, ...]]:
        rows = await connection.fetch(
            "SELECT day::text, kind, name FROM gate.calendar_days ORDER BY day"
        )
        return list(map(tuple, rows))

    def with_calendar(calendar: str) -> SiteFile:
        return site(("[[tariff]]", calendar + "[[tariff]]"))

    await apply(connection, with_calendar(CALENDAR))
    assert await stored() == [
        ("2026-05-16", "match", ""),
        ("2026-12-25", "holiday", "Christmas Day"),
    ]
    other = CALENDAR.replace("Christmas Day", "Christmas").replace("2026-05-16", "2027-01-02")
    assert list(describe(await apply(connection, with_calendar(other)))) == [
        ("change", "calendar", "2026-12-25 holiday", "name: Christmas Day → Christmas"),
        ("add", "calendar", "2027-01-02 match", ""),
        ("remove", "calendar", "2026-05-16 match", ""),
    ]
    assert await stored() == [
        ("2026-12-25", "holiday", "Christmas"),
        ("2027-01-02", "match", ""),
    ]
    assert await plan(connection, with_calendar(other)) == []


BANDS = """\
strategy = "BAND"
zero_stay = "free"
second_visit = "separate"
band_border = "restart"
[[tariff.bands]]
name = "holidays"
days = ["holiday"]
flat = "1.00"
[[tariff.bands]]
name = "matches"
days = ["match"]
flat = "9.00"
[[tariff.bands]]
name = "else"
flat = "5.00"
"""


async def test_the_calendar_of_the_file_governs_the_bands_of_the_file(
    connection: Connection,
) -> None:
    text = NORTH[: NORTH.index('strategy = "FLAT"')] + BANDS + CALENDAR
    later = text.replace("2026-", "2126-")
    await apply(connection, check_site(parse(later, "north.toml"), CODECS))
    # So late that the tariff is in force.
    for day, expected in {"2126-12-24": 5, "2126-12-25": 1, "2126-05-16": 9}.items():
        assert expected == await connection.fetchval(
            "SELECT amount FROM gate.price_stay_v1((SELECT id FROM facilities),"
            " $1::timestamptz, $1::timestamptz + interval '1 hour')",
            datetime.fromisoformat(f"{day}T12:00+01:00"),
        )


@pytest.mark.parametrize(
    ("tariff", "price"), [(FLAT, 4), (BLOCK, 4), (TIER, 5)], ids=["FLAT", "BLOCK", "TIER"]
)
async def test_a_tariff_of_any_strategy_is_stored_and_priced(
    connection: Connection, tariff: str, price: int
) -> None:
    file = check_site(parse(NORTH[: NORTH.index("[[tariff]]")] + tariff, "north.toml"), CODECS)
    await apply(connection, file)
    assert await plan(connection, file) == []
    assert price == await connection.fetchval(
        "SELECT amount FROM gate.price_stay_v1((SELECT id FROM facilities),"
        " clock_timestamp(), clock_timestamp() + interval '90 minutes')"
    )


async def test_a_tariff_that_says_everything_is_stored_as_it_is(connection: Connection) -> None:
    everything = EVERYTHING.replace('zones = ["A"]', 'zones = ["a"]')
    text = NORTH[: NORTH.index("[[tariff]]")] + CALENDAR + everything
    file = check_site(parse(text, "north.toml"), CODECS)
    await apply(connection, file)
    assert await plan(connection, file) == []


async def occupy(connection: Connection, number: str, status: str = "ACTIVE") -> None:
    """A booking that holds a spot, in as few words as the constraints allow."""
    await connection.execute(
        "INSERT INTO bookings (facility_id, spot_id, status, entry_time, plate_number)"
        " SELECT z.facility_id, s.id, $2, now(), 'X1'"
        " FROM parking_spots s JOIN zones z ON z.id = s.zone_id WHERE s.spot_number = $1",
        *(number, status),
    )


@pytest.mark.parametrize(
    "replaced",
    [
        [("count = 3", "count = 1")],
        [
            ('[[zone]]\nslug = "a"\nname = "A"\n[[zone.spots]]\nprefix = "A-"\ncount = 3\n', ""),
            ('zones = ["a", "b"]', 'zones = ["b"]'),
        ],
    ],
)
async def test_a_spot_in_use_is_not_taken_away(
    connection: Connection, replaced: list[tuple[str, str]]
) -> None:
    await apply(connection, site())
    await occupy(connection, "A-3")
    before = await dump(connection)
    for attempt in (plan, apply):
        with pytest.raises(ConfigError, match="the file has no longer the spot A-3 of zone a"):
            await attempt(connection, site(*replaced))
    assert await dump(connection) == before
    assert ("facility", 4, 3) in await counters(connection)

    await apply(connection, site(("count = 3", "count = 4")))
    assert ("facility", 5, 4) in await counters(connection)


@pytest.mark.parametrize(("status", "available"), [("ACTIVE", 3), ("CONFIRMED", 4)])
async def test_who_takes_a_spot_while_it_is_taken_away_keeps_it(
    database: Database, connection: Connection, status: str, available: int
) -> None:
    """The removal has to wait for the writer's transaction, and then to see its claim.

    A vehicle changes its spot, and with it the counters; a reservation only refers to it.
    """
    await apply(connection, site())
    async with connected(database.dsn) as entry, connected(database.dsn) as watch:
        transaction = entry.transaction()
        await transaction.start()
        await occupy(entry, "A-3", status)
        removal = asyncio.create_task(apply(connection, site(("count = 3", "count = 2"))))
        await waiting(watch, removal)
        await transaction.commit()
        with pytest.raises(ConfigError, match="A-3"):
            await removal
    assert ("facility", 4, available) in await counters(connection)


@pytest.mark.direct("sets its session's lock_timeout")
async def test_nobody_waits_for_an_apply_that_waits_and_all_is_counted(
    database: Database, connection: Connection
) -> None:
    await apply(connection, site())
    async with (
        connected(database.dsn) as holder,
        connected(database.dsn) as entry,
        connected(database.dsn) as watch,
    ):
        transaction = holder.transaction()
        await transaction.start()
        await occupy(holder, "A-3", "CONFIRMED")
        removal = asyncio.create_task(apply(connection, site(("count = 3", "count = 2"))))
        await waiting(watch, removal)
        await entry.execute("SET lock_timeout = '1ms'")
        await occupy(entry, "A-1")
        assert ("facility", 4, 4) in await counters(watch), "the counters are held"
        await transaction.rollback()
        await removal
    assert await counters(connection) == [("a", 2, 1), ("b", 1, 1), ("facility", 3, 2)]


async def test_an_apply_holds_no_spot_while_it_waits_for_the_counters(
    database: Database, connection: Connection
) -> None:
    """Else the two would wait for each other: who holds the counters may want another spot."""
    await apply(connection, site())
    file = site(('name = "North"', 'name = "Hill"'), ("count = 3", "count = 3\nev_charger = true"))
    change = "UPDATE parking_spots SET status = 'MAINTENANCE' WHERE spot_number = $1"
    async with connected(database.dsn) as other, connected(database.dsn) as watch:
        async with other.transaction():
            await other.execute(change, "B-1")
            work = asyncio.create_task(apply(connection, file))
            await waiting(watch, work)
            await other.execute(change, "A-1")
        assert len(await work) == 4
    assert await counters(connection) == [("a", 3, 2), ("b", 1, 0), ("facility", 4, 2)]


async def test_two_at_once_are_one_after_the_other(
    database: Database, connection: Connection
) -> None:
    async with connected(database.dsn) as other:
        both = await asyncio.gather(apply(connection, site()), apply(other, site()))
    assert sorted(map(bool, both)) == [False, True]
    assert await counters(connection) == [("a", 3, 3), ("b", 1, 1), ("facility", 4, 4)]


async def test_behind_a_pooler_that_keeps_no_sessions(
    database: Database, pgbouncer: PgBouncer
) -> None:
    async with connected(pgbouncer.dsn(database.name)) as connection:
        assert await plan(connection, site())
        assert await apply(connection, site())
        assert await plan(connection, site()) == []


async def test_two_facilities_do_not_touch_each_other(connection: Connection) -> None:
    await apply(connection, site())
    before = await plan(connection, site())
    south = site(('slug = "north"', 'slug = "south"'))
    await apply(connection, south)
    assert await plan(connection, site()) == before == []
    assert await connection.fetchval("SELECT count(*) FROM facilities") == 2


async def test_the_currency_stays(connection: Connection) -> None:
    await apply(connection, site())
    with pytest.raises(ConfigError, match=r"north.toml:6: facility.currency: cannot change"):
        await apply(connection, site(('"EUR"', '"CHF"')))


async def test_the_daemons_role_is_told_who_may(database: Database) -> None:
    async with connected(database.dsn_as("gated_daemon")) as connection:
        assert await plan(connection, site())
        with pytest.raises(ConfigError, match="applied by the owner of the database"):
            await apply(connection, site())


async def test_a_failure_half_way_leaves_nothing(connection: Connection) -> None:
    await connection.execute("ALTER TABLE pricing_rules ADD CHECK (name <> 'T')")
    before = await dump(connection)
    with pytest.raises(StoreError, match="nothing was changed"):
        await apply(connection, site())
    assert await dump(connection) == before


async def test_a_database_without_the_schema_is_told_what_to_do(connection: Connection) -> None:
    await connection.execute("DROP SCHEMA gate CASCADE")
    with pytest.raises(ConfigError, match="gated db upgrade"):
        await plan(connection, site())


async def test_no_server_is_an_error_of_the_database(database: Database) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        async with connected("postgresql://postgres@127.0.0.1:1/x"):
            pass
    with pytest.raises(StoreError, match="gated db init"):
        async with connected(database.server.dsn_for("absent")):
            pass
    with pytest.raises(ConfigError, match="not understood"):
        async with connected("nonsense"):
            pass


async def test_a_rule_of_the_platform_that_begins_later_is_left_alone(
    connection: Connection,
) -> None:
    await apply(connection, site())
    await connection.execute(
        "INSERT INTO pricing_rules (facility_id, name, strategy, config, valid_from)"
        " SELECT facility_id, 'Later', 'FLAT', config, now() + interval '1 day'"
        " FROM pricing_rules"
    )
    assert await plan(connection, site()) == []


async def test_many_spots_are_one_statement_and_one_line(connection: Connection) -> None:
    file = site(("count = 3", "count = 5000\nwidth = 4"))
    found = await apply(connection, file)
    lines = [line for line in describe(found) if line[1] == "spot"]
    assert lines == [
        ("add", "spot", "a/A-0001 … A-5000 (5000)", "STANDARD"),
        ("add", "spot", "b/B-1", "STANDARD"),
    ]
    assert ("a", 5000, 5000) in await counters(connection)
