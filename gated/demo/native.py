"""Simulated lane controllers that can be programmed: gated's own contract v1."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gated.core.ids import command_number
from gated.core.money import Money
from gated.demo.arm import Arm, Position
from gated.demo.hardware import Hardware, Light, Shared, Sign
from gated.devices.topics import LaneLeaf
from gated.records import Publication


class NativeHardware(Hardware):
    """A programmable lane controller of contract v1: it checks id, fence and expiry itself.

    With `switches` it tells how its arm moves.
    """

    def __init__(self, shared: Shared, *, switches: bool = False) -> None:
        super().__init__(shared)
        self.arm = Arm(self._arm_moved) if switches else None
        self._boot = f"{self._rng.getrandbits(32):08x}"
        self._seq = 0
        self._fence = 0
        self._heard: set[UUID] = set()

    @property
    def command_topic(self) -> str:
        return self._lane_topic(LaneLeaf.COMMAND)

    def online(self, *, present: bool) -> Publication:
        return Publication(
            self._lane_topic(LaneLeaf.ONLINE), json.dumps(present).encode(), retain=True
        )

    async def see(self, text: str, vehicle: str) -> None:
        confidence = round(self._rng.uniform(0.85, 0.99), 3)
        await self.send(
            self._message(LaneLeaf.PLATE, plate=text, confidence=confidence, vehicle=vehicle)
        )

    async def see_no_plate(self, vehicle: str) -> None:
        await self.send(self._message(LaneLeaf.PLATE, plate="unknown", vehicle=vehicle))

    async def tell_loop(self, name: str, *, on: bool) -> None:
        leaf = {"presence": LaneLeaf.PRESENCE, "closing": LaneLeaf.CLOSING}[name]
        await self.send(self._message(leaf, on=on))

    def obey(self, payload: dict[str, Any]) -> None:
        command, expires_at = UUID(payload["id"]), _instant(payload["expires_at"])
        error = None
        if command in self._heard:
            error = "heard before"
        elif payload["fence"] < self._fence:
            error = "fence is old"
        elif self._clock.now() >= expires_at:
            error = "expired"
        self._fence = max(self._fence, payload["fence"])
        self._heard.add(command)
        if error is not None:
            self._ledger.refused_by_hardware.append(error)
            self.spawn([self._message(LaneLeaf.ACK, command=str(command), ok=False, error=error)])
            return
        self.spawn([self._message(LaneLeaf.ACK, command=str(command), ok=True)])
        if payload["do"] == "open":
            self._reason = payload["reason"]
            self._open(command, expires_at)
        elif "amount" in payload:
            due = Money(Decimal(payload["amount"]), payload["currency"])
            self.show(Sign(Light.ASKED, due))

    def _open(self, command: UUID, expires_at: datetime) -> None:
        if self.arm is not None and not self.arm.go_up(str(command)):
            self._ledger.outcomes["arm_did_not_move"] += 1
            return
        self.raised(command_number(command), command, expires_at)
        if self.arm is None:
            self._arm_moved(Position.OPENED, str(command))

    def _arm_moved(self, position: Position, command: str | None) -> None:
        fields = {} if command is None else {"command": command}
        self.spawn([self._message(LaneLeaf.BARRIER, state=position.value, **fields)])
        if self.arm is not None and command is not None:
            self.show(Sign(Light.OPENED, reason=self._reason))

    def _message(self, leaf: LaneLeaf, **fields: object) -> Publication:
        self._seq += 1
        body = {"boot": self._boot, "seq": self._seq, "at": _text(self._clock.now()), **fields}
        return Publication(self._lane_topic(leaf), json.dumps(body).encode())


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
