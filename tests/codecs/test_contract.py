"""docs/asyncapi.yaml against the models and topics that run: the written contract cannot drift."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from gated.core.errors import CodecError
from gated.devices import contract
from gated.devices.native import NativeCodec, receipt
from gated.devices.topics import (
    FacilityLeaf,
    FacilityTopic,
    LaneLeaf,
    LaneTopic,
    OperatorLeaf,
    OperatorTopic,
    SpotTopic,
    ZoneLeaf,
    ZoneTopic,
    parse,
)
from gated.records import Inbound
from tests.codecs.support import NOW, native
from tests.codecs.test_native import command

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text()
)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
# Inward is what the inbound messages have in common, and no message itself.
MODELS: dict[str, type[BaseModel]] = {
    name: value
    for name, value in vars(contract).items()
    if isinstance(value, type) and issubclass(value, BaseModel) and value.model_fields
    if value is not contract.Inward
}
EXAMPLES = [
    (channel, example["payload"])
    for channel, described in DOCUMENT["channels"].items()
    for reference in described["messages"].values()
    for example in DOCUMENT["components"]["messages"][reference["$ref"].rpartition("/")[2]][
        "examples"
    ]
]
SAMPLES = {
    "facility": "north", "lane": "in-1", "zone": "deck-2", "user": "ada", "spot": "A-12"
}  # fmt: skip


def resolved(schema: object, definitions: dict[str, Any]) -> object:
    """What a schema demands: references followed, words for people and the choice of null out."""
    match schema:
        case {"$ref": str(reference)}:
            return resolved(definitions[reference.rpartition("/")[2]], definitions)
        case {"anyOf": [only, {"type": "null"}]}:
            return resolved(only, definitions)
        case {"anyOf": [*choices]}:
            rest = [choice for choice in choices if choice != {"type": "null"}]
            return {"anyOf": [resolved(choice, definitions) for choice in rest]}
        case {"properties": dict(properties), "required": [*required], **others}:
            return {
                **{key: value for key, value in others.items() if key not in _WORDS},
                "required": sorted(map(str, required)),
                "properties": {
                    name: resolved(value, definitions) for name, value in properties.items()
                },
            }
        case dict():
            return {
                key: resolved(value, definitions)
                for key, value in schema.items()
                if key not in _WORDS
            }
        case _:
            return schema


_WORDS = {"description", "title", "default", "$defs", "examples"}


def topics(address: str, parameters: dict[str, Any]) -> list[str]:
    """The address with its placeholders filled in, once per value where they are listed."""
    values = [
        [(name, value) for value in described.get("enum", [SAMPLES.get(name)])]
        for name, described in parameters.items()
    ]
    return [address.format(**dict(chosen)) for chosen in itertools.product(*values)]


def channel_topics(name: str) -> list[str]:
    channel = DOCUMENT["channels"][name]
    return topics(channel["address"], channel["parameters"])


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_schema_is_its_model(name: str) -> None:
    ours = MODELS[name].model_json_schema()
    assert resolved(SCHEMAS[name], SCHEMAS) == resolved(ours, ours.get("$defs", {}))


def test_no_schema_is_without_a_model() -> None:
    objects = {name for name, schema in SCHEMAS.items() if schema.get("type") == "object"}
    assert objects == set(MODELS)


def test_the_channels_are_the_topics() -> None:
    written = {parse(topic) for name in DOCUMENT["channels"] for topic in channel_topics(name)}
    leaves = {
        topic.leaf
        for topic in written
        if isinstance(topic, LaneTopic | ZoneTopic | FacilityTopic | OperatorTopic)
    }
    # The heartbeat is the session's own affair and no part of the contract.
    assert leaves == {*LaneLeaf, *ZoneLeaf, *FacilityLeaf, *OperatorLeaf} - {FacilityLeaf.HEARTBEAT}
    assert any(isinstance(topic, SpotTopic) for topic in written)


def test_gated_hears_what_the_contract_says() -> None:
    heard = {
        topic
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "receive"
        for topic in channel_topics(operation["channel"]["$ref"].rpartition("/")[2])
        if "/lane/" in topic
    }
    assert heard == {topic for topic, _ in NativeCodec().filters(native())}


def test_each_channel_has_one_operation_at_qos_1() -> None:
    operations = DOCUMENT["operations"].values()
    channels = [operation["channel"]["$ref"].rpartition("/")[2] for operation in operations]
    assert sorted(channels) == sorted(DOCUMENT["channels"])
    assert {operation["bindings"]["mqtt"]["qos"] for operation in operations} == {1}


@pytest.mark.parametrize(
    ("operation", "sent"),
    [
        ("sendCommand", NativeCodec().encode(native(), command())),
        ("sendReceipt", receipt(native().facility, native().lane_slug, "b", 1)),
    ],
)
def test_what_is_sent_is_retained_or_not_as_written(operation: str, sent: Any) -> None:
    written = DOCUMENT["operations"][operation]
    assert written["bindings"]["mqtt"]["retain"] is sent.retain
    assert channel_topics(written["channel"]["$ref"].rpartition("/")[2]) == [sent.topic]


@pytest.mark.parametrize(("channel", "payload"), EXAMPLES)
def test_the_examples_are_taken(channel: str, payload: Any) -> None:
    text = json.dumps(payload).encode()
    message = DOCUMENT["channels"][channel]["messages"].values()
    schema = DOCUMENT["components"]["messages"][next(iter(message))["$ref"].rpartition("/")[2]][
        "payload"
    ]
    if "$ref" in schema:
        model = MODELS[schema["$ref"].rpartition("/")[2]]
        said = model.model_validate_json(text)
        assert json.loads(said.model_dump_json(exclude_unset=True)).keys() == payload.keys()
    for topic in channel_topics(channel):
        if topic in {heard for heard, _ in NativeCodec().filters(native())}:
            assert NativeCodec().decode(native(), Inbound(topic, text, NOW)).events
        else:
            with pytest.raises(CodecError):
                NativeCodec().decode(native(), Inbound(topic, text, NOW))


@pytest.mark.parametrize(
    ("model", "payload"),
    [
        (contract.PaymentMessage, {"ticket": "T", "plate": "B1"}),
        (contract.PaymentMessage, {}),
        (contract.PaymentMessage, {"ticket": "T", "amount": 12.5}),
        (contract.PaymentMessage, {"ticket": "T", "amount": "1e3"}),
        (contract.PaymentMessage, {"ticket": "T", "amount": "-1"}),
        (contract.PaymentMessage, {"ticket": "T", "currency": "eur"}),
        (contract.PaymentMessage, {"ticket": "T", "note": "x"}),
    ],
)
def test_a_payment_names_one_stay_and_an_exact_amount(
    model: type[BaseModel], payload: dict[str, object]
) -> None:
    good = {
        "id": 1,
        "amount": "12.50",
        "currency": "EUR",
        "provider": "p",
        "provider_txn_id": "1",
        "at": "2026-03-14T09:26:53Z",
    }
    model.model_validate_json(json.dumps({**good, "ticket": "T"}))
    with pytest.raises(ValidationError):
        model.model_validate_json(json.dumps({**good, **payload}))
