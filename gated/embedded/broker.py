"""The MQTT broker of the wheel `iotcore` (rumqttd), with a listener for MQTT 3.1.1 and one for 5.

Both listen on the loopback alone, without passwords: everyone on this machine may connect. The
broker keeps sessions, queues and retained messages in memory and forgets them when it ends. Two
faults of rumqttd 0.20 to know: see `answers`.
"""

import importlib.util
import os
import socket
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from gated.core.errors import ConfigError
from gated.embedded.ports import HOST, held_ports
from gated.embedded.process import EndedAtStartError, GuardedProcess, start_guarded, wait_ready

START_SECONDS_MAX = 20.0
START_ATTEMPTS_MAX = 5
STOPS = ((Signals.SIGTERM, 5.0),)

# rumqttd logs each packet as an error (its spans are `error_span!`), hence CRITICAL for that one.
PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
from iotcore import Broker
Broker(config_path=sys.argv[1]).run_forever()
"""

# A segment is a piece of the log that rumqttd keeps in memory for each subscribed filter: a reader
# that falls further behind than `max_segment_count` of them loses messages.
CONFIGURATION = """\
id = 0

[router]
id = 0
max_connections = 2000
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 4

[v4.1]
name = "mqtt-3.1.1"
listen = "{host}:{port_v311}"
next_connection_delay_ms = 1
[v4.1.connections]
connection_timeout_ms = 10000
max_payload_size = 16777216
max_inflight_count = 100
dynamic_filters = true

[v5.1]
name = "mqtt-5"
listen = "{host}:{port_v5}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = 16777216
max_inflight_count = 100
dynamic_filters = true
"""

LEVEL_V311, LEVEL_V5 = 4, 5
CONNACK = 0x20
DISCONNECT = b"\xe0\x00"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker answers; messages pass between its two ports."""

    host: str
    port_v5: int
    port_v311: int
    pid: int
    log: Path


@contextmanager
def embedded_broker(directory: Path) -> Iterator[BrokerAddress]:
    """Run the broker for the duration of the block, on free ports, its log in `directory`.

    Blocks for some tenths of a second. The broker ends with the block, and with this process
    however it ends. Raises ConfigError when the wheel is missing or the broker does not start.
    """
    directory = directory.resolve()
    with ExitStack() as running:
        for attempt in range(START_ATTEMPTS_MAX):
            port_v5, port_v311 = running.enter_context(held_ports(2))
            try:
                server = start_broker(directory, port_v5=port_v5, port_v311=port_v311)
            except EndedAtStartError:  # where ports cannot be held, someone may have taken one
                if attempt + 1 == START_ATTEMPTS_MAX:
                    raise
            else:
                break
        running.enter_context(server)
        yield BrokerAddress(HOST, port_v5, port_v311, server.pid, directory / "broker.log")


def start_broker(directory: Path, *, port_v5: int, port_v311: int) -> GuardedProcess:
    """Start the broker on these ports and return once both answer."""
    if importlib.util.find_spec("iotcore") is None:
        raise ConfigError(
            "the embedded MQTT broker is not installed: run, in gated's folder,"
            " pip install --constraint constraints.txt '.[embedded]'"
        )
    directory.mkdir(parents=True, exist_ok=True)
    log, configuration = directory / "broker.log", directory / "broker.toml"
    configuration.write_text(CONFIGURATION.format(host=HOST, port_v5=port_v5, port_v311=port_v311))
    return start_guarded(
        [sys.executable, "-P", "-c", PROGRAM, configuration],
        directory=directory,
        log=log,
        stops=STOPS,
        environment=dict(os.environ),
        until=lambda server: wait_ready(
            server,
            lambda: answers(port_v311, LEVEL_V311) and answers(port_v5, LEVEL_V5),
            name="the MQTT broker",
            log=log,
            seconds_max=START_SECONDS_MAX,
        ),
    )


def answers(port: int, level: int) -> bool:
    """Whether an MQTT broker accepts a client on `port` at this protocol level.

    Each client has an id of its own and stays for the whole answer. When a client cuts its
    connection before CONNACK, rumqttd 0.20 panics at the next client of that id, and the listener
    is dead from there on (bytebeamio/rumqtt issue 1062, seen here). And when a client closes its
    connection right behind its DISCONNECT, rumqttd may end the connection twice, the second time
    that of the client that has got its number since (seen here): so the broker closes first.
    """
    client_id = f"gated-probe-{uuid.uuid4().hex[:10]}".encode()
    properties = b"\x00" if level == LEVEL_V5 else b""
    clean, keep_alive = b"\x02", b"\x00\x0a"
    body = b"\x00\x04MQTT" + bytes([level]) + clean + keep_alive + properties
    body += len(client_id).to_bytes(2, "big") + client_id
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as connection:
            connection.sendall(bytes([0x10, len(body)]) + body)
            answer = connection.recv(64)
            if len(answer) < 4 or (answer[0], answer[3]) != (CONNACK, 0):
                return False
            connection.sendall(DISCONNECT)
            while connection.recv(64):
                pass
            return True
    except OSError:
        return False
