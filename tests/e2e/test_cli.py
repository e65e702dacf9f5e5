"""The command line: what is wrong is said once, by file, line and key, and nothing is changed."""

import re
from pathlib import Path

import pytest

from tests.e2e.daemon import run_to_end
from tests.e2e.place import LANE_MORE, SITE, Place

TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema IN ('public', 'gate')"

WRONG = {
    "no file": (None, r"config\.toml: no such file"),
    "no TOML": ('[database\ndsn = "x"', r"config\.toml:1"),
    "unknown key": (
        '[database]\ndsn = "postgresql://x@h/d"\n[mqtt]\nhost = "h"\nprot = 1883\n',
        r"config\.toml:5: mqtt\.prot: .*did you mean port",
    ),
    "wrong type": (
        '[database]\ndsn = "postgresql://x@h/d"\n[mqtt]\nhost = "h"\nport = "1883"\n',
        r"config\.toml:5: mqtt\.port: ",
    ),
    "out of range": (
        '[database]\ndsn = "postgresql://x@h/d"\n[mqtt]\nhost = "h"\n[daemon]\nlease_seconds = 0\n',
        r"config\.toml:6: daemon\.lease_seconds: ",
    ),
    "missing key": ('[database]\n[mqtt]\nhost = "h"\n', r"config\.toml(:\d+)?: database\.dsn"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
async def test_a_wrong_configuration(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "config.toml").write_text(text)
    status, out, errors = await run_to_end("run", "--config", "config.toml", directory=tmp_path)
    assert status == 2
    assert out == ""
    assert re.search(message, errors), errors
    assert len(errors.splitlines()) == 1
    assert "Traceback" not in errors


async def test_a_password_is_not_shown(tmp_path: Path) -> None:
    """Not even one that stands in an address which is wrong."""
    config = tmp_path / "config.toml"
    config.write_text('[database]\ndsn = "mysql://x:hush@h/d"\n[mqtt]\nhost = "h"\n')
    status, out, errors = await run_to_end("run", "--config", config, directory=tmp_path)
    assert status == 2
    assert "database.dsn" in errors
    assert "hush" not in out + errors


async def test_a_port_that_is_taken(place: Place) -> None:
    """Not a failure of the configuration file as such, but no start either."""
    config = place.config(http={"port": place.broker.port})
    status, out, errors = await run_to_end("run", "--config", config, directory=place.directory)
    assert status == 2
    assert "http.port" in errors
    assert "Traceback" not in out + errors
    assert await place.rows("SELECT * FROM gate.leases") == []


async def test_help_names_every_command(tmp_path: Path) -> None:
    status, out, errors = await run_to_end("--help", directory=tmp_path)
    assert (status, errors) == (0, "")
    for command in ("run", "demo", "check", "db", "site", "booking", "device", "version"):
        assert re.search(rf"^\s+{command}\s+\S", out, re.MULTILINE), command
    assert re.search(r"(?m)^\s+run\s.*daemon", out)


async def test_an_unknown_command(tmp_path: Path) -> None:
    status, out, errors = await run_to_end("fly", directory=tmp_path)
    assert (status, out) == (2, "")
    assert "fly" in errors
    assert "Traceback" not in errors


async def test_version(tmp_path: Path) -> None:
    status, out, errors = await run_to_end("version", directory=tmp_path)
    assert (status, errors) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", out)


async def test_site_apply(place: Place) -> None:
    """Plan, apply, apply again; and a broken file changes nothing."""
    file = place.directory / "more.toml"
    file.write_text(SITE + LANE_MORE)
    revision = "SELECT revision FROM gate.facility_settings"
    before = await place.value(revision)
    words = ("site", "apply", "--dsn", place.database.dsn, file)

    status, out, errors = await run_to_end(*words, "--plan", directory=place.directory)
    assert (status, errors) == (0, "")
    assert "in-3" in out
    assert "nothing was done" in out
    assert await place.value(revision) == before

    status, out, errors = await run_to_end(*words, directory=place.directory)
    assert (status, errors) == (0, "")
    assert "in-3" in out
    after = await place.value(revision)
    assert after > before

    status, out, errors = await run_to_end(*words, directory=place.directory)
    assert (status, errors) == (0, "")
    assert "nothing to change" in out
    assert await place.value(revision) == after

    file.write_text(
        (SITE + LANE_MORE).replace('zones = ["deck-2", "deck-1"]', 'zones = ["deck-9"]')
    )
    line = file.read_text().splitlines().index('zones = ["deck-9"]') + 1
    status, out, errors = await run_to_end(*words, directory=place.directory)
    assert (status, out) == (2, "")
    assert re.search(rf'more\.toml:{line}: lane.*zones.*"deck-9"', errors), errors
    assert "Traceback" not in errors
    assert await place.value(revision) == after
    assert await place.value("SELECT count(*) FROM gate.lanes WHERE is_active") == 5


async def test_check(place: Place) -> None:
    """All is well, then the broker is away; nothing is changed by looking."""
    config = place.config()
    status, out, errors = await run_to_end("check", "--config", config, directory=place.directory)
    assert (status, errors) == (0, ""), out
    assert "north" in out
    place.broker.stop()
    status, out, errors = await run_to_end("check", "--config", config, directory=place.directory)
    assert (status, errors) == (1, ""), out
    assert "Traceback" not in out
    assert await place.rows("SELECT * FROM gate.leases") == []
    assert await place.rows("SELECT * FROM gate.events") == []
