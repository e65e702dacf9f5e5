"""What the settings say about the way to PostgreSQL and to the broker, in the terms of each."""

from pathlib import Path

from gated.config import Database, Mqtt
from gated.db.pool import DatabaseSettings
from gated.devices.dial import BrokerSettings, TlsSettings

# What a codec refuses for its size must still arrive, cut, to be told apart from a broken packet.
PAYLOAD_BYTES_MIN = 65_536


def database_settings(database: Database) -> DatabaseSettings:
    """The pool of the daemon."""
    return DatabaseSettings(
        dsn=database.dsn.get_secret_value(),
        pool_size_max=database.pool_size_max,
        command_timeout_seconds=database.command_timeout_seconds,
        statement_cache_size=database.statement_cache_size,
    )


def broker_settings(mqtt: Mqtt) -> BrokerSettings:
    """The broker, and how patient the sessions are with it."""
    tls = None
    if mqtt.tls is not None:
        tls = TlsSettings(
            ca_file=_path(mqtt.tls.ca_file),
            cert_file=_path(mqtt.tls.cert_file),
            key_file=_path(mqtt.tls.key_file),
            verify=mqtt.tls.verify,
        )
    return BrokerSettings(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=mqtt.password.get_secret_value() if mqtt.password else None,
        tls=tls,
        keepalive_seconds=mqtt.keepalive_seconds,
        session_expiry_seconds=mqtt.session_expiry_seconds,
        heartbeat_seconds=mqtt.heartbeat_seconds,
        payload_bytes_max=max(mqtt.payload_bytes_max + 1, PAYLOAD_BYTES_MIN),
    )


def _path(file: Path | None) -> str | None:
    return None if file is None else str(file)
