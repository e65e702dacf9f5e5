"""Settings: the sample works, the environment wins, and every mistake is named with its place."""

import re
from pathlib import Path

import pytest

from gated.config import LogFormat, LogLevel, load_settings
from gated.core.errors import ConfigError
from gated.core.ids import Slug
from gated.validation import ConfigErrors

SAMPLE = Path(__file__).parent.parent / "config.toml"
MINIMAL = '[database]\ndsn = "postgresql://me:geheim@h/d"\n[mqtt]\nhost = "broker"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def complaints(file: Path, text: str, **environment: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(file, environment)
    assert "geheim" not in str(caught.value)
    return str(caught.value).replace(str(file), "config.toml").splitlines()


def test_the_sample_works() -> None:
    settings = load_settings(SAMPLE, {})
    assert settings.mqtt.host == "127.0.0.1"


def test_the_sample_shows_every_setting_with_its_default(file: Path) -> None:
    """With the comment signs gone, the sample names all keys and says what their defaults are."""
    shown = re.sub(r"(?m)^# (?=[a-z_]+ = |\[[a-z.]+\]$)", "", SAMPLE.read_text())
    for name in ("broker-ca.pem", "gated.pem", "gated.key", "mqtt-password"):
        (file.parent / name).write_text("geheim\n")
    file.write_text(re.sub(r"(?m)^password = .*$", "", shown))
    plain, full = load_settings(SAMPLE, {}), load_settings(file, {})
    for name in ("database", "daemon", "http", "log", "mqtt"):
        section, defaults = getattr(full, name), getattr(plain, name)
        assert section.model_fields_set >= set(type(section).model_fields) - {"password"}
        stated = set(type(section).model_fields) - {
            *("node", "username", "password", "password_file", "tls")
        }
        for key in stated:
            assert getattr(section, key) == getattr(defaults, key), key
    assert full.mqtt.tls is not None
    assert full.mqtt.tls.model_fields_set == set(type(full.mqtt.tls).model_fields)


def test_defaults(file: Path) -> None:
    file.write_text(MINIMAL)
    settings = load_settings(file, {})
    assert settings.database.pool_size_max == 10
    assert settings.database.statement_cache_size == 0
    assert settings.mqtt.port == 1883
    assert settings.mqtt.tls is None
    assert settings.daemon.runs(Slug("any"))
    assert settings.daemon.node
    assert (settings.log.format, settings.log.level) == (LogFormat.AUTO, LogLevel.INFO)


def test_secrets_are_never_printed(file: Path) -> None:
    file.write_text(MINIMAL)
    settings = load_settings(
        file, {"GATED_MQTT__USERNAME": "u", "GATED_MQTT__PASSWORD": "geheim", "HOME": "/"}
    )
    assert "geheim" not in f"{settings} {settings!r} {settings.model_dump()}"
    assert settings.mqtt.password is not None
    assert settings.mqtt.password.get_secret_value() == "geheim"


def test_the_environment_wins_and_is_typed_as_the_setting_is(file: Path) -> None:
    file.write_text(MINIMAL + "port = 1\n")
    settings = load_settings(
        file,
        {
            "GATED_MQTT__PORT": "8883",
            "GATED_MQTT__HOST": "123",
            "GATED_MQTT__HEARTBEAT_SECONDS": "2.5",
            "GATED_MQTT__TLS__VERIFY": "false",
            "GATED_DAEMON__FACILITIES": "north, south",
            "GATED_LOG__FORMAT": "json",
            "GATED_HTTP__ENABLED": "false",
        },
    )
    assert (settings.mqtt.port, settings.mqtt.host) == (8883, "123")
    assert settings.mqtt.heartbeat_seconds == 2.5
    assert settings.mqtt.tls is not None
    assert settings.mqtt.tls.verify is False
    assert settings.daemon.facilities == ("north", "south")
    assert not settings.daemon.runs(Slug("east"))
    assert settings.log.format is LogFormat.JSON
    assert settings.http.enabled is False


def test_the_environment_alone_is_enough() -> None:
    settings = load_settings(
        None, {"GATED_DATABASE__DSN": "postgresql://h/d", "GATED_MQTT__HOST": "h"}
    )
    assert settings.mqtt.host == "h"


def test_variables_that_are_no_settings_are_left_alone(file: Path) -> None:
    file.write_text(MINIMAL)
    load_settings(file, {"GATED_REQUIRE_SERVICES": "1", "GATED_CONFIG": "x", "GATEDNESS": "1"})


def test_the_password_file_is_read_from_the_folder_of_the_configuration(file: Path) -> None:
    (file.parent / "secret").write_text("geheim\n")
    file.write_text(MINIMAL + 'username = "u"\npassword_file = "secret"\n')
    password = load_settings(file, {}).mqtt.password
    assert password is not None
    assert password.get_secret_value() == "geheim"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            MINIMAL.replace('"postgresql://me:geheim@h/d"', "5"),
            ["config.toml:2: database.dsn: expected a string"],
        ),
        (
            MINIMAL.replace("postgresql://", "mysql://"),
            ["config.toml:2: database.dsn: expected postgresql://user@host:port/database"],
        ),
        (
            MINIMAL.replace("dsn", "dns"),
            ["config.toml:2: database.dns: unknown key: did you mean dsn?"],
        ),
        (
            MINIMAL.replace("dsn", "url"),
            [
                (
                    "config.toml:1: database.dsn: is missing: expected the address of the"
                    " database, as postgresql://user:password@host:port/database"
                ),
                "config.toml:2: database.url: unknown key: expected one of: dsn,",
            ],
        ),
        (
            MINIMAL + 'port = "1883"\nkeepalive_seconds = 0\n',
            [
                'config.toml:5: mqtt.port: expected a whole number, got "1883"',
                "config.toml:6: mqtt.keepalive_seconds: expected greater than or equal to 1, got 0",
            ],
        ),
        (
            MINIMAL + '[log]\nlevel = "loud"\n',
            [
                (
                    "config.toml:6: log.level:"
                    " expected 'debug', 'info', 'warning' or 'error', got \"loud\""
                )
            ],
        ),
        (
            MINIMAL + "[loging]\n",
            ["config.toml:5: loging: unknown key: did you mean log?"],
        ),
        (
            "mqtt = 5\n" + MINIMAL.partition("[mqtt]")[0],
            ["config.toml:1: mqtt: expected a table"],
        ),
        (
            'database = "geheim"\n[mqtt]\nhost = "h"\n',
            ["config.toml:1: database: expected a table"],
        ),
        (
            MINIMAL + "[mqtt.tls]\nca_file = 'none.pem'\n",
            ["config.toml:6: mqtt.tls.ca_file: expected a file that exists, got "],
        ),
        (
            MINIMAL + '[daemon]\nfacilities = ["north", "South"]\n',
            [
                (
                    "config.toml:6: daemon.facilities:"
                    ' expected slugs of a-z, 0-9 and -, or "*", got "South"'
                )
            ],
        ),
        (
            MINIMAL + 'password = "geheim"\n',
            ["config.toml:3: mqtt: expected a username beside the password"],
        ),
        (
            MINIMAL + "heartbeat_seconds = 2020-01-01\n",
            ["config.toml:5: mqtt.heartbeat_seconds: expected no date or time"],
        ),
        (
            MINIMAL + "heartbeat_seconds = nan\n",
            ["config.toml:5: mqtt.heartbeat_seconds: expected a finite number"],
        ),
        (
            MINIMAL + "port = \n",
            ["config.toml:5:8: not valid TOML: Invalid value"],
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(file: Path, text: str, expected: list[str]) -> None:
    found = complaints(file, text)
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start)


def test_every_mistake_is_told_at_once(file: Path) -> None:
    file.write_text(MINIMAL + "port = 0\npotr = 1\n")
    with pytest.raises(ConfigErrors) as caught:
        load_settings(file, {})
    assert [error.key for error in caught.value.errors] == ["mqtt.port", "mqtt.potr"]
    assert caught.value.place == f"{file}:5"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("GATED_MQTT__PORT", "many", "environment: GATED_MQTT__PORT: mqtt.port: expected a whole"),
        ("GATED_MQTT__PROT", "1", "did you mean GATED_MQTT__PORT?"),
        ("GATED_MQTT", "1", "environment: GATED_MQTT: unknown variable"),
        ("GATED_DSN", "1", "environment: GATED_DSN: unknown variable"),
        ("GATED_DATABASE__DSN", "geheim", "environment: GATED_DATABASE__DSN: database.dsn"),
    ],
)
def test_a_wrong_variable_is_named(file: Path, variable: str, value: str, expected: str) -> None:
    (line,) = complaints(file, MINIMAL, **{variable: value})
    assert expected in line


def test_without_any_configuration_the_sections_are_asked_for() -> None:
    with pytest.raises(ConfigErrors, match="environment: database: is missing"):
        load_settings(None, {})
