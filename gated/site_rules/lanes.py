"""Lanes: an entry fills zones that exist, and a transfer leads into them from another one."""

from collections.abc import Iterator, Sequence

from gated.core.errors import ConfigError
from gated.core.site import Direction
from gated.site import Lane, Site
from gated.toml import Document, KeyPath
from gated.validation import Names, heard, known, sound, states, suggestion


def lanes(document: Document, site: Site) -> Iterator[ConfigError]:
    """An entry or a transfer fills zones that exist, each once; an exit fills none."""
    zones = Names(known(site, "zone"), "slug")
    for index, lane in enumerate(site.lane):
        path: KeyPath = ("lane", index, "zones")
        yield from heard(
            _filling(document, path, lane),
            _exit(document, path, lane),
            _from(document, ("lane", index, "from"), lane, zones),
        )
        # Those of an exit do not belong there at all.
        is_exit = known(lane, "direction") is Direction.EXIT
        filled = () if is_exit else known(lane, "zones") or ()
        for position, slug in enumerate(filled):
            place = (*path, position)
            yield from heard(
                known_zone(document, place, slug, zones),
                _new_zone(document, place, slug, sound(filled[:position])),
            )


def _filling(document: Document, path: KeyPath, lane: Lane) -> Iterator[ConfigError]:
    if lane.direction is not Direction.EXIT and not lane.zones:
        yield document.error(
            path, f"is missing: expected the zones that this {lane.direction} fills"
        )


def _from(document: Document, path: KeyPath, lane: Lane, zones: Names) -> Iterator[ConfigError]:
    transfer = lane.direction is Direction.TRANSFER
    if transfer and not states(lane, "from_"):
        yield document.error(path, "is missing: expected the zone that this transfer comes from")
    elif not transfer and states(lane, "from_"):
        yield document.error(path, f"does not go with an {lane.direction}: only with a transfer")
    elif transfer and (slug := lane.from_) is not None:
        yield from heard(known_zone(document, path, slug, zones))
        if slug in sound(lane.zones or ()):
            yield document.error(path, f'expected another zone than it leads into, got "{slug}"')


def _exit(document: Document, path: KeyPath, lane: Lane) -> Iterator[ConfigError]:
    if lane.direction is Direction.EXIT and states(lane, "zones"):
        yield document.error(
            path, "does not go with an exit: only an entry or a transfer fills zones"
        )


def _new_zone(
    document: Document, path: KeyPath, slug: str, earlier: Sequence[str]
) -> Iterator[ConfigError]:
    if slug in earlier:
        yield document.error(path, f'expected each zone once, got "{slug}"')


def known_zone(document: Document, path: KeyPath, slug: str, zones: Names) -> Iterator[ConfigError]:
    """The zone exists."""
    if not zones.have(slug):
        yield document.error(path, f'no such zone: "{slug}", {suggestion(slug, zones.known)}')
