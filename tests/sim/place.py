"""The car park of the simulated day, sized to its traffic: a site file, and who is known there."""

from dataclasses import dataclass

# All that happens by itself takes a multiple of this: what comes at one instant is one batch.
TICK_SECONDS = 6
# What a vehicle pays for each half hour that it has begun, in cents. `gated` reads it in the site
# file, the auditor here: nothing else do the two share.
BLOCK_MINUTES, BLOCK_CENTS = 30, 170
FREE_MINUTES = 10
GRACE_MINUTES = 15
# How long before its time a booked vehicle may come, and how long after it its spot is kept.
EARLY_MINUTES, LATE_MINUTES = 30, 60
BACKOUT_SECONDS = 6
OPERATOR = "duty"

_HEAD = f"""
[facility]
slug = "day"
name = "Day and Night Garage"
city = "Berlin"
time_zone = "Europe/Berlin"
currency = "EUR"

[policy]
match_distance_max = 1
unpaid_exit = "wait"
# The terminal tells when somebody paid. To look for it is for what nobody tells.
payment_look_seconds = 30.0
# Who follows another one drives as slowly as everybody here.
tailgate_seconds = {TICK_SECONDS}.0
backout_seconds_max = {BACKOUT_SECONDS}.0

[parking]
grace_minutes_exit = {GRACE_MINUTES}
early_minutes_max = {EARLY_MINUTES}
late_minutes_max = {LATE_MINUTES}
ev_spots_kept = false

[parking.penalties]
tailgating = "40.00"
exit_without_payment = "60.00"

[[tariff]]
name = "Half hours"
strategy = "BLOCK"
steps = [{{ minutes = {BLOCK_MINUTES}, price = "{BLOCK_CENTS // 100}.{BLOCK_CENTS % 100:02}" }}]
free_minutes = {FREE_MINUTES}
free_minutes_reading = "threshold"
free_minutes_limit = "inclusive"
limit_reading = "inclusive"
zero_stay = "free"
new_day = "continue"
second_visit = "separate"
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything. `lanes` each way; the last exit lets go who has not paid."""

    decks: int
    spots_per_deck: int
    lanes: int


def size_for(vehicles: int) -> Size:
    """Too small for the rush hours by a little, so that it is full at times."""
    decks = 4 if vehicles > 1000 else 2
    return Size(decks, max(6, vehicles * 15 // 100 // decks), max(2, round(vehicles / 1250)))


def site_file(size: Size) -> str:
    """The site file as TOML."""
    decks = [f"deck-{number}" for number in range(1, size.decks + 1)]
    parts = [_HEAD]
    parts += [
        f'[[zone]]\nslug = "{deck}"\nname = "{deck}"\n[[zone.spots]]\n'
        f'prefix = "{deck[-1]}-"\ncount = {size.spots_per_deck}\nwidth = 4\n'
        for deck in decks
    ]
    for number in range(1, size.lanes + 1):
        # Each entry fills the decks from another one on.
        at = number % size.decks
        order = ", ".join(f'"{deck}"' for deck in decks[at:] + decks[:at])
        # Half of the arms have switches that tell when they are down.
        arm = bool(number % 2)
        parts.append(_lane(f"in-{number}", f'direction = "entry"\nzones = [{order}]\n', arm=arm))
        policy = '[lane.policy]\nunpaid_exit = "open"\n' if number == size.lanes else ""
        parts.append(_lane(f"out-{number}", f'direction = "exit"\n{policy}', arm=arm))
    return "\n".join(parts)


def _lane(slug: str, more: str, *, arm: bool) -> str:
    inputs = '"presence", "closing"' + (', "arm"' if arm else "")
    return (
        f'[[lane]]\nslug = "{slug}"\n{more}'
        f'[[lane.device]]\nslug = "{slug}"\nfamily = "native"\ninputs = [{inputs}]\n'
    )
