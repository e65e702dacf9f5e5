"""Operators' requests: bytes in, exactly one meaning out, and who asks from the topic alone."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from gated.core.errors import CodecError, RequestRefused
from gated.core.events import OperateOutcome, OperatorDo, Request
from gated.core.ids import LaneId, Slug, StayId
from gated.core.plates import Plate
from gated.devices.operators import OperatorCodec
from gated.devices.topics import matches
from gated.records import Asked, Inbound

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LANE = LaneId(UUID(int=1))
STAY = UUID(int=9)
CODEC = OperatorCodec(Slug("north"), {Slug("in-1"): LANE})
TOPIC = "gated/v1/north/operator/ada/request"
OPEN: dict[str, object] = {"id": "a1", "do": "open", "lane": "in-1", "reason": "delivery"}
PAY: dict[str, object] = {
    "id": 7,
    "do": "pay",
    "plate": "hh ab-1234",
    "amount": "2.50",
    "currency": "EUR",
    "reason": "paid at the booth",
}


def message(body: object, topic: str = TOPIC) -> Inbound:
    return Inbound(topic, json.dumps(body).encode(), NOW)


def decoded(base: dict[str, object], **changes: object) -> Asked:
    body = {key: value for key, value in {**base, **changes}.items() if value is not None}
    return CODEC.decode(message(body))


def test_an_act_at_a_lane() -> None:
    asked = decoded(OPEN, at="2026-05-04T11:59:58+00:00", reason="  delivery ")
    assert asked == Asked(
        "operator#ada#a1",
        Request(
            id="a1",
            user="ada",
            do=OperatorDo.OPEN,
            reason="delivery",
            lane=LANE,
            at=NOW - timedelta(seconds=2),
        ),
    )


def test_an_act_about_a_stay() -> None:
    assert decoded(PAY).request == Request(
        id=7,
        user="ada",
        do=OperatorDo.PAY,
        reason="paid at the booth",
        plate=Plate("HHAB1234"),
        amount=Decimal("2.50"),
        currency="EUR",
    )
    by_id = decoded(PAY, plate=None, stay=str(STAY), provider="ACCOUNT").request
    assert (by_id.stay, by_id.plate, by_id.provider) == (StayId(STAY), None, "ACCOUNT")


def test_the_same_user_and_id_are_the_same_request() -> None:
    other = CODEC.decode(message(OPEN, TOPIC.replace("ada", "eve")))
    assert decoded(OPEN).key == decoded(OPEN, reason="fire").key
    assert decoded(OPEN).key != other.key
    assert other.request.user == "eve"


O = OperateOutcome  # noqa: E741 - read as a word of its own in each line below


@pytest.mark.parametrize(
    ("base", "changes", "refusal"),
    [
        (OPEN, {"reason": None}, O.REASON_MISSING),
        (OPEN, {"reason": ""}, O.REASON_MISSING),
        (OPEN, {"reason": " \t\u3000"}, O.REASON_MISSING),
        (OPEN, {"lane": None}, O.LANE_MISSING),
        (OPEN, {"lane": "in-9"}, O.LANE_UNKNOWN),
        (OPEN, {"lane": "In 1/#"}, O.LANE_UNKNOWN),
        # At the lane it is known which stays may be meant.
        (OPEN, {"do": "match"}, None),
        (OPEN, {"do": "match", "ticket": "0000011", "stay": str(STAY)}, O.STAY_AMBIGUOUS),
        (OPEN, {"do": "match", "lane": None, "ticket": "0000011"}, O.LANE_MISSING),
        (OPEN, {"do": "match", "ticket": "0000011"}, None),
        (OPEN, {"do": "waive", "lane": None}, O.STAY_MISSING),
        (OPEN, {"do": "waive", "lane": None, "stay": str(STAY)}, None),
        (OPEN, {"do": "evacuate", "lane": None}, None),
        (OPEN, {"do": "resume"}, None),
        (PAY, {"plate": None}, O.STAY_MISSING),
        # A plate that says "not read" names nobody.
        (PAY, {"plate": "unknown"}, O.STAY_MISSING),
        (PAY, {"ticket": "0000011"}, O.STAY_AMBIGUOUS),
        (PAY, {"amount": None}, O.AMOUNT_MISSING),
        (PAY, {"currency": None}, O.AMOUNT_MISSING),
        (PAY, {"do": "waive", "currency": None}, O.AMOUNT_MISSING),
        (PAY, {"do": "waive"}, None),
        (PAY, {"do": "waive", "amount": None, "currency": None}, None),
    ],
)
def test_what_a_request_lacks_is_a_word(
    base: dict[str, object], changes: dict[str, object], refusal: OperateOutcome | None
) -> None:
    assert decoded(base, **changes).refusal is refusal


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({**OPEN, "user": "root"}, "unknown_field"),
        ({**OPEN, "do": "explode"}, "bad_value"),
        ({**OPEN, "reason": "x" * 501}, "bad_value"),
        ({**OPEN, "reason": 7}, "bad_type"),
        ({**OPEN, "at": "noon"}, "bad_time"),
        ({**OPEN, "id": ""}, "bad_value"),
        ({**PAY, "amount": 2.5}, "bad_type"),
        ({**PAY, "currency": "eur"}, "bad_value"),
        ({**PAY, "provider": "CARD"}, "bad_value"),
        ({**PAY, "stay": "nine"}, "bad_value"),
        ({"do": "open"}, "missing_field"),
        ([OPEN], "bad_type"),
    ],
)
def test_what_cannot_be_understood_is_refused(body: object, reason: str) -> None:
    with pytest.raises(CodecError) as refused:
        CODEC.decode(message(body))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("payload", "sender"),
    [
        (b'{"id": 7, "do": "explode"}', ("ada", 7)),
        (b'{"id": "a-1", "user": "root"}', ("ada", "a-1")),
        (b'{"id": "with blank", "do": "open"}', None),
        (b'{"do": "open"}', None),
        (b"[7]", None),
        (b"{", None),
        (b'{"id": 7, "reason": "' + b"x" * 9000 + b'"}', None),
    ],
)
def test_who_asked_can_be_told_of_a_refused_message(
    payload: bytes, sender: tuple[str, str | int] | None
) -> None:
    with pytest.raises(CodecError) as refused:
        CODEC.decode(Inbound(TOPIC, payload, NOW))
    error = refused.value
    told = (error.user, error.request) if isinstance(error, RequestRefused) else None
    assert told == sender
    # What is retained is nobody's question.
    with pytest.raises(CodecError) as refused:
        CODEC.decode(Inbound(TOPIC, payload, NOW, retain=True))
    assert not isinstance(refused.value, RequestRefused)


def test_only_requests_of_this_facility_are_heard() -> None:
    assert CODEC.topic_filter == "gated/v1/north/operator/+/request"
    assert matches(CODEC.topic_filter, TOPIC)
    for topic in (
        "gated/v1/north/operator/ada/answer",
        "gated/v1/south/operator/ada/request",
        "gated/v1/north/operator/ada/b/request",
        "gated/v1/north/payment",
    ):
        assert not matches(CODEC.topic_filter, topic)


def test_a_name_that_is_none_is_refused() -> None:
    topic = "gated/v1/north/operator/ada lovelace/request"
    with pytest.raises(CodecError, match="expected a topic") as refused:
        CODEC.decode(message(OPEN, topic))
    assert not isinstance(refused.value, RequestRefused)
