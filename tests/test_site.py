"""Site files: the sample is sound, and every mistake is named with its line and key."""

from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gated.core.errors import ConfigError
from gated.core.ids import Slug
from gated.core.site import Admits, LanePolicy
from gated.devices.families import CODECS
from gated.fields import VehicleType
from gated.site import AntiPassback, FillPolicy, Parking, Policy, SpotSize, lane_policy
from gated.site_plan import Change, DeviceRow, Rows, Verb, changes, describe, wanted
from gated.site_rules import check_site, load_site, load_tariffs_of
from gated.tariff.model import BandTariff, FlatTariff
from gated.toml import load, parse
from tests.tariff.breaking import (
    Break,
    PlacingDocument,
    broken,
    found,
    independent,
    shape,
)

SAMPLE = Path(__file__).parent.parent / "examples" / "site.toml"

GOOD = """\
[facility]
slug = "north"
name = "North"
city = "Seoul"
time_zone = "Asia/Seoul"
currency = "KRW"
[[zone]]
slug = "a"
name = "A"
[[zone.spots]]
prefix = "A-"
count = 3
[[lane]]
slug = "in"
direction = "entry"
zones = ["a"]
[[lane.device]]
slug = "in-box"
family = "native"
[[lane]]
slug = "out"
direction = "exit"
[[lane.device]]
slug = "out-relay"
family = "shelly"
topic = "relay-1"
[[tariff]]
name = "T"
strategy = "FLAT"
amount = "500"
zero_stay = "charged"
second_visit = "separate"
"""

# Where the first one's amount was.
ANOTHER_TARIFF = '"500"\nzero_stay = "charged"\nsecond_visit = "separate"\n[[tariff]]\n'

CALENDAR = """\
[[calendar]]
day = 2026-12-25
kind = "holiday"
name = "Christmas Day"
[[calendar]]
day = "2026-05-16"
kind = "match"
"""

PARKING = """\
[parking]
vehicle_type_default = "VAN"
stay_minutes_expected = 525600
early_minutes_max = 0
late_minutes_max = 0
grace_minutes_exit = 5
ev_spots_kept = false
open_violation_denies = true
anti_passback = "soft"
sign_free_again = 4
[parking.penalties]
overstay = "30000"
passback = "0"
"""


LIMITS = """\
[[facility.limits]]
group = "permit_holder"
stays_max = 3
[[facility.limits]]
group = "transient"
stays_max = 2
days = ["mon", "holiday"]
from = "22:00"
until = "06:00"
"""


def complaints(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check_site(parse(text, "site.toml"), CODECS)
    return str(caught.value).splitlines()


def test_the_sample_is_sound() -> None:
    site = load_site(SAMPLE, CODECS).site
    assert site.facility.slug == "riverside"
    ground, roof = site.zone
    numbers = [number for row in ground.spots for number in row.spot_numbers()]
    assert numbers == [*(f"G-{number:02}" for number in range(1, 41)), "H-1", "H-2"]
    assert roof.spots[0].size is SpotSize.COMPACT
    assert (ground.fill, roof.fill) == (FillPolicy.NEAREST, FillPolicy.LOWEST)
    assert [row.metres_from for row in ground.spots] == [{"entry": 40.0}, {}, {}]
    assert site.parking.late_minutes_max == 60
    assert site.parking.penalties.stated() == {"overstay": Decimal("30.00")}
    assert site.lane[0].zones == ("ground", "roof")
    assert site.lane[1].device[1].options == {
        "switch": 0,
        "pulse_seconds": 1.0,
        "inputs": {"presence": 0, "closing": 1},
    }
    standard, accessible = site.tariff
    assert isinstance(standard, BandTariff)
    assert [band.name for band in standard.bands] == ["day", "night", "sundays and holidays"]
    assert isinstance(accessible, FlatTariff)
    assert accessible.for_ is not None
    assert accessible.for_.accessible
    assert [day.kind for day in site.calendar] == ["holiday", "holiday", "cleaning"]
    assert site.opening is not None
    assert site.opening.closed == ("cleaning",)
    assert site.display.texts["en"].keys() == {"full_facility"}


def test_a_small_file_is_sound() -> None:
    (tariff,) = check_site(parse(GOOD, "f"), CODECS).site.tariff
    assert isinstance(tariff, FlatTariff)


def test_limits_are_stored_as_they_are_stated() -> None:
    text = GOOD.replace("[[zone]]", f"{LIMITS}[[zone]]")
    text = text.replace("[[zone.spots]]", LIMITS.replace("facility", "zone") + "[[zone.spots]]")
    rows = wanted(check_site(parse(text, "f"), CODECS).site)
    assert rows.facility is not None
    limits = [
        {"group": "permit_holder", "stays_max": 3},
        {
            "group": "transient",
            "stays_max": 2,
            "days": ["mon", "holiday"],
            "from": "22:00",
            "until": "06:00",
        },
    ]
    assert rows.facility.limits == limits
    assert rows.zones[0].limits == limits


def test_what_a_file_does_not_say_of_parking_is_the_default() -> None:
    row = wanted(check_site(parse(GOOD, "f"), CODECS).site).facility
    assert row is not None
    assert row.penalties == {}
    assert row.parking == {
        "vehicle_type_default": "CAR",
        "stay_minutes_expected": 240,
        "early_minutes_max": 30,
        "late_minutes_max": None,
        "grace_minutes_exit": 15,
        "ev_spots_kept": True,
        "open_violation_denies": False,
        "sign_free_again": 1,
        "phantom_days": 7,
        "phantom_policy": "list",
        "phantom_close_days": None,
        "drift_count_max": 5,
        "overstay_grace_minutes": 0,
        "misuse_grace_minutes": 15,
        "anti_passback": "hard",
    }


def test_a_file_may_state_all_of_parking() -> None:
    text = GOOD.replace("[[zone]]", f"{PARKING}[[zone]]", 1)
    text = text.replace("count = 3", "count = 3\nmetres_from = { in = 40.04 }")
    site = check_site(parse(text, "f"), CODECS).site
    assert site.parking == Parking(
        vehicle_type_default=VehicleType.VAN,
        stay_minutes_expected=525_600,
        early_minutes_max=0,
        late_minutes_max=0,
        grace_minutes_exit=5,
        ev_spots_kept=False,
        open_violation_denies=True,
        anti_passback=AntiPassback.SOFT,
        sign_free_again=4,
        penalties=site.parking.penalties,
    )
    rows = wanted(site)
    assert rows.facility is not None
    assert rows.facility.penalties == {"overstay": "30000", "passback": "0"}
    assert [spot.metres_from for spot in rows.spots] == [{"in": 40.0}] * 3, "as the column has it"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # wrong types
        ('name = "North"', "name = 5", "site.toml:3: facility.name: expected a string, got 5"),
        (
            "count = 3",
            'count = "3"',
            'site.toml:12: zone.spots.count: expected a whole number, got "3"',
        ),
        (
            "count = 3",
            "count = 3.5",
            "site.toml:12: zone.spots.count: expected a whole number, got 3.5",
        ),
        ('zones = ["a"]', 'zones = "a"', 'site.toml:16: lane.zones: expected an array, got "a"'),
        ('zones = ["a"]', "zones = [7]", "site.toml:16: lane.zones: expected a string, got 7"),
        (
            '"500"',
            "500",
            (
                "site.toml:30: tariff.amount: expected an exact amount in quotes,"
                ' such as "4.50", got 500'
            ),
        ),
        ('"500"', '"-1"', "site.toml:30: tariff.amount: expected an exact amount in quotes, such"),
        ("[facility]", "facility = 1\n[x]", "site.toml:1: facility: expected a table"),
        (
            "[[zone.spots]]",
            "spots = []\n[x]",
            "site.toml:10: zone.spots: expected at least 1, got 0",
        ),
        # unknown keys
        ("city =", "town =", "site.toml:1: facility.city: is missing: expected the city it stands"),
        ("count =", "cuont =", "site.toml:12: zone.spots.cuont: unknown key: did you mean count?"),
        ("[[tariff]]", "[[tarif]]", "site.toml:27: tarif: unknown key: did you mean tariff?"),
        ("[[tariff]]", "[[price]]", "site.toml: tariff: is missing: expected at least one [[tarif"),
        (
            '"500"',
            '"500"\nsteps = [{ minutes = 5, price = "1" }]',
            "site.toml:31: tariff.steps: does not go with FLAT",
        ),
        # missing keys
        ('slug = "a"\n', "", "site.toml:7: zone.slug: is missing: expected the zone's name in"),
        ('strategy = "FLAT"\n', "", "site.toml:27: tariff.strategy: is missing: expected FLAT, B"),
        ('amount = "500"\n', "", "site.toml:27: tariff.amount: is missing: expected the price of"),
        ('zones = ["a"]\n', "", "site.toml:13: lane.zones: is missing: expected the zones that"),
        # values that do not exist
        (
            "Asia/Seoul",
            "Asia/Seul",
            (
                "site.toml:5: facility.time_zone: expected an IANA time zone such as Europe/Berlin,"
                ' got "Asia/Seul" (did you mean Asia/Seoul?)'
            ),
        ),
        (
            "KRW",
            "KRX",
            'site.toml:6: facility.currency: expected an ISO 4217 currency code, got "KR',
        ),
        (
            '"native"',
            '"natve"',
            'site.toml:19: lane.device.family: no such family: "natve", did you mean native?',
        ),
        (
            '"FLAT"',
            '"FLOT"',
            "site.toml:29: tariff.strategy: expected 'FLAT', 'BLOCK', 'TIER', 'BAND', got \"FLOT\"",
        ),
        ('zones = ["a"]', 'zones = ["b"]', 'site.toml:16: lane.zones: no such zone: "b", expected'),
        (
            'direction = "exit"',
            'direction = "out"',
            "site.toml:22: lane.direction: expected 'entry",
        ),
        ('slug = "north"', 'slug = "North!"', "site.toml:2: facility.slug: expected a slug of a-z"),
        # parking
        (
            "[[zone]]",
            "[parking]\nstay_minutes_expected = 0\n[[zone]]",
            (
                "site.toml:8: parking.stay_minutes_expected: expected greater than or equal to 1,"
                " got 0"
            ),
        ),
        (
            "[[zone]]",
            "[parking]\nlate_minutes_max = -1\n[[zone]]",
            "site.toml:8: parking.late_minutes_max: expected greater than or equal to 0, got -1",
        ),
        (
            "[[zone]]",
            "[parking]\nearly_minutes_max = 525601\n[[zone]]",
            "site.toml:8: parking.early_minutes_max: expected less than or equal to 525600, got",
        ),
        (
            "[[zone]]",
            "[parking]\ngrace_minutes_exit = 7.5\n[[zone]]",
            "site.toml:8: parking.grace_minutes_exit: expected a whole number, got 7.5",
        ),
        (
            "[[zone]]",
            '[parking]\nev_spots_kept = "yes"\n[[zone]]',
            'site.toml:8: parking.ev_spots_kept: expected true or false, got "yes"',
        ),
        (
            "[[zone]]",
            '[parking]\nvehicle_type_default = "BIKE"\n[[zone]]',
            (
                "site.toml:8: parking.vehicle_type_default: expected 'MOTORCYCLE', 'CAR', 'SUV',"
                " 'VAN', 'TRUCK' or 'BUS', got \"BIKE\""
            ),
        ),
        (
            "[[zone]]",
            "[parking]\ngrace_minutes = 15\n[[zone]]",
            "site.toml:8: parking.grace_minutes: unknown key: did you mean grace_minutes_exit?",
        ),
        (
            "[[zone]]",
            '[parking]\nphantom_policy = "close_after_days"\n[[zone]]',
            (
                "site.toml:7: parking.phantom_close_days: is missing:"
                ' phantom_policy = "close_after_days" needs it'
            ),
        ),
        (
            "[[zone]]",
            "[parking]\nphantom_close_days = 30\n[[zone]]",
            (
                "site.toml:8: parking.phantom_close_days:"
                ' goes with phantom_policy = "close_after_days" alone'
            ),
        ),
        (
            "[[zone]]",
            "[parking]\nphantom_days = 0\n[[zone]]",
            "site.toml:8: parking.phantom_days: expected greater than or equal to 1, got 0",
        ),
        (
            "[[zone]]",
            '[parking.penalties]\noverstaying = "5"\n[[zone]]',
            "site.toml:8: parking.penalties.overstaying: unknown key: did you mean overstay?",
        ),
        (
            "[[zone]]",
            '[parking.penalties]\nspeeding = "5"\n[[zone]]',
            (
                "site.toml:8: parking.penalties.speeding: unknown key: expected one of: overstay,"
                " tailgating, forced_barrier, exit_without_payment, wrong_zone, accessible_misuse,"
                " ev_misuse, passback"
            ),
        ),
        (
            "[[zone]]",
            "[parking.penalties]\noverstay = 30\n[[zone]]",
            (
                "site.toml:8: parking.penalties.overstay: expected an exact amount in quotes,"
                ' such as "4.50", got 30'
            ),
        ),
        (
            "[[zone]]",
            '[parking]\n[parking.penalties]\noverstay = "30.5"\n[[zone]]',
            "site.toml:9: parking.penalties.overstay: KRW has 0 decimal places, got 30.5",
        ),
        (
            'name = "A"',
            'name = "A"\nfill = "random"',
            "site.toml:10: zone.fill: expected 'lowest', 'nearest' or 'spread', got \"random\"",
        ),
        (
            "count = 3",
            "count = 3\nmetres_from = 40.0",
            "site.toml:13: zone.spots.metres_from: expected a table, got 40.0",
        ),
        (
            "count = 3",
            "count = 3\nmetres_from = { in = -0.5 }",
            (
                "site.toml:13: zone.spots.metres_from.in: expected greater than or equal to 0,"
                " got -0.5"
            ),
        ),
        (
            "count = 3",
            "count = 3\nmetres_from = { in = 100000.0 }",
            "site.toml:13: zone.spots.metres_from.in: expected less than 100000, got 100000.0",
        ),
        (
            "count = 3",
            'count = 3\nmetres_from = { in = "40" }',
            'site.toml:13: zone.spots.metres_from.in: expected a number, got "40"',
        ),
        (
            "count = 3",
            "count = 3\nmetres_from = { inn = 40 }",
            'site.toml:13: zone.spots.metres_from.inn: no such lane: "inn", did you mean in?',
        ),
        (
            "count = 3",
            "count = 3\n[zone.spots.metres_from]\nout = 40.0",
            (
                "site.toml:14: zone.spots.metres_from.out: expected an entry or a transfer:"
                ' "out" is an exit'
            ),
        ),
        # between keys
        (
            'currency = "KRW"',
            'currency = "KRW"\nlatitude = 37.5',
            "site.toml:1: facility.longitude: is missing: expected latitude and longitude, or",
        ),
        (
            "[[zone.spots]]",
            '[[zone.spots]]\nnumbers = ["A-3"]\n[[zone.spots]]',
            'site.toml:12: zone.spots: expected new numbers: "A-3" is in line 10 already',
        ),
        (
            "count = 3",
            'numbers = ["x", "x"]',
            'site.toml:10: zone.spots: expected new numbers: "x"',
        ),
        ("count = 3", "", "site.toml:10: zone.spots: expected either count or numbers"),
        (
            "count = 3",
            "width = 2\ncount = 100",
            "site.toml:12: zone.spots.width: expected room for 100, got",
        ),
        (
            'slug = "out"',
            'slug = "in"',
            'site.toml:21: lane.slug: expected a name of its own: "in"',
        ),
        ('"out-relay"', '"in-box"', "site.toml:24: lane.device.slug: expected a name of its own"),
        (
            'direction = "exit"',
            'direction = "exit"\nzones = ["a"]',
            "site.toml:23: lane.zones: does not go with an exit",
        ),
        (
            'direction = "exit"',
            'direction = "transfer"\nzones = ["a"]',
            "site.toml:20: lane.from: is missing: expected the zone that this transfer comes from",
        ),
        (
            'direction = "exit"',
            'direction = "transfer"\nfrom = "a"',
            "site.toml:20: lane.zones: is missing: expected the zones that this transfer fills",
        ),
        (
            'direction = "exit"',
            'direction = "transfer"\nfrom = "b"\nzones = ["a"]',
            'site.toml:23: lane.from: no such zone: "b"',
        ),
        (
            'direction = "exit"',
            'direction = "transfer"\nfrom = "a"\nzones = ["a"]',
            'site.toml:23: lane.from: expected another zone than it leads into, got "a"',
        ),
        (
            'direction = "exit"',
            'direction = "exit"\nfrom = "a"',
            "site.toml:23: lane.from: does not go with an exit: only with a transfer",
        ),
        (
            'name = "A"',
            'name = "A"\n[[zone.limits]]\ngroup = "friend"\nstays_max = 3',
            (
                "site.toml:11: zone.limits.group: expected 'transient', 'permit_holder' or"
                " 'reservation', got"
            ),
        ),
        (
            'name = "A"',
            'name = "A"\n[[zone.limits]]\ngroup = "transient"\nstays_max = -1',
            "site.toml:12: zone.limits.stays_max: expected",
        ),
        (
            'name = "A"',
            'name = "A"\n[[zone.limits]]\ngroup = "transient"\nstays_max = 1\nfrom = "07:00"',
            "site.toml:10: zone.limits: expected from and until, or neither",
        ),
        (
            'name = "A"',
            (
                'name = "A"\n[[zone.limits]]\ngroup = "transient"\nstays_max = 1\nfrom = "07:00"\n'
                'until = "07:00"'
            ),
            "site.toml:10: zone.limits: expected another time than from, got 07:00 for both",
        ),
        (
            'currency = "KRW"',
            (
                'currency = "KRW"\n[[facility.limits]]\ngroup = "transient"\nstays_max = 1\n'
                'days = ["mon", "fair"]'
            ),
            'site.toml:10: facility.limits.days: no such day: "fair"',
        ),
        (
            'zones = ["a"]',
            'zones = ["a", "a"]',
            "site.toml:16: lane.zones: expected each zone once",
        ),
        (
            'family = "shelly"',
            'family = "axis"',
            (
                'site.toml:20: lane: expected a device that opens the barrier of "out",'
                " of family native, shelly"
            ),
        ),
        (
            'topic = "relay-1"',
            'topic = "relay-1"\n[[lane.device]]\nslug = "z"\nfamily = "native"',
            "site.toml:27: lane.device: expected one device of the lane that opens, got two",
        ),
        (
            '"500"',
            '"500.5"',
            "site.toml:27: tariff.rounding: is missing: amount 500.5 has fractions of 1 KRW; how",
        ),
        (
            'zero_stay = "charged"\n',
            "",
            "site.toml:27: tariff.zero_stay: is missing: is a stay of no",
        ),
        (
            '"500"',
            '"500"\nfree_minutes = 5',
            "site.toml:27: tariff.free_minutes_reading: is missing: past the free minutes, are",
        ),
        (
            '"500"\n',
            f'{ANOTHER_TARIFF}name = "U"\nstrategy = "FLAT"\namount = "1"\n',
            'site.toml:33: tariff.priority: expected another priority than that of "T", got 0',
        ),
        (
            '"500"\n',
            f'{ANOTHER_TARIFF}name = "T"\npriority = 1\nstrategy = "FLAT"\namount = "1"\n',
            'site.toml:34: tariff.name: expected a name of its own: "T" is in line 28',
        ),
        (
            '"500"',
            '"500"\nfor = { zones = ["a", "b"] }',
            'site.toml:31: tariff.for.zones: no such zone: "b", expected one of: a',
        ),
        (
            "[[tariff]]",
            f"{CALENDAR}[[tariff]]".replace("2026-05-16", "2026-02-30"),
            'site.toml:32: calendar.day: expected a date such as 2026-12-25, got "2026-02-30"',
        ),
        (
            "[[tariff]]",
            f"{CALENDAR}[[tariff]]".replace("2026-12-25", "2026-12-25T00:00:00"),
            "site.toml:28: calendar.day: expected a date without a time, such as 2026-12-25",
        ),
        (
            'name = "A"',
            "name = 2026-12-25",
            "site.toml:9: zone.name: expected no date or time",
        ),
        # the family's own options
        (
            'topic = "relay-1"',
            'topic = "relay/+"',
            "site.toml:26: lane.device.topic: a topic prefix without wildcards",
        ),
        (
            'topic = "relay-1"',
            'topic = "relay-1"\npulse = 5',
            "site.toml:27: lane.device.pulse: no such option of the family shelly",
        ),
        (
            'topic = "relay-1"',
            'topic = "relay-1"\npulse_seconds = 500',
            "site.toml:27: lane.device.pulse_seconds: ",
        ),
        # syntax
        ("count = 3", "count = ", "site.toml:12:9: not valid TOML: "),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    # The last occurrence of a name that appears twice is not meant: only the first is replaced.
    found = complaints(GOOD.replace(old, new, 1))
    assert found[0].startswith(expected), found


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace('zones = ["a"]', 'zones = ["b"]').replace('"500"', '"500.5"')
    text = text.replace('"relay-1"', '"/relay"')
    places = [line.split(": ")[0] for line in complaints(text)]
    assert places == ["site.toml:16", "site.toml:26", "site.toml:27"]


@pytest.mark.parametrize(
    ("replaced", "expected"),
    [
        pytest.param(
            [
                ('name = "North"', "name = 5"),
                ('zones = ["a"]', 'zones = ["b"]'),
                ("count = 3", "count = 3\nwidth = 0"),
                ('"relay-1"', '"/relay"'),
                ('"500"', '"500.5"'),
                ('zero_stay = "charged"\n', ""),
            ],
            [
                "3: facility.name: expected a string, got 5",
                "13: zone.spots.width: expected greater than or equal to 1, got 0",
                '17: lane.zones: no such zone: "b", expected one of: a',
                "27: lane.device.topic: the family shelly needs",
                "28: tariff.zero_stay: is missing: is a stay of no length",
                "28: tariff.rounding: is missing: amount 500.5 has fractions of 1 KRW",
            ],
            id="each table is looked at although another one is broken",
        ),
        pytest.param(
            [
                ('slug = "a"', 'slug = "A"'),
                ('zones = ["a"]', 'zones = ["a", "a"]'),
                ('"500"', '"500"\nfor = { zones = ["b"], electrc = true }'),
            ],
            [
                "8: zone.slug: expected a slug of a-z, 0-9 and -, got",
                '16: lane.zones: expected each zone once, got "a"',
                "31: tariff.for.electrc: unknown key: did you mean electric?",
            ],
            id="a zone whose slug is broken may be any",
        ),
        pytest.param(
            [("[[zone]]", "[[zon]]"), ("[[zone.spots]]", "[[zon.spots]]")],
            ["7: zon: unknown key: did you mean zone?"],
            id="zones that are misspelt may be any",
        ),
        pytest.param(
            [
                ('slug = "in"', 'slug = "In"'),
                ("count = 3", "count = 3\nmetres_from = { in = 4, out = 5 }"),
                ('family = "shelly"', 'family = "shely"'),
                ('direction = "exit"', 'direction = "out"\nzones = ["b"]'),
            ],
            [
                "15: lane.slug: expected a slug of a-z, 0-9 and -, got",
                "23: lane.direction: expected 'entry', 'exit' or 'transfer', got \"out\"",
                '24: lane.zones: no such zone: "b"',
                '27: lane.device.family: no such family: "shely", did you mean shelly?',
            ],
            id="lanes whose slug, direction or family is broken",
        ),
        pytest.param(
            [
                ('currency = "KRW"', 'currency = "KRX"\nlatitude = "37"'),
                ("[[zone]]", '[parking.penalties]\noverstay = "1.5"\npassback = 3\n[[zone]]'),
                ('family = "native"', "family = 5\ninputs = 2026-01-01"),
                ("count = 3", 'numbers = ["1", "2", "1", 3]'),
                ('"500"', '"500.5"'),
            ],
            [
                "1: facility.longitude: is missing: expected latitude and longitude, or neither",
                "6: facility.currency: expected an ISO 4217 currency code, got",
                '7: facility.latitude: expected a number, got "37"',
                "10: parking.penalties.passback: expected an exact amount in quotes",
                '14: zone.spots: expected new numbers: "1" is in line 14 already',
                "16: zone.spots.numbers: expected a string, got 3",
                "23: lane.device.family: expected a string, got 5",
                "24: lane.device.inputs: expected no date or time",
            ],
            id="without a currency nobody knows how many decimals an amount may have",
        ),
        pytest.param(
            [
                ('slug = "north"', 'slug = "North"'),
                ("count = 3", 'count = 3\nmetres_from = { "In!" = 4, out = "5" }'),
                ('topic = "relay-1"', 'topic = "/relay"'),
            ],
            [
                '2: facility.slug: expected a slug of a-z, 0-9 and -, got "North"',
                '13: zone.spots.metres_from."In!": expected a slug of a-z',
                '13: zone.spots.metres_from.out: expected a number, got "5"',
                "27: lane.device.topic: the family shelly needs",
            ],
            id="names that are none",
        ),
        pytest.param(
            [('topic = "relay-1"', 'topic = "relay-1"\npulse_seconds = 2026-01-01')],
            ["27: lane.device.pulse_seconds: expected no date or time"],
            id="a date among the options of a device",
        ),
        pytest.param(
            [
                ("[facility]", "[facilty]"),
                ('family = "native"', 'family = "native"\ntopic = 7'),
                ('slug = "out"', 'slug = "in"'),
                ('zero_stay = "charged"\n', ""),
            ],
            [
                "1: facilty: unknown key: did you mean facility?",
                "20: lane.device.topic: expected a string, got 7",
                '22: lane.slug: expected a name of its own: "in" is in line 14',
                "28: tariff.zero_stay: is missing",
            ],
            id="without a facility the rest is looked at",
        ),
    ],
)
def test_all_is_told_in_one_round(replaced: list[tuple[str, str]], expected: list[str]) -> None:
    text = GOOD
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new, 1)
    lines = [line.removeprefix("site.toml:") for line in complaints(text)]
    assert len(lines) == len(expected), lines
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start), lines


# What a device's family says of its options is the family's business, and one thing at a time;
# beside a lane whose slug is broken no other name is said to be none of a lane; and any name may be
# that of a language.
SITE_FAULTS = [
    each
    for each in shape(dict(load(SAMPLE).values))
    if ("device" not in each.place or each.place[-1] in ("slug", "family"))
    and ("metres_from" not in each.place[:-1] or each.what == "wrong")
    and (each.place[:-1] != ("display", "texts") or each.what == "wrong")
]


@given(st.lists(st.sampled_from(SITE_FAULTS), min_size=1, max_size=8))
def test_independent_faults_are_told_where_they_are_and_nothing_else(faults: list[Break]) -> None:
    faults = independent(faults)
    sample = load(SAMPLE)
    document = PlacingDocument(sample.name, broken(dict(sample.values), faults), sample.lines)
    errors = found(lambda document: check_site(document, CODECS), document)
    assert {error.path for error in errors} == {each.place for each in faults}, errors
    lines = [document.line(error.path) or 0 for error in errors]
    assert lines == sorted(lines)


def test_policy_has_the_keys_of_the_lanes_policy_and_no_other() -> None:
    assert list(Policy.model_fields) == [field.name for field in fields(LanePolicy)]


def test_a_lane_overrides_the_facility_and_the_facility_the_default() -> None:
    assert lane_policy({}, {}) == LanePolicy()
    policy = lane_policy(
        {"admits": "known", "fold_seconds": 3}, {"fold_seconds": 4.5, "undated_reads": "accept"}
    )
    assert policy == LanePolicy(
        admits=Admits.KNOWN, fold_seconds=4.5, undated_reads=policy.undated_reads
    )
    assert policy.undated_reads.value == "accept"
    with pytest.raises(ValidationError):
        lane_policy({}, {"fold_secnds": 1})


def test_a_facility_as_wanted_needs_nothing_and_a_new_one_everything_in_order() -> None:
    target = wanted(load_site(SAMPLE, CODECS).site)
    assert changes(target, target) == []
    found = changes(Rows(), target)
    assert list(dict.fromkeys(change.kind for change in found)) == [
        *("facility", "zone", "lane", "spot", "device", "calendar", "tariff")
    ]
    assert {change.verb for change in found} == {Verb.ADD}


def test_what_refers_to_something_goes_before_it() -> None:
    target = wanted(load_site(SAMPLE, CODECS).site)
    emptied = changes(target, Rows(facility=target.facility))
    assert list(dict.fromkeys(change.kind for change in emptied)) == [
        *("tariff", "calendar", "device", "spot", "lane", "zone")
    ]
    assert {change.verb for change in emptied} == {Verb.REMOVE}


def test_versions_of_one_name_that_someone_else_stored_are_reduced_to_one() -> None:
    target = wanted(load_site(SAMPLE, CODECS).site)
    tariff, rest = target.tariffs
    other = replace(tariff, priority=5)
    assert verbs(replace(target, tariffs=(other, tariff, rest)), target) == ["remove"]
    assert verbs(replace(target, tariffs=(other, other, rest)), target) == ["change", "remove"]


def verbs(stored: Rows, target: Rows) -> list[str]:
    return [change.verb.value for change in changes(stored, target)]


def test_a_description_cannot_command_a_terminal() -> None:
    device = DeviceRow(Slug("d"), Slug("l"), "shelly", "t", {"x": "a"})
    hostile = replace(device, options={"x": "\x1b[2J\n"})
    ((_, _, _, details),) = describe([Change(Verb.CHANGE, hostile, device)])
    assert details == "options: x a → x \\x1b[2J\\n"


def test_of_a_long_table_only_the_keys_that_change_are_shown() -> None:
    target = wanted(load_site(SAMPLE, CODECS).site)
    assert target.facility is not None
    parking = {**target.facility.parking, "late_minutes_max": None, "ev_spots_kept": False}
    stored = replace(target, facility=replace(target.facility, parking=parking, penalties={}))
    ((verb, kind, name, details),) = describe(changes(stored, target))
    assert (verb, kind, name) == ("change", "facility", "riverside")
    assert details == (
        "parking: late_minutes_max nothing, ev_spots_kept False"
        " → late_minutes_max 60, ev_spots_kept True, penalties: nothing → overstay 30.00"
    )


def test_what_is_special_about_new_zones_and_spots_is_shown() -> None:
    target = wanted(load_site(SAMPLE, CODECS).site)
    lines = [line for line in describe(changes(Rows(), target)) if line[1] in ("zone", "spot")]
    assert lines == [
        ("add", "zone", "ground", "Ground floor, fill nearest"),
        ("add", "zone", "roof", "Roof deck"),
        ("add", "spot", "ground/G-01 … G-38 (38)", "STANDARD, metres from entry 40.0"),
        ("add", "spot", "ground/G-39 … G-40 (2)", "STANDARD, EV charger"),
        ("add", "spot", "ground/H-1 … H-2 (2)", "STANDARD, accessible"),
        ("add", "spot", "roof/R-1 … R-20 (20)", "COMPACT"),
    ]


def test_the_calendar_is_brought_to_the_file() -> None:
    target = wanted(check_site(parse(GOOD + CALENDAR, "f"), CODECS).site)
    none = replace(target, calendar=())
    assert list(describe(changes(none, target))) == [
        ("add", "calendar", "2026-12-25 holiday", "Christmas Day"),
        ("add", "calendar", "2026-05-16 match", ""),
    ]
    christmas, match = target.calendar
    other = replace(target, calendar=(replace(christmas, name="Noel"), match))
    assert list(describe(changes(other, target))) == [
        ("change", "calendar", "2026-12-25 holiday", "name: Noel → Christmas Day")
    ]
    assert verbs(target, none) == ["remove", "remove"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '"1.50"',
            '"1.80"',
            (
                "config: bands (name day, steps (minutes 30, price 1.50))"
                " → bands (name day, steps (minutes 30, price 1.80))"
            ),
        ),
        (
            '[[tariff.bands]]\nname = "night"',
            '[[tariff.bands]]\nname = "gap"\nfree = true\n[[tariff.bands]]\nname = "night"',
            "config: bands nothing → bands (name gap, free True)",
        ),
        (
            'caps = [{ per = "rolling_24h", amount = "18.00", reading = "each" }]\n',
            "",
            "config: caps (per rolling_24h, amount 18.00, reading each) → nothing",
        ),
        (
            "for = { accessible = true }",
            "for = { accessible = false }",
            ("config: for accessible True → for accessible False"),
        ),
    ],
)
def test_of_a_tariff_only_what_changes_is_shown(old: str, new: str, expected: str) -> None:
    text = SAMPLE.read_text()
    assert text.count(old) == 1
    before = wanted(check_site(parse(text, "f"), CODECS).site)
    after = wanted(check_site(parse(text.replace(old, new), "f"), CODECS).site)
    ((verb, kind, _, details),) = describe(changes(before, after))
    assert (verb, kind, details) == ("change", "tariff", expected)


def test_tables_in_another_order_are_shown() -> None:
    (tariff,) = wanted(check_site(parse(GOOD, "f"), CODECS).site).tariffs
    taxes = [{"name": "A", "percent": "1"}, {"name": "B", "percent": "2"}]
    one = replace(tariff, config={**tariff.config, "taxes": taxes})
    other = replace(tariff, config={**tariff.config, "taxes": taxes[::-1]})
    ((_, _, _, details),) = describe([Change(Verb.CHANGE, other, one)])
    assert details == (
        "config: taxes (name A, percent 1) (name B, percent 2)"
        " → taxes (name B, percent 2) (name A, percent 1)"
    )


def test_a_tariff_is_shown_with_its_tables() -> None:
    target = wanted(load_site(SAMPLE, CODECS).site)
    lines = [line for line in describe(changes(Rows(), target)) if line[1] == "tariff"]
    assert lines[0][2] == "Standard"
    assert "steps (minutes 60, price 3.00, times 1) (minutes 30, price 1.50)) (" in lines[0][3]
    assert lines[1] == (
        *("add", "tariff", "Accessible"),
        "FLAT, for accessible True, zero_stay free, second_visit separate, amount 0.00",
    )


def test_the_tariffs_of_a_site_file_are_had_without_its_devices(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    text = GOOD.replace("[[zone]]", f"{PARKING}[[zone]]", 1).replace('"native"', '"nonesuch"')
    file.write_text(text + CALENDAR)
    loaded = load_tariffs_of(file)
    assert loaded.facility.time_zone == "Asia/Seoul"
    assert loaded.facility.currency == "KRW"
    assert loaded.facility.vehicle_type_default is VehicleType.VAN
    assert [day.kind for day in loaded.calendar] == ["holiday", "match"]
    assert [tariff.name for tariff in loaded.tariffs] == ["T"]
    file.write_text(text.replace('zones = ["a"]', 'zones = ["b"]'))
    with pytest.raises(ConfigError, match="no such zone"):
        load_tariffs_of(file)
