"""The payloads of gated's own topics (contract v1), as pydantic models.

`docs/asyncapi.yaml` is the same for people and generators; a test holds the two together.
Inbound models refuse unknown fields; whoever reads outbound ones must expect new fields.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_LABEL = re.compile(r"[!-~]{1,64}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_COUNT_MAX = 2**63 - 1
ZONE_COUNT_MAX = 1_000_000


def rfc3339(value: object) -> datetime:
    """The instant, in UTC. A time without an offset is nobody's and refused."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not isinstance(value, str):
        raise PydanticCustomError("time_type", "expected an RFC 3339 time with offset")
    if not _RFC3339.fullmatch(value):
        raise PydanticCustomError("bad_time", "expected an RFC 3339 time with offset")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("bad_time", "no such time") from None


def rfc3339_text(at: datetime) -> str:
    """Milliseconds and `Z`: short, and easy for a microcontroller. Cuts, never rounds up."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _label(value: object) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PydanticCustomError("label_type", "expected a string or a whole number")
    if isinstance(value, str) and _LABEL.fullmatch(value):
        return value
    if isinstance(value, int) and 0 <= value <= _COUNT_MAX:
        return value
    raise PydanticCustomError(
        "bad_value", "expected 1 to 64 visible ASCII characters or a number from 0 to 2^63-1"
    )


def _amount(value: object) -> Decimal:
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("amount_type", "expected an amount as a decimal string")
    if not _AMOUNT.fullmatch(value):
        raise PydanticCustomError("bad_value", "expected an amount as a decimal, like 12.50")
    return Decimal(value)


def _amount_text(amount: Decimal) -> str:
    return f"{amount:f}"


Time = Annotated[
    datetime,
    PlainValidator(rfc3339),
    PlainSerializer(rfc3339_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Label = Annotated[
    str | int,
    PlainValidator(_label),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^[!-~]{1,64}$"},
                {"type": "integer", "minimum": 0},
            ]
        }
    ),
]
Boot = Annotated[str, StringConstraints(pattern="^[!-~]{1,64}$")]
Confidence = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[
    Decimal,
    PlainValidator(_amount),
    PlainSerializer(_amount_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,12}(\\.[0-9]{1,4})?$"}),
]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Count = Annotated[int, Field(ge=0, le=_COUNT_MAX)]


class Inward(BaseModel):
    """What a device may say with any message: its own id, its place in a row, its clock."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    id: Label | None = Field(default=None, description="The sender's own id of this message.")
    boot: Boot | None = Field(default=None, description="Differs after each start of the sender.")
    seq: Count | None = Field(default=None, description="Grows by one with each message of a boot.")
    at: Time | None = Field(default=None, description="When it happened, by the sender's clock.")

    @model_validator(mode="after")
    def _boot_with_seq(self) -> "Inward":
        if (self.boot is None) != (self.seq is None):
            raise PydanticCustomError("bad_value", "expected boot and seq together, or neither")
        return self


class PlateCandidate(BaseModel):
    """A second opinion on the plate."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    plate: str = Field(description="As the camera reads it.")
    confidence: Confidence | None = None


class PlateMessage(Inward):
    """One observation of a plate, or of a vehicle whose plate cannot be read ("unknown", "")."""

    plate: str = Field(description="As the camera reads it: spaces and hyphens do not matter.")
    confidence: Confidence | None = Field(default=None, description="Absent is not zero.")
    candidates: list[PlateCandidate] = Field(default=[], max_length=16)
    vehicle: Label | None = Field(
        default=None,
        description="The camera's own name for this vehicle, equal in all its reads of it.",
    )


class InputMessage(Inward):
    """A contact that changed, or repeats what it is."""

    on: bool = Field(description="true: a vehicle stands on the loop, the button is held.")


class BarrierMessage(Inward):
    """The arm's own report, by limit switch or motor controller."""

    state: Literal["opened", "closed", "moving", "fault"]
    command: UUID | None = Field(
        default=None, description="The id of the command that this answers."
    )


class AckMessage(Inward):
    """The device took a command, or refused it (old fence, expired, known already, broken)."""

    command: UUID = Field(description="The id of the command.")
    ok: bool
    error: str | None = Field(default=None, max_length=500)


class Outward(BaseModel):
    """What gated publishes."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class CommandMessage(Outward):
    """What the lane's barrier is told.

    Do it once per id; not at all past expires_at or with a fence lower than one seen before.
    """

    id: UUID
    do: Literal["open", "deny", "close", "hold", "release"]
    reason: str = Field(description="A stable word, as in the record.")
    plate: str | None = None
    stay: UUID | None = None
    ticket: str | None = Field(
        default=None, description="To be printed: the vehicle comes in without a plate."
    )
    text: str | None = Field(
        default=None,
        description="For the display: two lines of 20 characters at most, a line feed between.",
    )
    amount: Amount | None = None
    currency: Currency | None = None
    fence: Count
    issued_at: Time
    expires_at: Time


class ReceiptMessage(Outward):
    """Everything of this boot up to this number is stored: the sender may forget it."""

    boot: Boot
    seq: Count


class LaneCall(Outward):
    """Somebody at the lane needs a person: for an intercom, a desk, a pager."""

    why: str = Field(
        pattern="^[a-z_]+$",
        description="plate_unread, read_uncertain, read_unrated, no_entry_found, match_needed,"
        " out_of_service, vehicle_not_moving, payment_waiting, arm_down_on_vehicle, or button.",
    )
    since: Time = Field(description="Since when this vehicle has needed one.")


class LaneStateMessage(Outward):
    """What the lane is doing, and since when; how it is operated, and what is wrong with it."""

    state: str = Field(pattern="^[a-z_]+$")
    since: Time
    mode: str = Field(
        default="in_service",
        pattern="^[a-z_]+$",
        description="As it is operated: in_service, held, closed, or evacuation.",
    )
    faults: list[Annotated[str, StringConstraints(pattern="^[a-z_]+$")]] = Field(
        default=[], description="What is wrong with its hardware, by the words of the log."
    )
    call: LaneCall | None = Field(
        default=None, description="Somebody there needs a person; null: nobody does."
    )


class OccupancyMessage(Outward):
    """The bays of a zone, or of the whole facility, and what the sign before it says."""

    capacity: Count
    occupied: Count
    reserved: Count
    available: Count
    full: bool = Field(
        description="Nothing is free that is not held for a reservation; of a facility: in no zone"
        " that an entrance leads into. Once true, until sign_free_again bays are free."
    )
    full_for: list[Literal["transient", "permit_holder", "reservation"]] = Field(
        default=[], description="Who is turned away just now, by a limit or because it is full."
    )


class DaemonMessage(Outward):
    """Which daemon works for the facility; the last will says that none does."""

    online: bool
    node: str
    fence: Count
    version: str
    at: Time


class PaymentMessage(BaseModel):
    """A payment that a terminal or provider took for a stay, named by ticket or plate."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    id: Label
    ticket: str | None = Field(default=None, max_length=64)
    plate: str | None = None
    amount: Amount
    currency: Currency
    provider: str = Field(min_length=1, max_length=64)
    provider_txn_id: str = Field(min_length=1, max_length=255)
    at: Time

    @model_validator(mode="after")
    def _names_one_stay(self) -> "PaymentMessage":
        if (self.ticket is None) == (self.plate is None):
            raise PydanticCustomError("bad_value", "expected either a ticket or a plate")
        return self


class PaymentAnswer(Outward):
    """What became of the payment of that id: whether the money counts.

    If it does not, the terminal gives it back.
    """

    id: Label
    ok: bool
    outcome: str | None = Field(
        default=None, description="A stable word, where it counts: paid, part_paid, told_before."
    )
    error: str | None = Field(default=None, description="A stable word, where it does not.")
    detail: str | None = Field(default=None, description="For people.")
    ticket: str | None = Field(default=None, description="Of the stay that it counts for.")
    due: Amount | None = Field(default=None, description="What is left to pay after it.")
    currency: Currency | None = Field(default=None, description="Together with due.")
    grace_until: Time | None = Field(
        default=None, description="Until when to leave, where nothing more is due."
    )


class ZoneCountMessage(BaseModel):
    """How many vehicles a zone holds, by its own counter: loops at its borders, a camera."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    id: Label
    occupied: int = Field(ge=0, le=ZONE_COUNT_MAX)
    at: Time


class SpotMessage(BaseModel):
    """Whether a vehicle stands on the spot, and which one if the sensor can read that."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    id: Label
    occupied: bool
    plate: str | None = Field(default=None, description="As the camera reads it.")
    at: Time

    @model_validator(mode="after")
    def _plate_of_a_vehicle(self) -> "SpotMessage":
        if self.plate is not None and not self.occupied:
            raise PydanticCustomError("bad_value", "expected no plate of a spot that is free")
        return self


class OperatorRequest(BaseModel):
    """What an operator wants done, and why; who asks is in the topic.

    A lane for what is done at one, and for `match` a stay too; a stay for `waive` and `pay`.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    id: Label
    do: Literal[
        "open",
        "hold",
        "release",
        "lane_close",
        "lane_open",
        "evacuate",
        "resume",
        "match",
        "waive",
        "pay",
    ]
    reason: str = Field(min_length=1, max_length=500, pattern=r"\S")
    lane: str | None = Field(default=None, pattern="^[a-z0-9-]+$")
    stay: UUID | None = Field(default=None, description="The stay by its id,")
    ticket: str | None = Field(default=None, max_length=64, description="or by its ticket,")
    plate: str | None = Field(default=None, max_length=64, description="or by its plate.")
    amount: Amount | None = Field(
        default=None, description="What is paid, or waived: all that is due, if left out."
    )
    currency: Currency | None = Field(default=None, description="Together with the amount.")
    provider: Literal["CASH", "ACCOUNT"] | None = Field(
        default=None, description="Where the money went; CASH, if left out."
    )
    at: Time | None = Field(
        default=None,
        description="When it was asked. What would open a barrier is refused once it is too old.",
    )


class NearStay(Outward):
    """A stay that may be that of the vehicle at the lane, and how near its plate is to the read."""

    stay: UUID
    plate: str
    entered_at: Time
    distance: int = Field(
        ge=0, le=3, description="0: the same text, to 3: two misreadings of any kind."
    )
    reason: str = Field(pattern="^[a-z_]+$", description="What was misread, as a word.")


class OperatorAnswer(Outward):
    """What became of the request of that id."""

    id: Label
    ok: bool
    error: str | None = Field(default=None, description="A stable word, where it was refused.")
    detail: str | None = Field(default=None, description="For people.")
    stays: list[NearStay] | None = Field(
        default=None,
        description="To a match that names no stay, with stay_missing: those that may be meant, the"
        " nearest first, three at most.",
    )
