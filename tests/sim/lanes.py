"""The hardware of one lane, truthful: a camera, two loops, an arm and a display.

It says what it sees in the words of contract v1, obeys what it is told, and knows nothing of what
gated makes of it. Who stands there is the drivers' business.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gated.core.effects import Do
from gated.core.events import CommandStatus
from gated.core.ids import CommandId, DeviceId, LaneId
from gated.core.site import Direction, LaneSetup
from gated.records import Command
from tests.sim.ledger import Ledger
from tests.sim.place import TICK_SECONDS
from tests.sim.virtual import VirtualClock

# How long the arm takes to go up.
RISE_SECONDS = TICK_SECONDS


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a device, as the session hands it to the inbox."""

    topic: str
    payload: bytes
    received_at: datetime
    received_monotonic: float
    retain: bool = False
    qos: int = 1
    defect: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the driver sees: the arm going up, or words on the display, with an amount to pay."""

    opens: bool
    reason: str
    amount: Decimal | None
    at: datetime
    command: str = ""


@dataclass(slots=True)
class Follower:
    """Somebody who comes close behind another: `plate` if a camera can read it; then `answer`."""

    vehicle: int
    plate: str | None
    through: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Answer | None = None


@dataclass
class Lane:
    """One lane's devices, and who stands there: `turn` is had by whoever is before the arm,
    `followers` wait for somebody behind whom they can slip through."""

    setup: LaneSetup
    facility: str
    clock: VirtualClock
    ledger: Ledger
    send: Callable[[Told], None]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    queued: int = 0
    answers: "asyncio.Queue[Answer]" = field(default_factory=asyncio.Queue)
    followers: deque[Follower] = field(default_factory=deque)
    messages: int = 0

    @property
    def slug(self) -> str:
        return self.setup.slug

    @property
    def is_entry(self) -> bool:
        return self.setup.direction is Direction.ENTRY

    # ── what it says ────────────────────────────────────────────────────────────────────────

    def presence(self, *, on: bool) -> None:
        self._say("input/presence", on=on)

    def closing(self, *, on: bool) -> None:
        self._say("input/closing", on=on)

    def read(self, plate: str, *, vehicle: int, confidence: float = 0.93) -> None:
        self._say("plate", plate=plate, confidence=confidence, vehicle=vehicle)

    def unread(self, *, vehicle: int) -> None:
        self._say("plate", plate="unknown", vehicle=vehicle)

    def lower(self) -> None:
        """The arm comes down behind the last one. Not every arm tells."""
        if self.setup.arm_switch:
            self._say("barrier", state="closed")

    def nobody_asked(self) -> None:
        """What arm and display said while nobody stood there."""
        while not self.answers.empty():
            answer = self.answers.get_nowait()
            if answer.opens:
                self.ledger.unasked.append(answer.command)

    def _say(self, leaf: str, **fields: object) -> None:
        self.messages += 1
        now = self.clock.now()
        body = {"id": self.messages, "at": now.isoformat(), **fields}
        self.send(
            Told(
                f"gated/v1/{self.facility}/lane/{self.slug}/{leaf}",
                json.dumps(body).encode(),
                now,
                self.clock.monotonic(),
            )
        )

    # ── what it is told ─────────────────────────────────────────────────────────────────────

    def obey(self, command: Command) -> None:
        """The arm goes up, or the display says why not."""
        now = self.clock.now()
        amount = command.price.amount if command.price is not None else None
        match command.do:
            case Do.OPEN:
                self.ledger.raised.append(str(command.id))
                asyncio.get_running_loop().call_later(RISE_SECONDS, self._risen, command)
                self.answers.put_nowait(Answer(True, command.reason, amount, now, str(command.id)))
            case Do.DENY:
                self.answers.put_nowait(Answer(False, command.reason, amount, now))
            case _:
                raise AssertionError(f"{self.slug}: told to {command.do}")

    def _risen(self, command: Command) -> None:
        self._say("barrier", state="opened", command=str(command.id))


class Wires:
    """`gated.ports.Commands`: every command that is committed reaches its lane at once."""

    def __init__(self) -> None:
        self.lanes: dict[LaneId, Lane] = {}

    def accepts(self, device: DeviceId, do: Do) -> bool:
        return do in (Do.OPEN, Do.DENY)

    def ready(self) -> bool:
        return True

    def noted(self, command: CommandId, status: CommandStatus) -> None:
        """Nobody here counts commands."""

    def poke(self, command: Command, cause_received_monotonic: float) -> None:
        self.lanes[command.lane].obey(command)
