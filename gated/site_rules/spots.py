"""Spots: each has a number of its own in its zone, and is some way from entries."""

from collections import Counter
from collections.abc import Iterator, Mapping

from gated.core.errors import ConfigError
from gated.core.site import Direction
from gated.site import SPOTS_MAX, Site, Spots
from gated.toml import Document, KeyPath
from gated.validation import Names, Unsound, heard, known, sound, stated, suggestion

_SOURCES = ("count", "numbers")


def spots(document: Document, site: Site) -> Iterator[ConfigError]:
    """Each row is either counted or listed; no zone has a number twice."""
    total = 0
    for zone_index, zone in enumerate(site.zone):
        first: dict[str, KeyPath] = {}
        for index, row in enumerate(known(zone, "spots") or ()):
            path: KeyPath = ("zone", zone_index, "spots", index)
            yield from heard(
                _source(document, path, row),
                _width(document, (*path, "width"), row),
                _numbers(document, path, row, first),
            )
            total += _count_min(row)
    if total > SPOTS_MAX:
        yield document.error(("zone",), f"expected at most {SPOTS_MAX} spots, got {total}")


def _source(document: Document, path: KeyPath, row: Spots) -> Iterator[ConfigError]:
    if len(stated(row, *_SOURCES)) != 1:
        yield document.error(path, "expected either count or numbers")


def _width(document: Document, path: KeyPath, row: Spots) -> Iterator[ConfigError]:
    highest = row.first + (row.count or 1) - 1
    if len(stated(row, *_SOURCES)) == 1 and row.width and len(str(highest)) > row.width:
        yield document.error(path, f"expected room for {highest}, got {row.width} digits")


def _numbers(
    document: Document, path: KeyPath, row: Spots, first: dict[str, KeyPath]
) -> Iterator[ConfigError]:
    if len(stated(row, *_SOURCES)) != 1:
        return
    numbers = sound(row.spot_numbers())
    twice = [number for number in numbers if number in first]
    twice += [number for number, times in Counter(numbers).items() if times > 1]
    if twice:
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        line = document.line(first.get(twice[0], path))
        yield document.error(
            path, f'expected new numbers: "{twice[0]}"{more} is in line {line} already'
        )
    for number in numbers:
        first.setdefault(number, path)


def _count_min(row: Spots) -> int:
    """How many spots a row has at least."""
    try:
        return len(row.spot_numbers()) if len(stated(row, *_SOURCES)) == 1 else 0
    except Unsound:
        return 0


def distances(document: Document, site: Site) -> Iterator[ConfigError]:
    """Spots are some way from lanes that exist and through which one enters."""
    lanes = Names(known(site, "lane"), "slug")
    directions = {
        known(lane, "slug"): known(lane, "direction") for lane in known(site, "lane") or ()
    }
    for zone_index, zone in enumerate(site.zone):
        for index, row in enumerate(known(zone, "spots") or ()):
            for slug in known(row, "metres_from") or ():
                path: KeyPath = ("zone", zone_index, "spots", index, "metres_from", slug)
                yield from heard(_distance(document, path, slug, lanes, directions))


def _distance(
    document: Document,
    path: KeyPath,
    slug: str,
    lanes: Names,
    directions: Mapping[str, Direction | None],
) -> Iterator[ConfigError]:
    if not lanes.have(slug):
        entries = [each for each in lanes.known if directions[each] is Direction.ENTRY]
        yield document.error(path, f'no such lane: "{slug}", {suggestion(slug, entries)}')
    elif directions[slug] is Direction.EXIT:
        yield document.error(path, f'expected an entry or a transfer: "{slug}" is an exit')
