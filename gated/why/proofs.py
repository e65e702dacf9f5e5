"""What proves an offence, and what contradicts itself, in words that an operator reads: names for
ids, the facility's clock.

The keys are those of `violations.evidence` and `gate.reconciliations.details`; `--json` has them as
they are. Other programs write such rows too, with keys of their own: one that is not known here
stands for itself.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from json import dumps
from types import MappingProxyType
from zoneinfo import ZoneInfo

from gated.desk.instants import shown
from gated.why.words import NOT_COUNTED, UNGRANTED, amount, decimal, plain, words

_SAID: Mapping[str, str] = MappingProxyType(
    {
        "lane": "lane {}",
        "direction": "{}",
        "after": "in the opening for {}",
        "stay": "{}",
        "passed_at": "passed {}",
        "due": "{} due",
        "amount": "{}",
        "price": "price {}",
        "paid": "{} paid",
        "remainder": "{} not charged",
        "outcome": "{}",
        "passed": "{}",
        "plate": "plate {}",
        "ticket": "ticket {}",
        "provider": "paid by {}",
        "txn": "transaction {}",
        "at": "at {}",
        "ended_at": "ended {}",
        "zone": "in zone {}",
        "spot": "on spot {}",
        "zone_given": "was given zone {}",
        "since": "since {}",
        "seen_at": "still there {}",
        "reserved_until": "reserved until {}",
        "left_at": "left {}",
        "inside_since": "inside since {}",
        "came_again_at": "came again {}",
        # The message of the inbox that showed it: `gated why` takes its id.
        "event": "message {}",
        "passage": "message {}",
    }
)
_MONEY = frozenset({"due", "amount", "price", "paid", "remainder"})
_DIRECTIONS: Mapping[str, str] = MappingProxyType(
    {"entry": "on the way in", "exit": "on the way out", "transfer": "between zones"}
)
_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"outcome": NOT_COUNTED, "passed": UNGRANTED}
)


def proofs(
    evidence: Mapping[str, object],
    zone: ZoneInfo,
    currency: str | None,
    named: Callable[[str, str], str | None],
    *,
    without: Collection[str] = (),
) -> Iterator[str]:
    """`passed Mon 2026-05-04 10:00`, one for each thing that was written down, in that order.

    `named` answers what the value of a key is called, where it is an id with a name; `without`
    are keys that are told elsewhere. Amounts are in the evidence's own currency, if it states one.
    """
    if _MONEY & evidence.keys() and isinstance(own := evidence.get("currency"), str):
        currency, without = own, {*without, "currency"}
    for key, value in evidence.items():
        if key not in without:
            told = _value(key, value, zone, currency, named)
            said = _SAID.get(key)
            yield said.format(told) if said else f"{plain(key.replace('_', ' '))}: {told}"


def named_by(names: Mapping[str, str]) -> Callable[[str, str], str | None]:
    """What things are called by their ids; a stay without a name by its id."""

    def named(key: str, text: str) -> str | None:
        return names.get(text, f"stay {text}" if key in ("after", "stay") else None)

    return named


def _value(
    key: str,
    value: object,
    zone: ZoneInfo,
    currency: str | None,
    named: Callable[[str, str], str | None],
) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case dict() | list():
            return plain(dumps(value, ensure_ascii=False))
        case None:
            return "none"
        case _:
            pass
    text = str(value)
    if (name := named(key, text)) is not None:
        return plain(name)
    if key in _MONEY and (money := decimal(text)) is not None:
        return amount(money, currency)
    if key in _WORDS:
        return words(_WORDS[key], text)
    if key == "direction":
        return plain(_DIRECTIONS.get(text, text))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return plain(text)
    return shown(at, zone) if at.tzinfo is not None else plain(text)
