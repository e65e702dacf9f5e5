"""What follows for a facility from its devices."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gated.assembly import wired
from gated.core.errors import ConfigError
from gated.core.ids import Slug
from gated.core.site import FacilitySetup, LaneSetup
from gated.devices.families import CODECS
from tests.actors.support import site


def facility(*, family: str, **options: object) -> FacilitySetup:
    """All boxes are of one family."""
    setup = site()
    devices = (
        replace(
            device,
            family=family,
            topic="" if family == "native" else device.topic,
            options=options,
        )
        for device in setup.devices
    )
    return wired(replace(setup, devices=tuple(devices)), CODECS)


def lanes(setup: FacilitySetup) -> Mapping[str, LaneSetup]:
    return {lane.slug: lane for lane in setup.lanes}


@pytest.mark.parametrize(
    ("family", "options", "repeatable"),
    [
        ("native", {}, True),
        ("shelly", {}, False),
        ("shelly", {"open_repeatable": True}, True),
        # It opens nothing.
        ("axis", {}, False),
    ],
)
def test_an_open_is_repeated_where_the_opener_lets_it(
    family: str, options: dict[str, object], *, repeatable: bool
) -> None:
    entry = lanes(facility(family=family, **options))["entry"]
    assert entry.open_repeatable is repeatable
    assert (entry.barrier is None) is (family == "axis")


@pytest.mark.parametrize(("family", "holds"), [("native", True), ("shelly", False)])
def test_a_lane_is_held_open_where_its_opener_can_be(family: str, *, holds: bool) -> None:
    assert {lane.holds for lane in lanes(facility(family=family)).values()} == {holds}


def test_where_nothing_opens_nothing_is_down() -> None:
    assert {lane.holds for lane in lanes(facility(family="axis")).values()} == {True}


@pytest.mark.parametrize("family", CODECS)
def test_every_family_may_have_to_speak(family: str) -> None:
    setup = facility(family=family, heartbeat_seconds=30)
    assert {device.heartbeat_seconds for device in setup.devices} == {30.0}
    assert {device.heartbeat_seconds for device in facility(family=family).devices} == {None}
    for wrong in (0.5, -1, "30", 90_000, True):
        with pytest.raises(ConfigError, match=r"heartbeat_seconds"):
            facility(family=family, heartbeat_seconds=wrong)


def test_lanes_know_who_is_beside_them() -> None:
    setup = site()
    entry = setup.lanes[0]
    second = replace(entry, id=setup.lanes[1].id, slug=Slug("entry-2"))
    alone, two = wired(setup_of(setup), CODECS), wired(setup_of(setup, entry, second), CODECS)
    assert [lane.beside for lane in alone.lanes] == [(), ()]
    assert [lane.beside for lane in two.lanes] == [(second.id,), (entry.id,)]


def setup_of(setup: FacilitySetup, *others: LaneSetup) -> FacilitySetup:
    """The same with other lanes, and no devices."""
    return replace(setup, lanes=others or setup.lanes, devices=())
