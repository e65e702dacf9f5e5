"""In which order the tests are told to pytest-xdist, so that no worker is left alone at the end."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def long_ones_first(
    items: Sequence[Item], workers: int, seconds_max: Callable[[Item], float]
) -> list[Item]:
    """The same items, those that may take long at the head of each worker's share, in turn.

    `--dist worksteal` first cuts the list into one piece for each worker; who is done takes over
    from the end of another one's piece (xdist 3.8.0, scheduler/worksteal.py). What stands last
    would be taken up last, and waited for by all. `seconds_max` is what an item asks for beyond
    the usual, 0 if nothing.
    """
    long = sorted(filter(seconds_max, items), key=seconds_max, reverse=True)
    rest = iter([item for item in items if not seconds_max(item)])
    ordered: list[Item] = []
    for left in range(workers, 0, -1):
        share = (len(items) - len(ordered)) // left
        heads = long[left - 1 :: workers]  # the later pieces are those with one more, if any are
        ordered += [*heads, *islice(rest, share - len(heads))]
    return ordered
