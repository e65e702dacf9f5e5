"""What prices say about a tariff: longer stays that cost less, stays without a price, and what
never made a difference. Pure: the prices are handed in.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from gated.db.tariffs import Answer, Priced, Refused
from gated.desk.findings import Example, Finding, Severity
from gated.desk.instants import span
from gated.desk.lines import label, names, number, text
from gated.desk.survey import Look
from gated.tariff.file import TariffFile
from gated.tariff.model import AnyTariff, BandTariff
from gated.toml import KeyPath

# What can make a longer stay cheaper, the likeliest cause first.
CAUSES = ("special", "cap", "maximum", "validation", "second_visit", "free")


@dataclass(frozen=True, slots=True)
class Drop:
    """Two stays from one entry, of which the longer costs less, and because of what: kind and
    label of a line that begins to count, or `ceases` to, or nothing that stands out.
    """

    entry: datetime
    shorter: timedelta
    longer: timedelta
    before: Priced
    after: Priced
    cause: tuple[str, str]
    ceases: bool


def drops(look: Look) -> Iterator[Drop]:
    """Each two neighbours of a look of which the longer costs less."""
    for (shorter, before), (longer, after) in pairwise(look.in_order()):
        if not isinstance(before, Priced) or not isinstance(after, Priced):
            continue
        if after.amount < before.amount:
            cause, ceases = _cause(before, after)
            yield Drop(look.moment.at, shorter, longer, before, after, cause, ceases)


def _cause(before: Priced, after: Priced) -> tuple[tuple[str, str], bool]:
    """What counts for the longer stay alone; else what counted for the shorter one alone, such as
    a special that is dearer than the normal price; else nothing.
    """
    counted, counts = names(before.lines), names(after.lines)
    for ceases, others in ((False, counts - counted), (True, counted - counts)):
        for kind in CAUSES:
            if found := sorted(each for each in others if each[0] == kind):
                return found[0], ceases
    return ("", ""), False


def drop_findings(file: TariffFile, index: int, looks: Iterable[Look]) -> Iterator[Finding]:
    """The smallest example of each cause."""
    smallest: dict[tuple[tuple[str, str], bool], Drop] = {}
    for look in looks:
        for drop in drops(look):
            known = smallest.get((drop.cause, drop.ceases))
            if known is None or drop.longer < known.longer:
                smallest[drop.cause, drop.ceases] = drop
    tariff = file.tariffs[index]
    for ((kind, name), ceases), drop in smallest.items():
        saves = drop.before.amount - drop.after.amount
        counts = "counts no longer" if ceases else "counts"
        because = f", because the {_thing(kind, name)} {counts}" if kind else ""
        yield Finding(
            Severity.WARNING,
            "longer_costs_less",
            file.document.place(_path(tariff, index, kind, name)),
            f'"{tariff.name}": who stays {span(drop.longer)} instead of {span(drop.shorter)} pays'
            f" {saves} less{because}",
            (
                _example(drop.entry, drop.shorter, drop.before),
                _example(drop.entry, drop.longer, drop.after),
            ),
        )


def refusal_findings(file: TariffFile, index: int, looks: Iterable[Look]) -> Iterator[Finding]:
    """Stays that have no price: the shortest for each error."""
    shortest: dict[str, tuple[timedelta, datetime, Refused]] = {}
    for look in looks:
        for length, answer in look.in_order():
            if isinstance(answer, Refused):
                known = shortest.get(answer.error)
                if known is None or length < known[0]:
                    shortest[answer.error] = (length, look.moment.at, answer)
    tariff = file.tariffs[index]
    for error, (length, entry, answer) in shortest.items():
        yield Finding(
            Severity.WARNING,
            "no_price",
            file.document.place(("tariff", index)),
            f'"{tariff.name}" has no price for a stay of {span(length)}: {answer.reason}',
            (Example(entry, entry + length, error),),
        )


def dear_special_findings(file: TariffFile, index: int, looks: Iterable[Look]) -> Iterator[Finding]:
    """Specials that cost more than the normal price of a stay: for each the shortest."""
    shortest: dict[str, tuple[timedelta, datetime, Priced, Decimal]] = {}
    for look in looks:
        for length, answer in look.in_order():
            for line in answer.lines if isinstance(answer, Priced) else ():
                saved = number(line, "saved") if text(line, "kind") == "special" else None
                if saved is None or saved >= 0 or not length:
                    continue
                assert isinstance(answer, Priced)
                known = shortest.get(label(line))
                if known is None or length < known[0]:
                    shortest[label(line)] = (length, look.moment.at, answer, -saved)
    tariff = file.tariffs[index]
    for name, (length, entry, answer, dearer) in shortest.items():
        yield Finding(
            Severity.NOTE,
            "special_costs_more",
            file.document.place(_path(tariff, index, "special", name)),
            f'"{tariff.name}": the special {name} costs {dearer} more than the normal price of a'
            f" stay of {span(length)}",
            (_example(entry, length, answer),),
        )


def idle_findings(
    file: TariffFile, index: int, looks: Sequence[Look], *, certain: Sequence[KeyPath] = ()
) -> Iterator[Finding]:
    """Caps, maxima, specials and the minimum that made no difference to any of the prices. What is
    `certain` to make none is told by `gated.desk.lint_amounts`.
    """
    tariff = file.tariffs[index]
    seen: set[tuple[str, str]] = set()
    count = 0
    for look in looks:
        for answer in look.answers.values():
            count += 1
            if isinstance(answer, Priced):
                seen |= names(answer.lines)
    for kind, name, path in limiting(tariff, index):
        if (kind, name) not in seen and path not in certain:
            yield Finding(
                Severity.NOTE,
                f"{kind}_idle",
                file.document.place(path),
                f'"{tariff.name}": the {_thing(kind, name)} made no difference to any of'
                f" {count} stays of up to {span(_longest(looks))}",
            )


def validation_findings(
    file: TariffFile,
    index: int,
    plain: Look,
    given: Sequence[tuple[str, Look]],
) -> Iterator[Finding]:
    """Validations that change no price of the same stays."""
    tariff = file.tariffs[index]
    for place, validation in enumerate(tariff.validations):
        looks = [look for name, look in given if name == validation.name]
        if looks and not any(_differs(plain, look) for look in looks):
            yield Finding(
                Severity.NOTE,
                "validation_idle",
                file.document.place(("tariff", index, "validations", place)),
                f'"{tariff.name}": the validation {validation.name} made no difference to any of'
                f" {len(plain.answers)} stays of up to {span(_longest([plain]))}",
            )


def limiting(tariff: AnyTariff, index: int) -> Iterator[tuple[str, str, KeyPath]]:
    """What may limit a price: kind and label of its lines, and where it is written."""
    path: KeyPath = ("tariff", index)
    for place, cap in enumerate(tariff.caps):
        yield "cap", cap.per, (*path, "caps", place)
    for place, special in enumerate(tariff.specials):
        yield "special", special.name, (*path, "specials", place)
    if tariff.minimum is not None:
        yield "minimum", "", (*path, "minimum")
    if isinstance(tariff, BandTariff):
        for place, band in enumerate(tariff.bands):
            if band.maximum is not None:
                yield "maximum", band.name, (*path, "bands", place, "maximum")


def _path(tariff: AnyTariff, index: int, kind: str, name: str) -> KeyPath:
    found = (path for *thing, path in limiting(tariff, index) if thing == [kind, name])
    return next(found, ("tariff", index))


def _thing(kind: str, name: str) -> str:
    return f"{kind.replace('_', ' ')} {name}".strip()


def _differs(one: Look, other: Look) -> bool:
    return any(
        _amount(answer) != _amount(other.answers.get(length))
        for length, answer in one.answers.items()
        if length in other.answers
    )


def _amount(answer: Answer | None) -> object:
    return answer.amount if isinstance(answer, Priced) else None


def _longest(looks: Sequence[Look]) -> timedelta:
    lengths = [max(look.answers) for look in looks if look.answers]
    return max(lengths, default=timedelta(0))


def _example(entry: datetime, length: timedelta, price: Priced) -> Example:
    return Example(entry, entry + length, price.amount)
