"""How a camera misreads: one character for another that looks like it."""

import random

LOOK_ALIKES = ("0OD", "1I", "2Z", "5S", "6G", "8B")

_OTHERS = {
    one: [other for other in group if other != one] for group in LOOK_ALIKES for one in group
}


def can_misread(plate: str) -> bool:
    """Whether some character of the plate looks like another."""
    return any(character in _OTHERS for character in plate)


def misread(plate: str, rng: random.Random) -> str:
    """The plate with one character taken for a look-alike; as it is, if it has none such."""
    places = [place for place, character in enumerate(plate) if character in _OTHERS]
    if not places:
        return plate
    place = rng.choice(places)
    return f"{plate[:place]}{rng.choice(_OTHERS[plate[place]])}{plate[place + 1 :]}"
