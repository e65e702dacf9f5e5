"""Right specifications of APDS as their JSON says them: who is priced by which table, and when."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from gated.standards.apds_days import validity_of
from gated.standards.apds_qualifications import conditions_of
from gated.standards.apds_tables import Eligible
from gated.standards.source import Part, Source

_RIGHT_TYPE = "oneTimeUseParking"


def zones_of(source: Source, places: Sequence[Part]) -> tuple[dict[str, str | None], str | None]:
    """The places by their ids: the name of one that is part of another, else None; and the clock
    of the first that names one."""
    zones: dict[str, str | None] = {}
    time_zone: str | None = None
    for place in places:
        zone = place.time_zone("timeZone")
        if zone is not None and time_zone not in (None, zone):
            source.lost(
                place.at("timeZone"), f"{zone}: there is one clock, that of the first place"
            )
        time_zone = time_zone or zone
        name = place.words("name")
        identity = place.text("id")
        if identity is not None:
            zones[identity] = (name or identity) if place.has("parentId", "parent") else None
    return zones, time_zone


def eligible_of(source: Source, part: Part, zones: Mapping[str, str | None]) -> Iterator[Eligible]:
    """The eligibilities of a right specification."""
    part.ignore("id", "version", "description", "issuer", "transferable", "transferableConditions")
    part.ignore("credentials", "financialReference")
    if part.has("expiry"):
        source.assumed(part.at("expiry"), "it is ended by another file when this time has come")
        part.ignore("expiry")
    kind = part.text("type")
    unsayable = "" if kind in (None, _RIGHT_TYPE) else f"{kind} is no price of a stay"
    validity = validity_of(source, part.part("validity"))
    codes = [zones.get(each.text("id") or "") for each in part.parts("hierarchyElements")]
    is_known = bool(codes) and None not in codes
    for each in part.parts("rateEligibility", "rateEligibilities"):
        inner = each.part("eligibility")
        conditions, why = ({}, "") if inner is None else conditions_of(source, inner)
        if is_known:
            conditions["zones"] = [code for code in codes if code is not None]
        name = "" if inner is None else inner.words("eligibilityName")
        discount, is_second = _discount(source, each)
        table = each.part("rateTable", "rate", "rateTableReference")
        if table is None:
            source.complain(each.at("rateTable"), "is missing: expected the table that counts")
        each.ignore("id", "version")
        if each.flag("combinable"):
            source.lost(each.at("combinable"), "combinable: that tables add up to the cheapest")
        yield Eligible(
            each.pointer,
            name,
            each.whole("priority"),
            (table.text("id", needed="the table's id") or "") if table is not None else "",
            discount,
            is_second,
            conditions.pop("free", False),
            conditions,
            unsayable or (why and f"no tariff can ask for {why}") or validity.unsayable,
            validity,
        )
        each.rest_is_lost()
    part.rest_is_lost()


def _discount(source: Source, part: Part) -> tuple[Decimal | None, bool]:
    """The discount in percent, and whether it is one of another visit on the same day."""
    inner = part.part("eligibility")
    linked = [
        each.part("linkedRightSpecification")
        for each in (inner.parts("qualifications", "qualification") if inner is not None else [])
    ]
    is_second = any(link is not None for link in linked)
    discount = part.part("rateDiscount")
    if discount is None:
        return None, is_second
    percent = discount.amount("discountRate")
    if percent is not None and percent > 100:
        source.complain(discount.at("discountRate"), f"expected a percentage, got {percent}")
    if discount.has("fixedValue"):
        source.lost(discount.at("fixedValue"), "a discount of an amount is none of a tariff")
    return percent, is_second
