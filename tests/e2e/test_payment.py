"""An exit that waits for the payment, from end to end: asked, paid in parts, let out."""

import asyncio
from decimal import Decimal

import pytest

from tests.e2e.daemon import run_to_end
from tests.e2e.devices import Wire, go_on, pass_through, receipt, stamp
from tests.e2e.place import FACILITY, SITE, Place, in_1, native

PLATE = "KI-ZA 77"
WAITS = SITE.replace("[policy]\n", '[policy]\nunpaid_exit = "wait"\npayment_look_seconds = 0.2\n')
CASH = """
WITH stay AS (SELECT id FROM bookings WHERE status = 'ACTIVE')
INSERT INTO payments (amount, currency, provider, status, booking_id)
SELECT $1, 'EUR', 'CASH', 'COMPLETED', stay.id FROM stay
"""


def terminal(amount: str, **changes: object) -> dict[str, object]:
    """What a payment terminal says, for the plate."""
    said = {
        "id": 7,
        "plate": PLATE,
        "amount": amount,
        "currency": "EUR",
        "provider": "Acme Pay",
        "provider_txn_id": "4711",
        "at": stamp(),
    }
    return {**said, **changes}


async def pay(place: Place, amount: str) -> str:
    """What `gated booking pay` says."""
    status, out, errors = await run_to_end(
        "booking", "pay", "--config", place.config(), "--facility", FACILITY,
        "--plate", PLATE, "--amount", amount,
        directory=place.directory,
    )  # fmt: skip
    assert (status, errors) == (0, ""), errors
    return out.strip()


@pytest.mark.parametrize("rest", ["by the cash desk", "by a row of the web shop", "by a terminal"])
async def test_who_pays_at_the_exit_leaves_without_a_new_read(
    place: Place, devices: Wire, rest: str
) -> None:
    await place.apply(WAITS)
    exit_ = native(devices, "out-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await pass_through(in_1(devices), PLATE)
        await daemon.event("lane.passed", lane="in-1")

        await exit_.contact("presence", on=True)
        await exit_.read(PLATE)
        shown = await exit_.refused()
        assert (shown["reason"], shown["amount"], shown["currency"]) == (
            "payment_due",
            "1.50",
            "EUR",
        )
        await daemon.event("lane.payment_asked", lane="out-2")

        assert "due 0.50" in await pay(place, "1.00")
        assert (await exit_.refused())["amount"] == "0.50"

        # Until then nothing was opened, however often it was looked.
        assert (
            await place.rows(
                "SELECT c.do_what FROM gate.commands c JOIN gate.lanes l ON l.id = c.lane_id"
                " WHERE l.slug = 'out-2' AND c.do_what = 'open'"
            )
            == []
        )
        opened = asyncio.create_task(exit_.opened())
        if rest == "by the cash desk":
            assert "due 0.00" in await pay(place, "0.50")
        elif rest == "by a terminal":
            for after in range(2):  # told twice, it counts once, and is answered twice
                await devices.send(f"gated/v1/{FACILITY}/payment", terminal("0.50"))
                answer = await receipt(devices, FACILITY, 7, after=after)
                assert (answer["ok"], answer["outcome"], answer["due"]) == (True, "paid", "0.00")
            taken = await daemon.event("payment.taken")
            assert (taken["outcome"], taken["due"]) == ("paid", "0.00")
        else:
            await place.rows(CASH, Decimal("0.50"))
        command = await opened
        assert command["reason"] == "stay_open"
        await go_on(exit_)
        await daemon.event("lane.passed", lane="out-2")
        await place.settled()
    assert await place.rows("SELECT status::text, final_price, gate.paid_v1(id) FROM bookings") == [
        ("COMPLETED", Decimal("1.5000"), Decimal("1.5000"))
    ]
    assert [row[3] for row in await place.decisions()] == ["transient", "stay_open"]
    assert await place.rows("SELECT * FROM gate.verify_v1()") == []


async def test_who_backs_off_is_denied_and_stays_inside(place: Place, devices: Wire) -> None:
    await place.apply(WAITS)
    exit_ = native(devices, "out-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await pass_through(in_1(devices), PLATE)
        await daemon.event("lane.passed", lane="in-1")
        await exit_.contact("presence", on=True)
        await exit_.read(PLATE)
        await exit_.refused()
        await exit_.contact("presence", on=False)
        await place.decided(
            ("in-1", "KIZA77", "grant", "transient"), ("out-2", "KIZA77", "deny", "payment_due")
        )
        await place.settled()
    assert await place.value("SELECT status::text FROM bookings") == "ACTIVE"


async def test_money_for_nobody_waits_for_the_operator(place: Place, devices: Wire) -> None:
    """An unknown ticket, another currency: recorded, told, and nothing opens."""
    topic = f"gated/v1/{FACILITY}/payment"
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await devices.send(topic, terminal("1.00"))
        await daemon.event("payment.refused", outcome="booking_unknown")
        answer = await receipt(devices, FACILITY, 7)
        assert (answer["ok"], answer["error"]) == (False, "booking_unknown")
        await pass_through(in_1(devices), PLATE)
        await devices.send(topic, terminal("1.00", id=8, currency="SEK"))
        await daemon.event("payment.refused", outcome="currency_mismatch")
        assert (await receipt(devices, FACILITY, 8))["error"] == "currency_mismatch"
        await devices.send(topic, terminal("one", id=9))
        await daemon.event("inbox.quarantined")
        assert (await receipt(devices, FACILITY, 9))["error"] == "bad_request"
        await place.settled()
    assert await place.rows(
        "SELECT details ->> 'outcome', details ->> 'amount' FROM gate.reconciliations"
        " ORDER BY created_at"
    ) == [("booking_unknown", "1.00"), ("currency_mismatch", "1.00")]
    assert await place.rows("SELECT * FROM payments") == []


async def test_a_payment_that_is_told_twice_or_differently_counts_once(
    place: Place, devices: Wire
) -> None:
    """A machine that was restarted tells of it by another message; another one lies."""
    topic = f"gated/v1/{FACILITY}/payment"
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await pass_through(in_1(devices), PLATE)
        await daemon.event("lane.passed", lane="in-1")
        ticket = await place.value("SELECT ticket_number FROM bookings")
        said = [
            ("m-1", "0.50", "part_paid"),
            ("m-2", "0.50", "told_before"),
            ("m-3", "1.50", "told_differently"),
        ]
        answers = []
        for number, amount, _ in said:
            await devices.send(topic, terminal(amount, id=number))
            answers.append(await receipt(devices, FACILITY, number))
        await daemon.event("payment.taken", outcome="told_before")
        await daemon.event("payment.refused", outcome="told_differently")
        await place.settled()
    assert [answer["ok"] for answer in answers] == [True, True, False]
    counts = {"ticket": ticket, "due": "1.00", "currency": "EUR"}
    assert answers[:2] == [
        {"id": number, "ok": True, "outcome": word, **counts} for number, _, word in said[:2]
    ]
    assert answers[2]["error"] == "told_differently"
    assert await place.rows("SELECT amount, provider_txn_id FROM payments") == [
        (Decimal("0.5000"), "Acme Pay:4711")
    ]
    assert await place.rows(
        "SELECT outcome, error FROM gate.events WHERE kind = 'payment' ORDER BY seq"
    ) == [("decided", None), ("told_before", None), ("refused", "told_differently")]
    assert await place.rows("SELECT details ->> 'outcome' FROM gate.reconciliations") == [
        ("told_differently",)
    ]
    assert await place.value("SELECT count(*) FROM gate.commands WHERE do_what = 'open'") == 1
