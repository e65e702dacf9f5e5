"""Prices around limits, and the search for where a special begins to count."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from gated.db.tariffs import Priced
from gated.desk.bands import Calendar
from gated.desk.curve import curves
from gated.desk.instants import DAY, HOUR, MINUTE
from gated.desk.moments import Moment, week
from gated.desk.survey import Look, Question, surveyed
from gated.desk.table import flat, rows, sections
from tests.desk.fakes import BERLIN, FakePricer
from tests.desk.tariffs import blocks, tariff_file

STEPS = '{ minutes = 60, price = "2.00", times = 1 }, { minutes = 30, price = "1.00" }'
MONDAY = date(2026, 11, 30)


def asked(*, reserved: bool = False) -> Question:
    tariff = tariff_file(blocks(STEPS)).tariffs[0]
    return Question(tariff, ZoneInfo("Europe/Berlin"), Calendar(), DAY, {}, reserved=reserved)


def moments(*times: time) -> list[Moment]:
    return week(BERLIN, MONDAY, times)[: len(times)]


async def looked(*times: time) -> tuple[list[Look], FakePricer]:
    pricer = FakePricer()
    return await surveyed(pricer, asked(), moments(*times)), pricer


async def test_each_limit_is_priced_a_minute_before_at_it_and_a_minute_after() -> None:
    (look,), pricer = await looked(time(8))
    first = look.limits[0].at - look.moment.at
    assert first == HOUR
    prices = [look.answers[length] for length in (first - MINUTE, first, first + MINUTE)]
    assert [str(each.amount) for each in prices if isinstance(each, Priced)] == [
        "2.00", "2.00", "3.00",
    ]  # fmt: skip
    assert DAY in look.answers, "the longest stay is priced"
    assert pricer.calls == 1, "all of it in one query"


async def test_where_a_special_begins_to_count_is_found_to_the_minute() -> None:
    # The fake's special counts for exits up to 06:00, so of those before midnight for none.
    (look,), _ = await looked(time(19))
    (found,) = [limit for limit in look.limits if "special evening counts" in limit.reasons]
    assert found.at - look.moment.at == 5 * HOUR - MINUTE
    assert {found.at - look.moment.at + by * MINUTE for by in (-1, 0, 1)} <= set(look.answers)
    assert look.reached == {found.at}


async def test_the_price_of_a_reserved_visitor_is_asked_with_a_period() -> None:
    context = asked(reserved=True).context_at(moments(time(8))[0].at)
    assert context == {
        "reserved_from": "2026-11-30T07:00:00+00:00",
        "reserved_until": "2026-11-30T11:00:00+00:00",
    }
    assert asked().context_at(moments(time(8))[0].at) == {}


async def test_a_table_tells_the_limits_at_which_prices_change_and_alike_moments_once() -> None:
    looks, _ = await looked(time(8), time(9), time(19))
    first, second = sections(looks)
    assert (first.label, second.label) == ("Mon 08:00, 09:00", "Mon 19:00")
    told = [(row.length, *map(str, (row.before, row.at, row.after))) for row in first.rows]
    assert told[:3] == [
        (timedelta(0), "None", "0.00", "2.00"),
        (HOUR, "2.00", "2.00", "3.00"),
        (HOUR + 30 * MINUTE, "3.00", "3.00", "4.00"),
    ]
    assert len(rows(looks[0], every=True)) >= len(first.rows)


async def test_for_machines_each_limit_of_each_moment_is_a_row() -> None:
    looks, _ = await looked(time(8))
    found = list(flat("standard", looks, BERLIN))
    assert found[1] == {
        "tariff": "standard",
        "day": "Mon",
        "entry": "2026-11-30T08:00:00+01:00",
        "exit": "2026-11-30T09:00:00+01:00",
        "minutes": 60,
        "before": "2.00",
        "at": "2.00",
        "after": "3.00",
        "why": "block of 1 h ends",
    }


async def test_a_curve_finds_the_steps_between_its_lengths() -> None:
    (moment,) = moments(time(8))
    pricer = FakePricer()
    (curve,) = await curves(pricer, {moment: [0, 1, 600]})
    steps = [
        minutes
        for (minutes, amount), (after, more) in zip(curve.points, curve.points[1:], strict=False)
        if after == minutes + 1 and amount != more
    ]
    assert steps == [0, 60, *range(90, 571, 30)]
    assert pricer.stays < 300
    (coarse,) = await curves(FakePricer(), {moment: [0, 600]}, resolution_minutes=30)
    assert len(coarse.points) < 40
