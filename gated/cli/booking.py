"""`gated booking …`: reservations and payments by hand, through the web shop's own functions."""

import uuid
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from gated.cli import asking
from gated.cli.asking import CONFIG, Config, Facility, FacilityOption, facility_of, words_of
from gated.cli.asking import instant as _at
from gated.cli.asking import now as _now
from gated.cli.asking import operator as _operator
from gated.cli.asking import place_of as _place
from gated.cli.asking import say as _say
from gated.cli.screen import screen
from gated.core.errors import ConfigError
from gated.core.ids import StayId
from gated.db.bookings import (
    CancelOutcome,
    LoseOutcome,
    Payment,
    QuoteRequest,
    RefundOutcome,
    ReserveOutcome,
    ReserveRequest,
    ValidateOutcome,
)
from gated.db.store import PostgresStore
from gated.fields import VehicleType
from gated.records import PaymentOutcome
from gated.site import SpotSize

app = typer.Typer(no_args_is_help=True, help="Reservations and payments by hand.")

From = Annotated[str, typer.Option("--from", help="RFC 3339 with offset: 2026-12-01T08:00+01:00.")]
Until = Annotated[str, typer.Option("--until", help="The end, which is not part of it.")]
Id = Annotated[
    str | None,
    typer.Option("--id", help="The id to use: a repeated call with it counts once."),
]

# What an operator reads where a word alone would not do.
NO_TICKET = "the facility has no such ticket"
NOT_RESERVED = {
    ReserveOutcome.NO_SPOT: "no spot that suits is free for the whole period",
    ReserveOutcome.SPOT_TAKEN: "the spot is taken for a part of the period",
    ReserveOutcome.SPOT_UNFIT: "the spot is too small, or kept for others",
    ReserveOutcome.SPOT_OUT_OF_SERVICE: "the spot is out of service",
    ReserveOutcome.SPOT_UNKNOWN: "the zone has no such spot",
    ReserveOutcome.ZONE_UNKNOWN: "the facility has no such zone",
    ReserveOutcome.ZONE_CLOSED: "the zone is out of service",
    ReserveOutcome.FACILITY_CLOSED: "the facility is out of service",
    ReserveOutcome.FACILITY_UNKNOWN: "there is no such facility",
    ReserveOutcome.PERIOD_INVALID: "the period ends before it begins, is over, or began long ago",
    ReserveOutcome.PERIOD_TOO_FAR: "the period begins in more than two years",
    ReserveOutcome.PLATE_INVALID: "the plate is none: expected 1 to 16 letters and digits",
    ReserveOutcome.VEHICLE_BLOCKED: "the vehicle is blocked",
    ReserveOutcome.VEHICLE_UNKNOWN: "there is no such vehicle",
    ReserveOutcome.ACCESSIBLE_NOT_PERMITTED: "the vehicle has no right to accessible spots",
    ReserveOutcome.BOOKING_ENDED: "a booking of this id has ended already",
}
NOT_CANCELLED = {
    CancelOutcome.BOOKING_UNKNOWN: NO_TICKET,
    CancelOutcome.BOOKING_ACTIVE: "its vehicle is inside",
    CancelOutcome.BOOKING_ENDED: "it has ended already",
}
NOT_PAID = {
    PaymentOutcome.BOOKING_UNKNOWN: "the facility has no stay or reservation of it",
    PaymentOutcome.BOOKING_ENDED: "it was cancelled, or nobody came",
    PaymentOutcome.AMOUNT_INVALID: "the amount is not positive, or finer than the currency",
    PaymentOutcome.CURRENCY_MISMATCH: "the facility has another currency",
    PaymentOutcome.PROVIDER_UNKNOWN: "expected one of CARD, CASH, PAYPAL, STRIPE, ACCOUNT, OTHER",
    PaymentOutcome.TOLD_DIFFERENTLY: (
        "it was recorded before, by this id or transaction, for another stay or of another amount"
    ),
}
NOT_VALIDATED = {
    ValidateOutcome.BOOKING_UNKNOWN: NO_TICKET,
    ValidateOutcome.BOOKING_ENDED: "it has its final price, or will not take place",
    ValidateOutcome.VALIDATION_UNKNOWN: "the tariff has no validation of this name",
}
NOT_LOST = {
    LoseOutcome.BOOKING_UNKNOWN: NO_TICKET,
    LoseOutcome.BOOKING_ENDED: "its vehicle is not inside",
}
NOT_REFUNDED = {
    RefundOutcome.PAYMENT_UNKNOWN: "the facility has no such payment",
    RefundOutcome.AMOUNT_INVALID: (
        "the amount is not positive, finer than the currency, or more than is left of it"
    ),
}


@app.callback()
def _booking() -> None:
    """Reservations and payments by hand."""


@app.command()
def free(
    facility: Facility = None,
    named: FacilityOption = None,
    *,
    start: From,
    until: Until,
    size: Annotated[SpotSize, typer.Option(help="The smallest that suits.")] = SpotSize.COMPACT,
    charger: Annotated[bool, typer.Option(help="Count spots with a charger too.")] = False,
    accessible: Annotated[bool, typer.Option(help="Count accessible spots too.")] = False,
    config: Config = CONFIG,
) -> None:
    """Show how many spots are free over a whole period."""
    slug = facility_of(facility, named)
    period = _at("--from", start), _at("--until", until)
    if period[1] <= period[0]:
        raise ConfigError("--until: expected a time after --from")

    async def ask(store: PostgresStore) -> None:
        place = await _place(store, slug)
        found = await store.free_spots(
            place.facility,
            *period,
            _now(),
            size=size.value,
            wants_charger=charger,
            accessible=accessible,
        )
        table = Table("zone", "size", "charger", "accessible", "free", box=None, pad_edge=False)
        for kind in found:
            marks = ["yes" if mark else "" for mark in (kind.has_charger, kind.accessible)]
            table.add_row(Text(kind.code), kind.size, *marks, str(kind.free))
        screen().print(table if found else "no spot is free over the whole period")

    _run("free", config, ask)


@app.command()
def reserve(
    facility: Facility = None,
    named: FacilityOption = None,
    *,
    start: From,
    until: Until,
    plate: Annotated[str | None, typer.Option(help="What opens the entrance.")] = None,
    zone: Annotated[str | None, typer.Option(help="The zone's slug.")] = None,
    spot: Annotated[str | None, typer.Option(help="The spot's number; with --zone.")] = None,
    size: Annotated[
        SpotSize | None, typer.Option(help="The smallest that suits; else by the vehicle.")
    ] = None,
    charger: Annotated[
        bool | None, typer.Option(help="A spot with a charger; else by the vehicle.")
    ] = None,
    accessible: Annotated[bool, typer.Option(help="An accessible spot.")] = False,
    id_: Id = None,
    config: Config = CONFIG,
) -> None:
    """Hold a spot for a period. Exit status 1 if that cannot be, with the reason."""
    slug = facility_of(facility, named)
    booking = StayId(_id(id_))
    period = _at("--from", start), _at("--until", until)
    if spot is not None and zone is None:
        raise ConfigError("--spot: expected --zone with it")

    async def ask(store: PostgresStore) -> None:
        place = await _place(store, slug, zone, spot)
        request = ReserveRequest(
            booking,
            *period,
            _now(),
            plate=plate,
            zone=place.zone,
            spot=place.spot,
            size=size.value if size else None,
            wants_charger=charger,
            accessible=accessible,
        )
        answer = await store.reserve(place.facility, request, _operator())
        if answer.outcome is not ReserveOutcome.RESERVED:
            _refuse("reserve", answer.outcome, NOT_RESERVED[answer.outcome])
        estimate = f", estimated at {answer.estimate}" if answer.estimate is not None else ""
        _say(f"reserved: ticket {answer.ticket}, spot {answer.spot_number}{estimate}")

    _run("reserve", config, ask)


@app.command()
def cancel(
    words: Annotated[
        list[str], typer.Argument(metavar="[FACILITY] TICKET", help="The booking's ticket number.")
    ],
    named: FacilityOption = None,
    *,
    reason: Annotated[str, typer.Option(help="Why; it stands on the booking and in the audit.")],
    config: Config = CONFIG,
) -> None:
    """Give up a booking that has not begun. Payments stay: `gated booking refund`."""
    slug, ticket = words_of(words, named, "TICKET")

    async def ask(store: PostgresStore) -> None:
        place = await _place(store, slug)
        booking = await _of_ticket("cancel", store, ticket)
        outcome = await store.cancel_booking(place.facility, booking, reason, _now(), _operator())
        if outcome is not CancelOutcome.CANCELLED:
            _refuse("cancel", outcome, NOT_CANCELLED[outcome])
        _say("cancelled")

    _run("cancel", config, ask)


@app.command()
def pay(
    facility: Facility = None,
    named: FacilityOption = None,
    *,
    amount: Annotated[str, typer.Option(help="In the facility's currency: 4.50.")],
    ticket: Annotated[str | None, typer.Option(help="What is paid for, by its ticket.")] = None,
    plate: Annotated[str | None, typer.Option(help="Or by the plate.")] = None,
    provider: Annotated[str, typer.Option(help="CARD, CASH, PAYPAL, …")] = "CASH",
    txn: Annotated[
        str | None, typer.Option(help="The provider's own number of the transaction.")
    ] = None,
    id_: Id = None,
    config: Config = CONFIG,
) -> None:
    """Record what was paid for a stay or a reservation, once; say what is due."""
    slug = facility_of(facility, named)
    payment, exact = _id(id_), _amount(amount)
    if (ticket is None) == (plate is None):
        raise ConfigError("expected either --ticket or --plate")

    async def ask(store: PostgresStore) -> None:
        place = await _place(store, slug)
        paid = Payment(
            payment, exact, place.currency, provider, _now(), ticket=ticket, plate=plate, txn=txn
        )
        answer = await store.record_payment(place.facility, paid, actor=_operator())
        if not answer.outcome.counted:
            _refuse("pay", answer.outcome, NOT_PAID[answer.outcome])
        what = f"payment {payment}" if answer.counted else "known already"
        grace = f", leave until {answer.grace_until.isoformat()}" if answer.grace_until else ""
        _say(f"{what}: ticket {answer.ticket}, paid {answer.paid}, due {answer.due}{grace}")

    _run("pay", config, ask)


@app.command()
def refund(
    words: Annotated[
        list[str], typer.Argument(metavar="[FACILITY] PAYMENT", help="The payment's id.")
    ],
    named: FacilityOption = None,
    *,
    amount: Annotated[str, typer.Option(help="How much of it.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit.")],
    id_: Id = None,
    config: Config = CONFIG,
) -> None:
    """Record that a payment was given back, in part or whole. It moves no money itself."""
    slug, payment = words_of(words, named, "PAYMENT")
    known, new, exact = _id(payment), _id(id_), _amount(amount)

    async def ask(store: PostgresStore) -> None:
        place = await _place(store, slug)
        outcome = await store.refund(
            place.facility, known, new, exact, reason, _now(), actor=_operator()
        )
        if outcome is not RefundOutcome.REFUNDED:
            _refuse("refund", outcome, NOT_REFUNDED[outcome])
        _say("refunded")

    _run("refund", config, ask)


@app.command()
def quote(
    facility: Facility = None,
    named: FacilityOption = None,
    *,
    start: From,
    until: Until,
    zone: Annotated[str | None, typer.Option(help="The zone's slug.")] = None,
    vehicle_type: Annotated[
        VehicleType | None, typer.Option(help="What comes; else what strangers are taken for.")
    ] = None,
    reserved: Annotated[bool, typer.Option(help="As a reservation of the period.")] = False,
    config: Config = CONFIG,
) -> None:
    """Show what parking in a period costs, by the tariffs that are in force then."""
    slug = facility_of(facility, named)
    period = _at("--from", start), _at("--until", until)

    async def ask(store: PostgresStore) -> None:
        place = await _place(store, slug, zone)
        context = {"vehicle_type": vehicle_type.value} if vehicle_type else {}
        request = QuoteRequest(*period, zone=place.zone, reserved=reserved, context=context)
        charge = await store.quote(place.facility, request)
        for line in charge.lines:
            what = line.get("band") or line["kind"]
            _say(f"{line['amount']:>10}  {what}")
        _say(f"{charge.amount:>10}  {charge.currency}")

    _run("quote", config, ask)


@app.command()
def validate(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[FACILITY] TICKET NAME",
            help="The stay's ticket number, and the validation as the tariff names it.",
        ),
    ],
    named: FacilityOption = None,
    *,
    config: Config = CONFIG,
) -> None:
    """Give a stay a validation: the cinema's, the hotel's. It counts when it is priced next."""
    slug, ticket, name = words_of(words, named, "TICKET", "NAME")

    async def ask(store: PostgresStore) -> None:
        place = await _place(store, slug)
        booking = await _of_ticket("validate", store, ticket)
        outcome = await store.validate_stay(place.facility, booking, name, _now(), _operator())
        if outcome is not ValidateOutcome.VALIDATED:
            _refuse("validate", outcome, NOT_VALIDATED[outcome])
        _say("validated")

    _run("validate", config, ask)


@app.command()
def lost(
    words: Annotated[
        list[str],
        typer.Argument(metavar="[FACILITY] TICKET", help="The number of the ticket that was lost."),
    ],
    named: FacilityOption = None,
    *,
    config: Config = CONFIG,
) -> None:
    """Have a stay priced as one whose ticket was lost."""
    slug, ticket = words_of(words, named, "TICKET")

    async def ask(store: PostgresStore) -> None:
        place = await _place(store, slug)
        booking = await _of_ticket("lost", store, ticket)
        outcome = await store.lose_ticket(place.facility, booking, _now(), _operator())
        if outcome is not LoseOutcome.LOST:
            _refuse("lost", outcome, NOT_LOST[outcome])
        _say("the price is that of a lost ticket")

    _run("lost", config, ask)


@app.command()
def expire(
    facility: Facility = None, named: FacilityOption = None, config: Config = CONFIG
) -> None:
    """End the reservations whose vehicle did not come in time; a running daemon does so itself."""
    slug = facility_of(facility, named)

    async def ask(store: PostgresStore) -> None:
        place = await _place(store, slug)
        no_shows, held = await store.keep_reservations(place.facility, _now(), _operator().name)
        _say(f"{no_shows} no-shows ended, {held} spots marked as reserved")

    _run("expire", config, ask)


def _run(command: str, config: Path, ask: Callable[[PostgresStore], Awaitable[None]]) -> None:
    asking.run(f"booking {command}", config, ask)


async def _of_ticket(command: str, store: PostgresStore, ticket: str) -> StayId:
    booking = await store.booking_of_ticket(ticket)
    if booking is None:
        _refuse(command, "booking_unknown", NO_TICKET)
    return booking


def _refuse(command: str, word: str, reason: str) -> NoReturn:
    asking.refuse(f"booking {command}", word, reason)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ConfigError(f"--amount: expected an exact amount such as 4.50, got {text!r}")
    return amount


def _id(text: str | None) -> uuid.UUID:
    if text is None:
        return uuid.uuid4()
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ConfigError(
            f"--id: expected an id such as {uuid.UUID(int=0)}, got {text!r}"
        ) from None
