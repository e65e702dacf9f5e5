"""gate.price_stay_v1 against the oracle of tests/tariff: thousands of stays under random tariffs.

The same examples each time. To look for what they do not show, give a number of examples: each is
another tariff with its stays, and they are other ones each time.

    TARIFF_EXAMPLES=5000 .venv/bin/python -m pytest -n auto tests/db/test_tariff_oracle.py
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as example_seed
from hypothesis import strategies as st

from tests.db.place import Connection
from tests.db.stores import Address
from tests.tariff.oracle import (
    NEGATIVE,
    NO_PRICE,
    NO_RULE,
    UNKNOWN_VALIDATION,
    Oracle,
    Price,
    Refused,
)
from tests.tariff.strategies import Case, Facility, Stay, border_cases, cases

EXAMPLES_MORE = int(os.environ.get("TARIFF_EXAMPLES", "0"))

pytestmark = [
    pytest.mark.direct("sets its session up in a foreign way"),
    pytest.mark.timeout(0 if EXAMPLES_MORE else 300),
]

STAYS_EACH = 50
STAYS_MIN = 20_000
# Workers share these out; and no part is much longer than what else takes long.
PARTS = 8
ERRORS = {
    "GT010": NEGATIVE,
    "GT011": NO_RULE,
    "GT014": NO_PRICE,
    "GT016": UNKNOWN_VALIDATION,
}
ASKED = """
    SELECT p.amount, p.rule_ids, p.lines, p.error, p.reason
    FROM unnest($2::timestamptz[], $3::timestamptz[], $4::jsonb[])
        WITH ORDINALITY AS stay (entry, exit, context, n),
        LATERAL gate.try_price_v1($1, stay.entry, stay.exit, stay.context) p
    ORDER BY stay.n
"""


def examples(count: int) -> settings:
    """Not shrunk: a failure names one stay, and tells all that its price depends on."""
    return settings(
        max_examples=count,
        derandomize=not EXAMPLES_MORE,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class Answer:
    """A row of gate.try_price_v1."""

    amount: Decimal | None
    rules: Sequence[UUID]
    lines: Sequence[dict[str, Any]]
    error: str | None
    reason: str | None


class Engine:
    """The function of the database, asked in a session that is as unlike ours as can be."""

    def __init__(self, runner: asyncio.Runner, connection: Connection) -> None:
        self._runner = runner
        self._connection = connection

    def zone(self, name: str) -> None:
        """Ask from now on in a session with this time zone."""
        self._runner.run(self._connection.execute("SELECT set_config('timezone', $1, false)", name))

    def prices(
        self, facility: Facility, stays: Sequence[Stay], rule_ids: Sequence[UUID]
    ) -> list[Answer]:
        """The prices at a facility that exists for this question only."""
        return self._runner.run(self._prices(facility, stays, rule_ids))

    async def _prices(
        self, facility: Facility, stays: Sequence[Stay], rule_ids: Sequence[UUID]
    ) -> list[Answer]:
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            facility_id = await self._build(facility, rule_ids)
            rows = await self._connection.fetch(
                ASKED,
                facility_id,
                [stay.entry for stay in stays],
                [stay.exit for stay in stays],
                [json.dumps(stay.context) for stay in stays],
            )
        finally:
            await transaction.rollback()
        return [
            Answer(
                row["amount"],
                row["rule_ids"] or [],
                json.loads(row["lines"] or "[]"),
                row["error"],
                row["reason"],
            )
            for row in rows
        ]

    async def _build(self, facility: Facility, rule_ids: Sequence[UUID]) -> UUID:
        facility_id = uuid4()
        await self._connection.execute(
            "INSERT INTO public.facilities (id, name, city) VALUES ($1, 'F', 'C')", facility_id
        )
        await self._connection.execute(
            "INSERT INTO gate.facility_settings (facility_id, slug, time_zone, currency,"
            " vehicle_type_default) VALUES ($1, $2, $3, $4, $5::text::public.vehicle_type)",
            facility_id,
            f"f-{facility_id}",
            facility.zone,
            facility.currency,
            facility.vehicle_type_default,
        )
        await self._connection.executemany(
            "INSERT INTO gate.calendar_days (facility_id, day, kind) VALUES ($1, $2, $3)",
            [
                (facility_id, day, kind)
                for day, kinds in facility.calendar.items()
                for kind in kinds
            ],
        )
        await self._connection.executemany(
            "INSERT INTO public.pricing_rules (id, facility_id, name, strategy, config, priority,"
            " free_minutes, valid_from, valid_until)"
            " VALUES ($1, $2, $3, $4::text::public.pricing_strategy, $5, $6, $7, $8, $9)",
            [
                (
                    rule_id,
                    facility_id,
                    rule.name,
                    rule.strategy,
                    json.dumps(rule.config),
                    rule.priority,
                    rule.free_minutes,
                    rule.valid_from,
                    rule.valid_until,
                )
                for rule_id, rule in zip(rule_ids, facility.rules, strict=True)
            ],
        )
        return facility_id


@pytest.fixture
def engine(store_addresses: Callable[[str], Address]) -> Iterator[Engine]:
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(store_addresses("embedded").owner_dsn))
        runner.run(
            connection.execute(
                "SET TIME ZONE 'Asia/Kathmandu'; SET datestyle = 'German, DMY';"
                " SET intervalstyle = 'iso_8601'; SET search_path = ''; SET extra_float_digits = 0"
            )
        )
        yield Engine(runner, connection)
        runner.run(connection.close())


# ── the comparison ──────────────────────────────────────────────────────────────────────────


def oracle_of(facility: Facility) -> Oracle:
    return Oracle(
        facility.rules,
        facility.zone,
        facility.exponent,
        facility.calendar,
        facility.vehicle_type_default,
    )


def disagreement(
    facility: Facility, oracle: Oracle, stay: Stay, answer: Answer, rule_ids: Sequence[UUID]
) -> str | None:
    """What is wrong with an answer; None: nothing is."""
    try:
        priced = oracle.price(stay.entry, stay.exit, stay.context)
    except Refused as refused:
        told = ERRORS.get(answer.error or "", answer.error)
        # Where two things are wrong, either may be told.
        same = told == refused.reason or {told, refused.reason} == {UNKNOWN_VALIDATION, NO_PRICE}
        return None if same else f"oracle: {refused.reason}, engine: {answer}"
    if answer.amount is None:
        return f"oracle: {priced.amount}, engine: {answer.error} {answer.reason}"
    governed = [priced, *([priced.overstay] if priced.overstay is not None else [])]
    names = [rule.name for rule in facility.rules]
    rules = [rule_ids[names.index(part.rule.name)] for part in governed]
    tolerance = sum(by_line(part, facility.exponent, len(answer.lines)) for part in governed)
    if abs(Fraction(answer.amount) - Fraction(priced.amount)) > tolerance:
        return f"oracle: {priced.amount} ± {tolerance}, engine: {answer.amount}"
    if set(rules) != set(answer.rules):
        return f"oracle: by {[part.rule.name for part in governed]}, engine: by others"
    if answer.amount < 0 or answer.amount != round(answer.amount, facility.exponent):
        return f"not an amount: {answer.amount}"
    if sum(Decimal(line["amount"]) for line in answer.lines) != answer.amount:
        return f"the lines do not sum to {answer.amount}"
    return None


def by_line(priced: Price, exponent: int, lines: int) -> Fraction:
    """By how much a price may differ because it is rounded, or taxed, line by line.

    The words do not say what exactly is a line. Where all that was added up is a multiple of the
    unit already, it makes no difference.
    """
    config = priced.rule.config
    unit = Fraction(1, 10**exponent)
    tolerance = Fraction(0)
    rounding = config.get("rounding", {"per": "total"})
    if rounding["per"] == "line":
        to = Fraction(rounding.get("to", unit))
        if any(part % to for part in priced.parts):
            tolerance += to * lines
    if "taxes" in config and not config["tax_included"] and config["tax_per"] == "line":
        for tax in config["taxes"]:
            percent = Fraction(tax["percent"])
            if tolerance or any(part * percent / 100 % unit for part in priced.parts):
                tolerance += unit * lines + tolerance * percent / 100
    return tolerance


def described(facility: Facility, stay: Stay, answer: Answer) -> str:
    """All that the price of a stay depends on, to be read and to be tried again."""
    zone = ZoneInfo(facility.zone)
    rules = [
        f"{rule.name}: {rule.strategy} priority={rule.priority} free_minutes={rule.free_minutes}"
        f" {rule.valid_from} … {rule.valid_until}\n    {json.dumps(rule.config)}"
        for rule in facility.rules
    ]
    entry, exit_ = (f"{at.astimezone(zone):%a %F %T%z}" for at in (stay.entry, stay.exit))
    lines = [
        "",
        f"{facility.zone} {facility.currency} {facility.vehicle_type_default}",
        f"calendar {[(str(day), sorted(kinds)) for day, kinds in facility.calendar.items()]}",
        *rules,
        f"{entry} … {exit_} ({stay.exit - stay.entry})",
        f"context {json.dumps(stay.context)}",
        "engine's lines:",
        *(f"    {json.dumps(line)}" for line in answer.lines),
    ]
    return "\n  ".join(lines)


@pytest.mark.parametrize("part", range(PARTS))
def test_the_function_and_the_oracle_agree(engine: Engine, part: int) -> None:
    compared = 0
    count = -(-(EXAMPLES_MORE or STAYS_MIN // STAYS_EACH) // PARTS)

    @examples(count)
    @given(case=cases(STAYS_EACH))
    def agree(case: Case) -> None:
        nonlocal compared
        facility = case.facility
        rule_ids = [uuid4() for _ in facility.rules]
        oracle = oracle_of(facility)
        answers = engine.prices(facility, case.stays, rule_ids)
        for stay, answer in zip(case.stays, answers, strict=True):
            wrong = disagreement(facility, oracle, stay, answer, rule_ids)
            if wrong is not None:
                raise AssertionError(f"{wrong}{described(facility, stay, answer)}") from None
            compared += 1

    if not EXAMPLES_MORE:
        example_seed(part)(agree)  # or each part would have the same examples
    agree()
    assert compared >= count * STAYS_EACH


def test_the_time_zone_of_the_session_changes_nothing(engine: Engine) -> None:
    @examples(EXAMPLES_MORE or 20)
    @given(case=cases(STAYS_EACH), zone=st.sampled_from(["Pacific/Apia", "America/St_Johns"]))
    def same(case: Case, zone: str) -> None:
        rule_ids = [uuid4() for _ in case.facility.rules]
        answers = []
        for session_zone in ("UTC", zone):
            engine.zone(session_zone)
            answers.append(engine.prices(case.facility, case.stays, rule_ids))
        for one, other in zip(*answers, strict=True):
            # The words of an error may show a time.
            assert replace(one, reason=None) == replace(other, reason=None)

    same()


def test_a_stay_that_is_parted_at_a_border_costs_the_same(engine: Engine) -> None:
    """Where another band begins anew and nothing else spans the border."""

    parted = 0

    @examples(EXAMPLES_MORE or 30)
    @given(case=border_cases(20))
    def same(case: Case) -> None:
        nonlocal parted
        oracle = oracle_of(case.facility)
        stays: list[Stay] = []
        for whole in case.stays:
            for border in oracle.borders(whole.entry, whole.exit)[:5]:
                before = Stay(whole.entry, border, whole.context)
                stays += [whole, before, Stay(border, whole.exit, whole.context)]
        answers = engine.prices(case.facility, stays, [uuid4()])
        for n in range(0, len(stays), 3):
            amount, *parts = (answer.amount for answer in answers[n : n + 3])
            told = f"{parts} at {stays[n + 1].exit}{described(case.facility, stays[n], answers[n])}"
            if amount is None:
                assert None in parts, told
            else:
                assert amount == sum(part for part in parts if part is not None), told
                parted += 1

    same()
    assert parted > 500
