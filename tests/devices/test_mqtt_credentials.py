"""TLS, user name and password of the MQTT session."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gated.devices import paho_seams
from gated.devices.mqtt import (
    LinkRefused,
    Session,
    TlsSettings,
)
from tests.devices.brokers import Mosquitto, mosquitto_program
from tests.devices.driver import Driver, until

Drive = Callable[..., Driver]
StartMosquitto = Callable[..., Mosquitto]


def socket_of(session: Session) -> socket.socket:
    assert session._link is not None
    sock = paho_seams.paho_of(session._link._client).socket()
    assert isinstance(sock, socket.socket)
    return sock


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """An authority, a server's certificate for 127.0.0.1 and a client's; and another authority."""
    folder = tmp_path / "tls"
    folder.mkdir()

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for authority in ("ca", "stranger"):
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-keyout", f"{authority}.key", "-out", f"{authority}.pem"),
            *("-days", "2", "-subj", f"/CN={authority}"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"),
        )
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-days", "2", "-extfile", "san", "-out", f"{name}.pem"),
        )
    return folder


def tls_lines(folder: Path, *more: str) -> tuple[str, ...]:
    return (
        "allow_anonymous true",
        f"cafile {folder}/ca.pem",
        f"certfile {folder}/server.pem",
        f"keyfile {folder}/server.key",
        *more,
    )


async def test_tls(start_mosquitto: StartMosquitto, certificates: Path, drive: Drive) -> None:
    broker = start_mosquitto(*tls_lines(certificates))
    tls = TlsSettings(ca_file=f"{certificates}/ca.pem")
    listener = await drive(broker.port, "facility", tls=tls).up()
    assert isinstance(socket_of(listener.session), ssl.SSLSocket)
    large = b"x" * 60_000  # more than one TLS record
    await listener.say("in/a", b"1", large, b"3")
    await until(lambda: listener.payloads == [b"1", large, b"3"])
    await listener.session.farewell()
    await asyncio.wait_for(listener.task, 10)


async def test_tls_with_an_authority_that_is_not_ours(
    start_mosquitto: StartMosquitto, certificates: Path, drive: Drive
) -> None:
    broker = start_mosquitto(*tls_lines(certificates))
    tls = TlsSettings(ca_file=f"{certificates}/stranger.pem")
    doubter = drive(broker.port, "doubter", tls=tls)
    await until(lambda: doubter.events)
    assert isinstance(doubter.events[0], LinkRefused)
    assert "certificate verify failed" in doubter.events[0].reason
    await drive(broker.port, "trustful", tls=TlsSettings(verify=False)).up()


async def test_tls_with_a_client_certificate(
    start_mosquitto: StartMosquitto, certificates: Path, drive: Drive
) -> None:
    broker = start_mosquitto(*tls_lines(certificates, "require_certificate true"))
    ca_file = f"{certificates}/ca.pem"
    stranger = drive(broker.port, "stranger", tls=TlsSettings(ca_file=ca_file))
    await until(lambda: stranger.events)
    assert isinstance(stranger.events[0], LinkRefused)
    tls = TlsSettings(ca_file, f"{certificates}/client.pem", f"{certificates}/client.key")
    await drive(broker.port, "facility", tls=tls).up()


async def test_missing_certificate_file_is_a_refusal_that_is_retried(
    silent_port: int, drive: Drive
) -> None:
    daemon = drive(silent_port, "facility", tls=TlsSettings(ca_file="/nowhere/ca.pem"))
    await until(lambda: daemon.session._links > 1)
    (event,) = daemon.events
    assert isinstance(event, LinkRefused)
    assert "No such file" in event.reason


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    mosquitto_program()
    file = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(file), "gated", "secret"], check=True)
    file.chmod(0o644)
    return file


async def test_user_name_and_password(
    start_mosquitto: StartMosquitto, passwords: Path, drive: Drive
) -> None:
    broker = start_mosquitto("allow_anonymous false", f"password_file {passwords}")
    wrong = drive(broker.port, "wrong", username="gated", password="guess")
    await until(lambda: wrong.session._links > 2)
    assert wrong.events == [LinkRefused("Not authorized")]
    await drive(broker.port, "facility", username="gated", password="secret").up()
