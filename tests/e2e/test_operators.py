"""Operators, from end to end: `gated lane` and `gated facility` ask a real daemon."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.daemon import run_to_end
from tests.e2e.devices import Native, Wire, commands, go_on, in_answer, pass_through, stamp
from tests.e2e.place import FACILITY, SITE, Place, in_1, native

WAITS = SITE.replace("[policy]\n", '[policy]\nunpaid_exit = "wait"\npayment_look_seconds = 600.0\n')
PLATE = "KI-OP 77"
STAFF = """
WITH somebody AS (INSERT INTO users (email) VALUES ($1 || '@example.com') RETURNING id)
INSERT INTO facility_staff (facility_id, staff_member, permissions, operator_name)
SELECT f.id, somebody.id, $2, $1 FROM facilities f, somebody
"""


async def employ(place: Place, name: str, *permissions: str) -> None:
    await place.rows(STAFF, name, list(permissions))


async def gated(
    place: Place, *words: str, user: str = "ada", reason: str = "delivery"
) -> tuple[int, str, str]:
    """What `gated` says and how it ends, asked as a user, for a reason."""
    return await run_to_end(
        *words, "--as", user, "--reason", reason, "--config", place.config(),
        directory=place.directory,
    )  # fmt: skip


async def commanded(lane: Native, do: str) -> dict[str, Any]:
    heard = await lane.wire.message(lane.topic("command"), lambda one: one.body["do"] == do)
    return heard.body


async def audits(place: Place) -> Sequence[tuple[Any, ...]]:
    return await place.rows(
        "SELECT a.action, split_part(u.email, '@', 1), a.details ->> 'reason',"
        " a.details ->> 'outcome' FROM audit_logs a LEFT JOIN users u ON u.id = a.user_id"
        " WHERE a.action LIKE 'operator.%' ORDER BY a.timestamp"
    )


async def leaks(daemon: Any, why: str) -> float:
    return float(
        await daemon.metric(
            "gated_openings_without_transaction_total", facility=FACILITY, lane="in-2", why=why
        )
    )


@pytest.mark.every_broker
async def test_who_may_opens_once_and_the_leak_is_counted(place: Place, devices: Wire) -> None:
    await employ(place, "ada", "open")
    lane = native(devices, "in-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        opened = asyncio.create_task(lane.opened())
        status, out, errors = await gated(place, "lane", FACILITY, "in-2", "open")
        assert (status, out.strip(), errors) == (0, "done: in-2 open", "")
        command = await opened
        assert (command["do"], command["reason"]) == ("open", "operator_open")
        done = await daemon.event("operator.done")
        assert (done["operator"], done["lane"], done["reason"]) == ("ada", "in-2", "delivery")
        assert await leaks(daemon, "operator_open") == 1
        assert (
            await daemon.metric(
                "gated_operator_acts_total", facility=FACILITY, do="open", outcome="done"
            )
            == 1
        )
        await place.settled()
    assert await audits(place) == [("operator.open", "ada", "delivery", "done")]
    assert await place.rows(
        "SELECT outcome, error, kind FROM gate.events WHERE kind = 'operator'"
    ) == [("decided", None, "operator")]


async def test_who_may_not_opens_nothing_and_is_told(place: Place, devices: Wire) -> None:
    await employ(place, "ada", "release", "pay", "match")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        for user, error in (("ada", "not_permitted"), ("eve", "user_unknown")):
            status, out, errors = await gated(place, "lane", FACILITY, "in-2", "open", user=user)
            assert (status, out) == (1, "")
            assert errors.startswith(f"refused: in-2 open: {error}: ")
        status, _, errors = await gated(place, "lane", FACILITY, "in-9", "release")
        assert (status, errors.split(": ")[2]) == (1, "lane_unknown")
        status, _, errors = await gated(place, "lane", FACILITY, "in-2", "open", reason=" ")
        assert status == 2
        assert "--reason" in errors

        # What the command line would not send: without a reason, too old, and no request at all.
        topic = f"gated/v1/{FACILITY}/operator/ada/request"
        old = stamp(datetime.now(UTC) - timedelta(seconds=30))
        asked = [
            ({"id": 1, "do": "release", "lane": "in-2", "reason": " "}, "reason_missing"),
            ({"id": 2, "do": "release", "lane": "in-2", "reason": "x", "at": old}, "too_old"),
            ({"id": 3, "do": "explode", "lane": "in-2", "reason": "x"}, "bad_request"),
            ({"id": 4, "do": "release", "reason": "x"}, "lane_missing"),
            ({"id": 5, "do": "match", "lane": "out-2", "reason": "x"}, "stay_missing"),
        ]
        for said, error in asked:
            await devices.send(topic, said)
            answer = await in_answer(devices, FACILITY, "ada", said["id"])
            assert (answer["ok"], answer["error"]) == (False, error)
        await place.settled()
    assert commands(devices) == []
    assert await place.rows("SELECT * FROM gate.commands") == []
    refused = [row for row in await audits(place) if row[0] == "operator.refused"]
    assert [(user, outcome) for _, user, _, outcome in refused] == [
        ("ada", "not_permitted"),
        (None, "user_unknown"),
        ("ada", "lane_unknown"),
        ("ada", "reason_missing"),
        ("ada", "too_old"),
        ("ada", "lane_missing"),
        ("ada", "stay_missing"),
    ]


async def test_a_lane_is_held_and_released_and_shown(place: Place, devices: Wire) -> None:
    await employ(place, "ada", "operate")
    lane = native(devices, "in-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        status, out, _ = await gated(place, "lane", FACILITY, "in-2", "hold", reason="fair")
        assert (status, out.strip()) == (0, "done: in-2 hold")
        await commanded(lane, "hold")
        assert await leaks(daemon, "operator_hold") == 1
        modes = (
            "SELECT l.slug, m.mode, m.reason FROM gate.lane_modes m"
            " JOIN gate.lanes l ON l.id = m.lane_id"
        )
        assert await place.rows(modes) == [("in-2", "held", "fair")]
        status, out, _ = await run_to_end(
            "lane", FACILITY, "--config", place.config(), directory=place.directory
        )
        assert status == 0
        assert [line.split()[0] for line in out.splitlines()[1:]] == [
            "in-1", "in-2", "out-1", "out-2",
        ]  # fmt: skip

        assert (await gated(place, "lane", FACILITY, "in-2", "release"))[0] == 0
        await commanded(lane, "release")
        assert await place.rows(modes) == [("in-2", "in_service", "delivery")]
        # The same request once more is answered, and not done again.
        again = ("lane", FACILITY, "in-2", "hold", "--id", "fair-1")
        for _ in range(2):
            assert (await gated(place, *again))[0] == 0
        await place.settled()
    assert len(devices.on(lane.topic("command"))) == 3


@pytest.mark.parametrize("act", ["pay", "waive"])
async def test_who_has_paid_by_hand_or_need_not_is_let_out(
    place: Place, devices: Wire, act: str
) -> None:
    await employ(place, "ada", act)
    await place.apply(WAITS)
    exit_ = native(devices, "out-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await pass_through(in_1(devices), PLATE)
        await daemon.event("lane.passed", lane="in-1")
        await exit_.contact("presence", on=True)
        await exit_.read(PLATE)
        assert (await exit_.refused())["amount"] == "1.50"
        opened = asyncio.create_task(exit_.opened())
        money = ("--amount", "1.50", "--currency", "EUR") if act == "pay" else ()
        status, out, errors = await gated(
            place, "facility", FACILITY, act, "--plate", PLATE, *money
        )
        assert (status, errors) == (0, "")
        assert "1.50 EUR, due 0.00 EUR" in out
        assert (await opened)["reason"] == "stay_open"
        await go_on(exit_)
        await daemon.event("lane.passed", lane="out-2")
        await place.settled()
    price = Decimal("1.5000") if act == "pay" else Decimal(0)
    assert await place.rows("SELECT final_price, gate.paid_v1(id) FROM bookings") == [
        (price, price)
    ]
    assert await audits(place) == [(f"operator.{act}", "ada", "delivery", "done")]
    assert await place.rows("SELECT * FROM gate.verify_v1()") == []


async def test_who_was_misread_is_matched_and_let_out(place: Place, devices: Wire) -> None:
    await employ(place, "ada", "match")
    await employ(place, "bea", "operate")
    exit_ = native(devices, "out-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await pass_through(in_1(devices), PLATE)
        await daemon.event("lane.passed", lane="in-1")
        match = ("lane", FACILITY, "out-2", "match", "--plate", PLATE)
        status, _, errors = await gated(place, *match)
        assert (status, errors.split(": ")[2]) == (1, "not_now")
        await exit_.contact("presence", on=True)
        await exit_.read("KI-QP 77")
        assert (await exit_.refused())["reason"] == "no_entry_found"
        called = await devices.message(exit_.topic("state"), lambda one: one.body["call"])
        assert called.body["call"]["why"] == "match_needed"
        assert "KIOP77" not in str(called.body)
        # Whose it may be is for those to know who may match.
        words = ("lane", FACILITY, "out-2", "match")
        status, out, errors = await gated(place, *words, user="bea")
        assert (status, out, errors.split(": ")[2]) == (1, "", "not_permitted")
        status, out, errors = await gated(place, *words)
        assert (status, errors.split(": ")[2]) == (1, "stay_missing")
        heading, row = out.splitlines()
        assert heading.split() == ["plate", "in", "since", "reason", "distance", "stay"]
        plate, *_, stay = row.split()
        assert plate == "KIOP77"

        opened = asyncio.create_task(exit_.opened())
        match = (*words, "--stay", stay)
        status, out, errors = await gated(place, *match, reason="mud on the plate")
        assert (status, errors) == (0, "")
        assert out.startswith("done: out-2 match: ticket ")
        await opened
        await go_on(exit_)
        await daemon.event("lane.passed", lane="out-2")
        await place.settled()
    assert await place.rows(
        "SELECT status::text, exit_match ->> 'reason', exit_match ->> 'operator' FROM bookings"
    ) == [("COMPLETED", "operator", "ada")]
    assert [(row[0], row[1], row[3]) for row in await audits(place)] == [
        ("operator.refused", "ada", "not_now"),
        ("operator.refused", "bea", "not_permitted"),
        ("operator.refused", "ada", "stay_missing"),
        ("operator.match", "ada", "done"),
    ]
    assert await place.rows("SELECT * FROM gate.verify_v1()") == []


async def test_nobody_there_is_said_and_what_was_asked_meanwhile_opens_nothing(
    place: Place, devices: Wire
) -> None:
    await employ(place, "ada", "open")
    await place.apply(SITE.replace("[policy]\n", "[policy]\nevent_age_seconds_max = 1.0\n"))
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await daemon.stop()
    status, _, errors = await gated(place, "lane", FACILITY, "in-2", "open", "--timeout", "1.5")
    assert status == 3
    assert "no daemon works for the facility" in errors
    assert "not known" in errors
    undated = {"id": 9, "do": "open", "lane": "in-2", "reason": "queued"}
    await devices.send(f"gated/v1/{FACILITY}/operator/ada/request", undated)
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        answer = await in_answer(devices, FACILITY, "ada", 9)
        assert answer["error"] == "undated"
        await daemon.event("operator.refused", outcome="too_old")
        await place.settled()
    assert commands(devices) == []


async def test_an_evacuation_begins_and_ends(place: Place) -> None:
    await employ(place, "ada", "evacuate", "resume")
    mode = "SELECT mode FROM gate.facility_modes"
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        # Said in a hurry, and clear enough.
        assert (await gated(place, "lane", FACILITY, "evacuate", reason="fire"))[0] == 0
        assert await place.value(mode) == "evacuation"
        assert (await gated(place, "facility", FACILITY, "resume"))[0] == 0
        assert await place.value(mode) == "normal"
        await place.settled()
    acts = [row for row in await audits(place) if row[3] == "done"]
    assert acts[0] == ("operator.evacuate", "ada", "fire", "done")
    assert acts[-1][0] == "operator.resume"
