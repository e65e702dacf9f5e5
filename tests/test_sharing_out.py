"""How the tests are shared out among workers: all of them once, and the long ones early."""

from hypothesis import given
from hypothesis import strategies as st

from tests.sharing_out import long_ones_first

# An item is its place in the list and the seconds that it asks for.
ITEMS = st.lists(st.sampled_from([0.0, 0.0, 0.0, 120.0, 360.0])).map(
    lambda each: [*enumerate(each)]
)


def seconds(item: tuple[int, float]) -> float:
    return item[1]


@given(items=ITEMS, workers=st.integers(1, 9))
def test_each_piece_begins_with_its_part_of_the_long_ones(
    items: list[tuple[int, float]], workers: int
) -> None:
    ordered = long_ones_first(items, workers, seconds)
    assert sorted(ordered) == items
    assert [item for item in ordered if not item[1]] == [item for item in items if not item[1]]
    counts: list[int] = []
    while ordered:  # as xdist cuts it
        size = len(ordered) // (workers - len(counts))
        piece, ordered = ordered[:size], ordered[size:]
        long = [item[1] for item in piece if item[1]]
        assert [item[1] for item in piece[: len(long)]] == sorted(long, reverse=True)
        counts.append(len(long))
    assert max(counts, default=0) - min(counts, default=0) <= 1


def test_the_longest_begin_at_the_same_time() -> None:
    items = [(number, float(number % 4 == 3) * number) for number in range(16)]
    ordered = long_ones_first(items, 2, seconds)
    assert [item[0] for item in ordered[:3]] == [11, 3, 0]
    assert [item[0] for item in ordered[8:11]] == [15, 7, 8]
