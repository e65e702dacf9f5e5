"""What was found, by what it is looked up with when a story is put together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from gated.core.ids import FacilityId
from gated.db.why_rows import Audit, Command, Episode, Facility, Found, Span
from gated.why.heard import Heard, heard
from gated.why.words import plain

# What ends a vehicle's time at a lane.
_ENDS = frozenset(
    {
        "passage.entered",
        "passage.left",
        "passage.moved",
        "stay.cancelled",
        "stay.move_cancelled",
        "stay.resumed",
    }
)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Evidence:
    """The rows of one look, and the time it was taken at."""

    found: Found
    now: datetime

    @cached_property
    def facilities(self) -> dict[FacilityId, Facility]:
        return {one.id: one for one in self.found.facilities}

    def zone(self, facility: FacilityId) -> ZoneInfo:
        """The clock of the facility."""
        return ZoneInfo(self.facilities[facility].time_zone)

    @cached_property
    def asked(self) -> dict[UUID, Heard]:
        """The messages that were decided about or asked for, by their ids."""
        return {one.id: heard(one, self.found.devices) for one in self.found.messages}

    @cached_property
    def meanwhile(self) -> tuple[Heard, ...]:
        """What else the lanes heard, of other vehicles too, in the order of arrival."""
        others = (one for one in self.found.heard if one.id not in self.asked)
        return tuple(heard(one, self.found.devices) for one in others)

    @cached_property
    def undecided(self) -> tuple[Heard, ...]:
        """Reads of any plate that led to nothing."""
        return tuple(heard(one, self.found.devices) for one in self.found.undecided)

    @cached_property
    def episodes(self) -> dict[UUID, Episode]:
        """As they were listened to, and no longer than the vehicle is known to have been there."""
        ends: dict[UUID, datetime] = {}
        for audit in self.found.audits:
            if audit.action in _ENDS and audit.correlation is not None:
                ends[audit.correlation] = audit.at + _TICK
        return {
            event: replace(one, until=max(one.began, ends.get(event, one.until)))
            for event, one in self.found.episodes().items()
        }

    @cached_property
    def operable(self) -> dict[UUID, Span]:
        """When which lane's operators may have acted on the vehicle of a message, at most."""
        return self.found.operable()

    @cached_property
    def signals(self) -> tuple[Heard, ...]:
        """All that the lanes heard, asked for or not, in the order of arrival."""
        both = (*self.asked.values(), *self.meanwhile)
        return tuple(sorted(both, key=lambda one: (one.message.received_at, one.message.seq)))

    def operator(self, user: UUID | None) -> str:
        """By which name this account acts at lanes, as far as an act of its own was found."""
        acts = (one for one in self.found.audits if one.user == user is not None)
        names = (one.actor for one in acts if one.actor.startswith("operator "))
        return next(names, "an operator")

    def ticket(self, stay: object) -> str:
        """`ticket 0000017H`, of a stay that need not be told itself; else by its id."""
        ticket = self._tickets.get(str(stay))
        return f"stay {plain(str(stay))}" if ticket is None else f"ticket {plain(ticket)}"

    @cached_property
    def _tickets(self) -> dict[str, str]:
        having = {str(one.id): one.ticket for one in self.found.stays}
        return having | {str(stay): ticket for stay, ticket in self.found.tickets.items()}

    def ended(self, event: UUID) -> bool:
        """Whether it is recorded how the vehicle that this message is about left the lane."""
        return any(one.action in _ENDS for one in self.under(event))

    @cached_property
    def commands(self) -> dict[UUID, Command]:
        return {one.id: one for one in self.found.commands}

    @cached_property
    def _by_correlation(self) -> dict[UUID, list[Audit]]:
        by: dict[UUID, list[Audit]] = {}
        for audit in self.found.audits:
            if audit.correlation is not None:
                by.setdefault(audit.correlation, []).append(audit)
        return by

    def under(self, correlation: UUID) -> Sequence[Audit]:
        """What was done under this correlation id, in the order of time."""
        return self._by_correlation.get(correlation, ())

    def of(self, resource: UUID) -> Sequence[Audit]:
        """What was done to this thing, as far as it was found, in the order of time."""
        return [one for one in self.found.audits if one.resource == resource]

    def began(self, event: UUID) -> datetime | None:
        """When the message came that led to it."""
        asked = self.asked.get(event)
        if asked is not None:
            return asked.message.received_at
        decisions = (one.received_at for one in self.found.decisions if one.event == event)
        return next(decisions, None)

    def lane(self, id_: object) -> str:
        """The slug of the lane with this id, as an audit row names it; nothing if it is unknown."""
        return self._lanes.get(str(id_), "")

    @cached_property
    def _lanes(self) -> dict[str, str]:
        found = self.found
        decided = {str(one.lane_id): one.lane for one in found.decisions}
        return decided | {str(one.lane): one.lane_slug for one in found.devices.values()}
