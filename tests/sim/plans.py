"""Who comes on the simulated day, when, for how long, and what goes wrong: drawn from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from tests.sim.place import TICK_SECONDS

DAY_SECONDS = 86_400
# The last one comes before midnight; who stays overnight leaves on the next morning.
LAST_ARRIVAL_SECONDS = DAY_SECONDS - 1800
LETTERS, DIGITS = "ABCDEFGHJKLMNPRSTUVWXYZ", "0123456789"

# What a camera takes for one another; the auditor's own list, shorter than gated's.
ALIKE = {"0": "D", "D": "0", "1": "L", "L": "1", "2": "Z", "Z": "2", "5": "S", "S": "5", "8": "B",
         "B": "8", "6": "G", "G": "6", "7": "T", "T": "7", "U": "V", "V": "U"}  # fmt: skip


class Who(StrEnum):
    """What gated can know of a vehicle beforehand."""

    STRANGER = "stranger"
    REGISTERED = "registered"
    SUBSCRIBER = "subscriber"
    STAFF = "staff"
    BOOKED = "booked"
    BLOCKED = "blocked"


class Twist(StrEnum):
    """What goes wrong with a visit."""

    NONE = "none"
    MISREAD_IN = "misread_in"
    MISREAD_OUT = "misread_out"
    BACKS_OUT_IN = "backs_out_in"
    BACKS_OUT_OUT = "backs_out_out"
    TAILGATES_IN = "tailgates_in"
    TAILGATES_OUT = "tailgates_out"
    UNREAD_IN = "unread_in"


class Pays(StrEnum):
    """How a driver settles what is due."""

    ON_FOOT = "on_foot"
    ON_FOOT_TOO_LATE = "on_foot_too_late"  # and the grace is over when the exit is reached
    AT_THE_EXIT = "at_the_exit"
    IN_PARTS = "in_parts"
    WITHOUT_MONEY = "without_money"  # turns round at the exit, and finds some


@dataclass(frozen=True, slots=True)
class Plan:
    """One visit as it is meant. `misread`: what the camera makes of the plate once."""

    number: int
    plate: str
    who: Who
    twist: Twist
    pays: Pays
    arrives: int
    stays: int
    misread: str = ""
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of all visits."""

    misreads: float = 0.03
    back_outs: float = 0.01
    tailgates: float = 0.01
    unread: float = 0.005


WHO = {
    Who.STRANGER: 0.565, Who.REGISTERED: 0.10, Who.SUBSCRIBER: 0.25, Who.STAFF: 0.02,
    Who.BOOKED: 0.06, Who.BLOCKED: 0.005,
}  # fmt: skip
PAYS = {
    Pays.ON_FOOT: 0.60, Pays.ON_FOOT_TOO_LATE: 0.05, Pays.AT_THE_EXIT: 0.28, Pays.IN_PARTS: 0.04,
    Pays.WITHOUT_MONEY: 0.03,
}  # fmt: skip


def plans(vehicles: int, rng: random.Random, rates: Rates) -> list[Plan]:
    """The day's visits by arrival; every rate is met as exactly as whole vehicles allow."""
    plates = list(_plates(vehicles, rng))
    twists = _twists(vehicles, rates, rng)
    arrivals = sorted(_arrival(rng) for _ in range(vehicles))
    found = []
    for number, (plate, twist, arrives) in enumerate(zip(plates, twists, arrivals, strict=True)):
        who = rng.choices(list(WHO), list(WHO.values()))[0]
        if twist is not Twist.NONE and who is Who.BLOCKED:
            who = Who.STRANGER  # who is turned away has no occasion
        found.append(
            Plan(
                number,
                plate,
                who,
                twist,
                rng.choices(list(PAYS), list(PAYS.values()))[0],
                arrives,
                _stay(rng),
                misread(plate, rng),
                rng.random() < 0.5,
            )
        )
    return found


def misread(plate: str, rng: random.Random) -> str:
    """One character wrong: mostly one that looks alike."""
    alike = [at for at, character in enumerate(plate) if character in ALIKE]
    if alike and rng.random() < 0.8:
        at = rng.choice(alike)
        return plate[:at] + ALIKE[plate[at]] + plate[at + 1 :]
    at = rng.randrange(len(plate))
    other = rng.choice([one for one in LETTERS + DIGITS if one != plate[at]])
    return plate[:at] + other + plate[at + 1 :]


def _plates(count: int, rng: random.Random) -> Iterator[str]:
    """Any two differ in three characters or more, so that no misread is another one's plate."""
    taken: set[str] = set()
    while count:
        plate = (
            "".join(rng.choice(LETTERS) for _ in range(4))
            + rng.choice(DIGITS[1:])
            + "".join(rng.choice(DIGITS) for _ in range(3))
        )
        shapes = [
            "".join("." if at in hidden else one for at, one in enumerate(plate))
            for hidden in combinations(range(len(plate)), 2)
        ]
        if taken.isdisjoint(shapes):
            taken.update(shapes)
            count -= 1
            yield plate


def _twists(vehicles: int, rates: Rates, rng: random.Random) -> list[Twist]:
    shares = (
        (rates.misreads, (Twist.MISREAD_IN, Twist.MISREAD_OUT)),
        (rates.back_outs, (Twist.BACKS_OUT_IN, Twist.BACKS_OUT_OUT)),
        (rates.tailgates, (Twist.TAILGATES_IN, Twist.TAILGATES_OUT)),
        (rates.unread, (Twist.UNREAD_IN,)),
    )
    twists = [
        kinds[index % len(kinds)]
        for share, kinds in shares
        for index in range(round(share * vehicles))
    ]
    twists += [Twist.NONE] * (vehicles - len(twists))
    rng.shuffle(twists)
    return twists


def _arrival(rng: random.Random) -> int:
    """Rush hours in the morning, at noon and in the evening, and a trickle all day."""
    middle, spread = rng.choice([(8.2, 1.0), (12.5, 1.5), (18.0, 1.5), (13.0, 5.0)])
    while True:
        seconds = _ticks(rng.gauss(middle, spread) * 3600)
        if 1800 <= seconds <= LAST_ARRIVAL_SECONDS:
            return seconds


def _stay(rng: random.Random) -> int:
    """Some turn round at once, most stay an hour or two, some all day."""
    if rng.random() < 0.03:
        return rng.randrange(60, 600, TICK_SECONDS)
    return min(36_000, max(300, _ticks(rng.lognormvariate(8.5, 0.75))))


def _ticks(seconds: float) -> int:
    return round(seconds / TICK_SECONDS) * TICK_SECONDS
