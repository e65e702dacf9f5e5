"""A pricer that is no database: blocks, a rolling maximum, an evening special. For what asks it."""

from collections.abc import Sequence
from datetime import time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from gated.db.tariffs import Answer, Priced, Refused, Stay

RULE = UUID(int=1)
BERLIN = ZoneInfo("Europe/Berlin")


class FakePricer:
    """2.00 for the first hour, 1.00 for each half after it, at most 20.00 in 24 hours.

    A stay that begins between 18:00 and 06:00 and ends by 06:00 costs 5.00: dearer than a short
    stay, cheaper than a long one. A stay of no length is free, a negative one is refused.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.stays = 0

    async def price(self, stays: Sequence[Stay]) -> list[Answer]:
        self.calls += 1
        self.stays += len(stays)
        return [priced(stay) for stay in stays]


def priced(stay: Stay) -> Answer:
    length = stay.exit - stay.entry
    if length < timedelta(0):
        return Refused("GT010", "a stay needs an exit that is not before it")
    days, rest = divmod(length, timedelta(days=1))
    time_price = days * Decimal(20) + min(_blocks(rest), Decimal(20))
    entry = stay.entry.astimezone(BERLIN)
    evening = entry.time() >= time(18) or entry.time() < time(6)
    morning = stay.exit.astimezone(BERLIN)
    if evening and morning.time() <= time(6) and length <= timedelta(hours=12) and length:
        saved = time_price - 5
        lines = (_line("special", "5.00", special="evening", saved=str(saved)),)
        return Priced(Decimal("5.00"), "EUR", (RULE,), lines)
    lines = (_line("block", f"{time_price:.2f}"),)
    return Priced(Decimal(f"{time_price:.2f}"), "EUR", (RULE,), lines)


def _blocks(length: timedelta) -> Decimal:
    if not length:
        return Decimal(0)
    halves = -(-(length - timedelta(hours=1)) // timedelta(minutes=30))
    return Decimal(2 + max(halves, 0))


def _line(kind: str, amount: str, **more: str) -> dict[str, str]:
    return {"kind": kind, "rule": str(RULE), "name": "standard", "amount": amount, **more}
