"""`gated stays …`: what is counted against what is there, and stays whose vehicle is gone."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from typer.testing import CliRunner

from gated.cli.main import app
from gated.core.errors import ConfigError
from tests.db.site import Gate, set_up
from tests.db.stores import Bench

Command = Callable[..., Coroutine[Any, Any, tuple[int, str]]]
ENTERED = datetime.now(UTC) - timedelta(days=9)
PLATE = "BAB123"
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Lot:
    """A facility whose one vehicle came in nine days ago, and who may close its stay."""

    gate: Gate
    owner: asyncpg.Connection
    run: Command

    @property
    def slug(self) -> str:
        return self.gate.site.setup.slug

    async def ticket(self) -> str:
        ticket: str = await self.owner.fetchval("SELECT ticket_number FROM bookings")
        return ticket


@pytest.fixture
async def lot(fresh_bench: Bench, tmp_path: Path) -> AsyncIterator[Lot]:
    gate = await fresh_bench.gate()
    await gate.admitted(PLATE, at=ENTERED)
    config = tmp_path / "config.toml"
    assert fresh_bench.address is not None
    config.write_text(
        f'[database]\ndsn = "{fresh_bench.address.dsn}"\n[mqtt]\nhost = "127.0.0.1"\n'
    )

    async def run(*words: str) -> tuple[int, str]:
        def invoke() -> tuple[int, str]:
            result = CliRunner().invoke(app, ["stays", *words, "--config", str(config)])
            if isinstance(result.exception, ConfigError):  # gated.cli.main makes it status 2
                return 2, str(result.exception)
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.output.strip()

        return await asyncio.to_thread(invoke)

    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    user = await fresh_bench.user()
    await owner.execute(
        "INSERT INTO facility_staff (facility_id, staff_member, permissions, operator_name)"
        " VALUES ($1, $2, '{close_stay}', 'ada')",
        gate.site.id,
        user,
    )
    yield Lot(gate, owner, run)
    await owner.close()


async def close(lot: Lot, *more: str, as_: str = "ada", reason: str = "gone") -> tuple[int, str]:
    words = (await lot.ticket(), "-f", lot.slug, "--as", as_, "--reason", reason)
    return await lot.run("close", *words, *more)


async def test_phantoms_are_listed_with_what_speaks_for_it(lot: Lot) -> None:
    status, table = await lot.run("phantoms", lot.slug)
    assert status == 0
    ticket = re.escape(await lot.ticket())
    day = f"{ENTERED.astimezone(BERLIN):%Y-%m-%d %H:%M:%S %Z}"
    assert re.search(rf"{ticket} +{PLATE} +zone-0/A-1 +{day} +.* weak +no sign since", table)
    assert (await lot.run("phantoms", lot.slug, "--days", "10"))[1].startswith("every open stay")


async def test_machines_get_an_object_a_line(lot: Lot) -> None:
    _, text = await lot.run("phantoms", lot.slug, "--json")
    (line,) = text.splitlines()
    found = json.loads(line)
    assert (found["plate"], found["strength"]) == (PLATE, "weak")
    assert datetime.fromisoformat(found["entry_at"]) == ENTERED
    assert [sign["kind"] for sign in found["evidence"]] == ["entry"]


async def test_a_stay_is_closed_by_whom_and_why(lot: Lot) -> None:
    ended = f"{ENTERED.astimezone(BERLIN):%Y-%m-%d %H:%M:%S %Z}"
    assert await close(lot) == (
        0,
        f"closed: ended {ended}, price 0.00 EUR, 0.00 EUR not charged",
    )
    audit = await lot.owner.fetchrow(
        "SELECT actor, details::json ->> 'reason' AS reason FROM audit_logs"
        " WHERE action = 'stay.closed'"
    )
    assert audit is not None
    assert tuple(audit) == ("operator ada", "gone")
    status, said = await close(lot)
    assert (status, said.split(":")[1].strip()) == (1, "stay_ended")


async def test_the_facility_may_stand_first_or_be_named(lot: Lot) -> None:
    who = ("--as", "ada", "--reason", "gone")
    for words in (("counts", "-f", lot.slug), ("phantoms", "--facility", lot.slug)):
        assert (await lot.run(*words))[0] == 0
    status, said = await lot.run("close", await lot.ticket(), *who)
    assert (status, said) == (2, f"expected FACILITY TICKET, got {await lot.ticket()}")
    status, said = await lot.run("close", lot.slug, await lot.ticket(), *who)
    assert (status, said.partition(":")[0]) == (0, "closed")


async def test_a_repeated_call_with_its_id_is_one_act(lot: Lot) -> None:
    closing = str(uuid4())
    assert (await close(lot, "--id", closing, "--debt"))[0] == 0
    assert (await close(lot, "--id", closing, "--debt"))[0] == 0
    count = "SELECT count(*) FROM audit_logs WHERE action = 'stay.closed'"
    assert await lot.owner.fetchval(count) == 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"as_": "eve"}, "user_unknown"),
        ({"reason": " "}, "reason_missing"),
    ],
)
async def test_who_may_not_is_told_why(lot: Lot, changes: dict[str, str], word: str) -> None:
    status, said = await close(lot, **changes)
    assert (status, said.split(":")[1].strip()) == (1, word)
    assert await lot.owner.fetchval("SELECT status::text FROM bookings") == "ACTIVE"


async def test_an_unknown_ticket_and_an_unknown_facility(lot: Lot) -> None:
    who = ("--as", "ada", "--reason", "gone")
    status, said = await lot.run("close", "NONE", "-f", lot.slug, *who)
    assert (status, "stay_unknown" in said) == (1, True)
    for words in (("phantoms", "north"), ("counts", "north"), ("close", "X", "-f", "north", *who)):
        said = f'FACILITY: there is no facility "north": there is {lot.slug}'
        assert await lot.run(*words) == (2, said)
    status, said = await close(lot, "--id", "seven")
    assert (status, said.partition(" such as")[0]) == (2, "--id: expected an id")


async def test_zones_by_count(lot: Lot) -> None:
    status, table = await lot.run("counts", lot.slug)
    assert status == 0
    assert re.search(r"zone-0 +1 +1 +- +-", table)
    zone = lot.gate.site.zone
    await lot.owner.execute(
        "INSERT INTO gate.zone_counts VALUES ($1, $2, 3, now(), gen_random_uuid())",
        zone,
        lot.gate.site.id,
    )
    status, table = await lot.run("counts", lot.slug)
    assert (status, "-2 against the sensor" in table) == (0, True)
    await set_up(lot.owner, lot.gate.site.id, drift_count_max=1)
    await lot.owner.execute(
        "UPDATE zones SET available_spots = available_spots + 1 WHERE id = $1", zone
    )
    status, table = await lot.run("counts", lot.slug)
    assert (status, "-1 against stays, -3 against the sensor" in table) == (1, True)
