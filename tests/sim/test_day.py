"""Small days with more going wrong than on a real one: everything agrees in the end."""

from collections.abc import Callable, Sequence

import pytest

from tests.services.databases import Database
from tests.sim.auditor import Finding
from tests.sim.day import Wish, simulate
from tests.sim.plans import Rates

VEHICLES = 100
RATES = Rates(misreads=0.12, back_outs=0.06, tailgates=0.06, unread=0.03)


@pytest.mark.timeout(180)
@pytest.mark.direct("prepared statements keep its connections")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_small_day_agrees_to_the_cent(new_database: Callable[[], Database], seed: int) -> None:
    database = new_database()
    day = simulate(Wish(VEHICLES, seed, database.dsn, database.dsn_as("gated_daemon"), rates=RATES))

    assert not day.auditor.findings, _told(seed, day.auditor.findings)
    assert day.traffic.finished == VEHICLES
    assert all(look.agrees for look in day.auditor.looks)


def _told(seed: int, findings: Sequence[Finding]) -> str:
    shown = "\n".join(str(finding) for finding in findings[:20])
    return f'make day ARGS="--seed {seed} --vehicles {VEHICLES}": {len(findings)}\n{shown}'
