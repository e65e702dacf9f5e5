"""Prices over the length of a stay: samples first where a tariff has limits, then between them
wherever two neighbours differ, until the steps are found.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from gated.db.tariffs import Answer, Priced, Stay
from gated.desk.moments import Moment
from gated.desk.survey import Pricer


@dataclass(frozen=True, slots=True)
class Curve:
    """What stays that begin at `moment` cost, by their length in minutes, in rising order. A
    length that is refused is left out.
    """

    moment: Moment
    points: tuple[tuple[int, Decimal], ...]


async def curves(
    pricer: Pricer,
    lengths: Mapping[Moment, Collection[int]],
    context_at: Callable[[datetime], Mapping[str, object]] = lambda _: {},
    *,
    resolution_minutes: int = 1,
    on_round: Callable[[int], None] = lambda _: None,
) -> list[Curve]:
    """A curve for each moment through at least these lengths, in minutes; prices are asked with
    what `context_at` says of the time of entry.

    Steps between them are found to within `resolution_minutes`; one that goes up and down again
    between two of the lengths is not seen. `on_round` hears how many stays were priced so far.
    """
    known: dict[Moment, dict[int, Answer]] = {moment: {} for moment in lengths}
    wanted = {moment: set(minutes) for moment, minutes in lengths.items()}
    count = 0
    while any(wanted.values()):
        asked = [(moment, minutes) for moment in wanted for minutes in sorted(wanted[moment])]
        stays = [
            Stay(moment.at, moment.at + timedelta(minutes=minutes), context_at(moment.at))
            for moment, minutes in asked
        ]
        for (moment, minutes), answer in zip(asked, await pricer.price(stays), strict=True):
            known[moment][minutes] = answer
        count += len(asked)
        on_round(count)
        wanted = {
            moment: _between(answers, resolution_minutes) for moment, answers in known.items()
        }
    return [Curve(moment, _points(answers)) for moment, answers in known.items()]


def _between(answers: Mapping[int, Answer], resolution: int) -> set[int]:
    """The middle of each two neighbours that differ and are too far apart."""
    lengths = sorted(answers)
    return {
        (left + right) // 2
        for left, right in pairwise(lengths)
        if right - left > resolution and _amount(answers[left]) != _amount(answers[right])
    }


def _points(answers: Mapping[int, Answer]) -> tuple[tuple[int, Decimal], ...]:
    return tuple(
        (minutes, answer.amount)
        for minutes, answer in sorted(answers.items())
        if isinstance(answer, Priced)
    )


def _amount(answer: Answer) -> Decimal | None:
    return answer.amount if isinstance(answer, Priced) else None
