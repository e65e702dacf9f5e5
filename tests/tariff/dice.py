"""Dice, of which the same number makes the same throws."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Choice = TypeVar("Choice")


class Dice:
    """Chance that starts from a number."""

    def __init__(self, number: int) -> None:
        self._random = Random(number)

    def integer(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def chance(self, percent: int) -> bool:
        return self._random.randrange(100) < percent

    def pick(self, choices: Sequence[Choice]) -> Choice:
        return self._random.choice(choices)

    def some(self, choices: Sequence[Choice], least: int, most: int) -> list[Choice]:
        """Some of them, none twice, in any order."""
        count = min(len(choices), self.integer(least, most))
        return self._random.sample(choices, count)
