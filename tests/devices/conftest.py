"""Brokers for the tests of the MQTT session."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gated.embedded.ports import held_ports
from tests.devices.brokers import Broker, Mosquitto, Rumqttd
from tests.devices.driver import Driver

HoldPorts = Callable[[int], list[int]]


@pytest.fixture
def hold_ports() -> Iterator[HoldPorts]:
    """Finds so many ports, and keeps them for the test."""
    with ExitStack() as held:
        yield lambda count: held.enter_context(held_ports(count))


@pytest.fixture
def silent_port(hold_ports: HoldPorts) -> int:
    """A port at which nobody answers."""
    return hold_ports(1)[0]


@pytest.fixture
def rumqttd(tmp_path: Path, hold_ports: HoldPorts) -> Iterator[Rumqttd]:
    port, port_v4 = hold_ports(2)
    broker = Rumqttd(tmp_path, port, port_v4)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def start_mosquitto(tmp_path: Path, hold_ports: HoldPorts) -> Iterator[Callable[..., Mosquitto]]:
    started: list[Mosquitto] = []

    def start(*lines: str) -> Mosquitto:
        (port,) = hold_ports(1)
        broker = Mosquitto(tmp_path, port, lines or ("allow_anonymous true",))
        broker.start()
        started.append(broker)
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture(params=["rumqttd", "mosquitto"])
def own_broker(
    request: pytest.FixtureRequest, tmp_path: Path, hold_ports: HoldPorts
) -> Iterator[Broker]:
    port, port_v4 = hold_ports(2)
    found: Broker = (
        Rumqttd(tmp_path, port, port_v4)
        if request.param == "rumqttd"
        else Mosquitto(tmp_path, port)
    )
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
