"""The operator in the control room: what is asked of a person where gated may not decide.

They see the lanes on a screen, so they know which vehicle it is.
"""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field

import asyncpg

from gated.core.events import OperatorDo
from gated.core.ids import StayId
from gated.db.bookings import Actor
from gated.db.occupancy import CloseOutcome, CloseRequest
from gated.db.review import ResolveOutcome
from tests.sim.garage import Garage
from tests.sim.lanes import Answer, Lane, Told
from tests.sim.ledger import Visit
from tests.sim.place import OPERATOR
from tests.sim.virtual import virtual_loop

LOOK_SECONDS = 30
# Whoever left unseen is missed that much later.
MISS_SECONDS = 1200

_STAY = """
SELECT c.booking_id FROM gate.claims c
WHERE c.facility_id = $1 AND c.kind = 'stay' AND c.entry_time = $2
    AND c.plate IS NOT DISTINCT FROM $3
"""


@dataclass
class Operator:
    """`office`: the back office's way into the database. `cases` counts what was asked of them."""

    garage: Garage
    office: "asyncpg.Connection[asyncpg.Record]"
    cases: Counter[str] = field(default_factory=Counter)
    _requests: int = 0
    # One look at a time: there is one screen.
    _screen: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def match(self, lane: Lane, visit: Visit) -> Answer:
        """A vehicle at an exit whose plate nobody came in with: say which stay is its."""
        await asyncio.sleep(LOOK_SECONDS)
        stay = await self._stay(visit)
        if visit.known_as is None:
            # Its stay takes the plate that is read here.
            self.cases["told apart: one that nobody had read"] += 1
            visit.was_told_apart()
        self.cases["matched at an exit"] += 1
        self._request(lane, OperatorDo.MATCH, stay)
        async with asyncio.timeout(LOOK_SECONDS):
            return await lane.answers.get()

    async def miss(self, visit: Visit) -> None:
        """A vehicle slipped out, and nobody read its plate: it is missed, and its stay ended."""
        await asyncio.sleep(MISS_SECONDS)
        self.cases["missed: one that left unseen"] += 1
        now = self.garage.clock.now()
        stay = await self._stay(visit)
        request = CloseRequest(
            self.garage.ids.new(), stay, OPERATOR, "nobody has seen it since", now, debt=True
        )
        answer = await self.garage.store.close_stay(self.garage.id, request)
        assert answer.outcome is CloseOutcome.CLOSED, f"{visit}: {answer}"
        cases = await self.garage.store.reconciliations(self.garage.id)
        case = next(one for one in cases if one.kind == "exit_unmatched")
        resolved = await self.garage.store.resolve_reconciliation(
            self.garage.id, case.id, f"it was {visit.plate}", now, Actor("operator")
        )
        assert resolved is ResolveOutcome.RESOLVED, f"{visit}: {resolved}"
        visit.was_missed()

    async def _stay(self, visit: Visit) -> StayId:
        async with self._screen:
            with virtual_loop().awaited():
                stay = await self.office.fetchval(
                    _STAY, self.garage.id, visit.began, visit.known_as
                )
        assert stay is not None, f"no stay is to be found of {visit}"
        return StayId(stay)

    def _request(self, lane: Lane, do: OperatorDo, stay: StayId) -> None:
        self._requests += 1
        now = self.garage.clock.now()
        body = {
            "id": self._requests,
            "do": do,
            "lane": lane.slug,
            "stay": str(stay),
            "reason": "seen on the screen",
            "at": now.isoformat(),
        }
        topic = f"gated/v1/{self.garage.setup.slug}/operator/{OPERATOR}/request"
        self.garage.send(Told(topic, json.dumps(body).encode(), now, virtual_loop().time()))
