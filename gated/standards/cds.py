"""Policies of the Curb Data Specification 1.x as tariffs: one for each set of user classes.

A condition that a tariff cannot state leaves its policy out: a price is never widened to vehicles
or times that it was not meant for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gated.core.money import EXPONENTS
from gated.fields import amount_text
from gated.standards.asking import Drafted, finished
from gated.standards.cds_policies import (
    Policy,
    Rate,
    Rule,
    Span,
    policies_of,
    policy_parts,
)
from gated.standards.cds_prices import price_of_rule, set_readings
from gated.standards.imported import Imported, TariffTable
from gated.standards.source import Source, currency_of, one_line
from gated.standards.windows import Window, band_keys, title, unique_name
from gated.tariff.values import WEEKDAYS

_VEHICLES = {
    "car": ["CAR", "SUV"],
    "van": ["VAN"],
    "truck": ["TRUCK"],
    "bus": ["BUS"],
    "motorcycle": ["MOTORCYCLE"],
}
_NO_VEHICLES = ("bicycle", "cargo_bicycle", "moped", "scooter", "human", "electric_assist")
_FLAGS = {
    "electric": ("electric", True),
    "combustion": ("electric", False),
    "handicap-accessible": ("accessible", True),
}
# Who comes to park comes for what a car park is for.
_NO_CONDITION = frozenset({"parking"})


@dataclass(frozen=True, slots=True)
class _Offer:
    """A rule at one of its times, in the order in which policies take precedence."""

    rule: Rule
    classes: frozenset[str]
    priority: int
    window: Window
    # The kind of day on which it does not apply.
    except_kind: str | None
    pointer: str


def imported(document: object) -> Imported:
    """The tariffs of policies: an answer of the Curbs API, an array, or one policy, rule or rate.

    Raises ConfigError, or ConfigErrors for several.
    """
    source = Source()
    envelope, parts = policy_parts(source, document)
    currency = time_zone = None
    if envelope is not None:
        currency = envelope.text("currency")
        time_zone = envelope.time_zone("time_zone")
        currency_of(source, currency, envelope.at("currency"))
        envelope.rest_is_lost()
    if currency is None:
        currency = "USD"
        source.assumed("", "no currency is given: US dollars, as CDS implies")
    policies = sorted(policies_of(source, parts), key=lambda policy: policy.priority)
    source.refuse()
    if len(policies) > 1:
        source.assumed("", "all policies are read as those of one curb zone")
    offers = [offer for policy in policies for offer in _offers(source, policy)]
    drafts = _tariffs(source, offers, EXPONENTS[currency])
    return finished(source, drafts, currency, time_zone)


def _offers(source: Source, policy: Policy) -> list[_Offer]:
    spans = [span for span in policy.spans if _is_sayable(source, span)]
    if policy.spans and not spans:
        return []
    offers: list[_Offer] = []
    for rule in policy.rules:
        if rule.activity != "parking":
            source.lost(rule.pointer, f"{rule.activity} is no price of parking: left out")
            continue
        classes = rule.classes - _NO_CONDITION
        if _conditions(classes) is None:
            shown = ", ".join(sorted(classes))
            source.lost(rule.pointer, f"no tariff can be for {shown} alone: the rule is left out")
            continue
        if any(rate.unit_seconds is None for rate in rule.rates):
            source.lost(rule.pointer, "months, quarters and years are no lengths: left out")
            continue
        if not _is_in_order(source, rule):
            continue
        offers += [
            _Offer(rule, classes, policy.priority, span.window, span.except_period, span.pointer)
            for span in spans
        ] or [_Offer(rule, classes, policy.priority, Window(), None, policy.pointer)]
    return offers


def _is_sayable(source: Source, span: Span) -> bool:
    if span.unsayable:
        source.lost(span.pointer, f"no band can say {', '.join(span.unsayable)}: left out")
        return False
    if span.starts_once:
        source.assumed(f"{span.pointer}/start_date", "the file is applied when this date has come")
    if span.wraps:
        source.assumed(span.pointer, "it ends before it begins: it lasts to the next day")
    return True


def _is_in_order(source: Source, rule: Rule) -> bool:
    """Rates follow each other: an overlap would have two prices."""
    before: Rate | None = None
    for rate in sorted(rule.rates, key=lambda rate: rate.starts):
        if before is not None and (before.ends is None or rate.starts < before.ends):
            source.complain(rate.pointer, "expected rates that do not overlap")
            return False
        before = rate
    return True


def _conditions(classes: frozenset[str]) -> dict[str, Any] | None:
    """The `for` of a vehicle that is of all these classes; None if no tariff can say it."""
    conditions: dict[str, Any] = {}
    for name in classes:
        key, value = _condition(name)
        if not key or key in conditions:
            return None
        conditions[key] = value
    order = ("vehicle_types", "electric", "accessible", "members")
    return {key: conditions[key] for key in order if key in conditions}


def _condition(name: str) -> tuple[str, Any]:
    if name in _NO_VEHICLES:
        return "", None
    if name in _VEHICLES:
        return "vehicle_types", _VEHICLES[name]
    return _FLAGS.get(name, ("members", [name]))


def _tariffs(source: Source, offers: Sequence[_Offer], exponent: int) -> list[Drafted]:
    """A tariff for each set of classes, the most particular with the highest priority.

    A vehicle of a set may also be parked by the rules of its subsets, as policies decide.
    """
    own = {
        classes: min(offer.priority for offer in offers if offer.classes == classes)
        for classes in dict.fromkeys(offer.classes for offer in offers)
    }
    ranked = sorted(own, key=lambda classes: (len(classes), -own[classes]))
    for index, classes in enumerate(ranked):
        others = [each for each in ranked[:index] if not each < classes]
        if others and not classes > frozenset().union(*others):
            source.assumed(
                "", f"a vehicle that is {_name(classes)} and of other classes pays as the former"
            )
    drafts = [_tariff(classes, _applying(offers, classes), exponent) for classes in ranked]
    if len(drafts) > 1:
        for priority, draft in enumerate(drafts):
            draft.table["priority"] = priority
    return drafts


def _applying(offers: Sequence[_Offer], classes: frozenset[str]) -> list[_Offer]:
    """What may apply to such vehicles, by precedence: within a policy the rule that says more of
    them. The second of two at the same times never applies."""
    ranked = sorted(
        (offer for offer in offers if offer.classes <= classes),
        key=lambda offer: (offer.priority, -len(offer.classes)),
    )
    windows: set[tuple[Window, str | None]] = set()
    applying: list[_Offer] = []
    for offer in ranked:
        when = (offer.window, offer.except_kind)
        if when not in windows:
            windows.add(when)
            applying.append(offer)
    return applying


def _name(classes: frozenset[str]) -> str:
    return one_line(", ".join(sorted(classes))) or "standard"


def _tariff(classes: frozenset[str], offers: Sequence[_Offer], exponent: int) -> Drafted:
    own = next(offer.rule for offer in offers if offer.classes == classes)
    draft = Drafted({"name": _name(classes)}, own.pointer)
    conditions = _conditions(classes)
    table = draft.table
    table["strategy"] = "BAND"
    if conditions:
        table["for"] = conditions
        if "members" in conditions:
            what = f"a subscription stands for the class {conditions['members'][0]}"
            draft.assumed(own.pointer, what, "for", "members")
    reached = _reached(draft, offers)
    prices = [price_of_rule(draft, offer.rule, exponent) for offer in reached]
    first = reached[0]
    is_plain = len(reached) == 1 and first.window.is_always and first.except_kind is None
    if is_plain and "flat" not in prices[0]:
        if "steps" in prices[0]:
            table["strategy"] = "BLOCK"
            table["steps"] = prices[0]["steps"]
        else:
            table["strategy"] = "FLAT"
            table["amount"] = amount_text(Decimal(0), exponent)
    else:
        table["bands"] = _bands(draft, reached, prices)
        # CDS counts durations from the arrival, whatever policy applies by then.
        table["band_border"] = "continue"
    rates = [rate for offer in reached for rate in offer.rule.rates]
    set_readings(draft, rates, exponent)
    return draft


def _reached(draft: Drafted, offers: Sequence[_Offer]) -> list[_Offer]:
    """The offers up to the first that always applies."""
    for index, offer in enumerate(offers):
        if offer.window.is_always and offer.except_kind is None:
            for other in offers[index + 1 :]:
                what = "does not apply here: a policy of a lower number always does"
                draft.lost(other.pointer, what)
            return list(offers[: index + 1])
    return list(offers)


def _bands(
    draft: Drafted, offers: Sequence[_Offer], prices: Sequence[dict[str, Any]]
) -> list[TariffTable]:
    bands: list[TariffTable] = []

    def add(window: Window, price: dict[str, Any]) -> None:
        name = unique_name(title(window), [band["name"] for band in bands])
        bands.append({"name": name, **band_keys(window), **price})

    special = {day for offer in offers for day in offer.window.days or () if day not in WEEKDAYS}
    for index, (offer, price) in enumerate(zip(offers, prices, strict=True)):
        window, later = offer.window, offers[index + 1 :]
        particular = [day for each in later for day in each.window.days or ()]
        if window.days is None and any(day in WEEKDAYS for day in particular):
            # A band that names the weekday would win, though its policy comes later.
            window = Window(WEEKDAYS, window.begins, window.ends)
        for day in sorted({*particular} - {*WEEKDAYS} - {*(window.days or ())}):
            draft.assumed(
                offer.pointer,
                f"on days of the kind {day} their own policy counts, though its number is higher",
                "bands",
                len(bands),
            )
        if offer.except_kind is not None and offer.except_kind not in special:
            _except(draft, offer, bool(later), len(bands))
            add(Window((offer.except_kind,), window.begins, window.ends), {"free": True})
        add(window, price)
    return bands


def _except(draft: Drafted, offer: _Offer, has_later: bool, index: int) -> None:
    what = f"it does not apply on days of the kind {offer.except_kind}: such time is free"
    if has_later:
        what += ", though another policy may apply then"
    draft.assumed(f"{offer.pointer}/designated_period_except", what, "bands", index)
