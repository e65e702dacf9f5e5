"""`gated reconcile`, `violations`, `debts`, `evacuation`, `reset-passback`: by hand, at a desk."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gated.cli.main import app
from gated.core.effects import FreeKind
from gated.core.errors import ConfigError
from tests.db.desk import HOUR, MINUTE, PLATE, Desk
from tests.db.site import NOW

Command = Callable[..., Coroutine[Any, Any, tuple[int, str]]]
BERLIN = ZoneInfo("Europe/Berlin")
LONG = ("--since", (NOW - 2 * HOUR).isoformat())


@pytest.fixture
def gated(desk: Desk, tmp_path: Path) -> Command:
    """Runs a command on the facility of `desk`, or the one given ("": none); answers status and
    output."""
    address = desk.bench.address
    assert address is not None
    config = tmp_path / "config.toml"
    config.write_text(f'[database]\ndsn = "{address.dsn}"\n[mqtt]\nhost = "127.0.0.1"\n')

    async def run(*line: str, facility: str | None = None) -> tuple[int, str]:
        def invoke() -> tuple[int, str]:
            named = desk.site.setup.slug if facility is None else facility
            options = ["--config", str(config), *(["--facility", named] if named else [])]
            result = CliRunner().invoke(app, [*line, *options])
            if isinstance(result.exception, ConfigError):  # gated.cli.main makes it status 2
                return 2, str(result.exception)
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.output.strip()

        return await asyncio.to_thread(invoke)

    return run


# ── contradictions ──────────────────────────────────────────────────────────────────────────


async def test_contradictions_are_listed_and_resolved(desk: Desk, gated: Command) -> None:
    assert await gated("reconcile", "list") == (0, "nothing waits for an operator")
    await desk.leaves(plate="STRANGER")
    status, table = await gated("reconcile", "list")
    assert status == 0
    assert re.search(r"exit_unmatched\s+exit-1\s+.*plate STRANGER", table)
    assert re.search(r"\d{2}:\d{2}:\d{2} CES?T +exit_unmatched", table)
    assert not re.search(r"exit-1.*[a-z]_at", table)
    status, line = await gated("reconcile", "list", "--json")
    one = json.loads(line)
    assert (one["kind"], one["lane"], one["ticket"]) == ("exit_unmatched", "exit-1", None)
    assert one["details"]["plate"] == "STRANGER"
    settle = ("reconcile", "resolve", one["id"], "--reason")
    assert (await gated(*settle, " "))[1] == (
        "gated reconcile resolve: reason_missing: --reason says how it was settled"
    )
    assert await gated(*settle, "a tow truck") == (0, "resolved")
    assert await gated(*settle, "a tow truck") == (
        1,
        "gated reconcile resolve: resolved_before: it was resolved before",
    )
    assert (await gated("reconcile", "resolve", str(uuid4()), "--reason", "x"))[0] == 1
    status, said = await gated("reconcile", "resolve", "7", "--reason", "x")
    assert (status, said[:26]) == (2, "ID: expected an id such as")
    assert await gated("reconcile", "list") == (0, "nothing waits for an operator")


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("FORCE_COLOR", "1")


@pytest.mark.usefixtures("narrow")
async def test_a_contradiction_can_be_resolved_by_what_a_terminal_shows(
    desk: Desk, gated: Command
) -> None:
    await desk.leaves(plate="STRANGER")
    _, shown = await gated("reconcile", "list")
    assert max(map(len, shown.splitlines())) <= 80
    (id_,) = re.findall(r"^  id (\S+)$", shown, re.MULTILINE)
    assert await gated("reconcile", "resolve", id_, "--reason", "a tow truck") == (0, "resolved")


@pytest.mark.usefixtures("narrow")
async def test_nothing_of_an_offence_is_cut_off_and_stays_are_tickets(
    desk: Desk, gated: Command
) -> None:
    first = await desk.inside(plate="FIRST1")
    ticket = (await desk.booking(first))["ticket_number"]
    await desk.punish("tailgating", "25")
    await desk.enters(FreeKind.TAILGATING, after=first)
    _, shown = await gated("violations", *LONG)
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    assert "tailgating" in shown
    assert f"in the opening for ticket {ticket}" in " ".join(shown.split())
    assert str(first) not in shown


# ── offences and debts ──────────────────────────────────────────────────────────────────────


async def test_offences_are_listed_with_penalty_and_evidence(desk: Desk, gated: Command) -> None:
    assert await gated("violations") == (0, "no violation")
    await desk.punish("tailgating", "25")
    await desk.enters(FreeKind.TAILGATING)
    status, table = await gated("violations", *LONG)
    assert status == 0
    assert re.search(rf"tailgating\s+{PLATE}\s+25\.00 EUR\s+OPEN\s+entry-1", table)
    here = NOW.astimezone(BERLIN)
    assert re.search(rf"\n{here:%Y-%m-%d %H:%M:%S %Z} +tailgating", table)
    passed = f"{here:%a %Y-%m-%d %H:%M}"
    assert re.search(rf"message [0-9a-f-]{{36}}, on the way in, passed {passed}", table)
    assert not re.search(r"[a-z]_[a-z]", table)
    line = (await gated("violations", "--json", *LONG))[1]
    one = json.loads(line)
    assert (one["type"], one["penalty"], one["currency"]) == ("tailgating", "25.00", "EUR")
    assert one["evidence"]["direction"] == "entry"
    assert {"passage", "lane", "passed_at"} <= one["evidence"].keys()
    await desk.owner.execute(
        "UPDATE violations SET status = 'WAIVED' WHERE facility_id = $1", desk.id
    )
    assert await gated("violations", *LONG) == (0, "no violation")
    assert "WAIVED" in (await gated("violations", "--all", *LONG))[1]


async def test_debts_are_listed_until_they_are_paid(desk: Desk, gated: Command) -> None:
    assert await gated("debts") == (0, "nothing is owed")
    stay = await desk.inside()
    await desk.leaves()
    ticket = (await desk.booking(stay))["ticket_number"]
    status, table = await gated("debts", *LONG)
    assert status == 0
    assert re.search(rf"{re.escape(ticket)}\s+{PLATE}\s.*5\.00 EUR\s+0\.00 EUR\s+5\.00 EUR", table)
    assert f"{NOW.astimezone(BERLIN):%Y-%m-%d %H:%M:%S %Z}" in table
    one = json.loads((await gated("debts", "--json", *LONG))[1])
    assert (one["ticket"], one["due"], one["currency"]) == (ticket, "5.00", "EUR")
    status, _ = await gated("booking", "pay", "--ticket", ticket, "--amount", "5")
    assert status == 0
    assert await gated("debts", *LONG) == (0, "nothing is owed")


@pytest.mark.parametrize("command", ["violations", "debts"])
async def test_how_long_ago_is_asked_for_is_understood(gated: Command, command: str) -> None:
    assert (await gated(command, "--since", "90min"))[0] == 0
    status, said = await gated(command, "--since", "yesterday")
    assert (status, said[:40]) == (2, "--since: expected a time with offset suc")
    assert said.endswith("or how long ago it was, as 90min, 12h or 30d, got 'yesterday'")


# ── after an evacuation ─────────────────────────────────────────────────────────────────────


async def test_who_left_uncounted_is_listed_and_settled(desk: Desk, gated: Command) -> None:
    first, second, third = [
        await desk.inside(plate, at=NOW + n * MINUTE)
        for n, plate in enumerate(("AA1", "BB2", "CC3"))
    ]
    began = ("--since", (NOW + HOUR).isoformat())
    status, table = await gated("evacuation", *began)
    assert status == 0
    assert re.search(r"AA1\s.*entry-1\s+zone-0 A-1\s.*entry entry-1", table)
    at = (NOW + HOUR).astimezone(BERLIN)
    assert (
        f"3 stays, inside when it began at {at:%Y-%m-%d %H:%M:%S %Z}, and not seen since" in table
    )
    lines = (await gated("evacuation", "--json", *began))[1].splitlines()
    assert [json.loads(line)["plate"] for line in lines] == ["AA1", "BB2", "CC3"]

    ticket = (await desk.booking(first))["ticket_number"]
    settle = ("--settle", ticket, "--settle", "bb 2", "--reason", "gone, by the camera")
    status, said = await gated("evacuation", *settle, *began)
    assert status == 0
    assert f"settled: ticket {ticket}, AA1\n" in said
    assert "2 of 2 stays ended as of" in said
    status, said = await gated("evacuation", "--all", "--charge", "--reason", "gone", *began)
    assert "CC3, due 2.50 EUR" in said
    for stay in (first, second, third):
        row = await desk.booking(stay)
        assert (row["status"], row["actual_exit"]) == ("COMPLETED", NOW + HOUR)
    (audit, *_) = await desk.audits("stay.settled")
    assert audit["actor"].startswith("operator ")
    assert (await gated("evacuation", *began))[1].startswith("whoever was inside at ")


async def test_when_it_began_is_found_on_record(desk: Desk, gated: Command) -> None:
    status, said = await gated("evacuation")
    assert (status, said.partition(":")[0]) == (2, "no evacuation on record")
    at = await desk.owner.fetchval("SELECT now() - interval '1 hour'")
    await desk.inside(at=at - timedelta(hours=1))
    await desk.owner.execute(
        "INSERT INTO gate.evacuations (facility_id, began_at) VALUES ($1, $2)",
        desk.id,
        at,
    )
    status, table = await gated("evacuation")
    assert (status, "1 stays, inside when it began" in table) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("--all",), 2, "--reason: expected with --settle and --all"),
        (("--all", "--settle", "X", "--reason", "x"), 2, "expected either --settle or --all"),
        (("--settle", "X", "--reason", "x"), 1, "gated evacuation: not_listed: X is neither"),
        (("--settle", "0000$=~", "--reason", "x"), 1, "gated evacuation: not_listed: 0000$=~ is"),
        (("--since", "noon"), 2, "--since: expected a time with offset"),
    ],
)
async def test_what_cannot_be_settled_is_refused(
    desk: Desk, gated: Command, arguments: tuple[str, ...], status: int, says: str
) -> None:
    await desk.inside()
    began = () if "--since" in arguments else ("--since", (NOW + HOUR).isoformat())
    got = await gated("evacuation", *arguments, *began)
    assert (got[0], got[1][: len(says)]) == (status, says)


async def test_without_words_nothing_is_settled(desk: Desk, gated: Command) -> None:
    stay = await desk.inside()
    began = ("--since", (NOW + HOUR).isoformat())
    status, said = await gated("evacuation", "--all", "--reason", " ", *began)
    assert (status, said.split(": ")[1]) == (1, "reason_missing")
    assert (await desk.booking(stay))["status"] == "ACTIVE"


# ── anti-passback ───────────────────────────────────────────────────────────────────────────


async def test_anti_passback_is_reset_by_hand(desk: Desk, gated: Command) -> None:
    await desk.inside()
    reset = ("reset-passback", "--at", (NOW + MINUTE).isoformat(), "--reason")
    assert (await gated(*reset, ""))[1] == "gated reset-passback: reason_missing: --reason says why"
    status, said = await gated(*reset, "power failure")
    assert (status, said.partition(" from ")[0]) == (0, "no stay")
    request = await desk.gate.entry(at=NOW + HOUR)
    answer = await desk.store.admit(desk.id, desk.gate.fence, request)
    assert answer.outcome == "admitted"
    (audit,) = await desk.audits("passback.reset")
    assert audit["actor"].startswith("operator ")
    assert audit["details"] == {"reason": "power failure"}


async def test_a_database_that_cannot_be_had_is_told_in_words(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    dsn = "postgresql://nobody@127.0.0.1:1/none"
    config.write_text(f'[database]\ndsn = "{dsn}"\n[mqtt]\nhost = "127.0.0.1"\n')
    line = ["violations", "--facility", "north", "--config", str(config)]
    result = await asyncio.to_thread(CliRunner().invoke, app, line)
    assert result.exit_code == 1
    assert result.stderr.startswith("gated violations: PostgreSQL cannot be reached: [")


async def test_an_unknown_facility_is_named_with_those_that_there_are(gated: Command) -> None:
    for line in (
        ("reconcile", "list"),
        ("violations",),
        ("debts",),
        ("evacuation",),
        ("reset-passback", "--reason", "x"),
    ):
        status, said = await gated(*line, facility="nowhere")
        assert status == 2
        assert said.startswith('FACILITY: there is no facility "nowhere": there is site-')


async def test_the_facility_may_stand_first_as_elsewhere(desk: Desk, gated: Command) -> None:
    slug = desk.site.setup.slug
    for line in (
        ("reconcile", "list", slug),
        ("violations", slug),
        ("debts", slug),
        ("evacuation", slug, *LONG),
        ("reset-passback", slug, "--reason", "x", "--at", NOW.isoformat()),
        ("booking", "expire", slug),
    ):
        status, said = await gated(*line, facility="")
        assert status == 0, said
    await desk.leaves(plate="STRANGER")
    id_ = json.loads((await gated("reconcile", "list", slug, "--json", facility=""))[1])["id"]
    resolve = ("reconcile", "resolve", slug, id_, "--reason", "a tow truck")
    assert await gated(*resolve, facility="") == (0, "resolved")


async def test_a_facility_is_named_once(desk: Desk, gated: Command) -> None:
    for line, says in (
        (("debts",), "expected FACILITY, got nothing"),
        (("reconcile", "resolve", "7", "--reason", "x"), "expected FACILITY ID, got 7"),
        (("booking", "lost", "a", "b", "c"), "expected FACILITY TICKET, got a b c"),
    ):
        assert await gated(*line, facility="") == (2, says)
    assert await gated("debts", "south", facility="north") == (
        2,
        '--facility: expected one facility, got "south" and "north"',
    )
    # Said twice and the same is said once.
    assert await gated("debts", desk.site.setup.slug) == (0, "nothing is owed")
