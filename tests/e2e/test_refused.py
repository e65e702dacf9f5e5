"""Who stands refused before a full car park, from end to end: somebody leaves, and it opens."""

import asyncio

from tests.e2e.daemon import run_to_end
from tests.e2e.devices import Wire, go_on, pass_through
from tests.e2e.place import FACILITY, SITE, Place, in_1, native, out_1

SMALL = SITE.replace("count = 2", "count = 1")
FIRST, SECOND, WAITS = "KI-AA 1", "KI-BB 2", "KI-WW 77"


async def test_who_waits_is_let_in_without_a_new_read(place: Place, devices: Wire) -> None:
    await place.apply(SMALL)
    entry = native(devices, "in-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        inner = in_1(devices)
        for plate in (FIRST, SECOND):
            await pass_through(inner, plate)
        await daemon.event("lane.passed", lane="in-1")

        await entry.contact("presence", on=True)
        await entry.read(WAITS)
        assert (await entry.refused())["reason"] == "full_facility"

        opened = asyncio.create_task(entry.opened())
        await pass_through(out_1(devices), FIRST)
        assert (await opened)["plate"] == "KIWW77"
        await go_on(entry)
        await daemon.event("lane.passed", lane="in-2")
    assert await place.rows(
        "SELECT d.decision, d.reason, e.kind, e.outcome FROM gate.decisions d"
        " JOIN gate.events e ON e.id = d.event_id WHERE d.plate = 'KIWW77' ORDER BY d.decided_at"
    ) == [
        ("deny", "full_facility", "plate", "decided"),
        ("grant", "transient", "again", "decided"),
    ]
    assert await place.rows("SELECT * FROM gate.verify_v1()") == []
    status, out, errors = await run_to_end(
        "why", WAITS, "--config", place.config(), directory=place.directory
    )
    assert (status, errors) == (0, ""), errors
    assert "stood there still: decided on once more" in out
