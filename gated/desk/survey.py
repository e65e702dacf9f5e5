"""Prices around the limits of a tariff: a minute before, at and a minute after each, for the same
entry; and where between them a cap, a maximum or a minimum begins or ceases to count.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from gated.db.tariffs import Answer, Priced, Stay
from gated.desk.bands import Calendar
from gated.desk.instants import DAY, HOUR, MINUTE
from gated.desk.limits import Limit, limits
from gated.desk.lines import limit_words, names
from gated.desk.moments import Moment
from gated.tariff.model import AnyTariff

# Lengths that are priced whatever the tariff, so that a cap is found that lies beyond its limits.
COARSE = tuple(
    count * unit
    for unit, counts in ((HOUR, (1, 2, 4, 8, 16)), (DAY, (1, 2, 4, 8)))
    for count in counts
)
# How long stays have reserved that are for tariffs which ask for a reservation.
RESERVED = 4 * HOUR

# What counts from some length of a stay on that the tariff alone does not tell.
REACHED = frozenset({"cap", "maximum", "minimum", "special"})


class Pricer(Protocol):
    """What prices stays: a `gated.desk.pricing.Till`, or a test's own."""

    async def price(self, stays: Sequence[Stay]) -> list[Answer]:
        """An answer for each stay, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What stays that begin at `moment` cost, by their length, and at which ends that may change;
    `reached` are those at which a cap or the like begins to count.
    """

    moment: Moment
    limits: Sequence[Limit]
    answers: Mapping[timedelta, Answer]
    reached: frozenset[datetime] = frozenset()

    def in_order(self) -> list[tuple[timedelta, Answer]]:
        """The answers, by length."""
        return sorted(self.answers.items(), key=lambda each: each[0])


@dataclass(frozen=True, slots=True)
class Question:
    """What to look at, and how closely."""

    tariff: AnyTariff
    zone: ZoneInfo
    calendar: Calendar
    longest: timedelta
    context: Mapping[str, object]
    reserved: bool = False
    detailed: timedelta = DAY

    def context_at(self, entry: datetime) -> Mapping[str, object]:
        """What the price of a stay that begins then is asked with."""
        if not self.reserved:
            return self.context
        period = {"reserved_from": entry, "reserved_until": entry + RESERVED}
        return {**self.context, **{key: at.isoformat() for key, at in period.items()}}


async def surveyed(
    pricer: Pricer,
    question: Question,
    moments: Sequence[Moment],
    on_priced: Callable[[int], None] = lambda _: None,
) -> list[Look]:
    """A look from each moment. `on_priced` hears how many stays were priced since it last did.

    Raises what the pricer raises.
    """
    found = {
        moment: limits(
            question.tariff,
            moment.at,
            question.zone,
            question.calendar,
            question.longest,
            detailed=question.detailed,
        )
        for moment in moments
    }
    answers: dict[Moment, dict[timedelta, Answer]] = {moment: {} for moment in moments}
    wanted = {
        moment: {
            timedelta(0),
            MINUTE,
            question.longest,
            *(length for length in COARSE if length < question.longest),
            *_around(limits_, moment.at, question.longest),
        }
        for moment, limits_ in found.items()
    }
    reached: dict[Moment, dict[datetime, list[str]]] = {moment: {} for moment in moments}
    while any(wanted.values()):
        asked = [(moment, length) for moment in moments for length in sorted(wanted[moment])]
        stays = [
            Stay(moment.at, moment.at + length, question.context_at(moment.at))
            for moment, length in asked
        ]
        for (moment, length), answer in zip(asked, await pricer.price(stays), strict=True):
            answers[moment][length] = answer
        on_priced(len(asked))
        for moment in moments:
            reached[moment] = dict(_reached(moment, answers[moment]))
            wanted[moment] = set(_middles(answers[moment]))
    return [
        Look(
            moment,
            _joined(found[moment], reached[moment]),
            answers[moment],
            frozenset(reached[moment]),
        )
        for moment in moments
    ]


def _around(found: Sequence[Limit], entry: datetime, longest: timedelta) -> Iterator[timedelta]:
    for limit in found:
        for length in (limit.at - MINUTE, limit.at, limit.at + MINUTE):
            if entry <= length:
                yield min(length - entry, longest + MINUTE)


def _changes(
    answers: Mapping[timedelta, Answer],
) -> Iterator[tuple[timedelta, timedelta, frozenset[tuple[str, str]]]]:
    """Neighbours between which something begins to count, and what."""
    in_order = sorted(answers.items(), key=lambda each: each[0])
    for (left, before), (right, after) in pairwise(in_order):
        if isinstance(before, Priced) and isinstance(after, Priced):
            begins = names(after.lines) - names(before.lines)
            if begins := frozenset(each for each in begins if each[0] in REACHED):
                yield left, right, begins


def _middles(answers: Mapping[timedelta, Answer]) -> Iterator[timedelta]:
    """Where to look next: halfway, on whole minutes after the entry; at last a minute before."""
    for left, right, _ in _changes(answers):
        if right - left <= MINUTE:
            if left >= MINUTE and left - MINUTE not in answers:
                yield left - MINUTE
        else:
            middle = left + (right - left) / 2
            yield middle - middle % MINUTE if middle - middle % MINUTE > left else middle


def _reached(
    moment: Moment, answers: Mapping[timedelta, Answer]
) -> Iterator[tuple[datetime, list[str]]]:
    """The last lengths before something begins to count."""
    for left, right, begins in _changes(answers):
        if right - left <= MINUTE and left:
            yield moment.at + left, sorted(limit_words(kind, label) for kind, label in begins)


def _joined(found: Sequence[Limit], reached: Mapping[datetime, Sequence[str]]) -> list[Limit]:
    reasons: dict[datetime, list[str]] = {limit.at: list(limit.reasons) for limit in found}
    for at, more in reached.items():
        reasons.setdefault(at, []).extend(more)
    return [Limit(at, tuple(dict.fromkeys(each))) for at, each in sorted(reasons.items())]
