"""A barrier's arm with limit switches: up as it is told, down behind the vehicle, or stuck."""

import asyncio
from collections.abc import Callable
from enum import StrEnum

MOVING_SECONDS = 0.12
# How long it waits before it comes down: behind a vehicle, and when nobody came.
BEHIND_SECONDS = 0.4
NOBODY_SECONDS = 2.0


class Position(StrEnum):
    """What the limit switches tell, in the words of the topic `barrier`."""

    CLOSED = "closed"
    MOVING = "moving"
    OPENED = "opened"


class Arm:
    """It tells each change by `tell`, with the command that it answers where it answers one.

    Coming down is its own business, as in a real barrier: nobody tells it to.
    """

    def __init__(self, tell: Callable[[Position, str | None], None]) -> None:
        self._tell = tell
        self._position = Position.CLOSED
        self._next: asyncio.TimerHandle | None = None
        self._failures = 0

    def jam(self, times: int) -> None:
        """Do nothing the next so many times that it is told to go up."""
        self._failures = times

    def mend(self) -> None:
        """Somebody has freed it, and tried whether it moves."""
        self._failures = 0
        self._move(Position.MOVING, None)
        self._later(MOVING_SECONDS, Position.CLOSED)

    def go_up(self, command: str) -> bool:
        """Whether it does as it is told."""
        if self._failures > 0:
            self._failures -= 1
            return False
        self._stop()
        if self._position is Position.OPENED:
            self._move(Position.OPENED, command)
        else:
            self._move(Position.MOVING, None)
            self._later(MOVING_SECONDS, Position.OPENED, command)
        return True

    def vehicle_under(self) -> None:
        """It never comes down on a vehicle: the safety loop goes before everything."""
        self._stop()
        if self._position is Position.MOVING:
            self._move(Position.OPENED, None)

    def vehicle_gone(self, *, passed: bool) -> None:
        """The loops are clear: behind a vehicle that has passed, or before one that backed off."""
        if self._position is Position.OPENED:
            self._stop()
            seconds = BEHIND_SECONDS if passed else NOBODY_SECONDS
            self._next = asyncio.get_running_loop().call_later(seconds, self._go_down)

    def _go_down(self) -> None:
        self._move(Position.MOVING, None)
        self._later(MOVING_SECONDS, Position.CLOSED)

    def _later(self, seconds: float, position: Position, command: str | None = None) -> None:
        self._next = asyncio.get_running_loop().call_later(seconds, self._move, position, command)

    def _move(self, position: Position, command: str | None) -> None:
        self._position = position
        self._tell(position, command)

    def _stop(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
