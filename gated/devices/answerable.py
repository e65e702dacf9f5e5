"""By which id a message that cannot be understood can be answered all the same."""

from pydantic import BaseModel, ConfigDict

from gated.core.errors import CodecError
from gated.devices.codec import PAYLOAD_BYTES_MAX, parse
from gated.devices.contract import Label
from gated.records import Inbound


class _Named(BaseModel):
    """What a refused message must have to be answered."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    id: Label


def answerable_id(message: Inbound) -> str | int | None:
    """The id of a refused message; None if that much cannot be told, or nobody waits: it is
    retained."""
    if message.retain:
        return None
    try:
        return parse(_Named, message.payload, PAYLOAD_BYTES_MAX).id
    except CodecError:
        return None
