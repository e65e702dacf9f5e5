"""What payment terminals say: gated's own topic `payment` (contract v1), for all hardware."""

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from gated.core.errors import CodecError, PaymentRefused
from gated.core.ids import Slug
from gated.devices.answerable import answerable_id
from gated.devices.codec import PAYLOAD_BYTES_MAX, parse
from gated.devices.contract import PaymentMessage
from gated.devices.topics import FacilityLeaf, FacilityTopic
from gated.records import Inbound, PaymentTaken

# What the platform's enum knows. Every other provider is OTHER, and its name goes before the
# number of the transaction, so that two providers' numbers are never one.
PROVIDERS = frozenset({"CARD", "CASH", "PAYPAL", "STRIPE", "ACCOUNT"})
OTHER = "OTHER"
# A terminal's clock is believed as far as that; what comes later was queued, or its clock is wrong.
AGE_MAX = timedelta(days=1)


class PaymentCodec:
    """Reads the payments of one facility; what it makes of a message is the same each time."""

    kind = "payment"
    is_state = False

    def __init__(self, facility: Slug) -> None:
        self.topic = str(FacilityTopic(facility, FacilityLeaf.PAYMENT))
        self.topic_filter = self.topic

    def decode(self, message: Inbound) -> PaymentTaken:
        """The payment. Raises CodecError (→ quarantine) for what cannot be understood.

        It is a PaymentRefused where the message has an id by which it can be answered.
        """
        try:
            return self._decoded(message)
        except CodecError as error:
            told = answerable_id(message)
            if told is None:
                raise
            raise PaymentRefused(error, told) from None

    def _decoded(self, message: Inbound) -> PaymentTaken:
        said = parse(PaymentMessage, message.payload, PAYLOAD_BYTES_MAX)
        provider, txn = said.provider.upper(), said.provider_txn_id
        if provider not in PROVIDERS:
            provider, txn = OTHER, f"{said.provider}:{txn}"
        return PaymentTaken(
            message=said.id,
            key=f"payment#{said.id}",
            id=uuid5(NAMESPACE_URL, f"{self.topic}#{said.id}"),
            amount=said.amount,
            currency=said.currency,
            provider=provider,
            txn=txn,
            at=min(max(said.at, message.received_at - AGE_MAX), message.received_at),
            device_at=said.at,
            ticket=said.ticket,
            plate=said.plate,
        )
