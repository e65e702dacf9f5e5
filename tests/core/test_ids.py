"""Time-ordered ids (RFC 9562, version 7), and the short number of a command."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.ids import command_number, uuid7
from tests.core.support import START

noise = st.binary(min_size=10, max_size=10)
instants = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone


def test_the_example_of_the_standard() -> None:
    """RFC 9562, appendix A.6: rand_a is 0xCC3, rand_b 0x18C4DC0C0C07398F."""
    at = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    randomness = (0xCC3 << 64 | 0x18C4DC0C0C07398F).to_bytes(10)
    assert uuid7(at, randomness) == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


@given(instants, noise)
def test_its_layout(at: datetime, randomness: bytes) -> None:
    made = uuid7(at, randomness)
    assert (made.version, made.variant) == (7, RFC_4122)
    since_epoch = at - datetime(1970, 1, 1, tzinfo=UTC)
    assert abs((made.int >> 80) - since_epoch / timedelta(milliseconds=1)) < 1.001


@given(noise, noise, st.integers(1, 10**9))
def test_later_is_greater_whatever_the_randomness(
    earlier: bytes, later: bytes, milliseconds: int
) -> None:
    assert uuid7(START, earlier) < uuid7(START + timedelta(milliseconds=milliseconds), later)


@given(noise, noise)
def test_ids_of_one_millisecond_differ_where_their_randomness_does(
    one: bytes, other: bytes
) -> None:
    # 74 of the 80 bits are used: the rest is version and variant.
    def used(randomness: bytes) -> int:
        return int.from_bytes(randomness) & ~(0xF << 76 | 0x3 << 62)

    assert (uuid7(START, one) == uuid7(START, other)) is (used(one) == used(other))


@pytest.mark.parametrize("length", [0, 9, 11])
def test_the_randomness_must_be_enough(length: int) -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        uuid7(START, bytes(length))


@given(noise)
def test_a_command_number_is_a_positive_31_bit_number(randomness: bytes) -> None:
    number = command_number(uuid7(START, randomness))
    assert 0 <= number < 2**31
    assert number == int.from_bytes(randomness) & 0x7FFF_FFFF
