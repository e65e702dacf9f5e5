"""Sensors of zones and spots from end to end: heard on the broker, kept, held against the stays."""

from gated.records import Against
from tests.e2e.daemon import run_to_end
from tests.e2e.devices import Wire, pass_through, stamp
from tests.e2e.place import FACILITY, Place, in_1

PLATE = "KI-ZA 77"
ZONE = f"gated/v1/{FACILITY}/zone"
SEEN = (
    "SELECT s.spot_number, t.occupied, t.plate FROM gate.spot_states t"
    " JOIN parking_spots s ON s.id = t.spot_id ORDER BY 1"
)


async def test_sensors_are_heard_and_open_nothing(place: Place, devices: Wire) -> None:
    # Said before the daemon listens: what is retained is believed.
    await devices.send(f"{ZONE}/deck-1/count", {"id": 1, "occupied": 7, "at": stamp()}, retain=True)
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await place.becomes(7, "SELECT occupied FROM gate.zone_counts")
        await pass_through(in_1(devices), PLATE)
        await daemon.event("lane.passed", lane="in-1")
        for message in (
            {"id": 2, "occupied": True, "plate": PLATE, "at": stamp()},
            {"id": 2, "occupied": True, "plate": PLATE, "at": stamp()},  # told again
        ):
            await devices.send(f"{ZONE}/deck-2/spot/B-1", message)
        await devices.send(f"{ZONE}/deck-2/spot/X-9", {"id": 3, "occupied": True, "at": stamp()})
        unknown = await daemon.event("sensor.unknown")
        assert (unknown["zone"], unknown["spot"]) == ("deck-2", "X-9")
        await place.settled()
        assert await place.rows(SEEN) == [("B-1", True, "KIZA77")]
        labels = {"facility": FACILITY, "zone": "deck-2"}
        assert await daemon.metric("gated_occupancy_drift", **labels, against=Against.STAYS) == 0
        status, out, _ = await run_to_end(
            "stays", "counts", FACILITY, "--config", place.config(), directory=place.directory
        )  # fmt: skip
        assert status == 1, "seven sensed, one inside"
        assert "-6 against the sensor" in out
    assert [row[3] for row in await place.decisions()] == ["transient"]
