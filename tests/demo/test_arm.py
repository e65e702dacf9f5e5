"""The simulated arm: what its limit switches tell of going up, coming down and being stuck."""

import asyncio

import pytest

from gated.demo.arm import BEHIND_SECONDS, MOVING_SECONDS, NOBODY_SECONDS, Arm, Position

pytestmark = pytest.mark.looptime

UP = [("moving", None), ("opened", "c1")]
DOWN = [("moving", None), ("closed", None)]


class Told:
    """An arm, and all that it has told so far."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str | None]] = []
        self.arm = Arm(self._hear)

    def _hear(self, position: Position, command: str | None) -> None:
        self.told.append((position.value, command))


async def opened() -> Told:
    one = Told()
    assert one.arm.go_up("c1")
    await asyncio.sleep(2 * MOVING_SECONDS)
    assert one.told == UP
    return one


async def test_it_goes_up_and_comes_down_behind_the_vehicle() -> None:
    one = await opened()
    one.arm.vehicle_under()
    await asyncio.sleep(10)
    assert one.told == UP
    one.arm.vehicle_gone(passed=True)
    await asyncio.sleep(BEHIND_SECONDS + 2 * MOVING_SECONDS)
    assert one.told == UP + DOWN


async def test_it_waits_longer_where_nobody_passed() -> None:
    one = await opened()
    one.arm.vehicle_gone(passed=False)
    await asyncio.sleep(NOBODY_SECONDS - 0.01)
    assert one.told == UP
    await asyncio.sleep(2 * MOVING_SECONDS)
    assert one.told == UP + DOWN


async def test_who_follows_keeps_it_up() -> None:
    one = await opened()
    one.arm.vehicle_gone(passed=True)
    await asyncio.sleep(BEHIND_SECONDS / 2)
    one.arm.vehicle_under()
    await asyncio.sleep(10)
    assert one.told == UP


async def test_it_never_comes_down_on_a_vehicle() -> None:
    one = await opened()
    one.arm.vehicle_gone(passed=True)
    await asyncio.sleep(BEHIND_SECONDS + MOVING_SECONDS / 2)
    one.arm.vehicle_under()
    await asyncio.sleep(10)
    assert one.told == [*UP, ("moving", None), ("opened", None)]


async def test_told_again_while_it_is_up_it_stays_up_and_says_so() -> None:
    one = await opened()
    one.arm.vehicle_gone(passed=True)
    assert one.arm.go_up("c2")
    await asyncio.sleep(10)
    assert one.told == [*UP, ("opened", "c2")]


async def test_a_jam_lasts_for_as_many_times_as_it_is_told() -> None:
    one = Told()
    one.arm.jam(1)
    assert not one.arm.go_up("c0")
    await asyncio.sleep(10)
    assert one.told == []
    assert one.arm.go_up("c1")
    await asyncio.sleep(10)
    assert one.told == UP


async def test_who_mends_it_tries_whether_it_moves() -> None:
    one = Told()
    one.arm.jam(10)
    assert not one.arm.go_up("c0")
    one.arm.mend()
    await asyncio.sleep(10)
    assert one.told == DOWN
    assert one.arm.go_up("c1")
