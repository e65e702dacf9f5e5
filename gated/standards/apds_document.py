"""An APDS document while it is written: rate tables, right specifications and places, by the names
of the JSON API. What they say of a tariff is `gated.standards.apds_writing`'s business."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gated.standards.apds_lines import Writer
from gated.standards.apds_qualifications import qualifications_of
from gated.tariff.model import AnyTariff

_FACILITY = "facility"


@dataclass(slots=True)
class Written:
    """What is written so far. Ids are made of the positions of tariff, band and part."""

    currency: str
    valid_from: str | None
    tables: list[dict[str, Any]] = field(default_factory=list)
    rights: list[dict[str, Any]] = field(default_factory=list)

    def common(self, writer: Writer, tariff: AnyTariff) -> dict[str, Any]:
        """What every collection of a tariff says. Durations are those of the stay."""
        common: dict[str, Any] = {"applicableCurrency": self.currency, "relativeTimes": False}
        if self.valid_from is not None:
            common["validStart"] = self.valid_from
        common["taxIncluded"] = tariff.tax_included is not False
        if tariff.taxes:
            common["taxRate"] = writer.number("taxes/0/percent", tariff.taxes[0].percent)
        return common

    def add_table(
        self, tariff: AnyTariff, number: str, name: str, collections: Sequence[dict[str, Any]]
    ) -> None:
        table: dict[str, Any] = {
            "id": f"table-{number}",
            "version": 1,
            "rateTableName": _text(name),
            "availability": "public",
            "rateLineCollections": list(collections),
        }
        if tariff.validations:
            table["validation"] = True
        self.tables.append(table)

    def add_right(
        self,
        tariff: AnyTariff,
        number: str,
        table: str,
        priority: int,
        periods: Sequence[dict[str, Any]] = (),
    ) -> dict[str, Any]:
        """Offer a table to those whom the tariff is for; what was written."""
        conditions = conditions_of_tariff(tariff)
        tariff_id = "tariff-" + number.split("-", maxsplit=1)[0]
        places = [_zone_id(zone) for zone in conditions.get("zones", ())] or [_FACILITY]
        right: dict[str, Any] = {
            "id": f"right-{number}",
            "version": 1,
            "type": "oneTimeUseParking",
            "transferable": False,
            "hierarchyElements": [{"id": place, "version": 1} for place in places],
            "rateEligibility": [
                {
                    "id": f"eligibility-{number}",
                    "version": 1,
                    "priority": priority,
                    "eligibility": _eligibility(tariff, tariff_id, conditions),
                    "rateTable": {"id": f"table-{table}", "version": 1},
                }
            ],
            "validity": self._validity(periods),
        }
        self.rights.append(right)
        return right

    def _validity(self, periods: Sequence[dict[str, Any]]) -> dict[str, Any]:
        times: dict[str, Any] = {}
        if self.valid_from is not None:
            times["overallStartTime"] = self.valid_from
        if periods:
            times["validPeriods"] = list(periods)
        status = "definedByValidityTimeSpec" if periods else "active"
        validity: dict[str, Any] = {"validityStatus": status}
        return {**validity, "validityTimeSpecification": times} if times else validity

    def finished(self, time_zone: str, zones: Sequence[str]) -> dict[str, Any]:
        """The document, in the order of the tariffs, whatever their priorities."""
        for each in (self.tables, self.rights):
            each.sort(key=lambda made: [int(number) for number in made["id"].split("-")[1:]])
        return {
            "rateTables": self.tables,
            "rightSpecifications": self.rights,
            "places": list(_places(time_zone, zones)),
        }


def conditions_of_tariff(tariff: AnyTariff) -> dict[str, Any]:
    """A tariff's `for` as its file says it."""
    if tariff.for_ is None:
        return {}
    return tariff.for_.model_dump(mode="json", exclude_none=True)


def _eligibility(tariff: AnyTariff, identity: str, conditions: dict[str, Any]) -> dict[str, Any]:
    qualification, _ = qualifications_of(conditions)
    if names := qualification.get("membershipNames"):
        qualification["membershipNames"] = [_text(name) for name in names]
    eligibility: dict[str, Any] = {
        "id": identity,
        "version": 1,
        "eligibilityName": _text(tariff.name),
    }
    return {**eligibility, "qualifications": [qualification]} if qualification else eligibility


def _places(time_zone: str, zones: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The facility, whose clock times are read off, and its zones."""
    facility = {"id": _FACILITY, "version": 1}
    kind = {"type": "place", "layer": 0}
    yield {**facility, **kind, "name": _text(_FACILITY), "timeZone": time_zone}
    for zone in zones:
        area = {"id": _zone_id(zone), "version": 1, "type": "identifiedArea", "layer": 1}
        yield {**area, "name": _text(zone), "parentId": facility}


def _zone_id(zone: str) -> str:
    return f"zone-{zone}"


def _text(text: str) -> list[dict[str, str]]:
    """Text of an undetermined language."""
    return [{"language": "und", "string": text}]
