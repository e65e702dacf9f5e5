"""Payments of terminals: bytes in, exactly one meaning out."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gated.core.errors import CodecError, PaymentRefused
from gated.core.ids import Slug
from gated.devices.payments import PaymentCodec
from gated.records import Inbound, PaymentTaken

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CODEC = PaymentCodec(Slug("north"))
SAID: dict[str, object] = {
    "id": "a1",
    "ticket": "0000011",
    "amount": "2.50",
    "currency": "EUR",
    "provider": "card",
    "provider_txn_id": "77",
    "at": "2026-05-04T11:59:58Z",
}


def decoded(**changes: object) -> PaymentTaken:
    body = {key: value for key, value in {**SAID, **changes}.items() if value is not None}
    return CODEC.decode(Inbound(CODEC.topic, json.dumps(body).encode(), NOW))


def test_a_payment() -> None:
    payment = decoded()
    at = NOW - timedelta(seconds=2)
    assert CODEC.topic == "gated/v1/north/payment"
    assert payment == PaymentTaken(
        message="a1",
        key="payment#a1",
        id=payment.id,
        amount=Decimal("2.50"),
        currency="EUR",
        provider="CARD",
        txn="77",
        at=at,
        device_at=at,
        ticket="0000011",
    )


def test_the_same_message_is_the_same_payment() -> None:
    assert decoded().id == decoded().id
    assert decoded().id != decoded(id="a2").id
    other = PaymentCodec(Slug("south"))
    message = Inbound(other.topic, json.dumps(SAID).encode(), NOW)
    assert other.decode(message).id != decoded().id, "terminals count for themselves"


def test_a_provider_that_the_platform_does_not_know_keeps_its_name() -> None:
    payment = decoded(provider="Acme Pay")
    assert (payment.provider, payment.txn) == ("OTHER", "Acme Pay:77")


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("2026-05-04T12:00:07Z", NOW),
        ("2026-05-04T02:00:00+00:00", NOW - timedelta(hours=10)),
        ("1999-01-01T00:00:00Z", NOW - timedelta(days=1)),
    ],
)
def test_a_clock_is_believed_within_reason(said: str, believed: datetime) -> None:
    assert decoded(at=said).at == believed


@pytest.mark.parametrize(
    "changes",
    [
        {"ticket": None},
        {"plate": "AB 12"},
        {"amount": 2.5},
        {"amount": "two"},
        {"amount": "-1"},
        {"currency": "euro"},
        {"at": "2026-05-04T12:00:00"},
        {"tip": "1.00"},
        {"provider": ""},
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_refused_by_its_id(changes: dict[str, object]) -> None:
    with pytest.raises(PaymentRefused) as refused:
        decoded(**changes)
    assert refused.value.message == "a1"


def test_the_id_comes_back_as_it_was_written() -> None:
    assert [decoded(id=said).message for said in (7, "7")] == [7, "7"]
    assert decoded(id=7).key == decoded(id="7").key
    with pytest.raises(PaymentRefused) as refused:
        decoded(id=7, amount="two")
    assert refused.value.message == 7


@pytest.mark.parametrize(
    ("payload", "retain"),
    [
        (b"{", False),
        (b"[1]", False),
        (json.dumps({**SAID, "id": None}).encode(), False),
        (json.dumps({**SAID, "id": "two words"}).encode(), False),
        (json.dumps({**SAID, "amount": "two"}).encode() + b" " * 9000, False),
        (json.dumps({**SAID, "amount": "two"}).encode(), True),
    ],
    ids=["cut off", "no object", "no id", "no good id", "too large", "retained"],
)
def test_nobody_can_be_answered(payload: bytes, retain: bool) -> None:
    with pytest.raises(CodecError) as refused:
        CODEC.decode(Inbound(CODEC.topic, payload, NOW, retain))
    assert not isinstance(refused.value, PaymentRefused)
