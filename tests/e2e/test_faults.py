"""Brokers, databases and daemons that go away in the middle: nothing lost, nothing opened late."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import asyncpg
import pytest

from tests.e2e.devices import Native, Wire, commands, go_on, pass_through, wire
from tests.e2e.place import FACILITY, LANE_MORE, SITE, Place, in_1, native
from tests.e2e.waiting import eventually
from tests.services.processes import process_stopped
from tests.services.tcp_proxy import TcpProxy

# Short, so that another daemon need not be waited for.
SHORT_LEASE = {"lease_seconds": 2.0}
# Reads are soon too old here, for the same reason.
HASTY = SITE.replace("[policy]", "[policy]\nevent_age_seconds_max = 1.0")
DAEMON_TOPIC = "gated/v1/north/daemon"

Proxied = Callable[[tuple[str, int] | Path], AbstractAsyncContextManager[TcpProxy]]


# ── what is not there at the start ──────────────────────────────────────────────────────────


async def test_a_broker_that_comes_later(place: Place) -> None:
    """In its place stands something that hangs up, and counts how often it is asked."""
    place.broker.stop()
    calls: list[object] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await reader.read(1024))
        writer.close()

    impostor = await asyncio.start_server(
        hang_up, place.broker.host, place.broker.port, reuse_address=True
    )
    async with impostor, place.daemon() as daemon:
        await daemon.not_ready("facility/north", "MQTT: closed by the broker")
        await eventually(lambda: len(calls) >= 4, "the daemon asks again and again")
        assert len(daemon.events("mqtt.refused")) == 1
        assert (await daemon.readiness())[0] == 503
        assert await daemon.metric("gated_mqtt_up") == 0
        impostor.close()
        await impostor.wait_closed()

        place.broker.start()
        await daemon.ready(FACILITY)
        await daemon.metric_is(1, "gated_mqtt_up")
        async with wire(place.broker) as devices:
            assert (await devices.message(DAEMON_TOPIC)).body["online"] is True
            await pass_through(native(devices, "in-2"), "KI LT 1")
            await daemon.event("lane.passed")


async def test_a_database_that_comes_later(place: Place, devices: Wire) -> None:
    place.postgres.stop()
    async with place.daemon(expected_errors={"database.unavailable"}) as daemon:
        await daemon.event("database.unavailable")
        await daemon.not_ready("database", "facility_ids: ")
        assert await daemon.metric("gated_database_up") == 0
        place.postgres.start()
        await daemon.event("database.available")
        assert len(daemon.events("database.unavailable")) == 1
        await daemon.ready(FACILITY)
        await daemon.metric_is(1, "gated_database_up")
        await pass_through(native(devices, "in-2"), "KI LT 2")
        await daemon.event("lane.passed")


async def test_a_database_without_a_schema_is_told_from_one_that_is_away(place: Place) -> None:
    """Once for each thing that an operator has to do; then the daemon goes on by itself."""
    await place.rows("ALTER SCHEMA gate RENAME TO elsewhere")
    async with place.daemon(expected_errors={"database.not_set_up"}) as daemon:
        told = await daemon.event("database.not_set_up")
        assert "`gated db init` makes it" in told["error"]
        await daemon.not_ready("database", "facility_ids: relation")
        await place.rows("REVOKE SELECT ON facilities FROM gated_daemon")
        await place.rows("ALTER SCHEMA elsewhere RENAME TO gate")
        told = await daemon.event("database.not_set_up", after=1)
        assert "permission denied" in told["error"]
        assert "`gated check`" in told["error"]
        await place.rows("GRANT SELECT ON facilities TO gated_daemon")
        await daemon.event("database.available")
        await daemon.ready(FACILITY)
        assert len(daemon.events("database.not_set_up")) == 2
        assert daemon.events("database.unavailable") == []


# ── one facility among others ───────────────────────────────────────────────────────────────


async def test_a_set_up_that_cannot_be_run_is_no_other_facilitys_trouble(place: Place) -> None:
    """Refused once for the same reason, whatever the number of looks; it starts when mended."""
    await place.apply(SITE.replace('"north"', '"a-south"'))
    lane = "SELECT id FROM gate.lanes WHERE slug = 'in-2' AND facility_id ="
    facility = "(SELECT facility_id FROM gate.facility_settings WHERE slug = 'a-south')"
    set_policy = f"UPDATE gate.lanes SET policy = $1::text::jsonb WHERE id = ({lane} {facility})"
    await place.rows(set_policy, '{"fold_seconds": "x"}')
    async with place.daemon(expected_errors={"facility.setup_refused"}) as daemon:
        await daemon.ready_among(FACILITY, waiting="facility/a-south")
        refused = await daemon.event("facility.setup_refused")
        assert refused["facility"] == "a-south"
        assert "lane in-2: policy: fold_seconds" in refused["error"]
        assert daemon.events("database.unavailable") == []
        await daemon.not_ready("facility/a-south", "the set-up is refused: ")
        await place.rows(set_policy, "{}")
        await daemon.ready(FACILITY, "a-south")
        assert len(daemon.events("facility.setup_refused")) == 1


async def test_options_that_nobody_understands_stop_their_facility_alone(place: Place) -> None:
    await place.apply(SITE.replace('"north"', '"a-south"'))
    await place.rows(
        "UPDATE gate.devices d SET options = $1::text::jsonb FROM gate.facility_settings f"
        " WHERE f.facility_id = d.facility_id AND f.slug = 'a-south' AND d.slug = 'in-1-relay'",
        '{"inputs": [1]}',
    )
    async with place.daemon(expected_errors={"facility.setup_refused"}) as daemon:
        refused = await daemon.event("facility.setup_refused")
        assert "in-1-relay.options" in refused["error"]
        await daemon.ready_among(FACILITY, waiting="facility/a-south")
        assert len(daemon.events("facility.setup_refused")) == 1


async def test_a_facility_that_is_closed_is_let_go_and_taken_up_again(place: Place) -> None:
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await place.rows("UPDATE facilities SET is_active = false")
        await daemon.event("facility.deactivated", facility=FACILITY)
        await place.becomes([(None,)], "SELECT holder FROM gate.leases")
        assert (await daemon.readiness())[0] == 200
        await place.rows("UPDATE facilities SET is_active = true")
        await daemon.event("facility.started", after=1)
        await daemon.ready(FACILITY)
        assert await place.value("SELECT holder IS NOT NULL FROM gate.leases")
        await daemon.event("mqtt.connected", after=1)


# ── what goes away in the middle ────────────────────────────────────────────────────────────


@pytest.mark.every_broker
async def test_a_broker_that_is_restarted(place: Place) -> None:
    """It has forgotten everything: that is an alarm, and all that is retained is said again."""
    async with place.daemon(expected_errors={"mqtt.session_lost"}) as daemon:
        await daemon.ready(FACILITY)
        async with wire(place.broker) as before:
            lane = native(before, "in-2")
            await lane.contact("presence", on=True)
            await lane.read("KI BR 1")
            await lane.opened()
        place.broker.restart()
        await daemon.event("mqtt.disconnected")
        await daemon.event("mqtt.connected", after=1)
        await daemon.event("mqtt.session_lost")
        await daemon.metric_is(1, "gated_mqtt_reconnects_total")
        await daemon.metric_is(1, "gated_mqtt_sessions_lost_total")
        async with wire(place.broker) as after:
            assert (await after.message(DAEMON_TOPIC)).body["online"] is True
            assert (await after.message(lane.topic("state"))).body["state"] == "opening"
            occupancy = await after.message("gated/v1/north/occupancy")
            assert (occupancy.body["capacity"], occupancy.body["available"]) == (3, 2)
            # The vehicle that was let through before goes through now.
            await go_on(native(after, "in-2"))
            await daemon.event("lane.passed", lane="in-2", known="measured")
            assert commands(after) == []
            await pass_through(in_1(after), "KI BR 2")
            await daemon.event("lane.passed", lane="in-1")
        await place.decided(
            ("in-2", "KIBR1", "grant", "transient"), ("in-1", "KIBR2", "grant", "transient")
        )


async def test_a_connection_that_is_reset(place: Place, tcp_proxy: Proxied) -> None:
    """Noticed at once and not by the heartbeat, which is far off; what came meanwhile is there."""
    patient = {"heartbeat_seconds": 60.0, "keepalive_seconds": 60}
    async with (
        wire(place.broker) as devices,
        tcp_proxy((place.broker.host, place.broker.port)) as network,
        place.daemon(mqtt={"port": network.port, **patient}) as daemon,
    ):
        lane = native(devices, "in-2")
        await daemon.ready(FACILITY)
        for reset in range(3):
            await network.set("reset")
            await daemon.event("mqtt.disconnected", after=reset)
            await daemon.not_ready("facility/north", "MQTT: ")
            await lane.contact("presence", on=True)
            await lane.read(f"KI RS {reset}")
            await network.set("pass")
            await lane.opened()
            await go_on(lane)
            await daemon.event("lane.passed", after=reset)


async def test_a_database_that_dies_and_comes_back(place: Place, devices: Wire) -> None:
    """Reads of the outage are kept, and found too old; whoever comes then is served."""
    await place.apply(HASTY)
    lane, other = native(devices, "in-2"), in_1(devices)
    async with place.daemon(expected_errors={"database.unavailable"}) as daemon:
        await daemon.ready(FACILITY)
        await pass_through(lane, "KI DB 1")
        await daemon.event("lane.passed")
        await place.settled()

        place.postgres.kill()
        read_at = datetime.now(UTC)
        await lane.contact("presence", on=True)
        await lane.read("KI DB 2")
        await other.contact("presence", on=True)
        await other.read("KI DB 3")
        await daemon.event("inbox.commit_delayed")
        await too_old(read_at)
        place.postgres.start()

        await place.decided(
            ("in-2", "KIDB1", "grant", "transient"),
            ("in-2", "KIDB2", "deny", "read_too_old"),
            ("in-1", "KIDB3", "deny", "read_too_old"),
            ("in-1", "KIDB3", "deny", "read_too_old"),
        )
        await place.settled()
        assert len(commands(devices)) == 1
        await daemon.ready()

        await lane.read("KI DB 2")
        await lane.opened()
        await go_on(lane)
        await daemon.event("lane.passed", after=1)
        assert await place.available() == {"deck-1": 0, "deck-2": 1}
        assert await daemon.metric("gated_inbox_messages_total", status="duplicate") == 0


async def too_old(read_at: datetime) -> None:
    """Wait until a read of then opens nothing any more at `HASTY`."""
    horizon = read_at + timedelta(seconds=1.3)
    await eventually(lambda: datetime.now(UTC) > horizon, "the read is too old")


# ── daemons that die ────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def nobody_decides(place: Place) -> AsyncIterator[None]:
    """Messages are stored, but no decision can look at the claims while this lasts."""
    connection = await asyncpg.connect(place.database.dsn)
    try:
        await connection.execute("BEGIN; LOCK TABLE gate.claims IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        await connection.close()


async def test_a_daemon_killed_between_message_and_decision(place: Place, devices: Wire) -> None:
    await place.apply(HASTY)
    lane = native(devices, "in-2")
    async with place.daemon(daemon=SHORT_LEASE) as first:
        await first.ready(FACILITY)
        async with nobody_decides(place):
            await lane.contact("presence", on=True)
            read_at = datetime.now(UTC)
            await lane.read("KI KL 1")
            await place.becomes("new", "SELECT status FROM gate.events WHERE kind = 'plate'")
            first.kill()
    # The broker says it in the dead one's name.
    will = await devices.message(DAEMON_TOPIC, lambda heard: heard.body["online"] is False)
    assert will.body["fence"] == 1
    await too_old(read_at)
    async with place.daemon(daemon=SHORT_LEASE) as second:
        await second.ready(FACILITY)
        await second.event("inbox.replayed")
        await place.decided(("in-2", "KIKL1", "deny", "read_too_old"))
        await place.settled()
        assert commands(devices) == []
        assert await place.available() == {"deck-1": 2, "deck-2": 1}
        # It still stands there, and is read again.
        await lane.contact("presence", on=True)
        await lane.read("KI KL 1")
        command = await lane.opened()
        assert command["fence"] == 2
        await go_on(lane)
        await second.event("lane.passed")
    assert await place.value("SELECT count(*) FROM bookings") == 1
    assert await place.value("SELECT count(*) FROM gate.events WHERE kind = 'plate'") == 2


async def test_a_daemon_killed_between_decision_and_command(
    place: Place, devices: Wire, tcp_proxy: Proxied
) -> None:
    """The stay is open and its command hangs in the network: it is never sent again."""
    lane = native(devices, "in-2")
    async with (
        tcp_proxy((place.broker.host, place.broker.port)) as network,
        place.daemon(daemon=SHORT_LEASE, mqtt={"port": network.port}) as first,
    ):
        await first.ready(FACILITY)
        async with nobody_decides(place):
            await lane.contact("presence", on=True)
            await lane.read("KI KM 1")
            await place.becomes("new", "SELECT status FROM gate.events WHERE kind = 'plate'")
            await network.set("blackhole")
        await place.becomes("dispatched", "SELECT status FROM gate.commands")
        first.kill()
        await network.set("refuse")
    async with place.daemon(daemon=SHORT_LEASE) as second:
        await second.ready(FACILITY)
        await place.becomes("unknown", "SELECT status FROM gate.commands")
        assert commands(devices) == []
        state = await devices.message(lane.topic("state"), lambda m: m.body["state"] == "opening")
        assert not state.retain
        # Still closed, the driver backs up a little and is read once more: the same stay.
        await lane.contact("presence", on=True)
        await lane.read("KI KM 1")
        command = await lane.opened()
        assert command["fence"] == 2
        assert await place.rows("SELECT id, status::text FROM bookings") == [
            (command["stay"], "ACTIVE")
        ]
        await go_on(lane)
        await second.event("lane.passed")
        assert await place.available() == {"deck-1": 1, "deck-2": 1}


async def test_a_second_daemon_takes_over(place: Place, devices: Wire) -> None:
    lane = native(devices, "in-2")
    async with place.daemon(daemon={"node": "one", **SHORT_LEASE}) as first:
        await first.ready(FACILITY)
        async with place.daemon(daemon={"node": "two", **SHORT_LEASE}) as second:
            await second.event("lease.held_elsewhere")
            assert await second.metric("gated_lease_held", facility=FACILITY) == 0
            assert await first.metric("gated_lease_held", facility=FACILITY) == 1
            assert second.events("mqtt.connected") == []
            command = await pass_through(lane, "KI TO 1")
            assert command["fence"] == 1
            await first.event("lane.passed")

            killed_monotonic = time.monotonic()
            first.kill()
            await devices.send(*stray_read(lane, "KI TO 2"))
            await second.ready(FACILITY)
            assert time.monotonic() - killed_monotonic < 5.0
            assert (await second.event("facility.started"))["fence"] == 2
            await second.metric_is(1, "gated_lease_held", facility=FACILITY)
            said = await devices.message(DAEMON_TOPIC, lambda heard: heard.body["fence"] == 2)
            assert (said.body["online"], said.body["node"]) == (True, "two")
            # What came while nobody was there waited at the broker.
            await place.becomes(
                1, "SELECT count(*) FROM gate.decisions WHERE reason = 'read_too_old'"
            )
            command = await pass_through(lane, "KI TO 3")
            assert command["fence"] == 2
            await second.event("lane.passed")
            assert len(commands(devices)) == 2
            facility = await place.value("SELECT id FROM facilities")
            with pytest.raises(asyncpg.PostgresError, match="fence"):
                await place.rows("SELECT gate.hold_fence_v1($1, 1)", facility)


def stray_read(lane: Native, plate: str) -> tuple[str, dict[str, object]]:
    """A read of half a minute ago, as a camera sends it that was without a network."""
    at = datetime.now(UTC) - timedelta(seconds=30)
    return lane.topic("plate"), {"id": "late", "plate": plate, "at": at.isoformat()}


async def test_a_daemon_that_wakes_up_too_late_says_nothing(place: Place, devices: Wire) -> None:
    """It slept through its lease with a vehicle in hand; when it wakes, another one rules."""
    await place.apply(HASTY)
    lane = native(devices, "in-2")
    async with AsyncExitStack() as daemons:
        first = await daemons.enter_async_context(place.daemon(daemon=SHORT_LEASE))
        await first.ready(FACILITY)
        second = await daemons.enter_async_context(place.daemon(daemon=SHORT_LEASE))
        await second.event("lease.held_elsewhere")
        async with nobody_decides(place):
            await lane.contact("presence", on=True)
            await lane.read("KI WU 1")
            await place.becomes("new", "SELECT status FROM gate.events WHERE kind = 'plate'")
            os.kill(first.pid, SIGSTOP)
            await eventually(lambda: process_stopped(first.pid), "the first one sleeps")
        await second.ready(FACILITY)
        os.kill(first.pid, SIGCONT)
        ended = await first.event("facility.ended")
        assert ended["reason"] == "fenced_out"
        await first.event("lease.held_elsewhere")
        assert commands(devices) == []
        assert await place.rows("SELECT * FROM gate.claims") == []
        # It has not even connected again: that would have cut the other one off.
        (last, *_) = reversed(devices.on(DAEMON_TOPIC))
        assert (last.body["fence"], last.body["online"]) == (2, True)
        assert len(first.events("mqtt.connected")) == len(second.events("mqtt.connected")) == 1
        await lane.contact("presence", on=True)
        await lane.read("KI WU 1")
        command = await lane.opened()
        assert command["fence"] == 2
        await go_on(lane)
        await second.event("lane.passed")
        assert len(commands(devices)) == 1


# ── order ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.every_broker
async def test_an_ordered_stop_and_the_next_start(place: Place, devices: Wire) -> None:
    lane = native(devices, "in-2")
    async with place.daemon() as first:
        await first.ready(FACILITY)
        await lane.contact("presence", on=True)
        await lane.read("KI SP 1")
        await lane.opened()
        stopping_monotonic = time.monotonic()
        assert await first.stop() == 0
        assert time.monotonic() - stopping_monotonic < 5.0
        assert first.events("daemon.stopped", failed=False)
        assert first.events("actor.stop_overdue") == []
    farewell = await devices.message(DAEMON_TOPIC, lambda heard: heard.body["online"] is False)
    assert farewell.body["fence"] == 1
    assert await place.rows("SELECT holder, expires_at FROM gate.leases") == [(None, None)]
    assert await place.rows(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = 'gated_daemon'"
    ) == [(0,)]
    told = len(commands(devices))

    # The lease was given back, so the next one need not wait for it.
    async with place.daemon(daemon={"lease_seconds": 300}) as second:
        await second.ready(FACILITY)
        assert second.events("lease.held_elsewhere") == []
        await go_on(lane)
        await second.event("lane.passed", known="measured")
        await place.settled()
        assert len(commands(devices)) == told
    assert await place.value("SELECT entry_known FROM bookings") == "measured"


async def test_a_lane_that_is_set_up_while_the_daemon_runs(place: Place, devices: Wire) -> None:
    async with place.daemon(daemon=SHORT_LEASE) as daemon:
        await daemon.ready(FACILITY)
        await place.apply(SITE + LANE_MORE)
        await daemon.event("facility.setup_changed")
        await daemon.event("facility.started", lanes=5)
        await daemon.ready(FACILITY)
        lane = native(devices, "in-3")
        await pass_through(lane, "KI NL 1")
        await daemon.event("lane.passed", lane="in-3")
        assert await place.available() == {"deck-1": 2, "deck-2": 0}
