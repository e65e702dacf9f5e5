"""Passages that nobody granted, and stays that ended though nobody saw it, in words."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from gated.db.why_rows import UNGRANTED as PASSED
from gated.db.why_rows import Audit
from gated.desk.instants import shown
from gated.why.evidence import Evidence
from gated.why.story import Kind
from gated.why.words import UNGRANTED, amount, decimal, plain, words

SEATED, LEFT_UNSEEN, SETTLED = "stay.seated", "stay.left_unseen", "stay.settled"
_WAYS = {"entry": "came in", "exit": "left", "transfer": "went on into another zone"}
TOLD = frozenset({PASSED, SEATED, LEFT_UNSEEN, SETTLED})


def passage_act(
    evidence: Evidence, audit: Audit, zone: ZoneInfo
) -> tuple[Kind, str, Iterable[str]]:
    """What an act of `TOLD` was: its kind, what is said, and the particulars."""
    match audit.action:
        case "passage.ungranted":
            way = _WAYS.get(str(audit.details.get("direction")), "passed")
            reason = words(UNGRANTED, str(audit.details.get("kind", "")))
            return Kind.PASSAGE, f"{way} without a grant: {reason}", _particulars(evidence, audit)
        case "stay.seated":
            return Kind.ACT, "a spot came free, and is this vehicle's now", ()
        case "stay.left_unseen":
            said = "left, and nobody saw it: the plate came to the entrance again"
            return Kind.PASSAGE, said, _last_seen(audit, zone)
        case _:
            reason = plain(str(audit.details.get("reason", "no reason stated")))
            return (
                Kind.ACT,
                f"ended by hand, left in an evacuation: {reason}",
                _last_seen(audit, zone),
            )


def _particulars(evidence: Evidence, audit: Audit) -> Iterator[str]:
    details = audit.details
    if details.get("outcome") == "already_inside":
        yield "the plate was inside already: that stay stands"
    if details.get("outcome") == "stay_opened" and "spot" not in details:
        yield "no spot was left for it"
    if (due := decimal(details.get("due"))) is not None:
        yield f"{amount(due, str(details.get('currency', '')))} due"
    if (after := details.get("after")) is not None:
        yield f"behind the vehicle of {evidence.ticket(after)}"
    if (reason := details.get("reason")) is not None:
        yield plain(str(reason))


def _last_seen(audit: Audit, zone: ZoneInfo) -> Iterator[str]:
    try:
        at = datetime.fromisoformat(audit.details["seen_at"])
    except (KeyError, TypeError, ValueError):
        return
    yield f"last known inside {shown(at, zone)}"
