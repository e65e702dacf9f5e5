"""Brokers for the tests of the MQTT session."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.devices.brokers import Broker, Mosquitto, Rumqttd
from tests.devices.driver import Driver


@pytest.fixture
def rumqttd(tmp_path: Path) -> Iterator[Rumqttd]:
    broker = Rumqttd(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def start_mosquitto(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    started: list[Mosquitto] = []

    def start(*lines: str) -> Mosquitto:
        broker = Mosquitto(tmp_path, lines or ("allow_anonymous true",))
        broker.start()
        started.append(broker)
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture(params=["rumqttd", "mosquitto"])
def own_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    found: Broker = Rumqttd(tmp_path) if request.param == "rumqttd" else Mosquitto(tmp_path)
    found.start()
    yield found
    found.stop()


@pytest.fixture
async def drive() -> AsyncIterator[Callable[..., Driver]]:
    drivers: list[Driver] = []

    def start(port: int, client_id: str = "gated-test", **changes: object) -> Driver:
        driver = Driver(port, client_id, **changes)  # type: ignore[arg-type]
        drivers.append(driver)
        return driver

    yield start
    for driver in drivers:
        await driver.cancel()
