"""Acknowledgements leave in order of arrival, each once, none before it is given."""

from hypothesis import given
from hypothesis import strategies as st

from gated.devices.ack_order import AckOrder


@given(st.permutations(range(1, 9)), st.integers(0, 8))
def test_leaves_in_order_of_arrival(given_order: list[int], given_count: int) -> None:
    order = AckOrder()
    for mid in range(1, 9):
        order.arrived(mid)
    left: list[int] = []
    done = set(given_order[:given_count])
    for mid in given_order[:given_count]:
        assert order.acknowledge(mid)
        left += order.releasable()
    prefix = next((mid for mid in range(1, 9) if mid not in done), 9)
    assert left == list(range(1, prefix))
    assert len(order) == 8 - len(left)


def test_knows_what_is_not_pending() -> None:
    order = AckOrder()
    order.arrived(3)
    assert not order.acknowledge(4)
    assert order.acknowledge(3)
    assert list(order.releasable()) == [3]
    assert not order.acknowledge(3)


def test_second_arrival_of_a_pending_id_keeps_its_place() -> None:
    order = AckOrder()
    for mid in (5, 6, 5):
        order.arrived(mid)
    order.acknowledge(6)
    assert list(order.releasable()) == []
    order.acknowledge(5)
    assert list(order.releasable()) == [5, 6]
