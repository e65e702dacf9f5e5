"""Simulated cameras misread as real ones do: one look-alike, which an exit can match."""

import random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gated.core.events import PlateRead
from gated.core.ids import StayId
from gated.core.matching import Likely, MatchReason, match
from gated.core.plates import Plate
from gated.core.snapshot import StayInside
from gated.demo.misreading import misread, places_misread
from tests.core.support import START

PLATES = st.text("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", min_size=6, max_size=8)
SEEDS = st.integers(0, 2**32 - 1)


@given(PLATES, SEEDS)
def test_one_character_becomes_a_look_alike(plate: str, seed: int) -> None:
    text = misread(plate, random.Random(seed))
    changed = [place for place, (a, b) in enumerate(zip(plate, text, strict=True)) if a != b]
    assert len(changed) == bool(places_misread(plate))
    assert set(changed) <= set(places_misread(plate))


@given(PLATES.filter(places_misread), SEEDS)
def test_an_exit_takes_it_for_the_only_stay_that_comes_into_question(plate: str, seed: int) -> None:
    text = misread(plate, random.Random(seed))
    stay = StayInside(StayId(UUID(int=1)), Plate(plate), START)
    found = match(PlateRead(Plate(text), text, 0.9), [stay], distance_max=1)
    assert isinstance(found, Likely)
    assert found.near.reason is MatchReason.CONFUSABLE_ONE
