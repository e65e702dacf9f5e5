"""Limits: their windows have two ends, and their days are called what the calendar calls them."""

from collections.abc import Iterator

from gated.core.errors import ConfigError
from gated.site import Facility, Limit, Site, Zone
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE, WEEKDAYS
from gated.toml import Document, KeyPath
from gated.validation import Names, heard, known, stated, suggestion


def limits(document: Document, site: Site) -> Iterator[ConfigError]:
    """Those of the facility, and those of its zones."""
    days = Names(known(site, "calendar"), "kind", besides=(*WEEKDAYS, HOLIDAY, HOLIDAY_EVE))
    placed: list[tuple[KeyPath, Facility | Zone]] = [(("facility", "limits"), site.facility)]
    placed += [(("zone", index, "limits"), zone) for index, zone in enumerate(site.zone)]
    for path, place in placed:
        for index, limit in enumerate(known(place, "limits") or ()):
            yield from heard(
                _window(document, (*path, index), limit),
                _days(document, (*path, index, "days"), limit, days),
            )


def _window(document: Document, path: KeyPath, limit: Limit) -> Iterator[ConfigError]:
    given = stated(limit, "from_", "until")
    if len(given) == 1:
        yield document.error(path, "expected from and until, or neither")
    elif len(given) == 2 and limit.from_ == limit.until:
        yield document.error(path, f"expected another time than from, got {limit.until} for both")


def _days(document: Document, path: KeyPath, limit: Limit, days: Names) -> Iterator[ConfigError]:
    for index, day in enumerate(known(limit, "days") or ()):
        if not days.have(day):
            yield document.error(
                (*path, index), f'no such day: "{day}", {suggestion(day, days.known)}'
            )
