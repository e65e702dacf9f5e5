"""Policies: what one key demands can be met with the others."""

from collections.abc import Iterator

from gated.core.errors import ConfigError
from gated.core.site import LanePolicy
from gated.site import Policy, Site
from gated.toml import Document, KeyPath
from gated.validation import heard, known


def policies(document: Document, site: Site) -> Iterator[ConfigError]:
    """Some length of a plate is left, for the facility and for each lane."""
    yield from heard(_lengths(document, ("policy",), site.policy))
    for index, lane in enumerate(known(site, "lane") or ()):
        place: KeyPath = ("lane", index, "policy")
        yield from heard(_lengths(document, place, lane.policy, site.policy))


def _lengths(document: Document, place: KeyPath, *layers: Policy) -> Iterator[ConfigError]:
    """`layers`: the policy at this place, and what it stands before."""
    if layers[0].read_length_min is None and layers[0].read_length_max is None:
        return
    default = LanePolicy()
    least = _stated([layer.read_length_min for layer in layers], default.read_length_min)
    most = _stated([layer.read_length_max for layer in layers], default.read_length_max)
    if least > most:
        key = "read_length_max" if layers[0].read_length_max is not None else "read_length_min"
        yield document.error(
            (*place, key), f"no plate has at least {least} and at most {most} characters"
        )


def _stated(values: list[int | None], default: int) -> int:
    return next((value for value in values if value is not None), default)
