"""Opening hours: they say who is exempt, name days that there are, and concern entries only."""

from collections.abc import Iterator, Sequence

from gated.core.errors import ConfigError
from gated.core.opening import HOLIDAY, HOLIDAY_EVE, WEEKDAYS
from gated.core.site import Direction
from gated.site import Hours, Opening, Site
from gated.toml import Document, KeyPath
from gated.validation import Names, heard, known, sound, stated, states, suggestion

_NEEDED = {
    "hours": "at least one [[{}.hours]]; where nothing ever opens, take the lane out",
    "exempt": "whom closed hours do not concern, such as [] or"
    ' ["staff", "reservation", "subscription"]',
}


def opening(document: Document, site: Site) -> Iterator[ConfigError]:
    """All that is wrong with the [opening] of the facility and of its lanes."""
    days = Names(known(site, "calendar"), "kind", besides=(*WEEKDAYS, HOLIDAY, HOLIDAY_EVE))
    general = known(site, "opening")
    if general is not None:
        yield from heard(
            _complete(document, ("opening",), general, None),
            _days(document, ("opening",), general, days),
        )
    for index, lane in enumerate(known(site, "lane") or ()):
        path: KeyPath = ("lane", index, "opening")
        own = known(lane, "opening")
        if own is None:
            continue
        if known(lane, "direction") not in (None, Direction.ENTRY):
            yield document.error(path, "goes with an entry alone: who is inside may always leave")
            continue
        yield from heard(_complete(document, path, own, general), _days(document, path, own, days))


def _complete(
    document: Document, path: KeyPath, own: Opening, general: Opening | None
) -> Iterator[ConfigError]:
    """What is needed is stated, by the lane or by the facility."""
    for key, wanted in _NEEDED.items():
        if not states(own, key) and (general is None or not states(general, key)):
            header = "lane.opening" if "lane" in path else "opening"
            yield document.error((*path, key), f"is missing: expected {wanted.format(header)}")


def _days(document: Document, path: KeyPath, own: Opening, days: Names) -> Iterator[ConfigError]:
    closed = known(own, "closed") or ()
    for position, day in enumerate(closed):
        yield from heard(_known_day(document, (*path, "closed", position), day, days))
    for index, hours in enumerate(known(own, "hours") or ()):
        place = (*path, "hours", index)
        yield from heard(_times(document, place, hours))
        for position, day in enumerate(known(hours, "days") or ()):
            yield from heard(
                _known_day(document, (*place, "days", position), day, days),
                _not_closed(document, (*place, "days", position), day, sound(closed)),
            )


def _times(document: Document, path: KeyPath, hours: Hours) -> Iterator[ConfigError]:
    """A window has two ends, or is the whole day."""
    keys = {"from_": "from", "until": "until"}
    if len(given := stated(hours, *keys)) == 1:
        (missing,) = keys.keys() - {*given}
        yield document.error(
            (*path, keys[missing]), "is missing: expected from and until, or neither: the whole day"
        )


def _known_day(document: Document, path: KeyPath, day: str, days: Names) -> Iterator[ConfigError]:
    if not days.have(day):
        yield document.error(path, f'no such day: "{day}", {suggestion(day, days.known)}')


def _not_closed(
    document: Document, path: KeyPath, day: str, closed: Sequence[str]
) -> Iterator[ConfigError]:
    if day in closed:
        yield document.error(path, f'contradicts closed, which names "{day}" too')
