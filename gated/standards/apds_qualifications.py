"""Qualifications of APDS and the `for` of a tariff, either way."""

from collections.abc import Iterator, Mapping
from typing import Any

from gated.standards.source import Part, Source, one_line

_CARS = {
    "car": ("CAR", "SUV"),
    "passengerCar": ("CAR",),
    "carOrLightVehicle": ("CAR", "SUV"),
    "smallCar": ("CAR",),
    "largeCar": ("SUV",),
    "fourWheelDrive": ("SUV",),
    "van": ("VAN",),
    "lightCommercialVehicle": ("VAN",),
    "lorry": ("TRUCK",),
    "heavyGoodsVehicle": ("TRUCK",),
    "largeGoodsVehicle": ("TRUCK",),
    "heavyVehicle": ("TRUCK",),
    "bus": ("BUS",),
    "minibus": ("BUS",),
    "motorcycle": ("MOTORCYCLE",),
    "twoWheeledVehicle": ("MOTORCYCLE",),
    "motorScooter": ("MOTORCYCLE",),
    "moped": ("MOTORCYCLE",),
}
_WORDS = {
    "MOTORCYCLE": "motorcycle",
    "CAR": "passengerCar",
    "SUV": "fourWheelDrive",
    "VAN": "van",
    "TRUCK": "lorry",
    "BUS": "bus",
}
_DISABLED = ("registeredDisabledUsers", "disabled", "handicapped", "wheelchairUsers")
_OTHER_FUELS = [
    "biodiesel", "diesel", "dieselBatteryHybrid", "ethanol", "hydrogen", "liquidGas", "lpg",
    "methane", "other", "petrol", "petrolBatteryHybrid", "unknown",
]  # fmt: skip
_UNSAYABLE = (
    "grossWeightCharacteristics", "heightCharacteristics", "lengthCharacteristics",
    "widthCharacteristics", "vehicleLoads", "paymentMethod", "assignRightTimes",
    "activeAssignedRight", "memberOfOtherRateTable", "rateTableMember",
)  # fmt: skip

# A condition, and its value: None if no tariff can ask for it.
_Found = Iterator[tuple[str, Any]]


def conditions_of(source: Source, part: Part) -> tuple[dict[str, Any], str]:
    """The `for` of an eligibility, all of whose qualifications must hold, with `free` if these may
    park for nothing; and what it asks for that no tariff can."""
    part.ignore("id", "version", "eligibilityName", "description")
    conditions: dict[str, Any] = {}
    unsayable = [name for name in ("rightHolders",) if part.has(name)]
    part.ignore("rightHolders")
    qualifications = part.parts("qualifications", "qualification")
    if len(qualifications) > 1:
        what = "all of the qualifications must hold"
        source.assumed(part.at("qualifications", "qualification"), what)
    for qualification in qualifications:
        for key, value in _found(source, qualification):
            if value is None or conditions.get(key, value) != value:
                unsayable.append(key)
            conditions[key] = value
        qualification.rest_is_lost()
    part.rest_is_lost()
    return conditions, ", ".join(unsayable)


def _found(source: Source, part: Part) -> _Found:
    if part.flag("freeToPark"):
        yield "free", True
    if part.flag("withReservation"):
        yield "reserved", True
    names = part.names("membershipNames")
    if part.flag("withMembership") or names:
        yield "members", names or None
    yield from _vehicles(source, part)
    yield from _fuels(part)
    yield from _emissions(source, part)
    yield from _users(source, part)
    link = part.part("linkedRightSpecification")
    if link is not None and not is_same_day(link):
        yield "linkedRightSpecification", None
    for name in _UNSAYABLE:
        if part.has(name):
            yield name, None
    part.ignore(*_UNSAYABLE)


def is_same_day(link: Part) -> bool:
    """Whether a link is to a right that was used earlier on the same day."""
    times = link.part("assignedRightTimeRelative")
    return times is not None and (times.text("unit"), times.text("earliestStartRelative")) == (
        "day",
        "current",
    )


def _vehicles(source: Source, part: Part) -> _Found:
    words = part.texts("vehicleTypes")
    if not words or "anyVehicle" in words:
        return
    found = {vehicle for word in words for vehicle in _CARS.get(word, ())}
    for word in words:
        if word not in _CARS:
            source.lost(part.at("vehicleTypes"), f"{word} is no vehicle of a car park")
    yield "vehicle_types", [each for each in _WORDS if each in found] or None


def _fuels(part: Part) -> _Found:
    fuels = {*part.texts("propulsionEnergyType")}
    if not fuels or "all" in fuels or fuels >= {"battery", *_OTHER_FUELS}:
        return
    if fuels == {"battery"}:
        yield "electric", True
    elif "battery" not in fuels and fuels >= {"petrol", "diesel"}:
        yield "electric", False
    else:
        yield "propulsionEnergyType", None


def _emissions(source: Source, part: Part) -> _Found:
    emissions = part.part("emissions")
    if emissions is None:
        return
    level = emissions.text("emissionLevel")
    emissions.rest_is_lost()
    if level == "freeOfEmission":
        source.assumed(emissions.at("emissionLevel"), "free of emission is electric")
        yield "electric", True
    else:
        yield "emissions", None


def _users(source: Source, part: Part) -> _Found:
    for user in part.parts("userQualifications"):
        group = user.part("userGroup")
        word = None if group is None else group.text("entryDefinedValue")
        if word is None:
            yield "userQualifications", None
        elif word in _DISABLED:
            yield "accessible", True
        elif word != "allUsers":
            source.assumed(user.pointer, f"a subscription stands for the group {word}")
            yield "members", [one_line(word)]


def qualifications_of(conditions: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The qualification that says a `for`, and the keys of it that none can say. Zones are said by
    the places that a right is for."""
    said: dict[str, Any] = {}
    unsaid: list[str] = []
    for key, value in conditions.items():
        match key, value:
            case "vehicle_types", list(vehicles):
                said["vehicleTypes"] = _vehicle_words(vehicles)
            case "electric", bool(electric):
                said["propulsionEnergyType"] = ["battery"] if electric else [*_OTHER_FUELS]
            case "members", list(names):
                said["withMembership"] = True
                said["membershipNames"] = names
            case "reserved", True:
                said["withReservation"] = True
            case "accessible", True:
                group = {"userGroup": {"entryDefinedValue": _DISABLED[0]}}
                said["userQualifications"] = [group]
            case "zones", _:
                pass
            case _:
                unsaid.append(key)
    return said, unsaid


def _vehicle_words(vehicles: list[str]) -> list[str]:
    """To APDS, a car may be a four-wheel drive."""
    if {"CAR", "SUV"} <= {*vehicles}:
        others = [_WORDS[vehicle] for vehicle in vehicles if vehicle not in ("CAR", "SUV")]
        return ["car", *others]
    return [_WORDS[vehicle] for vehicle in vehicles]
