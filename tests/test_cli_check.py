"""`gated check` and `gated site apply` as their users meet them: lines, exit status, no effects."""

import asyncio
import socketserver
import threading
from pathlib import Path

import asyncpg
import pytest
import typer
from typer.testing import CliRunner, Result

from gated.cli.check import check
from gated.cli.site import app as site_app
from tests.services.brokers import BrokerHandle
from tests.services.databases import Database

SAMPLE = Path(__file__).parent.parent / "examples" / "site.toml"

app = typer.Typer()
app.command()(check)
app.add_typer(site_app, name="site")


@pytest.fixture
def config(tmp_path: Path, database: Database, broker: BrokerHandle) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(
        f'[database]\ndsn = "{database.dsn_as("gated_daemon")}"\n'
        f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\n'
    )
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def execute(database: Database, *statements: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(database.dsn)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def value(database: Database, query: str) -> object:
    async def work() -> object:
        connection = await asyncpg.connect(database.dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(work())


def applied(database: Database, file: Path = SAMPLE) -> None:
    result = run("site", "apply", file, "--dsn", database.dsn)
    assert result.exit_code == 0, result.output


# ── gated site apply ────────────────────────────────────────────────────────────────────────


def test_plan_then_apply_then_nothing(database: Database) -> None:
    planned = run("site", "apply", SAMPLE, "--dsn", database.dsn, "--plan")
    assert planned.exit_code == 0
    assert "add" in planned.stdout
    assert "ground/G-01 … G-38 (38)" in planned.stdout
    assert planned.stdout.splitlines()[-1].endswith("would change; nothing was done")
    assert value(database, "SELECT count(*) FROM facilities") == 0

    done = run("site", "apply", SAMPLE, "--dsn", database.dsn)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:-1] == planned.stdout.splitlines()[:-1]
    assert value(database, "SELECT total_spots FROM facilities") == 62

    again = run("site", "apply", SAMPLE, "--dsn", database.dsn)
    assert (again.exit_code, again.stdout) == (0, "riverside: nothing to change\n")


def test_a_change_shows_old_and_new(database: Database, tmp_path: Path) -> None:
    applied(database)
    file = tmp_path / "site.toml"
    file.write_text(SAMPLE.read_text().replace('"1.50"', '"1.80"'))
    result = run("site", "apply", file, "--dsn", database.dsn)
    (line, last) = result.stdout.splitlines()
    assert line.split()[:3] == ["change", "tariff", "Standard"]
    assert "1.50" in line
    assert "1.80" in line
    assert last == "riverside: 1 changed"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlim", "facility.time_zone: expected an IANA time zone"),
        ('"EUR"', '"EURO"', "facility.currency: expected an ISO 4217 currency code"),
        (
            '"native"',
            '"nativ"',
            'lane.device.family: no such family: "nativ", did you mean native?',
        ),
        ("count = 20", 'count = "20"', 'zone.spots.count: expected a whole number, got "20"'),
        ("count = 20", "cuont = 20", "zone.spots.cuont: unknown key: did you mean count?"),
        ('city = "Berlin"', "", "facility.city: is missing"),
        ("[facility]", "[facility", "not valid TOML"),
    ],
)
def test_a_broken_site_file_is_status_2_and_changes_nothing(
    database: Database, tmp_path: Path, old: str, new: str, expected: str
) -> None:
    file = tmp_path / "site.toml"
    text = SAMPLE.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    result = run("site", "apply", file, "--dsn", database.dsn)
    assert result.exit_code == 2
    assert result.stdout == ""
    # The line of the key; that it is the right one is for the tests of the model.
    place, _, message = result.stderr.splitlines()[0].partition(": ")
    assert place.startswith(f"{file}:")
    assert message.startswith(expected)
    assert value(database, "SELECT count(*) FROM facilities") == 0


def test_the_daemons_role_may_not_apply(database: Database, config: Path) -> None:
    result = run("site", "apply", SAMPLE, "--config", config)
    assert result.exit_code == 2
    assert "applied by the owner of the database" in result.stderr


def test_without_a_server_apply_is_status_1(tmp_path: Path) -> None:
    result = run("site", "apply", SAMPLE, "--dsn", "postgresql://u:geheim@127.0.0.1:1/x")
    assert result.exit_code == 1
    assert result.stderr.startswith("gated site apply: PostgreSQL cannot be reached")
    assert "geheim" not in result.output


def test_a_wrong_connection_string_is_status_2_and_shows_no_password() -> None:
    for dsn in ("nonsense", "postgresql://u:geh/eim@127.0.0.1/x"):
        result = run("site", "apply", SAMPLE, "--dsn", dsn)
        assert result.exit_code == 2, result.output
        assert result.stderr.startswith("the connection string is not understood")
        assert "geh" not in result.stderr


def test_files_that_are_not_there_are_status_2(tmp_path: Path) -> None:
    for arguments in (
        ("site", "apply", tmp_path / "none.toml"),
        ("site", "apply", SAMPLE, "--config", tmp_path / "none.toml"),
        ("check", "--config", tmp_path / "none.toml"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert result.stderr == f"{tmp_path / 'none.toml'}: no such file\n"


# ── gated check ─────────────────────────────────────────────────────────────────────────────


def test_all_is_well(database: Database, config: Path) -> None:
    applied(database)
    before = value(database, "SELECT count(*) FROM audit_logs")
    result = run("check", "--config", config, "--site", SAMPLE)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    assert [line.split(":")[0].removeprefix("ok").strip() for line in lines] == [
        *("configuration", "site file", "database", "schema", "role", "rights"),
        *("facility riverside", "site riverside", "broker"),
    ]
    assert "2 zones, 62 spots, 2 lanes, 3 devices, tariff Standard" in result.stdout
    assert value(database, "SELECT count(*) FROM audit_logs") == before
    assert value(database, "SELECT count(*) FROM gate.leases") == 0


def failures(result: Result) -> list[str]:
    assert result.exit_code == 1, result.output
    return [
        line.removeprefix("failed").strip()
        for line in result.stdout.splitlines()
        if line.startswith("failed")
    ]


def test_a_database_without_a_facility(database: Database, config: Path) -> None:
    (line,) = failures(run("check", "--config", config))
    assert line == "facility: there is none: run `gated site apply FILE` as the owner"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "UPDATE gate.devices SET family = 'shely' WHERE slug = 'exit-barrier'",
            (
                "facility riverside: lane exit, device exit-barrier: family:"
                " no device family 'shely' (did you mean shelly?)"
            ),
        ),
        (
            "UPDATE gate.devices SET options = '{\"pulse\": 1}' WHERE slug = 'exit-barrier'",
            "facility riverside: lane exit, device exit-barrier: exit-barrier.options.pulse:",
        ),
        (
            "UPDATE gate.devices SET is_active = false WHERE slug = 'exit-barrier'",
            "facility riverside: lane exit: 0 devices open it, needed is one",
        ),
        (
            "DELETE FROM gate.lane_zones",
            "facility riverside: lane entry: an entry that fills no zone",
        ),
        (
            "UPDATE pricing_rules SET valid_until = now()",
            "facility riverside: no tariff is in force",
        ),
        (
            "UPDATE gate.facility_settings SET policy = '{\"fold\": 1}'",
            "facility: facility riverside, lane entry: policy: fold",
        ),
        (
            "REVOKE INSERT ON gate.events FROM gated_daemon",
            "rights: missing: INSERT on gate.events",
        ),
        (
            "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA gate FROM gated_daemon",
            "rights: missing: EXECUTE on gate.",
        ),
        ("DELETE FROM gate.migrations WHERE version = 0", "schema: due: functions and grants: run"),
    ],
)
def test_what_is_wrong_in_the_database_is_named(
    database: Database, config: Path, statement: str, expected: str
) -> None:
    applied(database)
    execute(database, statement)
    assert failures(run("check", "--config", config))[0].startswith(expected)


def test_a_lane_that_is_never_offered_for_its_long_name_is_a_note(
    database: Database, config: Path, tmp_path: Path
) -> None:
    """Half a name on the display of the lane beside would lead astray."""
    text = SAMPLE.read_text()
    place = text.index("[[lane]]")
    second = """[[lane]]
slug = "entry-north"
direction = "entry"
zones = ["ground"]
[[lane.device]]
slug = "entry-north-gate"
family = "native"

"""
    file = tmp_path / "site.toml"
    file.write_text(text[:place] + second + text[place:])
    applied(database, file)
    result = run("check", "--config", config)
    assert result.exit_code == 0, result.output
    assert [line for line in result.stdout.splitlines() if line.startswith("note")] == [
        (
            "note   facility riverside: lane entry-north: never offered to who stands at a lane"
            " beside it that is closed or out of service: the display has room for 9 characters of"
            " its name, and it has 11"
        )
    ]
    execute(database, "UPDATE gate.lanes SET slug = 'entry-2' WHERE slug = 'entry-north'")
    assert "note" not in run("check", "--config", config).stdout


def test_a_facility_of_the_settings_that_is_not_set_up(database: Database, config: Path) -> None:
    applied(database)
    config.write_text(config.read_text() + '[daemon]\nfacilities = ["hillside"]\n')
    (line,) = failures(run("check", "--config", config))
    assert line == "facility hillside: named in daemon.facilities, but not set up"


def test_a_site_that_is_not_applied_is_a_note(
    database: Database, config: Path, tmp_path: Path
) -> None:
    applied(database)
    file = tmp_path / "site.toml"
    file.write_text(SAMPLE.read_text().replace('"1.50"', '"1.80"'))
    result = run("check", "--config", config, "--site", file)
    assert result.exit_code == 0
    assert f"note   site riverside: not applied yet, 1 to change: `gated site apply {file}`" in (
        result.stdout
    )


def test_a_role_that_may_too_much_is_a_note(database: Database, config: Path) -> None:
    applied(database)
    config.write_text(config.read_text().replace(database.dsn_as("gated_daemon"), database.dsn))
    result = run("check", "--config", config)
    assert result.exit_code == 0
    assert "note   role: postgres is a superuser" in result.stdout


def test_a_broker_that_hangs_up_on_us(config: Path, database: Database) -> None:
    class HangUp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            """Returns at once, and with that closes the connection."""

    applied(database)
    with socketserver.TCPServer(("127.0.0.1", 0), HangUp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        text = config.read_text()
        config.write_text(text[: text.rindex("port")] + f"port = {server.server_address[1]}\n")
        result = run("check", "--config", config)
        server.shutdown()
    assert result.exit_code == 1
    assert "broker" in result.stdout
    assert "mqtt.host" in result.stdout


def test_no_broker_and_no_database_are_both_told(
    config: Path, database: Database, broker: BrokerHandle
) -> None:
    broker.stop()
    config.write_text(config.read_text().replace(database.name, "absent"))
    found = failures(run("check", "--config", config))
    assert found[0].startswith("database: ")
    assert "gated db init" in found[0]
    assert found[1].startswith("broker: 127.0.0.1:")


def test_a_broken_configuration_is_status_2(config: Path) -> None:
    config.write_text(config.read_text() + "prot = 1\n")
    result = run("check", "--config", config)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{config}:6: mqtt.prot: unknown key: did you mean port?\n"


def test_a_broken_site_file_is_status_2(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text("[facility]\n")
    result = run("check", "--config", config, "--site", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{file}:1: facility.slug: is missing" in result.stderr
