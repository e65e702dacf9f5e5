"""What a site file says of reads: for the facility and for a lane, refused where it is wrong."""

import json

import pytest

from gated.core.errors import ConfigError
from gated.core.plate_classes import Country
from gated.core.site import ButtonTicket, LanePolicy, Unproven
from gated.devices.families import CODECS
from gated.site import Policy, lane_policy
from gated.site_rules import check_site
from gated.toml import parse
from tests.test_site import GOOD

ENTRY = 'zones = ["a"]\n'


def site_text(facility: str, lane: str = "") -> str:
    """A sound file with these lines in the facility's policy, and in that of its entry."""
    text = GOOD.replace(ENTRY, f"{ENTRY}[lane.policy]\n{lane}\n", 1)
    return f"[policy]\n{facility}\n{text}"


def entry_policy(facility: str, lane: str = "") -> LanePolicy:
    """The entry's policy, by way of JSON as the database keeps it."""
    site = check_site(parse(site_text(facility, lane), "site.toml"), CODECS).site

    def kept(policy: Policy) -> dict[str, object]:
        stored: dict[str, object] = json.loads(json.dumps(policy.stated()))
        return stored

    return lane_policy(kept(site.policy), kept(site.lane[0].policy))


def complaint(facility: str, lane: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        check_site(parse(site_text(facility, lane), "site.toml"), CODECS)
    return str(caught.value)


def test_what_is_not_stated_is_as_it_was() -> None:
    assert entry_policy("") == LanePolicy()
    policy = LanePolicy()
    assert (policy.consensus_reads_min, policy.plate_countries, policy.reads_ignored) == (1, (), ())
    assert policy.button_ticket is ButtonTicket.DENY


def test_a_lane_says_otherwise_than_the_facility() -> None:
    policy = entry_policy(
        "read_confidence_min = 0.6\nunrated_reads = 'refuse'\nread_confidence_sure = 0.9",
        "read_confidence_min = 0.8\nconsensus_reads_min = 3",
    )
    assert policy.read_confidence_min == 0.8
    assert policy.unrated_reads is Unproven.REFUSE
    assert (policy.read_confidence_sure, policy.consensus_reads_min) == (0.9, 3)


def test_countries_and_overlays_come_back_from_the_database() -> None:
    policy = entry_policy(
        'plate_countries = ["DE", "NL"]\nreads_ignored = ["cam-*", "Entrance 1"]',
        'button_ticket = "admit"',
    )
    assert policy.plate_countries == (Country.DE, Country.NL)
    assert policy.reads_ignored == ("CAM*", "ENTRANCE1")
    assert policy.button_ticket is ButtonTicket.ADMIT


def test_a_lanes_list_stands_instead_of_the_facilitys() -> None:
    assert entry_policy('reads_ignored = ["CAM03"]', "reads_ignored = []").reads_ignored == ()


@pytest.mark.parametrize(
    ("facility", "lane", "says"),
    [
        ('plate_countries = ["XX"]', "", "policy.plate_countries"),
        ('plate_countries = "DE"', "", "policy.plate_countries"),
        ('reads_ignored = ["*"]', "", "at least 3 letters and digits"),
        ('reads_ignored = ["AB*CD"]', "", "a star at the beginning or the end alone"),
        ("consensus_reads_min = 0", "", "policy.consensus_reads_min"),
        ("consensus_seconds_max = 60.0", "", "policy.consensus_seconds_max"),
        ("read_confidence_sure = 1.5", "", "policy.read_confidence_sure"),
        ('button_ticket = "yes"', "", "policy.button_ticket"),
        ("read_length_min = 0", "", "policy.read_length_min"),
        ("read_length_max = 17", "", "policy.read_length_max"),
        ("read_length_max = 1", "", "site.toml:2: policy.read_length_max: no plate has at least 2"),
        ("read_length_min = 9", "read_length_max = 8", "lane.policy.read_length_max: no plate"),
        ("read_length_max = 5", "read_length_min = 6", "lane.policy.read_length_min: no plate"),
        ("", "plate_country = ['DE']", "plate_countries"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(
    facility: str, lane: str, says: str
) -> None:
    assert says in complaint(facility, lane)
