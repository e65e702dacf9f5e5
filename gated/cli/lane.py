"""`gated lane …` and `gated facility …`: operators' requests to a running daemon, by the broker.

The daemon decides: this asks, waits a bounded time for the answer, and says it in words.
"""

import json
import os
import re
import uuid
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from gated.cli import listing
from gated.cli.loop import run_until_complete
from gated.config import load_mqtt
from gated.connections import broker_settings
from gated.core.errors import ConfigError, DeliveryError
from gated.core.ids import Slug
from gated.devices.asking import NoAnswer, Shown, ask, look
from gated.devices.contract import NearStay, OperatorAnswer, OperatorRequest
from gated.devices.dial import BrokerSettings
from gated.devices.mqtt import RefusedError
from gated.validation import excerpt

# Exit statuses. Not to know whether a barrier opens is neither success nor refusal.
REFUSED, WRONG, UNKNOWN = 1, 2, 3

Result = TypeVar("Result")


class LaneAct(StrEnum):
    """What is done at a lane, in the words of the command line."""

    OPEN = "open"
    HOLD = "hold"
    RELEASE = "release"
    CLOSE = "close"
    REOPEN = "reopen"
    MATCH = "match"


class FacilityAct(StrEnum):
    """What is done for a whole facility, or for a stay in it."""

    EVACUATE = "evacuate"
    RESUME = "resume"
    WAIVE = "waive"
    PAY = "pay"


# What the arguments of a request have to be, by their names in it.
EXPECTED = {
    "id": "1 to 64 printable characters without blanks",
    "lane": "a slug of a-z, 0-9 and -",
    "reason": "at most 500 characters",
    "ticket": "a ticket number of at most 64 characters",
    "plate": "a plate of at most 64 characters",
    "amount": "an amount such as 12.50, with at most 12 digits before the point and 4 behind it",
    "currency": "an ISO 4217 code such as EUR",
}

_DO = {LaneAct.CLOSE: "lane_close", LaneAct.REOPEN: "lane_open"}

Facility = Annotated[str, typer.Argument(help="The facility's slug.")]
Reason = Annotated[
    str, typer.Option("--reason", "-r", help="Why: stands in the audit with your name.")
]
As = Annotated[
    str | None,
    typer.Option("--as", help="The operator's name at the broker; [mqtt] username if left out."),
]
Stay = Annotated[uuid.UUID | None, typer.Option(help="The stay by its id,")]
Ticket = Annotated[str | None, typer.Option(help="or by its ticket,")]
Plate = Annotated[str | None, typer.Option(help="or by its plate.")]
Id = Annotated[
    str | None,
    typer.Option("--id", help="The request's id: a repeated one is answered, not done again."),
]
Seconds = Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait.")]
Config = Annotated[
    Path,
    typer.Option("--config", "-c", help="Take [mqtt] from this file.", envvar="GATED_CONFIG"),
]
CONFIG = Path("config.toml")
# As topics have them.
_SLUG = re.compile(r"[a-z0-9-]+")
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
SECONDS = 10.0


def lane(
    facility: Facility,
    lane: Annotated[
        str | None,
        typer.Argument(help="The lane's slug; without it, all lanes with what they are doing."),
    ] = None,
    do: Annotated[
        LaneAct | None,
        typer.Argument(
            help="open once; hold open, release; close for traffic, reopen; match a vehicle at an"
            " exit with a stay; where none is named, those that it may be are shown. Of an open, a"
            " stay, a ticket or a plate says for whom. Without it, what the lane is doing."
        ),
    ] = None,
    *,
    reason: Reason = "",
    stay: Stay = None,
    ticket: Ticket = None,
    plate: Plate = None,
    user: As = None,
    id_: Id = None,
    timeout: Seconds = SECONDS,
    config: Config = CONFIG,
) -> None:
    """Operate a lane, or show what the lanes are doing.

    Exit status 0: done. 1: refused, and the word for it. 2: a wrong call. 3: no answer, so that
    nobody knows whether it was done.
    """
    broker = _Broker.of(config, user, timeout)
    if do is None and lane in list(FacilityAct):
        # `gated lane north evacuate`: said in a hurry, and clear enough.
        _facility_act(broker, facility, FacilityAct(lane), {"reason": reason, "id": id_})
    elif do is None or lane is None:
        _show(broker.look(facility), facility, lane)
    else:
        broker.request(
            facility,
            f"{lane} {do.value}",
            {
                "id": id_,
                "do": _DO.get(do, do.value),
                "lane": lane,
                "reason": reason,
                "stay": None if stay is None else str(stay),
                "ticket": ticket,
                "plate": plate,
            },
        )


def facility(
    facility: Facility,
    do: Annotated[
        FacilityAct,
        typer.Argument(
            help="evacuate: exits stand open, entries are shut; resume; waive what is due for a"
            " stay; pay: money taken by hand."
        ),
    ],
    *,
    reason: Reason = "",
    stay: Stay = None,
    ticket: Ticket = None,
    plate: Plate = None,
    amount: Annotated[
        str | None, typer.Option(help="What is paid, or waived: all, if left out.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217: EUR.")] = None,
    account: Annotated[
        bool, typer.Option("--account", help="Paid to the account, not in cash.")
    ] = False,
    user: As = None,
    id_: Id = None,
    timeout: Seconds = SECONDS,
    config: Config = CONFIG,
) -> None:
    """Evacuate a facility and resume; waive what is due for a stay, or note a payment by hand.

    Exit statuses as those of `gated lane`.
    """
    says = {
        "id": id_,
        "reason": reason,
        "stay": None if stay is None else str(stay),
        "ticket": ticket,
        "plate": plate,
        "amount": _amount(amount),
        "currency": currency,
        "provider": "ACCOUNT" if account else None,
    }
    _facility_act(_Broker.of(config, user, timeout), facility, do, says)


def _facility_act(
    broker: "_Broker", facility: str, do: FacilityAct, says: dict[str, str | None]
) -> None:
    broker.request(facility, do.value, {"do": do.value, **says})


@dataclass(frozen=True, slots=True)
class _Broker:
    """Where and as whom to ask, and how long to wait."""

    settings: BrokerSettings
    user: str | None
    seconds_max: float

    @classmethod
    def of(cls, config: Path, user: str | None, seconds_max: float) -> "_Broker":
        mqtt = load_mqtt(config, os.environ)
        return cls(broker_settings(mqtt), user or mqtt.username, seconds_max)

    def look(self, facility: str) -> Shown:
        return self._run(look(self.settings, _slug(facility), client_id=_client_id()))

    def request(self, facility: str, what: str, says: dict[str, str | None]) -> None:
        """Ask, and end with the exit status that the answer asks for."""
        if self.user is None:
            raise ConfigError("say as whom: --as NAME, or [mqtt] username", key="--as")
        if not (says.get("reason") or "").strip():
            raise ConfigError("a reason is needed, and stands in the audit", key="--reason")
        if not _NAME.fullmatch(self.user):
            raise ConfigError(
                "expected a name of at most 64 letters, digits, . _ @ and -,"
                f" got {excerpt(self.user)}",
                key="--as",
            )
        asked = _request({**says, "id": says["id"] or uuid.uuid4().hex})
        answer = self._run(
            ask(
                self.settings,
                _slug(facility),
                self.user,
                asked,
                client_id=_client_id(),
                seconds_max=self.seconds_max,
            )
        )
        _tell(what, answer)

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        try:
            return run_until_complete(work)
        except NoAnswer as error:
            there = (
                "a daemon works for the facility"
                if error.daemon
                else "no daemon works for the facility, as far as the broker knows"
            )
            _end(UNKNOWN, f"{error}, and {there}: whether it was done is not known")
        except DeliveryError as error:
            unknown = ": whether it was done is not known" if error.uncertain else ""
            _end(UNKNOWN if error.uncertain else REFUSED, f"{error}{unknown}")
        except RefusedError as error:
            _end(REFUSED, f"broker {self.settings.place}: {error}")


def _request(says: dict[str, str | None]) -> OperatorRequest:
    at = datetime.now(UTC).isoformat()
    body = {key: value for key, value in {**says, "at": at}.items() if value is not None}
    try:
        # As the daemon will read it: from its own text.
        return OperatorRequest.model_validate_json(json.dumps(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(next(iter(first["loc"]), "request"))
        key = "LANE" if name == "lane" else f"--{name}"
        got = says.get(name) or ""
        if name == "reason":
            raise ConfigError(f"expected {EXPECTED[name]}, got {len(got)}", key=key) from None
        expected = EXPECTED.get(name, first["msg"])
        raise ConfigError(f"expected {expected}, got {excerpt(got)}", key=key) from None


def _tell(what: str, answer: OperatorAnswer) -> None:
    detail = f": {answer.detail}" if answer.detail else ""
    if answer.ok:
        typer.echo(f"done: {what}{detail}")
        return
    if answer.stays:
        _show_near(answer.stays)
    _end(REFUSED, f"refused: {what}: {answer.error or 'no word for it'}{detail}")


def _show_near(stays: Sequence[NearStay]) -> None:
    """Whose vehicle it may be, for the next call."""
    listing.show(
        ("plate", "in since", "reason", "distance", "stay"),
        [
            (one.plate, _time(one.entered_at), one.reason, str(one.distance), str(one.stay))
            for one in stays
        ],
        below=("stay",),
    )


def _show(shown: Shown, facility: str, lane: str | None) -> None:
    if not shown.online:
        typer.echo("no daemon works for the facility, as far as the broker knows", err=True)
    lanes = {slug: state for slug, state in shown.lanes.items() if lane in (None, slug)}
    if not lanes:
        named = f" {lane}" if lane else ""
        known = f": there is {', '.join(sorted(shown.lanes))}" if shown.lanes else ""
        _end(REFUSED, f"the broker knows of no lane{named} of {facility}{known}")
    rows = []
    for slug, state in sorted(lanes.items()):
        call = "" if state.call is None else f"{state.call.why} since {_time(state.call.since)}"
        faults = ", ".join(state.faults)
        rows.append((slug, state.state, _time(state.since), state.mode, faults, call))
    listing.show(("lane", "state", "since", "mode", "faults", "call"), rows)
    if not shown.online:
        raise typer.Exit(REFUSED)


def _time(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _amount(text: str | None) -> str | None:
    """As it goes over the wire. Raises ConfigError for what is no amount."""
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value <= 0:
        raise ConfigError(f"expected an amount like 12.50, got {text!r}", key="--amount")
    return f"{value:f}"


def _slug(facility: str) -> Slug:
    if not _SLUG.fullmatch(facility):
        raise ConfigError(f"expected {EXPECTED['lane']}, got {excerpt(facility)}", key="FACILITY")
    return Slug(facility)


def _client_id() -> str:
    return f"gated-cli-{uuid.uuid4().hex[:12]}"


def _end(status: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(status)
