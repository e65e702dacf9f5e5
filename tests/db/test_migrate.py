"""Migrations: in order, once, from any number of places, and with nothing left half-done."""

import asyncio
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from gated.cli.db import app
from gated.core.errors import ConfigError, StoreError
from gated.db import migrate
from gated.db.migrate import database_name
from gated.db.script import place, statements
from gated.db.sql import Migration, Script, functions, grants, migrations, numbered, sql
from tests.services.databases import Database, run_apart
from tests.services.pgbouncer import PgBouncer
from tests.services.postgres import PostgresServer, embedded_server

pytestmark = pytest.mark.direct("makes databases and roles, and its own connections to them")

ROOT = Path(__file__).parents[2]
INITIAL = [migration.name for migration in migrations()]
# The next two numbers.
NEXT, AFTER = f"{len(INITIAL) + 1:04}", f"{len(INITIAL) + 2:04}"


async def run(dsn: str, *texts: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for text in texts:
            await connection.execute(text)
    finally:
        await connection.close()


async def value(dsn: str, query: str, *arguments: object) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query, *arguments)
    finally:
        await connection.close()


@pytest.fixture
def absent(postgres: PostgresServer) -> Iterator[str]:
    """The connection string of a database that does not exist; it is dropped if it comes to be."""
    name = f'Absent "{uuid.uuid4().hex}" ä'
    yield postgres.dsn_for(name)
    quoted = name.replace('"', '""')
    run_apart(run(postgres.dsn, f'DROP DATABASE IF EXISTS "{quoted}" WITH (FORCE)'))


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    name = f"empty_{uuid.uuid4().hex}"
    run_apart(run(postgres.dsn, f"CREATE DATABASE {name}"))
    yield postgres.dsn_for(name)
    run_apart(run(postgres.dsn, f"DROP DATABASE {name} WITH (FORCE)"))


def extended(*texts: str) -> tuple[Migration, ...]:
    """The real migrations and further ones with these texts."""
    known = migrations()
    return known + tuple(
        Migration(number, Script(f"migrations/{number:04}_more.sql", text))
        for number, text in enumerate(texts, start=len(known) + 1)
    )


def further(position: int = 1) -> str:
    """The name of one of those, which moves on with the real ones."""
    return f"{len(migrations()) + position:04}_more"


# ── one upgrade, and many ───────────────────────────────────────────────────────────────────


@pytest.mark.every_postgres
async def test_an_upgrade_applies_what_is_missing_and_a_second_one_nothing(empty: str) -> None:
    steps: list[str] = []
    before = await migrate.status(empty)
    assert before.applied == ()
    assert before.pending == (*INITIAL, "functions and grants")

    assert await migrate.upgrade(empty, on_step=steps.append) == INITIAL
    assert steps == [f"applied {name}" for name in [*INITIAL, "functions and grants"]]

    after = await migrate.status(empty)
    assert after.current
    assert [row.name for row in after.applied] == INITIAL
    assert await migrate.upgrade(empty) == []


async def test_upgrades_at_once_apply_each_migration_once(empty: str) -> None:
    known = extended("CREATE TABLE gate.more (id int); SELECT pg_sleep(0.05)")
    done = await asyncio.gather(*(migrate.upgrade(empty, known=known) for _ in range(4)))
    assert sorted(name for names in done for name in names) == sorted([*INITIAL, known[-1].name])


@pytest.mark.every_postgres
async def test_two_processes_may_upgrade_at_once(empty: str) -> None:
    command = [sys.executable, "-c", "from gated.cli.db import app; app()"]
    started = [
        await asyncio.create_subprocess_exec(
            *command, "upgrade", "--dsn", empty, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    answers = await asyncio.gather(*(process.communicate() for process in started))
    assert [process.returncode for process in started] == [0, 0], answers
    output = "".join(out.decode() for out, _ in answers)
    assert all(output.count(f"applied {name}\n") == 1 for name in INITIAL)
    assert (await migrate.status(empty)).current


def test_databases_of_a_new_cluster_may_be_made_at_once(services_directory: Path) -> None:
    """Roles belong to the cluster: here nobody has made them yet."""

    async def race(server: PostgresServer) -> object:
        dsns = [server.dsn_for(f"site{number}") for number in range(4)]
        await asyncio.gather(*(migrate.init(dsn) for dsn in dsns))
        for dsn in dsns:
            assert (await migrate.status(dsn)).current
        return await value(
            server.dsn,
            "SELECT array_agg(setting ORDER BY setting) FROM pg_db_role_setting,"
            " unnest(setconfig) AS setting WHERE setrole = 'gated_daemon'::regrole",
        )

    directory = Path(tempfile.mkdtemp(prefix="race-", dir=services_directory))
    with embedded_server(directory) as server:
        settings = run_apart(race(server))
    assert settings == [
        "idle_in_transaction_session_timeout=1s",
        "lock_timeout=2s",
        "statement_timeout=5s",
    ]


async def test_an_owner_without_rights_on_roles_can_upgrade_once_they_exist(
    postgres: PostgresServer, empty: str
) -> None:
    await migrate.upgrade(empty)
    owner, name = f"owner_{uuid.uuid4().hex}", f"owned_{uuid.uuid4().hex}"
    await run(postgres.dsn, f"CREATE ROLE {owner} LOGIN", f"CREATE DATABASE {name} OWNER {owner}")
    try:
        assert await migrate.upgrade(postgres.dsn_for(name, owner)) == INITIAL
    finally:
        await run(postgres.dsn, f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {owner}")


@pytest.mark.every_postgres
async def test_an_upgrade_works_through_a_transaction_pooler(
    pgbouncer: PgBouncer, empty: str
) -> None:
    through = pgbouncer.dsn(database_name(empty))
    done = await asyncio.gather(*(migrate.upgrade(through) for _ in range(3)))
    assert sorted(name for names in done for name in names) == INITIAL
    assert (await migrate.status(through)).current
    # Nothing of the upgrade's own settings is left to the pooler's other clients.
    assert await value(through, "SHOW lock_timeout") == "0"


async def test_the_daemon_may_look_but_not_upgrade(database: Database) -> None:
    dsn = database.dsn_as("gated_daemon")
    assert (await migrate.status(dsn)).current
    with pytest.raises(StoreError, match="need the rights of the database's owner"):
        await migrate.upgrade(dsn)


# ── failures ────────────────────────────────────────────────────────────────────────────────


async def test_a_failed_migration_leaves_nothing_and_names_its_place(empty: str) -> None:
    broken = "CREATE TABLE gate.more (id int);\n-- here\n\nCREATE TABLE gate.other (id intt);\n"
    known = extended("CREATE TABLE gate.good (id int)", broken)
    with pytest.raises(StoreError, match=rf'{further(2)}\.sql:4:29: type "intt" does not'):
        await migrate.upgrade(empty, known=known)
    assert await value(empty, "SELECT to_regclass('gate.more')") is None
    # What came before it stands, and the next upgrade goes on from there.
    assert await value(empty, "SELECT max(version) FROM gate.migrations") == len(known) - 1
    mended = extended("CREATE TABLE gate.good (id int)", broken.replace("intt", "int"))
    assert await migrate.upgrade(empty, known=mended) == [further(2)]


async def test_an_error_at_run_time_names_its_statement(empty: str) -> None:
    known = extended("SELECT 1;\n  SELECT 1 / count(*) FROM gate.leases;")
    with pytest.raises(StoreError, match=rf"gated/db/migrations/{further()}\.sql:2:3: division by"):
        await migrate.upgrade(empty, known=known)


async def test_an_upgrade_lets_go_and_tries_again_where_others_are_at_a_table(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon holds what the migration wants and then wants what the migration holds."""
    await migrate.upgrade(empty)
    daemon = await asyncpg.connect(empty)
    transaction = daemon.transaction()
    await transaction.start()
    await daemon.execute("LOCK TABLE gate.claims IN ROW EXCLUSIVE MODE")

    async def go_on() -> None:
        await daemon.execute("LOCK TABLE public.zones IN ROW EXCLUSIVE MODE")
        await transaction.commit()

    monkeypatch.setattr(migrate, "_let_others_on", go_on)
    known = extended(
        "ALTER TABLE public.zones ADD COLUMN more int; ALTER TABLE gate.claims ADD COLUMN more int"
    )
    assert await migrate.upgrade(empty, known=known) == [further()]
    await daemon.close()


async def test_an_upgrade_ends_where_others_stay_at_a_table(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate.upgrade(empty)
    tried = 0

    async def count() -> None:
        nonlocal tried
        tried += 1

    monkeypatch.setattr(migrate, "_let_others_on", count)
    monkeypatch.setattr(migrate, "STEP_ATTEMPTS_MAX", 2)
    report = await asyncpg.connect(empty)
    async with report.transaction():
        await report.fetch("SELECT * FROM gate.leases")
        with pytest.raises(StoreError, match="lock timeout\n  others are at this table"):
            await migrate.upgrade(
                empty, known=extended("ALTER TABLE gate.leases ADD COLUMN more int")
            )
    await report.close()
    assert tried == 1


async def test_an_error_in_a_function_leaves_the_old_ones(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate.upgrade(empty)
    count = "SELECT count(*) FROM pg_proc WHERE proname = 'half_v1'"
    text = "CREATE FUNCTION gate.half_v1() RETURNS int LANGUAGE sql AS 'SELECT 1';\nSELECT oops;"
    monkeypatch.setattr(
        migrate, "functions", lambda: (*functions(), Script("functions/half_v1.sql", text))
    )
    assert (await migrate.status(empty)).pending == ("functions and grants",)
    with pytest.raises(StoreError, match=r"functions/half_v1\.sql:2:8: column .oops"):
        await migrate.upgrade(empty)
    assert await value(empty, count) == 0


async def test_a_migration_that_was_changed_afterwards_is_refused(empty: str) -> None:
    await migrate.upgrade(empty, known=extended("CREATE TABLE gate.more (id int)"))
    with pytest.raises(ConfigError, match=rf"{further()}\.sql: .* was changed after it had been"):
        await migrate.upgrade(empty, known=extended("CREATE TABLE gate.more (id bigint)"))


async def test_a_newer_database_is_refused(empty: str) -> None:
    await migrate.upgrade(empty, known=extended("CREATE TABLE gate.more (id int)"))
    for attempt in (migrate.upgrade(empty), migrate.status(empty)):
        with pytest.raises(ConfigError, match=rf"newer than this gated.* {further()}"):
            await attempt


@pytest.mark.parametrize(
    "foreign",
    [
        "CREATE TABLE public.bookings (id int)",
        "CREATE SCHEMA gate; CREATE TABLE gate.doors (id int)",
        "CREATE VIEW public.users AS SELECT 1 AS id",
    ],
)
async def test_someone_elses_tables_are_left_alone(empty: str, foreign: str) -> None:
    await run(empty, foreign)
    with pytest.raises(ConfigError, match=r"already holds (public|gate)\.(bookings|doors|users)"):
        await migrate.init(empty)
    query = "SELECT count(*) FROM pg_class WHERE relname IN ('vehicles', 'claims', 'migrations')"
    assert await value(empty, query) == 0


async def test_a_schema_that_was_loaded_by_hand_is_refused(empty: str) -> None:
    await run(empty, (ROOT / "schema.sql").read_text())
    with pytest.raises(ConfigError, match=r"already holds gate\.calendar_days"):
        await migrate.upgrade(empty)


@pytest.mark.every_postgres
async def test_a_database_with_another_encoding_is_refused(postgres: PostgresServer) -> None:
    name = f"latin_{uuid.uuid4().hex}"
    await run(
        postgres.dsn,
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc"
        " LOCALE 'C'",
    )
    try:
        with pytest.raises(ConfigError, match="encoding is LATIN1: gated needs UTF8"):
            await migrate.upgrade(postgres.dsn_for(name))
    finally:
        await run(postgres.dsn, f"DROP DATABASE {name} WITH (FORCE)")


# ── init ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.every_postgres
async def test_init_makes_the_database_once_from_several_places(absent: str) -> None:
    steps: list[str] = []
    done = await asyncio.gather(*(migrate.init(absent, on_step=steps.append) for _ in range(3)))
    assert sorted(name for names in done for name in names) == INITIAL
    assert any(step.startswith("created the database Absent") for step in steps)
    assert await migrate.init(absent) == []


async def test_upgrade_makes_no_database(absent: str) -> None:
    with pytest.raises(ConfigError, match=r"there is no database .* `gated db init` makes it"):
        await migrate.upgrade(absent)


# ── the command line ────────────────────────────────────────────────────────────────────────


def test_the_commands_say_what_they_did(absent: str) -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["upgrade", "--dsn", absent]).exit_code == 2

    first = runner.invoke(app, ["init", "--dsn", absent])
    assert first.exit_code == 0, first.output
    assert "applied 0001_initial\n" in first.output

    again = runner.invoke(app, ["upgrade", "--dsn", absent])
    assert again.exit_code == 0
    assert "the schema was up to date" in again.output

    state = runner.invoke(app, ["status", "--dsn", absent])
    assert state.exit_code == 0, state.output
    assert re.search(r"0001_initial  applied \d{4}-", state.output)


def test_status_says_when_an_upgrade_is_due(empty: str) -> None:
    state = CliRunner().invoke(app, ["status", "--dsn", empty])
    assert state.exit_code == 1
    assert "0001_initial  due" in state.output


def test_a_failed_step_is_exit_status_1(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "functions", lambda: (Script("functions/oops_v1.sql", "oops"),))
    result = CliRunner().invoke(app, ["upgrade", "--dsn", empty])
    assert result.exit_code == 1
    assert "functions/oops_v1.sql:1:1: syntax error" in result.stderr


@pytest.mark.parametrize(
    ("dsn", "says"),
    [
        ("postgresql://u:secret@127.0.0.1:1/gated", "cannot be reached"),
        ("postgresql://u:secret@127.0.0.1:port/gated", "not understood"),
        ("postgresql://u:secret@[127.0.0.1/gated", "not understood"),
        ("postgresql://u:secret@127.0.0.1", "names no database"),
        ("mysql://u:secret@127.0.0.1/gated", "begins with postgresql://"),
    ],
)
def test_a_wrong_connection_string_is_exit_status_2(dsn: str, says: str) -> None:
    for command in ("init", "upgrade", "status"):
        result = CliRunner().invoke(app, [command, "--dsn", dsn])
        assert result.exit_code == 2
        assert says in result.stderr
        assert "secret" not in result.output


def test_the_connection_string_may_come_from_the_configuration(tmp_path: Path, empty: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[database]\ndsn = "{empty}"\n[mqtt]\nhost = "localhost"\n')
    result = CliRunner().invoke(app, ["upgrade", "--config", str(config)])
    assert result.exit_code == 0, result.output

    config.write_text("[database]\ndns = 1\n")
    result = CliRunner().invoke(app, ["upgrade", "--config", str(config)])
    assert result.exit_code == 2
    assert "dns" in result.stderr

    assert CliRunner().invoke(app, ["upgrade"]).exit_code == 2


@pytest.mark.parametrize(
    ("dsn", "name"),
    [
        ("postgresql://h/gated", "gated"),
        ("postgres://u@/a%20b?host=/tmp", "a b"),
        ("postgresql:///?host=/tmp&dbname=other", "other"),
    ],
)
def test_the_database_in_a_connection_string(dsn: str, name: str) -> None:
    assert database_name(dsn) == name


# ── both ways to the schema ─────────────────────────────────────────────────────────────────


def dump(server: PostgresServer, dsn: str) -> str:
    """The whole schema with rights and comments, without what differs from run to run."""
    result = subprocess.run(
        [server.programs / "pg_dump", "--schema-only", dsn],
        capture_output=True,
        text=True,
        check=True,
    )
    return re.sub(r"^\\(un)?restrict .*$", "", result.stdout, flags=re.MULTILINE)


@pytest.mark.every_postgres
async def test_the_page_and_the_migrations_lead_to_the_same_schema(
    postgres: PostgresServer, empty: str, new_database: Callable[[], Database]
) -> None:
    repeated = [script.text for script in (*functions(), grants())]
    # As an upgrade does it: functions may call each other whatever their order.
    relaxed = "SET check_function_bodies = off"
    page = (ROOT / "schema.sql").read_text()
    await run(empty, relaxed, page, *repeated, sql("partitions_ensure"))
    by_page, by_migrations = dump(postgres, empty), dump(postgres, new_database().dsn)
    assert "CREATE TABLE gate.claims" in by_page
    assert by_page.splitlines() == by_migrations.splitlines()


@pytest.mark.every_postgres
async def test_every_function_is_understood_by_the_server(database: Database) -> None:
    """An upgrade does not look into the bodies, as they may call what comes after them."""
    for script in functions():
        await run(database.dsn, "SET check_function_bodies = on", script.text)


# ── files and their statements ──────────────────────────────────────────────────────────────


def test_statements_are_told_apart() -> None:
    text = """-- a; comment
SELECT ';' , E'\\';', "a;b", 'it''s;' ; /* ; */ SELECT 2;

DO $$ BEGIN PERFORM 1; END $$;
DO $x$ SELECT $$;$$; $x$ ; ;
SELECT 3 -- no end; here
"""
    found = [(place(text, one.offset), one.text.split()[-1]) for one in statements(text)]
    assert found == [
        ("2:1", "'it''s;'"),
        ("2:48", "2"),
        ("4:1", "$$"),
        ("5:1", "$x$"),
        ("6:1", "here"),
    ]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["0002_b.sql"], "0001 was expected"),
        (["0001_a.sql", "0003_c.sql"], "0002 was expected"),
        (["0001_a.sql", "0001_b.sql"], "0002 was expected"),
        (["1_a.sql"], "NNNN_name"),
    ],
)
def test_migrations_are_numbered_without_gaps(names: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        numbered(tuple(Script(f"migrations/{name}", "") for name in names))
