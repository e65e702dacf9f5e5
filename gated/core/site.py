"""A facility as it is set up: zones, lanes, devices and policies. Values only, no state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gated.core.ids import DeviceId, FacilityId, LaneId, Slug, ZoneId
from gated.core.opening import OpeningHours
from gated.core.plate_classes import Country
from gated.core.plates import PLATE_LENGTH_MAX
from gated.core.wording import Wording


class Direction(StrEnum):
    """Which way a lane lets vehicles through, seen from the facility; `transfer`: within it, from
    one of its zones into another."""

    ENTRY = "entry"
    EXIT = "exit"
    TRANSFER = "transfer"


class Admits(StrEnum):
    """Whom an entry lane lets in: anyone, holders of a registration or right, or of a right."""

    EVERYONE = "everyone"
    KNOWN = "known"
    ENTITLED = "entitled"


class UnpaidExit(StrEnum):
    """What an exit lane does with a vehicle whose stay is not paid: let it out, or wait for it."""

    OPEN = "open"
    WAIT = "wait"


class FullTransfer(StrEnum):
    """What a lane between zones does with a vehicle that the next zone has no spot for: refuse it,
    or open all the same, as is needed where the way out of a zone leads through another."""

    REFUSE = "refuse"
    OPEN = "open"


class Unproven(StrEnum):
    """What a read may open that lacks a proof: it states no confidence, or no device time."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class ButtonTicket(StrEnum):
    """What the button of an entry does for a vehicle whose plate could not be read."""

    DENY = "deny"
    ADMIT = "admit"


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """What a lane demands and how long it waits. Durations in seconds, confidence 0 to 1.

    `read_confidence_sure`: from here on a read decides at once; None: `read_confidence_min`. One
    that is less sure is gathered with others if `consensus_reads_min` is more than 1: until so
    many name one plate, at most `consensus_seconds_max`, see `gated.core.consensus`.
    `reads_ignored`: patterns of `gated.core.overlays`. `plate_countries`: whose plates are
    expected, see `gated.core.plate_classes`; none: anybody's.
    `match_distance_max`: how far a read at the exit may be from the plate of an open stay to be
    taken for it without asking anybody, see `gated.core.matching`: 0 or 1.
    `payment_look_seconds`: how often it is looked whether a vehicle at the exit has paid.
    `payment_seconds_max`: when somebody is called for one that stands there still, and how long it
    is looked for one that no presence loop proves to be there; then nothing but somebody's payment
    lets it be looked, until `loop_seconds_max` after it was asked.
    `read_seconds_max`: how long a vehicle stands on the presence loop before it counts as one that
    no camera can read. `open_seconds_max`: how long the arm may take to go up, where it reports,
    and `open_tries_max` how often it is asked in all. `closing_seconds_max`: how long it may stay
    up after a passage. `tailgate_seconds`: how soon after a passage the next vehicle over the
    closing loop came in the same opening. `trailer_seconds`: how soon after a passage, and nobody
    has driven onto the presence loop since, that is a part of the same vehicle; 0: never.
    `loop_seconds_max`: how long a loop may be occupied
    before it counts as stuck.
    """

    admits: Admits = Admits.EVERYONE
    read_confidence_min: float = 0.7
    read_confidence_sure: float | None = None
    consensus_reads_min: int = 1
    consensus_seconds_max: float = 1.0
    read_length_min: int = 2
    read_length_max: int = PLATE_LENGTH_MAX
    reads_ignored: tuple[str, ...] = ()
    plate_countries: tuple[Country, ...] = ()
    button_ticket: ButtonTicket = ButtonTicket.DENY
    unrated_reads: Unproven = Unproven.ACCEPT
    undated_reads: Unproven = Unproven.REFUSE
    event_age_seconds_max: float = 5.0
    fold_seconds: float = 10.0
    presence_seconds_max: float = 15.0
    passage_seconds_max: float = 60.0
    backout_seconds_max: float = 6.0
    command_seconds_max: float = 3.0
    match_distance_max: int = 0
    unpaid_exit: UnpaidExit = UnpaidExit.OPEN
    payment_look_seconds: float = 2.0
    payment_seconds_max: float = 120.0
    read_seconds_max: float = 10.0
    open_seconds_max: float = 8.0
    open_tries_max: int = 2
    closing_seconds_max: float = 20.0
    tailgate_seconds: float = 4.0
    trailer_seconds: float = 0.5
    loop_seconds_max: float = 900.0
    full_transfer: FullTransfer = FullTransfer.REFUSE


@dataclass(frozen=True, slots=True)
class DeviceSetup:
    """One device on one lane. A box that serves two lanes is two devices with one topic.

    `topic` is the device's own prefix (empty for the native family, whose topics follow from
    facility and lane); `options` are the family's own settings, validated by its codec.
    `heartbeat_seconds`, which is among them for every family: it says something at least so often.
    """

    id: DeviceId
    slug: Slug
    facility: Slug
    lane: LaneId
    lane_slug: Slug
    direction: Direction
    family: str
    topic: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    heartbeat_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LaneSetup:
    """A one-way passage with a barrier.

    `zones` in the order in which an entry or a transfer lane fills them; `from_zone` is where the
    vehicles of a transfer come from. `presence_loop`, `closing_loop`, `arm_switch` (whether the arm
    is up or down): whether some device of the lane reports them. `barrier` is the device that takes
    commands, `open_repeatable` whether it may be told to open once more, `holds` whether it can be
    told to stay up: where it cannot, a lane that is to stand open opens for each vehicle. `beside`:
    the lanes that lead the same way. `opening`: when an entry admits; None if it always does, as an
    exit.
    """

    id: LaneId
    slug: Slug
    direction: Direction
    zones: tuple[ZoneId, ...]
    presence_loop: bool
    closing_loop: bool
    barrier: DeviceId | None
    policy: LanePolicy
    arm_switch: bool = False
    opening: OpeningHours | None = None
    from_zone: ZoneId | None = None
    open_repeatable: bool = False
    holds: bool = True
    beside: tuple[LaneId, ...] = ()

    @property
    def offers_tickets(self) -> bool:
        """Whether the button lets in whom nobody can read."""
        is_entry = self.direction is Direction.ENTRY
        return is_entry and self.policy.button_ticket is ButtonTicket.ADMIT


@dataclass(frozen=True, slots=True)
class ZoneSetup:
    """A counted area; `capacity` is the number of its active spots."""

    id: ZoneId
    slug: Slug
    name: str
    capacity: int


@dataclass(frozen=True, slots=True)
class FacilitySetup:
    """One site. `revision` grows with each change, so that a running daemon notices it.

    `sign_free_again`: how many must be free again before a sign that said full says otherwise;
    `wording`: what its displays say.
    """

    id: FacilityId
    slug: Slug
    name: str
    time_zone: str
    currency: str
    revision: int
    zones: tuple[ZoneSetup, ...]
    lanes: tuple[LaneSetup, ...]
    devices: tuple[DeviceSetup, ...]
    wording: Wording = field(default_factory=Wording)
    sign_free_again: int = 1
