"""`gated tariff …`, through a real PostgreSQL: mostly a test's own by --dsn, once the desk's."""

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from gated.cli.main import app
from gated.core.errors import ConfigError
from tests.db.site import NOW, Tariff, by_blocks, make_site, write_site
from tests.services.databases import Database
from tests.services.processes import process_alive, wait_until

Command = Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]
ROOT = Path(__file__).parents[2]

CITY = """
[facility]
time_zone = "Europe/Berlin"
currency = "EUR"

[[calendar]]
day = 2100-12-25
kind = "holiday"

[[tariff]]
name = "standard"
strategy = "BLOCK"
steps = [{ minutes = 60, price = "2.00", times = 1 }, { minutes = 30, price = "1.00" }]
limit_reading = "inclusive"
zero_stay = "free"
new_day = "rolling_24h"
second_visit = "separate"
caps = [{ per = "rolling_24h", amount = "20.00", reading = "each" }]
special_wins = "listed"
validation_order = "listed"
validation_stacking = "all"
validations = [{ name = "cinema", amount = "1.00" }]

[[tariff.specials]]
name = "evening"
price = "3.50"
enter_from = "18:00"
enter_until = "24:00"
exit_from = "20:00"
exit_until = "23:00"

[[tariff]]
name = "vans"
priority = 1
for = { vehicle_types = ["VAN"] }
strategy = "FLAT"
amount = "7.00"
zero_stay = "charged"
second_visit = "separate"
"""


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


@pytest.fixture
def tariff() -> Command:
    """Runs a command; answers status, output and what was said on standard error."""

    async def run(*line: str | Path) -> tuple[int, str, str]:
        def invoke() -> tuple[int, str, str]:
            result = CliRunner().invoke(app, ["tariff", *map(str, line)])
            if isinstance(result.exception, ConfigError):  # gated.cli.main makes it status 2
                return 2, result.stdout, str(result.exception)
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.stdout, result.stderr

        return await asyncio.to_thread(invoke)

    return run


@pytest.fixture
def city(tmp_path: Path) -> Path:
    file = tmp_path / "city.toml"
    file.write_text(CITY)
    return file


def folder_for_desks(services_directory: Path) -> Path:
    """A folder that the user may pass whom servers run as, and nobody else's desk is in."""
    folder = Path(tempfile.mkdtemp(dir=services_directory))
    folder.chmod(0o755)
    return folder


async def test_a_stay_is_priced_without_any_set_up_and_nothing_is_left(
    tariff: Command, city: Path, services_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_for_desks(services_directory)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    line = ("price", city, "--entry", "2026-12-01T08:00", "--exit", "2026-12-01T10:15+01:00")
    status, said, _ = await tariff(*line)
    assert status == 0
    answer = json.loads(said)
    assert (answer["entry"], answer["exit"]) == (
        "2026-12-01T08:00:00+01:00",
        "2026-12-01T10:15:00+01:00",
    )
    assert (answer["amount"], answer["currency"]) == ("5.00", "EUR")
    assert [line["kind"] for line in answer["lines"]] == ["block", "block"]
    assert sum(Decimal(line["amount"]) for line in answer["lines"]) == Decimal("5.00")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_interrupted_leaves_nothing_either(
    city: Path, services_directory: Path, number: signal.Signals
) -> None:
    folder = folder_for_desks(services_directory)
    line = [sys.executable, "-m", "gated", "tariff", "lint", str(city)]
    process = subprocess.Popen(line, env={**os.environ, "TMPDIR": str(folder)}, cwd=ROOT)

    def postmaster() -> int:
        found = list(folder.glob("gated-desk-*/postgres/postgres/postmaster.pid"))
        return int(found[0].read_text().split()[0]) if found and found[0].read_text() else 0

    wait_until(lambda: postmaster() > 0, "the desk's PostgreSQL starts")
    server = postmaster()
    process.send_signal(number)
    assert process.wait(30) == 130
    assert not process_alive(server)
    assert not list(folder.iterdir())


async def test_many_stays_are_priced_from_a_file_and_each_error_has_its_name(
    tariff: Command, city: Path, tmp_path: Path, database: Database, owner: asyncpg.Connection
) -> None:
    stays = tmp_path / "stays.csv"
    stays.write_text(
        "entry,exit,context\n"
        "2026-12-01T08:00,2026-12-01T09:00,\n"
        '2026-12-01T08:00,2026-12-01T09:00,"{""validations"": [""cinema""]}"\n'
        '2026-12-01T08:00,2026-12-01T09:00,"{""validations"": [""circus""]}"\n'
        '2026-12-01T08:00,2026-12-01T09:00,"{""vehicle_type"": ""VAN""}"\n'
        "2026-12-01T08:00,2026-12-01T07:00,\n"
        "2026-10-25T02:30,2026-12-01T07:00,\n"
    )
    status, said, _ = await tariff("price", city, "--stays", stays, "--dsn", database.dsn)
    assert status == 1
    answers = [json.loads(line) for line in said.splitlines()]
    assert [each.get("amount", each.get("error")) for each in answers] == [
        "2.00", "1.00", "GT016", "7.00", "GT010", "unreadable",
    ]  # fmt: skip
    assert [each["line"] for each in answers] == [2, 3, 4, 5, 6, 7]
    assert "circus" in answers[2]["reason"]
    assert "twice" in answers[5]["reason"]
    assert await owner.fetchval("SELECT count(*) FROM facilities") == 0, "nothing is left"


async def test_what_the_command_line_adds_is_asked_with(
    tariff: Command, city: Path, database: Database
) -> None:
    stay = ("--entry", "2026-12-01T08:00", "--exit", "2026-12-01T08:00", "--dsn", database.dsn)
    status, said, _ = await tariff("price", city, *stay, "--vehicle", "VAN", "--occupancy", "90")
    assert (status, json.loads(said)["amount"]) == (0, "7.00")
    assert json.loads(said)["context"] == {"vehicle_type": "VAN", "occupancy_percent": 90.0}
    status, said, _ = await tariff("price", city, *stay, "--context", '{"colour": "red"}')
    assert (status, json.loads(said)["error"]) == (1, "GT017")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (("--entry", "2026-12-01T08:00"), "expected either --entry and --exit, or --stays"),
        (("--entry", "eight", "--exit", "nine"), "--entry: expected a time such as"),
        (
            ("--entry", "2026-03-29T02:30", "--exit", "2026-03-29T08:00"),
            "--entry: the clock in Europe/Berlin skips 2026-03-29T02:30",
        ),
        (
            ("--entry", "2026-12-01T08:00Z", "--exit", "2026-12-01T09:00Z", "--context", "["),
            "--context: not valid JSON",
        ),
    ],
)
async def test_wrong_input_is_named(
    tariff: Command, city: Path, line: tuple[str, ...], says: str
) -> None:
    status, _, said = await tariff("price", city, *line)
    assert status == 2
    assert said.startswith(says), said


async def test_a_check_tells_what_is_odd_with_its_place_and_its_prices(
    tariff: Command, city: Path, database: Database
) -> None:
    status, said, _ = await tariff("lint", city, "--json", "--dsn", database.dsn)
    assert status == 1
    drop, ceasing, dear = json.loads(said)
    kinds = [each["kind"] for each in (drop, ceasing, dear)]
    assert kinds == ["longer_costs_less", "longer_costs_less", "special_costs_more"]
    assert {each["place"] for each in (drop, ceasing, dear)} == {f"{city}:24"}
    assert drop["severity"] == "warning"
    assert drop["text"].endswith("because the special evening counts")
    assert ceasing["text"].endswith("because the special evening counts no longer")
    shorter, longer = drop["examples"]
    assert Decimal(longer["amount"]) == Decimal("3.50") < Decimal(shorter["amount"])
    assert shorter["exit"] < longer["exit"]

    status, said, _ = await tariff("lint", city, "--dsn", database.dsn)
    assert f'warning {city}:24: "standard": who stays' in said
    assert said.endswith("2 warnings, 1 note\n")
    accepted = ("--accept", "longer_costs_less", "--accept", "special_costs_more")
    assert await tariff("lint", city, "--dsn", database.dsn, *accepted) == (
        0,
        "nothing to say against it\n",
        "",
    )


async def test_a_check_tells_all_that_is_wrong_with_a_file_at_once(
    tariff: Command, tmp_path: Path
) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(
        CITY.replace('zero_stay = "free"\n', "").replace('special_wins = "listed"\n', "")
    )
    status, said, errors = await tariff("lint", file)
    assert (status, said) == (2, "")
    assert [line.split(": ")[1] for line in errors.splitlines()] == [
        "tariff.zero_stay",
        "tariff.special_wins",
    ]
    assert "is a stay of no length" in errors
    status, said, _ = await tariff("lint", file, "--json")
    assert status == 2
    assert [(each["severity"], each["place"]) for each in json.loads(said)] == [
        ("error", f"{file}:10"),
        ("error", f"{file}:10"),
    ]


@pytest.mark.parametrize(
    "file", sorted((ROOT / "examples" / "tariffs").glob("*.toml")), ids=lambda f: f.stem
)
async def test_the_worked_tariffs_hold_by_themselves(tariff: Command, file: Path) -> None:
    assert await tariff("lint", file, "--quick", "--from", "2026-01-01") == (
        0,
        "nothing to say against it\n",
        "",
    )


async def test_a_table_shows_prices_around_limits_within_a_hundred_columns(
    tariff: Command, city: Path, database: Database
) -> None:
    at = ("--dsn", database.dsn, "--from", "2026-11-26", "--at", "08:00")
    status, said, _ = await tariff("table", city, *at)
    assert status == 0
    lines = said.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("standard  for vehicle type CAR; prices in EUR")
    start = next(n for n, line in enumerate(lines) if line.split()[:2] == ["stay", "leaves"])
    assert lines[start - 2].startswith("entry Mon-Sun, holiday_eve Fri 2100-12-24, holiday Sat")
    assert [line.split() for line in lines[start : start + 3]] == [
        ["stay", "leaves", "1", "min", "less", "exactly", "1", "min", "more", "because"],
        ["0", "min", "08:00", "-", "0.00", "2.00", "entry"],
        ["1", "h", "09:00", "2.00", "2.00", "3.00", "block", "of", "1", "h", "ends"],
    ]
    assert any("cap per 24 hours counts" in line for line in lines)
    assert any(line.startswith("entry clock forward Sun 2027-03-28, clock back") for line in lines)
    assert any(line.startswith("vans  for vehicle type VAN") for line in lines)


async def test_a_table_for_machines_has_a_row_for_each_limit(
    tariff: Command, city: Path, database: Database
) -> None:
    line = ("--dsn", database.dsn, "--at", "08:00", "--tariff", "standard", "--days", "0.5")
    status, said, _ = await tariff("table", city, *line, "--csv")
    rows = list(csv.DictReader(io.StringIO(said)))
    assert (status, rows[1]["minutes"], rows[1]["after"]) == (0, "60", "3.00")
    status, said, _ = await tariff("table", city, *line, "--json")
    assert [row["at"] for row in json.loads(said)] == [row["at"] for row in rows]
    status, _, said = await tariff("table", city, "--tariff", "none")
    assert (status, said) == (2, '--tariff: the file has no tariff "none", but standard, vans')
    status, _, said = await tariff("table", city, "--at", "8 o'clock")
    assert (status, said[:29]) == (2, "--at: expected a time of day ")


async def test_a_picture_is_drawn(
    tariff: Command, city: Path, database: Database, tmp_path: Path
) -> None:
    picture = tmp_path / "price.svg"
    status, _, said = await tariff("plot", city, "-o", picture, "--dsn", database.dsn)
    assert (status, said) == (0, f"written to {picture}\n")
    assert "Tue 08:00" in picture.read_text()
    status, _, said = await tariff("plot", city, "-o", tmp_path / "price.txt")
    assert (status, said[:10]) == (2, "--output: ")


async def test_two_files_are_compared_on_stays_of_a_file(
    tariff: Command, city: Path, tmp_path: Path
) -> None:
    new, stays = tmp_path / "new.toml", tmp_path / "stays.csv"
    new.write_text(CITY.replace('minutes = 30, price = "1.00"', 'minutes = 30, price = "1.50"'))
    stays.write_text(
        "entry,exit\n2026-12-01T08:00,2026-12-01T09:00\n2026-12-01T08:00,2026-12-01T10:00\n"
    )
    status, said, _ = await tariff("diff", city, new, "--stays", stays)
    assert status == 0
    words = [line.split() for line in said.splitlines()]
    assert ["difference", "+1.00", "EUR"] in words
    assert "Tue 2026-12-01 08:00  2 h   4.00  5.00       +1.00" in said
    status, said, _ = await tariff("diff", city, new, "--stays", stays, "--json")
    told = json.loads(said)
    assert (told["dearer"], told["cheaper"], told["same"]) == (1, 0, 1)
    assert told["largest"][0]["by"] == "1.00"
    yen = tmp_path / "yen.toml"
    yen.write_text(CITY.replace("EUR", "USD"))
    status, _, said = await tariff("diff", city, yen, "--stays", stays)
    assert (status, said.split(": ")[-1]) == (2, "such prices cannot be compared")
    assert (await tariff("diff", city, new))[2] == "expected either --facility or --stays"


@pytest.fixture
async def facility(database: Database, owner: asyncpg.Connection) -> UUID:
    """A facility `one` at 2.50 an hour, in USD."""
    site = make_site([["A-1"]], tariffs=[Tariff(config=by_blocks())])
    await write_site(database.dsn, site)
    await owner.execute("UPDATE gate.facility_settings SET slug = 'one'")
    return site.id


async def stay(owner: asyncpg.Connection, facility: UUID, status: str, **columns: Any) -> UUID:
    row = {"id": uuid4(), "facility_id": facility, "status": status, **columns}
    names = ", ".join(row)
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await owner.execute(f"INSERT INTO bookings ({names}) VALUES ({places})", *row.values())
    booking = row["id"]
    assert isinstance(booking, UUID)
    return booking


async def test_two_files_are_compared_on_the_stays_of_a_facility(
    tariff: Command,
    city: Path,
    tmp_path: Path,
    database: Database,
    owner: asyncpg.Connection,
    facility: UUID,
) -> None:
    entry = NOW - timedelta(hours=5)
    ended = {"entry_time": entry, "actual_exit": entry + timedelta(hours=2)}
    await stay(owner, facility, "COMPLETED", **ended)
    await stay(owner, facility, "COMPLETED", **ended, price_context='{"validations": ["cinema"]}')
    await stay(owner, facility, "COMPLETED", **ended, entitlement="staff")
    await stay(owner, facility, "ACTIVE", entry_time=entry)
    new = tmp_path / "new.toml"
    new.write_text(CITY.replace('price = "2.00", times = 1', 'price = "2.50", times = 1'))
    line = ("diff", city, new, "--dsn", database.dsn, "--days", "60", "--json")
    status, said, _ = await tariff(*line, "--facility", "one")
    assert status == 0
    told = json.loads(said)
    assert (told["stays"], told["dearer"], told["refused"]) == (2, 2, [])
    assert Decimal(told["total_new"]) - Decimal(told["total_old"]) == 1
    status, _, said = await tariff(*line, "--facility", "two")
    assert (status, said) == (2, '--facility: there is no facility "two"')


async def test_a_price_is_explained_as_it_was_frozen(
    tariff: Command, database: Database, owner: asyncpg.Connection, facility: UUID
) -> None:
    lines = [
        {"kind": "block", "name": "by the hour", "from": "2026-11-30T07:00:00.000000Z",
         "to": "2026-11-30T08:30:00.000000Z", "blocks": 2, "minutes": 60, "unit_price": "2.50",
         "amount": "5.00"}
    ]  # fmt: skip
    booking = await stay(
        owner,
        facility,
        "COMPLETED",
        entry_time=NOW,
        actual_exit=NOW + timedelta(minutes=90),
        final_price=Decimal("5.00"),
        currency="USD",
        price_lines=json.dumps(lines),
        plate_number="AB123",
        ticket_number="TICKET7",
    )
    status, said, _ = await tariff("explain", "TICKET7", "--dsn", database.dsn)
    assert status == 0
    assert max(map(len, said.splitlines())) == 48
    assert "  2 x 60 min at 2.50                        5.00\n" in said
    assert "Due                                     " in said
    status, said, _ = await tariff("explain", str(booking).upper(), "--dsn", database.dsn, "--json")
    told = json.loads(said)
    assert (told["ticket"], told["amount"], told["due"]) == ("TICKET7", "5.00", "5.00")
    assert told["lines"] == lines


async def test_a_running_stay_is_explained_up_to_now(
    tariff: Command, database: Database, owner: asyncpg.Connection, facility: UUID
) -> None:
    entry = await owner.fetchval("SELECT now() - interval '90 minutes'")
    await stay(owner, facility, "ACTIVE", entry_time=entry, ticket_number="INSIDE")
    dsn = ("--dsn", database.dsn_as("gated_daemon"))
    status, said, _ = await tariff("explain", "INSIDE", *dsn)
    assert (status, "Still inside, until" in said, "5.00" in said) == (0, True, True)
    await stay(owner, facility, "CANCELLED", entry_time=entry, ticket_number="NEVER")
    assert await tariff("explain", "NEVER", *dsn) == (
        1,
        "",
        "gated tariff explain: NEVER has no price: it is CANCELLED\n",
    )
    assert await tariff("explain", "NOSUCH", *dsn) == (
        1,
        "",
        "gated tariff explain: there is no booking NOSUCH\n",
    )


async def test_standards_are_read_and_written(tariff: Command, city: Path, tmp_path: Path) -> None:
    output = tmp_path / "city.json"
    status, _, said = await tariff("export", "apds", city, "-o", output)
    assert status == 0
    assert "lost: /0/specials: " in said
    assert said.endswith(f"written to {output}\n")
    status, text, said = await tariff("import", "apds", output)
    assert status == 0
    assert "[[tariff]]" in text
    assert "ask: " in said
    status, _, said = await tariff("import", "ocpi", tmp_path / "none.json")
    assert (status, said) == (2, f"{tmp_path / 'none.json'}: no such file")
    output.write_text("{")
    status, _, said = await tariff("import", "cds", output)
    assert (status, said.split(": ")[1]) == (2, "not valid JSON")


async def test_a_database_that_cannot_be_had_is_told(tariff: Command, city: Path) -> None:
    nowhere = ("--dsn", "postgresql://nobody@127.0.0.1:1/none")
    status, _, said = await tariff(
        "price", city, "--entry", "2026-12-01T08:00", "--exit", "2026-12-01T09:00", *nowhere
    )
    assert (status, said[:40]) == (1, "gated tariff price: PostgreSQL cannot be")
    status, _, said = await tariff("lint", city, *nowhere)
    assert status == 2
