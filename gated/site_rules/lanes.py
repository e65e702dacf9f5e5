"""Lanes: an entry fills zones that exist."""

from collections.abc import Iterator, Sequence

from gated.core.errors import ConfigError
from gated.core.site import Direction
from gated.site import Lane, Site
from gated.toml import Document, KeyPath
from gated.validation import Names, heard, known, sound, states, suggestion


def lanes(document: Document, site: Site) -> Iterator[ConfigError]:
    """An entry fills zones that exist, each once; an exit fills none."""
    zones = Names(known(site, "zone"), "slug")
    for index, lane in enumerate(site.lane):
        path: KeyPath = ("lane", index, "zones")
        yield from heard(_entry(document, path, lane), _exit(document, path, lane))
        # Those of an exit do not belong there at all.
        is_exit = known(lane, "direction") is Direction.EXIT
        filled = () if is_exit else known(lane, "zones") or ()
        for position, slug in enumerate(filled):
            place = (*path, position)
            yield from heard(
                known_zone(document, place, slug, zones),
                _new_zone(document, place, slug, sound(filled[:position])),
            )


def _entry(document: Document, path: KeyPath, lane: Lane) -> Iterator[ConfigError]:
    if lane.direction is Direction.ENTRY and not lane.zones:
        yield document.error(path, "is missing: expected the zones that this entry fills")


def _exit(document: Document, path: KeyPath, lane: Lane) -> Iterator[ConfigError]:
    if lane.direction is Direction.EXIT and states(lane, "zones"):
        yield document.error(path, "does not go with an exit: only an entry fills zones")


def _new_zone(
    document: Document, path: KeyPath, slug: str, earlier: Sequence[str]
) -> Iterator[ConfigError]:
    if slug in earlier:
        yield document.error(path, f'expected each zone once, got "{slug}"')


def known_zone(document: Document, path: KeyPath, slug: str, zones: Names) -> Iterator[ConfigError]:
    """The zone exists."""
    if not zones.have(slug):
        yield document.error(path, f'no such zone: "{slug}", {suggestion(slug, zones.known)}')
