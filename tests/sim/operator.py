"""The operator in the control room: what is asked of a person where gated may not decide.

They see the lanes through a camera, so they know which vehicle it is.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from tests.sim.garage import Garage
from tests.sim.lanes import Answer, Lane
from tests.sim.ledger import Visit

LOOK_SECONDS = 32


@dataclass
class Operator:
    """`cases` counts what was asked of them."""

    garage: Garage
    cases: Counter[str] = field(default_factory=Counter)

    async def match(self, lane: Lane, visit: Visit) -> Answer:
        """A vehicle at an exit whose plate nobody came in with: say which stay is its."""
        self.cases["matched at an exit"] += 1
        await asyncio.sleep(LOOK_SECONDS)
        lane.read(visit.known_as or "", vehicle=visit.number + 1_000_000)
        async with asyncio.timeout(LOOK_SECONDS):
            return await lane.answers.get()

    async def left_unseen(self, visit: Visit) -> None:
        """A vehicle slipped out, and nobody read its plate: its stay goes on until it is missed."""
        self.cases["stay of one that slipped out ended"] += 1
