"""What the inbox holds while nothing can be stored."""

import pytest

from gated.actors.inbox import UNACKNOWLEDGED_COUNT_MAX
from tests.actors.support import Place, Told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


async def test_what_nobody_sends_again_is_dropped_beyond_a_bound() -> None:
    place = Place()
    for number in range(UNACKNOWLEDGED_COUNT_MAX + 5):
        place.inbox.receive(Told("site/entry", f"presence on id={number}".encode(), qos=0))
    assert place.inbox.depth == UNACKNOWLEDGED_COUNT_MAX
    shed = place.metrics.registry.get_sample_value(
        "gated_inbox_messages_total",
        {"facility": str(place.setup.slug), "kind": "unread", "status": "shed"},
    )
    assert shed == 5
    # What is acknowledged is bounded by the session, and must not be lost here.
    place.inbox.receive(Told("site/entry", b"presence off", qos=1))
    assert place.inbox.depth == UNACKNOWLEDGED_COUNT_MAX + 1
