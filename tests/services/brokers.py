"""MQTT brokers on ports of the loopback: the wheel's rumqttd and the system's Mosquitto."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP, Signals

from gated.embedded.account import open_to, unprivileged_account
from gated.embedded.broker import LEVEL_V5, answers, start_broker
from gated.embedded.ports import HOST, held_ports
from gated.embedded.process import GuardedProcess, log_tail, start_guarded
from tests.services.presence import program
from tests.services.processes import process_stopped, wait_until

# One listener speaks both versions. Defaults that lose messages or time are changed; see the
# manual page mosquitto.conf(5).
MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 100000
max_inflight_messages 100
sys_interval 1
persistence {persistence}
persistence_location {directory}/
autosave_on_changes true
autosave_interval 1
log_dest stderr
"""


class BrokerHandle:
    """A running broker, reached on the same ports after each `start`."""

    def __init__(
        self, name: str, port: int, port_v311: int, launch: Callable[[], GuardedProcess]
    ) -> None:
        self.name = name
        self.host = HOST
        self.port = port
        self.port_v311 = port_v311
        self._launch = launch
        self._process = launch()

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        """Start it, unless it runs; return once it answers."""
        if not self._process.running():
            self._process = self._launch()

    def stop(self) -> None:
        """An orderly end: a broker with persistence saves first."""
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """The broker hangs: connections stay up, nothing is answered."""
        os.kill(self.pid, SIGSTOP)
        if sys.platform == "linux":
            wait_until(lambda: process_stopped(self.pid), f"{self.name} stands still")

    def thaw(self) -> None:
        os.kill(self.pid, SIGCONT)


@contextmanager
def rumqttd_broker(directory: Path) -> Iterator[BrokerHandle]:
    with held_ports(2) as (port_v5, port_v311):

        def launch() -> GuardedProcess:
            return start_broker(directory, port_v5=port_v5, port_v311=port_v311)

        yield from _running(BrokerHandle("rumqttd", port_v5, port_v311, launch))


@contextmanager
def mosquitto_broker(directory: Path, *, persistence: bool = False) -> Iterator[BrokerHandle]:
    """Mosquitto, forgetful unless `persistence`: then it saves at each change, once a second."""
    mosquitto = program("mosquitto")
    account = unprivileged_account()
    directory.mkdir(parents=True, exist_ok=True)
    open_to(directory, account)
    data = directory / "data"
    data.mkdir()
    if account:
        os.chown(data, account.uid, account.gid)
    with held_ports(1) as (port,):
        configuration = directory / "mosquitto.conf"
        configuration.write_text(
            MOSQUITTO.format(port=port, persistence=str(persistence).lower(), directory=data)
        )
        log = directory / "mosquitto.log"

        def launch() -> GuardedProcess:
            process = start_guarded(
                [mosquitto, "-c", configuration],
                directory=directory,
                log=log,
                stops=((Signals.SIGTERM, 10.0),),
                account=account,
            )

            def listening() -> bool:
                assert process.running(), log_tail(log)
                return answers(port, LEVEL_V5)

            try:
                wait_until(listening, "Mosquitto answers")
            except BaseException:
                process.stop()
                raise
            return process

        yield from _running(BrokerHandle("mosquitto", port, port, launch))


def _running(broker: BrokerHandle) -> Iterator[BrokerHandle]:
    try:
        yield broker
    finally:
        broker.stop()
