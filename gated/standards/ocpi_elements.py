"""Tariffs of OCPI 2.2.1 as their JSON says them; `gated.standards.ocpi` makes tariffs of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gated.standards.source import Part, Source, currency_of, one_line, parts_of
from gated.standards.steps import SECONDS_MAX
from gated.standards.windows import DAY
from gated.validation import excerpt

_DIMENSIONS = ("FLAT", "TIME", "PARKING_TIME", "ENERGY")
_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
# What no car park knows of a stay, or a band cannot say: an element with one of these is left out.
_UNSAYABLE = (
    "start_date", "end_date", "min_kwh", "max_kwh", "min_current", "max_current", "min_power",
    "max_power", "reservation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Restrictions:
    """When an element is active: at these times of day (minutes) on these days (0: Monday), and
    while the session lasts so long (seconds)."""

    days: frozenset[int] = frozenset(range(7))
    begins: int = 0
    ends: int = DAY
    longer_than: int = 0
    shorter_than: int | None = None

    @property
    def has_window(self) -> bool:
        return len(self.days) < 7 or self.begins % DAY != self.ends % DAY

    def holds_at(self, day: int, minute: int) -> bool:
        if day not in self.days:
            return False
        if self.begins % DAY == self.ends % DAY:
            return True
        if self.begins < self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends


@dataclass(frozen=True, slots=True)
class Component:
    """A price of one dimension, an hour of it for time; without VAT."""

    pointer: str
    dimension: str
    price: Decimal
    vat: Decimal | None
    step_size: int
    restrictions: Restrictions


@dataclass(frozen=True, slots=True)
class ChargingTariff:
    """A tariff: of each dimension, the first component that is active counts."""

    pointer: str
    name: str
    currency: str
    components: tuple[Component, ...]
    minimum: Decimal | None
    maximum: Decimal | None


def charging_tariffs(source: Source, document: object) -> list[ChargingTariff]:
    """The tariffs of a document: one, an array, or a server's answer with either."""
    if isinstance(document, Mapping) and "data" in document and "elements" not in document:
        answer = Part(source, document, "")
        answer.ignore("status_code", "status_message", "timestamp")
        found = answer.parts("data", needed="the tariffs")
        answer.rest_is_lost()
    else:
        if document == []:
            source.complain("", "expected at least one tariff, got an empty array")
        found = list(parts_of(source, document, ""))
    return [_tariff(source, part) for part in found]


def _tariff(source: Source, part: Part) -> ChargingTariff:
    currency = part.text("currency", needed="an ISO 4217 currency code")
    currency_of(source, currency, part.at("currency"))
    part.ignore("country_code", "party_id", "last_updated", "energy_mix")
    for name, what in (
        ("start_date_time", "the file is applied when this time has come"),
        ("end_date_time", "the tariff is ended by another file when this time has come"),
    ):
        if part.text(name) is not None:
            source.assumed(part.at(name), what)
    elements = part.parts("elements", needed="at least one element")
    tariff = ChargingTariff(
        part.pointer,
        one_line(part.text("id") or "") or "imported",
        currency or "",
        tuple(component for element in elements for component in _components(source, element)),
        _price(part, "min_price"),
        _price(part, "max_price"),
    )
    part.rest_is_lost()
    return tariff


def _price(part: Part, name: str) -> Decimal | None:
    """The price without VAT, as all prices of OCPI are."""
    price = part.part(name)
    if price is None:
        return None
    amount = price.amount("excl_vat", needed="the price without VAT")
    if price.amount("incl_vat") is not None:
        part.source.lost(price.at("incl_vat"), f"{name} counts without VAT only")
    return amount


def _components(source: Source, element: Part) -> list[Component]:
    restrictions, unsayable = _restrictions(source, element.part("restrictions"))
    components: list[Component] = []
    for part in element.parts("price_components", needed="at least one price component"):
        dimension = part.word("type", of=_DIMENSIONS, needed=f"one of {', '.join(_DIMENSIONS)}")
        price = part.amount("price", needed="a price")
        vat = part.amount("vat")
        if vat is not None and vat > 100:
            source.complain(part.at("vat"), f"expected a percentage, got {vat}")
        step_size = part.whole("step_size") or 0
        if step_size > SECONDS_MAX:
            source.complain(part.at("step_size"), f"expected at most a year, got {step_size}")
        part.rest_is_lost()
        if dimension is None or price is None:
            continue
        if dimension == "ENERGY":
            source.lost(part.pointer, "ENERGY: a price of energy is none of parking")
        elif unsayable:
            source.lost(part.pointer, f"no tariff can say {', '.join(unsayable)}: left out")
        else:
            components.append(
                Component(part.pointer, dimension, price, vat, step_size, restrictions)
            )
    element.rest_is_lost()
    return components


def _restrictions(source: Source, part: Part | None) -> tuple[Restrictions, list[str]]:
    if part is None:
        return Restrictions(), []
    names = part.texts("day_of_week")
    for name in names:
        if name not in _DAYS:
            expected = f"expected {', '.join(_DAYS)}, got {excerpt(name)}"
            source.complain(part.at("day_of_week"), expected)
    days = frozenset(_DAYS.index(name) for name in names if name in _DAYS)
    begins, ends = part.clock("start_time") or 0, part.clock("end_time") or DAY
    longer, shorter = part.whole("min_duration") or 0, part.whole("max_duration")
    for name, value in (("min_duration", longer), ("max_duration", shorter)):
        if value is not None and value > SECONDS_MAX:
            source.complain(part.at(name), f"expected at most a year, got {value} seconds")
    if ends < begins:
        what = "end_time is before start_time: it lasts over midnight"
        if days:
            what += ", on each of the days of its own"
        source.assumed(part.pointer, what)
    unsayable = [name for name in _UNSAYABLE if part.has(name)]
    part.ignore(*_UNSAYABLE)
    part.rest_is_lost()
    return (
        Restrictions(days or frozenset(range(7)), begins, ends, longer, shorter),
        unsayable,
    )
