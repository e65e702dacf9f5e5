"""The rules between keys of tariffs: every question is asked, every contradiction is told."""

import pytest

from gated.tariff.coverage import gaps
from gated.tariff.model import BandTariff
from tests.tariff.files import BAND, BLOCK, FACILITY, FLAT, TIER, changed, complaints, tariffs

ROUNDING = 'rounding = { mode = "up", per = "total" }\n'
YEN = changed(FACILITY, ("EUR", "JPY"))

CAP = 'caps = [{ per = "calendar_day", amount = "15.00", reading = "each" }]\n'
SPECIAL = 'specials = [{ name = "S", price = "9.00", exit_until = "20:00" }]\n'
OCCUPANCY = 'occupancy = [{ from_percent = 80, factor = "1.25" }]\n' + ROUNDING
VALIDATION = 'validations = [{ name = "V", free_minutes = 60 }]\n'
TAX = 'taxes = [{ name = "VAT", percent = 19, rounding = "half_up" }]\n' + ROUNDING

# A tariff that leaves one question open, and what is asked, with its line and key.
QUESTIONS = [
    # limit_reading, new_day: there are blocks or tiers
    *(
        (
            changed(text, ('limit_reading = "inclusive"\n', "")),
            (
                "4: tariff.limit_reading: is missing: does a stay of exactly 60 minutes"
                ' still lie in the first hour ("inclusive"), or begin the next one'
                ' ("exclusive")?'
            ),
        )
        for text in (BLOCK, TIER, BAND)
    ),
    *(
        (
            changed(text, ('new_day = "continue"\n', "")),
            (
                "4: tariff.new_day: is missing: does the tariff begin anew every 24"
                ' hours ("rolling_24h"), whenever a day begins ("calendar_day"), or'
                ' never ("continue")?'
            ),
        )
        for text in (BLOCK, TIER, BAND)
    ),
    (
        changed(
            BAND,
            ('limit_reading = "inclusive"\n', ""),
            ('steps = [{ minutes = 60, price = "2.00" }]', 'tiers = [{ price = "2.00" }]'),
        ),
        "4: tariff.limit_reading: is missing: does a stay of exactly 60 minutes",
    ),
    # zero_stay, second_visit: always
    *(
        (
            changed(text, (f'zero_stay = "{answer}"\n', "")),
            (
                '4: tariff.zero_stay: is missing: is a stay of no length "free", or'
                ' "charged" like a moment?'
            ),
        )
        for text, answer in ((FLAT, "charged"), (BLOCK, "free"), (TIER, "free"), (BAND, "free"))
    ),
    *(
        (
            changed(text, ('second_visit = "separate"\n', "")),
            (
                "4: tariff.second_visit: is missing: is another visit priced by itself"
                ' ("separate"), as a continuation of the earlier one ("continued"), or'
                ' cheaper ("reduced")?'
            ),
        )
        for text in (FLAT, BLOCK, TIER, BAND)
    ),
    # two bands or more
    (
        changed(BAND, ('band_border = "restart"\n', "")),
        (
            "4: tariff.band_border: is missing: does the first block begin anew in another band"
            ' ("restart"), or does a block that has begun last over the border ("continue")?'
        ),
    ),
    # free minutes
    (
        FLAT + 'free_minutes = 10\nfree_minutes_limit = "inclusive"\n',
        (
            "4: tariff.free_minutes_reading: is missing: past the free minutes, are"
            ' they "deducted" from the stay, or was the whole stay never free'
            ' ("threshold")?'
        ),
    ),
    (
        FLAT + 'free_minutes = 10\nfree_minutes_reading = "deducted"\n',
        (
            "4: tariff.free_minutes_limit: is missing: is a stay of exactly as many"
            ' minutes as are free still free ("inclusive"), or not any more'
            ' ("exclusive")?'
        ),
    ),
    # specials
    (
        FLAT + SPECIAL,
        (
            "4: tariff.special_wins: is missing: which special counts: the first listed"
            ' that fits ("listed"), the cheapest that fits ("cheapest_special"), or'
            ' whatever is cheapest, specials and normal price ("cheapest")?'
        ),
    ),
    # caps
    (
        FLAT + changed(CAP, (', reading = "each"', "")),
        (
            '10: tariff.caps.reading: is missing: does it hold in each window ("each"),'
            " or does the whole stay cost at most as many times the cap as it touches"
            ' windows ("multiplied")?'
        ),
    ),
    (
        FLAT + changed(CAP, ("calendar_day", "calendar_week")),
        (
            "10: tariff.caps.week_begins: is missing: on which day does the week begin,"
            ' "mon" to "sun"?'
        ),
    ),
    (
        FLAT + CAP + 'entrance_fee = "1.00"\n',
        (
            "4: tariff.entrance_fee_capped: is missing: does the entrance fee count"
            " towards the caps, true or false?"
        ),
    ),
    (
        FLAT + OCCUPANCY + CAP,
        (
            "4: tariff.occupancy_caps: is missing: do caps and maxima rise by the"
            ' factor of the occupancy ("raised"), or not ("fixed")?'
        ),
    ),
    (
        changed(BAND, ('"restart"\n', '"restart"\n' + OCCUPANCY)) + 'maximum = "3.00"\n',
        "4: tariff.occupancy_caps: is missing: do caps and maxima rise by the factor",
    ),
    # taxes
    (
        FLAT + TAX + "tax_included = true\n",
        '4: tariff.tax_per: is missing: is tax worked out per "line", or on the "total"?',
    ),
    (
        FLAT + TAX + 'tax_per = "line"\n',
        "4: tariff.tax_included: is missing: are prices with tax (true), or is it added (false)?",
    ),
    # validations
    (
        FLAT + VALIDATION + 'validation_stacking = "all"\n',
        (
            "4: tariff.validation_order: is missing: do validations count in the order"
            ' "listed" here, or as "given" by the driver?'
        ),
    ),
    (
        FLAT + VALIDATION + 'validation_order = "given"\n',
        (
            "4: tariff.validation_stacking: is missing: of several validations, do"
            ' "all" count, or the "best" one only?'
        ),
    ),
    # a reservation
    (
        FLAT + '[tariff.reservation]\nunused = "free"\noverstay = "anew"\n',
        "10: tariff.reservation.early: is missing: is time before the reserved period",
    ),
    (
        FLAT + '[tariff.reservation]\nearly = "free"\noverstay = "anew"\n',
        "10: tariff.reservation.unused: is missing: is reserved time that was not used",
    ),
    (
        FLAT + '[tariff.reservation]\nearly = "free"\nunused = "free"\n',
        "10: tariff.reservation.overstay: is missing: is time past the reserved period",
    ),
    # a lost ticket
    (
        FLAT + 'lost_ticket = { amount = "25.00" }\n',
        (
            "10: tariff.lost_ticket.reading: is missing: is the amount asked for"
            ' "instead" of the price, is the price "at_least" that, or is it "added"?'
        ),
    ),
    # a second visit that is cheaper
    (
        changed(FLAT, ("separate", "reduced")) + ROUNDING,
        (
            "4: tariff.second_visit_percent: is missing: by how many percent is the second"
            " visit cheaper?"
        ),
    ),
]


@pytest.mark.parametrize(("text", "expected"), QUESTIONS)
def test_a_question_that_is_left_open_is_asked(text: str, expected: str) -> None:
    (found,) = complaints(text)
    assert found.startswith(expected), found


HOW = (
    '; how are they rounded: { mode = "half_up", "half_even", "up" or "down", per = "line" or'
    ' "total" }, and to = "0.05" for coarser coins?'
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (changed(FLAT, ("4.00", "4.005")), "amount 4.005 has fractions of 0.01 EUR"),
        (
            changed(BLOCK, ("2.00", "0.13416667")),
            "steps.price 0.13416667 has fractions of 0.01 EUR",
        ),
        (changed(BAND, ("3.00", "3.001")), "bands.flat 3.001 has fractions of 0.01 EUR"),
        (
            changed(BLOCK, ('"2.00"', '"2.00", price_minutes = 7')),
            "price_minutes can make fractions of 0.01 EUR",
        ),
        (
            changed(BAND, ('"2.00"', '"2.00", price_minutes = 7')),
            "price_minutes can make fractions of 0.01 EUR",
        ),
        (FLAT + OCCUPANCY.partition("\n")[0], "occupancy can make fractions of 0.01 EUR"),
        (
            FLAT
            + changed(VALIDATION, ("free_minutes = 60", "percent = 50"))
            + 'validation_order = "given"\nvalidation_stacking = "all"\n',
            "a validation in percent can make fractions of 0.01 EUR",
        ),
        (
            changed(FLAT, ("separate", "reduced")) + "second_visit_percent = 50\n",
            "a second visit that is reduced can make fractions of 0.01 EUR",
        ),
        (
            changed(FLAT, ("separate", "continued"))
            + TAX.partition("\n")[0]
            + '\ntax_included = false\ntax_per = "total"\n',
            (
                "a continued visit, from which the tax of the earlier one is taken out,"
                " can make fractions of 0.01 EUR"
            ),
        ),
    ],
)
def test_the_rounding_is_asked_where_fractions_can_arise(text: str, why: str) -> None:
    assert complaints(text) == [f"4: tariff.rounding: is missing: {why}{HOW}"]
    head, _, rest = text.partition("\n")
    tariffs(f"{head}\n{ROUNDING}{rest}")


def test_fractions_are_those_of_the_currency() -> None:
    (found,) = complaints(changed(FLAT, ("4.00", "4.50")), YEN)
    assert found.startswith(
        "4: tariff.rounding: is missing: amount 4.5 has fractions of 1 JPY; how"
    )
    tariffs(FLAT, YEN)
    tariffs(changed(FLAT, ("4.00", "4.500")))
    dinars = changed(FACILITY, ("EUR", "KWD"))
    tariffs(changed(FLAT, ("4.00", "4.125")), dinars)


@pytest.mark.parametrize(
    "text",
    [
        FLAT,
        BLOCK,
        TIER,
        BAND,
        # An answer to a question that nobody asked.
        FLAT + 'limit_reading = "exclusive"\nnew_day = "continue"\nband_border = "restart"\n',
        FLAT + 'special_wins = "listed"\noccupancy_caps = "raised"\nentrance_fee_capped = true\n',
        FLAT + 'validation_order = "given"\nvalidation_stacking = "all"\n' + ROUNDING,
        FLAT + 'tax_included = true\ntax_per = "line"\nfree_minutes_limit = "inclusive"\n',
        FLAT + 'caps = [{ per = "stay", amount = "9.00", reading = "each" }]\n',
        # What does without.
        FLAT + 'caps = [{ per = "stay", amount = "9.00" }]\n',
        FLAT + 'entrance_fee = "1.00"\n',
        FLAT + OCCUPANCY,
        changed(
            BAND,
            (
                (
                    '[[tariff.bands]]\nname = "night"\nfrom = "22:00"\nuntil = "06:00"\nflat'
                    ' = "3.00"\n'
                ),
                "",
            ),
            ('from = "06:00"\nuntil = "22:00"\n', ""),
            ('band_border = "restart"\n', ""),
        ),
        changed(BLOCK, ("2.00", "0.13416667")) + ROUNDING,
        changed(TIER, ('{ price = "5.00" }', '{ up_to_minutes = 61, price = "2.00" }')),
        changed(BLOCK, ('"2.00"', '"2.00", times = 3')),
        FLAT + 'rounding = { mode = "up", per = "line", to = "0.05" }\n',
    ],
)
def test_a_tariff_that_answers_what_is_asked_is_sound(text: str) -> None:
    assert tariffs(text).tariffs[0].name == "T"


def special(keys: str) -> str:
    return f'{FLAT}special_wins = "listed"\nspecials = [{{ name = "S", price = "9.00"{keys} }}]\n'


CONTRADICTIONS = [
    # bands
    (
        changed(BAND, ('flat = "3.00"', 'flat = "3.00"\nfree = true')),
        "17: tariff.bands: expected one of steps, tiers, flat, free, unsold, got flat and free",
    ),
    (
        changed(BAND, ('flat = "3.00"\n', "")),
        "17: tariff.bands: expected one of steps, tiers, flat, free, unsold, got none",
    ),
    (
        changed(BAND, ('flat = "3.00"', 'unsold = true\nmaximum = "3.00"')),
        "22: tariff.bands.maximum: does not go with unsold: such a band costs nothing",
    ),
    (
        changed(BAND, ('"night"', '"day"')),
        '18: tariff.bands.name: expected a name of its own: "day" is in line 13',
    ),
    (
        changed(BAND, ('flat = "3.00"', 'flat = "3.00"\ndays = ["sunday"]'))
        + '[[tariff.bands]]\nname = "rest"\nfree = true\n',
        '22: tariff.bands.days: no such day: "sunday", did you mean sun?',
    ),
    # steps
    (
        changed(BLOCK, ("minutes = 60, ", "")),
        "7: tariff.steps: expected either minutes or seconds",
    ),
    (
        changed(BLOCK, ("minutes = 60", "minutes = 60, seconds = 60")),
        "7: tariff.steps: expected either minutes or seconds",
    ),
    (
        changed(BLOCK, ("[{", '[{ minutes = 60, price = "3.00" }, {')),
        "7: tariff.steps.times: is missing: how many such blocks are there before the next step?",
    ),
    (
        changed(BAND, ("[{", '[{ minutes = 60, price = "3.00" }, {')),
        "16: tariff.bands.steps.times: is missing: how many such blocks",
    ),
    # tiers
    (
        changed(TIER, ("up_to_minutes = 60, ", "")),
        "7: tariff.tiers.up_to_minutes: is missing: up to how many minutes does this tier go?",
    ),
    (
        changed(TIER, ("{ price", "{ up_to_minutes = 60, price")),
        "7: tariff.tiers.up_to_minutes: expected more than the 60 of the tier before, got 60",
    ),
    (
        changed(TIER, ("5.00", "1.50")),
        "7: tariff.tiers.price: expected at least the 2 of the tier before, got 1.5",
    ),
    # caps
    (
        FLAT
        + 'caps = [{ per = "rolling_24h", amount = "9.00", reading = "each", begins = "02:00" }]',
        "10: tariff.caps.begins: does not go with rolling_24h",
    ),
    (
        FLAT + 'caps = [{ per = "stay", amount = "9.00", week_begins = "mon" }]',
        "10: tariff.caps.week_begins: does not go with stay",
    ),
    # specials
    *(
        (
            special(keys),
            "11: tariff.specials: fits every stay: expected days, enter_from, enter_until,",
        )
        for keys in ("", ', exit_day = "any"')
    ),
    (
        special(', days = ["holidays"], exit_until = "20:00"'),
        '11: tariff.specials.days: no such day: "holidays", did you mean holiday?',
    ),
    (
        special(', enter_from = "18:00", enter_until = "18:00"'),
        "11: tariff.specials.enter_until: expected another time than that of enter_from, got 18:00",
    ),
    (
        special(', enter_from = "18:00", exit_until = "06:00"'),
        (
            "11: tariff.specials.exit_until: nobody who enters from 18:00 on leaves by"
            " 06:00 of the same"
        ),
    ),
    (
        special(', exit_until = "00:00", exit_day = 0'),
        (
            "11: tariff.specials.exit_until: nobody who enters from 00:00 on leaves by"
            " 00:00 of the same"
        ),
    ),
    (
        FLAT
        + SPECIAL.replace("]", ', { name = "S", price = "1", days = ["sun"] }]')
        + 'special_wins = "listed"\n',
        '10: tariff.specials.name: expected a name of its own: "S" is in line 10',
    ),
    # occupancy
    (
        FLAT + OCCUPANCY.replace("}]", '}, { from_percent = "80.0", factor = 2 }]'),
        "10: tariff.occupancy.from_percent: expected more than the 80 of the step before, got 80",
    ),
    # validations
    *(
        (
            FLAT
            + 'validation_order = "given"\nvalidation_stacking = "all"\n'
            + changed(VALIDATION, ("free_minutes = 60", keys)),
            "12: tariff.validations: expected one of free_minutes, amount, percent, free, got "
            + got,
        )
        for keys, got in (('amount = "1.00", free = true', "amount and free"),)
    ),
    (
        FLAT
        + 'validation_order = "given"\nvalidation_stacking = "all"\nvalidations = [{ name = "V" }]',
        "12: tariff.validations: expected one of free_minutes, amount, percent, free, got none",
    ),
    # the second visit
    (
        FLAT + "second_visit_percent = 50\n",
        "10: tariff.second_visit_percent: does not go with separate",
    ),
    # taxes and rounding
    (
        FLAT
        + TAX.replace("}]", '}, { name = "VAT", percent = 1, rounding = "up" }]')
        + 'tax_included = true\ntax_per = "line"\n',
        '10: tariff.taxes.name: expected a name of its own: "VAT" is in line 10',
    ),
    *(
        (
            FLAT + changed(ROUNDING, ('"total"', f'"total", to = "{coin}"')),
            "10: tariff.rounding.to: expected a multiple of 0.01, the smallest unit of EUR, got "
            + coin,
        )
        for coin in ("0", "0.005")
    ),
    # the calendar
    (
        '[[calendar]]\nday = 2026-01-01\nkind = "holiday"\n' * 2 + FLAT,
        "7: calendar: 2026-01-01 is in line 4 of kind holiday already",
    ),
]


@pytest.mark.parametrize(("text", "expected"), CONTRADICTIONS)
def test_a_contradiction_is_named_with_its_place(text: str, expected: str) -> None:
    (found,) = complaints(text)
    assert found.startswith(expected), found


def test_kinds_of_the_calendar_are_days() -> None:
    text = changed(BAND, ('flat = "3.00"', 'flat = "3.00"\ndays = ["match"]'))
    calendar = '[[calendar]]\nday = 2026-05-16\nkind = "match"\n'
    text += '[[tariff.bands]]\nname = "rest"\nfree = true\n'
    tariffs(calendar + text)
    assert complaints(text)[0].startswith(
        '22: tariff.bands.days: no such day: "match", expected one'
    )


def test_a_special_is_limited_by_one_thing() -> None:
    tariffs(special(', days = ["sun"]'))
    tariffs(special(', enter_from = "18:00"'))
    tariffs(special(', enter_until = "09:00"'))
    tariffs(special(', exit_from = "18:00"'))
    tariffs(special(', exit_until = "18:00"'))
    tariffs(special(", exit_day = 0"))


def test_a_special_may_reach_into_other_days() -> None:
    tariffs(special(', enter_from = "18:00", exit_until = "06:00", exit_day = 1'))
    tariffs(special(', enter_from = "18:00", exit_until = "06:00", exit_day = "any"'))
    tariffs(special(', enter_from = "22:00", enter_until = "04:00", exit_until = "23:00"'))


# ── one tariff governs ──────────────────────────────────────────────────────────────────────


def two(first: str, second: str) -> str:
    """Two tariffs of one priority that are for these stays."""
    other = changed(FLAT, ('"T"', '"U"'))
    return f"{FLAT}{first}\n{other}{second}\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ""),
        ("", "for = { electric = true }"),
        ("for = { electric = true }", "for = { electric = true }"),
        ("for = { electric = true }", "for = { reserved = true }"),
        ('for = { vehicle_types = ["CAR", "VAN"] }', 'for = { vehicle_types = ["VAN"] }'),
        ('for = { members = ["gold"] }', 'for = { members = ["silver"] }'),
    ],
)
def test_of_two_tariffs_for_one_stay_one_has_the_higher_priority(first: str, second: str) -> None:
    (found,) = complaints(two(first, second))
    assert found == (
        '11: tariff.priority: expected another priority than that of "T", got 0: some stays are for'
        " both, and one tariff governs"
    )
    tariffs(two(first, f"{second}\npriority = 1"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("for = { electric = true }", "for = { electric = false }"),
        ('for = { vehicle_types = ["CAR"] }', 'for = { vehicle_types = ["VAN"] }'),
        ('for = { zones = ["A"], reserved = true }', 'for = { zones = ["B"], reserved = true }'),
    ],
)
def test_two_tariffs_that_are_never_for_one_stay_may_have_one_priority(
    first: str, second: str
) -> None:
    assert len(tariffs(two(first, second)).tariffs) == 2


def test_a_tariff_has_a_name_of_its_own() -> None:
    text = two("", "priority = 1").replace('"U"', '"T"')
    assert complaints(text) == ['12: tariff.name: expected a name of its own: "T" is in line 5']


# ── every minute has a band ─────────────────────────────────────────────────────────────────


def band(keys: str) -> str:
    return f'[[tariff.bands]]\nname = "band of {keys.encode().hex()}!"\nfree = true\n{keys}\n'


def gaps_of(*bands: str) -> list[str]:
    head = 'zero_stay = "free"\nsecond_visit = "separate"\nband_border = "restart"\n'
    whole = band("# the whole day, so that the file is sound")
    text = f'[[tariff]]\nname = "T"\nstrategy = "BAND"\n{head}{"".join(map(band, bands))}{whole}'
    (tariff,) = tariffs(text).tariffs
    assert isinstance(tariff, BandTariff)
    return list(gaps(tariff.bands[:-1]))


def test_what_covers_the_week_leaves_no_gap() -> None:
    week = 'days = ["mon", "tue", "wed", "thu", "fri"]\n'
    assert gaps_of("") == []
    assert gaps_of('from = "06:00"\nuntil = "06:00"') == []
    assert gaps_of('from = "06:00"\nuntil = "22:00"', 'from = "22:00"\nuntil = "06:00"') == []
    assert gaps_of(week, 'days = ["sat", "sun"]') == []
    # Sunday's night reaches into Monday.
    assert gaps_of('from = "00:01"', 'from = "23:59"\nuntil = "00:01"') == []
    # A band may leave out one of its ends.
    assert gaps_of('until = "12:00"', 'from = "12:00"') == []


def test_a_gap_is_named_by_day_and_time() -> None:
    week = 'days = ["mon", "tue", "wed", "thu", "fri", "sat"]\n'
    assert gaps_of(week) == ["sun 00:00 to 24:00"]
    # A holiday is a weekday as well; its band covers no other one.
    assert gaps_of(week, 'days = ["holiday"]') == ["sun 00:00 to 24:00"]
    assert gaps_of(week + 'from = "22:00"\nuntil = "06:00"')[:3] == [
        "mon 00:00 to 22:00",
        "tue 06:00 to 22:00",
        "wed 06:00 to 22:00",
    ]
    assert gaps_of('from = "12:00"\nuntil = "12:01"')[:2] == [
        "mon 00:00 to 12:00",
        "mon 12:01 to 24:00",
    ]


def test_a_tariff_with_gaps_is_refused() -> None:
    (found,) = complaints(changed(BAND, ('until = "22:00"', 'until = "21:30"')))
    assert found == (
        "12: tariff.bands: no band covers mon 21:30 to 22:00, tue 21:30 to 22:00, wed"
        " 21:30 to 22:00 and 4 more, so that a stay through it would have no price: add"
        " one, such as one with free = true"
    )


# ── all at once ─────────────────────────────────────────────────────────────────────────────


def test_all_complaints_are_told_at_once_in_the_order_of_the_file() -> None:
    block = changed(
        BLOCK,
        ('limit_reading = "inclusive"\n', ""),
        ('zero_stay = "free"\n', ""),
        ("minutes = 60", "minutes = 60, seconds = 60"),
    )
    band = changed(
        BAND,
        ('"T"', '"U"'),
        ('band_border = "restart"\n', ""),
        ('"night"', '"day"'),
        ('flat = "3.00"', 'flat = "3.005"\ndays = ["mondy"]'),
    )
    found = complaints(block + "caps = [{ per = 'calendar_week', amount = '9.00' }]\n" + band)
    assert [line.partition(": is")[0].partition(": exp")[0] for line in found] == [
        "4: tariff.zero_stay",
        "4: tariff.limit_reading",
        "7: tariff.steps",
        "10: tariff.caps.reading",
        "10: tariff.caps.week_begins",
        "11: tariff.band_border",
        "11: tariff.rounding",
        "11: tariff.priority",
        "24: tariff.bands.name",
        '28: tariff.bands.days: no such day: "mondy", did you mean mon?',
    ]
