"""The daemon's settings: config.toml, overridden by the environment. Unknown keys are refused.

A variable GATED_SECTION__KEY stands for `key` in `[section]`. Facilities, lanes and tariffs are
no settings: they come from site files and live in the database.
"""

import socket
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, model_validator

from gated.core.errors import ConfigError
from gated.core.ids import Slug
from gated.toml import Document, KeyPath, load, parse
from gated.validation import Table, field_at, refuse, suggestion, validate

PREFIX = "GATED_"
# Read by the command line and by the test suite; no settings of the daemon.
_OTHER_VARIABLES = frozenset({"GATED_CONFIG", "GATED_REQUIRE_SERVICES"})
_SECRET_BYTES_MAX = 64 * 1024


def _existing(file: Path, info: ValidationInfo) -> Path:
    """Paths are read from the folder of the configuration file, not from the daemon's own."""
    folder = info.context if isinstance(info.context, Path) else Path()
    path = folder / file.expanduser()
    if not path.is_file():
        raise ValueError(f"expected a file that exists, got {path}")
    return path


def _postgres_dsn(dsn: SecretStr) -> SecretStr:
    if not dsn.get_secret_value().startswith(("postgresql://", "postgres://")):
        # A DSN may hold a password: it is not quoted.
        raise ValueError("expected postgresql://user@host:port/database")
    return dsn


def _slug(value: str) -> str:
    if value != "*" and (not value or set(value) - _SLUG_CHARACTERS):
        raise ValueError(f'expected slugs of a-z, 0-9 and -, or "*", got "{value}"')
    return value


_SLUG_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

ExistingFile = Annotated[Path, AfterValidator(_existing)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class Database(Table):
    """Where PostgreSQL is, directly or behind pgBouncer."""

    dsn: Annotated[SecretStr, AfterValidator(_postgres_dsn)]
    """the address of the database, as postgresql://user:password@host:port/database"""
    pool_size_max: int = Field(default=10, ge=1, le=1_000)
    """Connections that this daemon opens at most."""
    command_timeout_seconds: float = Field(default=2.0, gt=0)
    """How long one statement may take before the attempt counts as failed."""
    statement_cache_size: int = Field(default=0, ge=0)
    """Prepared statements kept per connection; 0 is what pgBouncer's transaction mode needs."""


class Tls(Table):
    """TLS to the broker; PEM files, read from the folder of the configuration file."""

    ca_file: ExistingFile | None = None
    """The authorities that may sign the broker's certificate; without it, the system's."""
    cert_file: ExistingFile | None = None
    """The daemon's own certificate, where the broker asks for one."""
    key_file: ExistingFile | None = None
    """The private key of `cert_file`."""
    verify: bool = True
    """False trusts any certificate: for trials only."""

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("expected cert_file and key_file together")
        return self


class Mqtt(Table):
    """The MQTT broker, and how closely the link to it is watched."""

    host: str = Field(min_length=1)
    """the broker's host name or address"""
    port: Port = 1883
    """The broker's port; 8883 is usual with TLS."""
    username: str | None = None
    """Who the daemon is to the broker."""
    password: SecretStr | None = None
    """The password of `username`; better in `password_file` or the environment."""
    password_file: ExistingFile | None = None
    """A file that holds the password and nothing else."""
    keepalive_seconds: int = Field(default=5, ge=1, le=3_600)
    """The MQTT keepalive: the broker publishes our last will 1.5 times as long after a silence."""
    heartbeat_seconds: float = Field(default=5.0, gt=0)
    """How often the daemon sends a message to itself, to prove the link in both ways."""
    tls: Tls | None = None
    """TLS is used when this table is there."""
    payload_bytes_max: int = Field(default=8_192, ge=1_024, le=1_048_576)
    """Longer messages are quarantined."""
    session_expiry_seconds: int = Field(default=86_400, ge=60, le=0xFFFF_FFFE)
    """How long the broker keeps our messages while no daemon is connected."""

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("expected password or password_file, not both")
        if self.username is None and (self.password or self.password_file):
            raise ValueError("expected a username beside the password")
        return self


class Daemon(Table):
    """What this daemon is called, and which facilities it runs."""

    node: str = Field(default_factory=socket.gethostname, min_length=1, max_length=120)
    """The name of this daemon in logs and leases; the host's name unless stated."""
    facilities: tuple[Annotated[Slug, AfterValidator(_slug)], ...] = Field(
        default=(Slug("*"),), min_length=1
    )
    """The slugs of the facilities that this daemon may run; "*" for all."""
    lease_seconds: float = Field(default=10.0, ge=1, le=300)
    """How long a facility stays ours without renewal: the delay until another daemon takes over."""
    stop_seconds_max: float = Field(default=10.0, gt=0, le=300)
    """How long an ordered stop may take."""

    def runs(self, facility: Slug) -> bool:
        """Whether this daemon may run the facility."""
        return facility in self.facilities or Slug("*") in self.facilities


class Http(Table):
    """The small server of /metrics, /healthz and /readyz."""

    enabled: bool = True
    """Whether it is started at all."""
    host: str = Field(default="127.0.0.1", min_length=1)
    """The address to listen on; loopback unless monitoring comes from elsewhere."""
    port: int = Field(default=9464, ge=0, le=65_535)
    """The port to listen on; 0 takes any free one, and the log says which."""


class LogFormat(StrEnum):
    """How log events are written; `auto` is `console` on a terminal and `json` elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least important log events that are still written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Log(Table):
    """The structured log, on standard output."""

    format: LogFormat = LogFormat.AUTO
    """JSON lines, or text for people."""
    level: LogLevel = LogLevel.INFO
    """The least important events that are still written."""


class Settings(Table):
    """All settings of one daemon. Secrets are SecretStr: printing a Settings shows none."""

    database: Database
    """the section [database] with its dsn"""
    mqtt: Mqtt
    """the section [mqtt] with its host"""
    daemon: Daemon = Field(default_factory=Daemon)
    """This daemon's name and facilities."""
    http: Http = Field(default_factory=Http)
    """Metrics and health."""
    log: Log = Field(default_factory=Log)
    """The log."""


def load_settings(file: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings of a file (None: of the environment alone), overridden by the environment.

    Raises ConfigError for a file that cannot be read and for every key or variable that is
    unknown, missing or wrong. `mqtt.password` holds the content of `mqtt.password_file`.
    """
    document = parse("", "environment") if file is None else load(file)
    return _settings(_overridden(document, environment), file)


def load_mqtt(file: Path, environment: Mapping[str, str]) -> Mqtt:
    """The broker's part alone: a file without [database] will do, on an operator's machine.

    Raises what `load_settings` raises.
    """
    document = _overridden(load(file), environment)
    values = {"database": {"dsn": "postgresql://"}, **document.values}
    return _settings(replace(document, values=values), file).mqtt


def _settings(document: Document, file: Path | None) -> Settings:
    folder = Path() if file is None else file.parent
    settings = validate(document, Settings, context=folder)
    password_file = settings.mqtt.password_file
    if password_file is None:
        return settings
    password = _read_secret(password_file, document)
    mqtt = settings.mqtt.model_copy(update={"password": password, "password_file": None})
    return settings.model_copy(update={"mqtt": mqtt})


def _overridden(document: Document, environment: Mapping[str, str]) -> Document:
    values: dict[str, Any] = {
        key: dict(value) if isinstance(value, dict) else value
        for key, value in document.values.items()
    }
    elsewhere: dict[KeyPath, str] = {}
    errors: list[ConfigError] = []
    known = _variables(Settings)
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable in _OTHER_VARIABLES:
            continue
        path = known.get(variable)
        if path is None:
            hint = suggestion(variable, tuple(known))
            errors.append(
                ConfigError(f"unknown variable: {hint}", place=f"environment: {variable}")
            )
            continue
        table: Any = values
        for step in path[:-1]:
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                break  # what stands in the file is no table: validation will say so
        else:
            table[path[-1]] = _value(path, environment[variable])
            elsewhere[path] = f"environment: {variable}"
    refuse(errors)
    return Document(document.name, values, document.lines, elsewhere)


def _variables(model: type[Table], path: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Every variable that stands for a setting, with the setting's path."""
    found: dict[str, tuple[str, ...]] = {}
    for name in model.model_fields:
        inner = (*path, name)
        annotation, keys = field_at(Settings, inner)
        if keys:
            found |= _variables(_table(annotation), inner)
        else:
            found[PREFIX + "__".join(inner).upper()] = inner
    return found


def _table(annotation: object) -> type[Table]:
    parts = getattr(annotation, "__args__", (annotation,))
    return next(part for part in parts if isinstance(part, type) and issubclass(part, Table))


def _value(path: tuple[str, ...], text: str) -> object:
    """Text as the setting wants it: a number or a truth value where no text is asked for."""
    annotation, _ = field_at(Settings, path)
    if getattr(annotation, "__origin__", None) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if annotation in (int, float, bool):
        try:
            return parse(f"value = {text}", "environment").values["value"]
        except ConfigError:
            return text
    return text


def _read_secret(file: Path, document: Document) -> SecretStr:
    path: KeyPath = ("mqtt", "password_file")
    try:
        content = file.read_bytes()
        if len(content) > _SECRET_BYTES_MAX:
            raise document.error(path, f"expected a password, got {len(content)} bytes in {file}")
        secret = content.decode().rstrip("\r\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise document.error(path, f"{file} cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise document.error(path, f"expected text in UTF-8 in {file}") from error
    if not secret:
        raise document.error(path, f"expected a password, but {file} is empty")
    return SecretStr(secret)
