"""What comes in on one MQTT link: handed out in order, acknowledged in order, bounded.

The link itself and its heartbeat are left to the session, deciding that a message is safe to
`gated.actors.inbox`.
"""

from collections.abc import Callable

from gated.devices.ack_order import AckOrder
from gated.devices.mqtt_events import Received
from gated.devices.publish_packet import PublishPacket
from gated.ports import Clock


class Intake:
    """The messages of link `link`, held back until `open()` and handed out from then on.

    At `unacknowledged_max` messages waiting for acknowledgement, further ones at QoS 1 are set
    aside (counted in `shed`): all of them from then on, or their order would be lost.
    """

    def __init__(
        self,
        link: int,
        unacknowledged_max: int,
        clock: Clock,
        *,
        hand_out: Callable[[Received], None],
        send_ack: Callable[[int], None],
    ) -> None:
        self._link = link
        self._unacknowledged_max = unacknowledged_max
        self._clock = clock
        self._hand_out = hand_out
        self._send_ack = send_ack
        self._order = AckOrder()
        self._early: list[Received] | None = []
        self.shed = 0

    def __len__(self) -> int:
        """The messages that were taken and are not acknowledged to the broker."""
        return len(self._order)

    def open(self) -> None:
        """Hand out what came before the link was reported up, and everything after it."""
        early, self._early = self._early or [], None
        for received in early:
            self._hand_out(received)

    def take(self, packet: PublishPacket) -> None:
        """A packet arrived."""
        if packet.qos:
            if self.shed or len(self._order) >= self._unacknowledged_max:
                self.shed += 1
                return
            self._order.arrived(packet.mid)
        received = Received(
            packet.topic,
            packet.payload,
            packet.qos,
            packet.retain,
            self._clock.now(),
            self._clock.monotonic(),
            packet.defect,
            self._link,
            packet.mid,
        )
        if self._early is None:
            self._hand_out(received)
        else:
            self._early.append(received)

    def pass_over(self, packet: PublishPacket) -> None:
        """A packet arrived that is nobody's business: acknowledge it when its turn comes."""
        if packet.qos and not self.shed:
            self._order.arrived(packet.mid)
            self.acknowledge(packet.mid)

    def acknowledge(self, mid: int) -> bool:
        """Send this acknowledgement once all before it are given; False if there is none due."""
        if not self._order.acknowledge(mid):
            return False
        for releasable in self._order.releasable():
            self._send_ack(releasable)
        return True

    @property
    def drained(self) -> bool:
        """Messages were set aside, and all that were taken are acknowledged: time to get them."""
        return bool(self.shed) and not self._order
