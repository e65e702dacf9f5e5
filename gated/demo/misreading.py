"""How a camera misreads: one character for another that looks like it."""

import random
from collections.abc import Sequence

LOOK_ALIKES = ("0OD", "1I", "2Z", "5S", "6G", "8B")

_OTHERS = {
    one: [other for other in group if other != one] for group in LOOK_ALIKES for one in group
}


def places_misread(plate: str) -> Sequence[int]:
    """The places of the characters that look like another."""
    return [place for place, character in enumerate(plate) if character in _OTHERS]


def misread(plate: str, rng: random.Random) -> str:
    """The plate with one character taken for a look-alike; as it is, if it has none such."""
    places = places_misread(plate)
    if not places:
        return plate
    place = rng.choice(places)
    return f"{plate[:place]}{rng.choice(_OTHERS[plate[place]])}{plate[place + 1 :]}"
