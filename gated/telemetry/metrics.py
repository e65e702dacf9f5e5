"""The metrics of one daemon, one typed method per thing that happens; docs/metrics.md lists them.

Labels hold words of the configuration and of the code, never a plate and never a device's text.
All methods but `encode` belong to the thread of the event loop.
"""

import platform
from collections.abc import Callable
from importlib.metadata import version as version_of

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client import disable_created_metrics as leave_out_created_series
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics import MetricWrapperBase

from gated.core.effects import Do, Fault, FreeKind, Outcome, PassageKnown
from gated.core.events import CommandStatus, OperateOutcome, OperatorDo
from gated.core.ids import Slug
from gated.core.reasons import CallReason
from gated.core.site import Direction
from gated.records import PaymentOutcome

# Around the promise of 10 ms, and up to where an open command would be about to expire.
DECISION_BUCKETS_SECONDS = (
    *(0.001, 0.002, 0.003, 0.005, 0.0075),
    *(0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)


class Metrics:
    """Counts and gauges in a registry of their own, and their text for Prometheus."""

    def __init__(self, version: str | None = None) -> None:
        # One `_created` series per counter doubles the answer and is read by nobody here.
        leave_out_created_series()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._refreshers: list[Callable[[], None]] = []
        self._lane_states: dict[tuple[Slug, Slug], str] = {}
        self._lane_calls: dict[tuple[Slug, Slug], CallReason] = {}
        self._drifts: set[tuple[Slug, Slug, str]] = set()
        self._of_facility: list[MetricWrapperBase] = []

        self._decisions = self._counter(
            "gated_decisions_total",
            "Decisions committed.",
            *("facility", "lane", "direction", "decision", "reason"),
        )
        self._decision_seconds = Histogram(
            "gated_decision_seconds",
            "From receipt of a message to its command handed to the broker.",
            ("facility", "direction"),
            buckets=DECISION_BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._passages = self._counter(
            "gated_passages_total", "Vehicles that went through.", "facility", "lane", "known"
        )
        self._lane_messages = self._counter(
            "gated_lane_messages_total",
            "Messages of a lane that no decision was about, by what became of them.",
            *("facility", "lane", "outcome"),
        )
        self._notices = self._counter(
            "gated_lane_notices_total",
            "Things at a lane that an operator should see.",
            *("facility", "lane", "notice"),
        )
        self._free_passages = self._counter(
            "gated_free_passages_total",
            "Vehicles that went through without a grant.",
            *("facility", "lane", "kind"),
        )
        self._lane_fault = self._gauge(
            "gated_lane_fault",
            "1 while the lane's hardware has this fault.",
            *("facility", "lane", "fault"),
        )
        self._operator_acts = self._counter(
            "gated_operator_acts_total",
            "Operators' requests, by what they came to.",
            *("facility", "do", "outcome"),
        )
        self._payments = self._counter(
            "gated_payments_total",
            "Messages of terminals about payments, by what they came to.",
            *("facility", "outcome"),
        )
        self._openings_without_transaction = self._counter(
            "gated_openings_without_transaction_total",
            "Openings that no stay accounts for.",
            *("facility", "lane", "why"),
        )
        self._lane_state = self._gauge(
            "gated_lane_state", "1 for the phase that the lane is in.", "facility", "lane", "state"
        )
        self._lane_call = self._gauge(
            "gated_lane_call",
            "1 while somebody at the lane needs a person, for this reason.",
            *("facility", "lane", "reason"),
        )
        self._calls_begun = self._counter(
            "gated_lane_calls_total",
            "Calls for a person that began, by their first reason.",
            *("facility", "lane", "reason"),
        )
        self._device_online = self._gauge(
            "gated_device_online", "1 while the device says it is there.", "facility", "device"
        )
        self._device_skew = self._gauge(
            "gated_device_skew_seconds",
            "How far the device's clock seems to be behind ours.",
            *("facility", "device"),
        )

        self._inbox_messages = self._counter(
            "gated_inbox_messages_total",
            "Messages stored, by what became of them.",
            *("facility", "kind", "status"),
        )
        self._inbox_rejections = self._counter(
            "gated_inbox_rejections_total",
            "Messages that could not be understood.",
            *("facility", "family", "reason"),
        )
        self._inbox_depth = self._gauge(
            "gated_inbox_depth", "Messages received and not yet stored.", "facility"
        )
        self._inbox_age = self._gauge(
            "gated_inbox_age_seconds", "Age of the oldest message not settled.", "facility"
        )
        self._commands = self._counter(
            "gated_commands_total", "Commands that reached a status.", "facility", "do", "status"
        )
        self._outbox_depth = self._gauge(
            "gated_outbox_depth", "Commands committed and not yet sent.", "facility"
        )
        self._outbox_age = self._gauge(
            "gated_outbox_age_seconds", "Age of the oldest command not yet sent.", "facility"
        )

        self._zone_capacity = self._gauge(
            "gated_zone_capacity", "Active spots of the zone.", "facility", "zone"
        )
        self._zone_occupied = self._gauge(
            "gated_zone_occupied", "Vehicles inside the zone.", "facility", "zone"
        )
        self._zone_available = self._gauge(
            "gated_zone_available", "Spots that can still be given out.", "facility", "zone"
        )

        self._drift = self._gauge(
            "gated_occupancy_drift",
            "Vehicles counted in the zone beyond those of its stays, or of its sensors.",
            *("facility", "zone", "against"),
        )

        self._lease_held = self._gauge(
            "gated_lease_held", "1 while this daemon owns the facility.", "facility"
        )
        self._mqtt_up = self._gauge(
            "gated_mqtt_up", "1 while the facility's MQTT session has a link.", "facility"
        )
        self._mqtt_reconnects = self._counter(
            "gated_mqtt_reconnects_total", "Links after the first one.", "facility"
        )
        self._mqtt_takeovers = self._counter(
            "gated_mqtt_takeovers_total", "Links lost to our own client id elsewhere.", "facility"
        )
        self._mqtt_sessions_lost = self._counter(
            "gated_mqtt_sessions_lost_total", "Sessions that the broker had forgotten.", "facility"
        )

        self._database_up = Gauge(
            "gated_database_up", "1 while the database answers.", registry=self.registry
        )
        self._database_errors = self._counter(
            "gated_database_errors_total", "Statements that failed.", "kind"
        )
        self._mailbox_depth = Gauge(
            "gated_mailbox_depth",
            "Messages that wait for the actor.",
            ("actor",),
            registry=self.registry,
        )
        self._actor_restarts = self._counter(
            "gated_actor_restarts_total", "Restarts of a crashed actor.", "actor"
        )
        Gauge(
            "gated_build_info",
            "Always 1; the labels say what runs.",
            ("version", "python"),
            registry=self.registry,
        ).labels(version or version_of("gated"), platform.python_version()).set(1)
        ProcessCollector(registry=self.registry)

    # ── lanes ───────────────────────────────────────────────────────────────────────────────

    def decided(
        self, *, facility: Slug, lane: Slug, direction: Direction, decision: str, reason: str
    ) -> None:
        """A decision (`grant` or `deny`) was committed; `reason` is a word of `core.effects`."""
        self._decisions.labels(facility, lane, direction, decision, reason).inc()

    def handed_over(self, *, facility: Slug, direction: Direction, seconds: float) -> None:
        """The command of a decision went to the broker, so long after its message came."""
        self._decision_seconds.labels(facility, direction).observe(seconds)

    def passed(self, *, facility: Slug, lane: Slug, known: PassageKnown) -> None:
        """A vehicle went through the lane."""
        self._passages.labels(facility, lane, known).inc()

    def settled(self, *, facility: Slug, lane: Slug, outcome: Outcome) -> None:
        """A message of the lane's needs nothing more."""
        self._lane_messages.labels(facility, lane, outcome).inc()

    def noticed(self, *, facility: Slug, lane: Slug, notice: str) -> None:
        """`notice` is the name of a `core.effects.Notice`."""
        self._notices.labels(facility, lane, notice).inc()

    def passed_freely(self, *, facility: Slug, lane: Slug, kind: FreeKind) -> None:
        """A vehicle went through the lane that nobody granted passage."""
        self._free_passages.labels(facility, lane, kind).inc()

    def lane_fault(self, *, facility: Slug, lane: Slug, fault: Fault, on: bool) -> None:
        """The lane's hardware has this fault, or has it no more."""
        self._lane_fault.labels(facility, lane, fault).set(on)

    def operated(self, *, facility: Slug, do: OperatorDo, outcome: OperateOutcome) -> None:
        """An operator's request was done, or refused for this reason."""
        self._operator_acts.labels(facility, do, outcome).inc()

    def paid(self, *, facility: Slug, outcome: PaymentOutcome) -> None:
        """A terminal told of a payment, which counts, or does not for this reason."""
        self._payments.labels(facility, outcome).inc()

    def opened_without_transaction(self, *, facility: Slug, lane: Slug, why: str) -> None:
        """A leak: a barrier was told to open and no stay accounts for it; `why`: a stable word."""
        self._openings_without_transaction.labels(facility, lane, why).inc()

    def lane_state(self, *, facility: Slug, lane: Slug, state: str) -> None:
        """The lane is in this phase now; the one before falls to 0."""
        before = self._lane_states.get((facility, lane))
        if before is not None:
            self._lane_state.labels(facility, lane, before).set(0)
        self._lane_state.labels(facility, lane, state).set(1)
        self._lane_states[facility, lane] = state

    def lane_call(self, *, facility: Slug, lane: Slug, reason: CallReason | None) -> None:
        """The lane calls for a person now, or does not; an earlier reason falls to 0."""
        before = self._lane_calls.pop((facility, lane), None)
        if before is not None:
            self._lane_call.labels(facility, lane, before).set(0)
        if reason is not None:
            self._lane_call.labels(facility, lane, reason).set(1)
            self._lane_calls[facility, lane] = reason

    def call_begun(self, *, facility: Slug, lane: Slug, reason: CallReason) -> None:
        """The lane calls for a person, and did not for the same one before."""
        self._calls_begun.labels(facility, lane, reason).inc()

    def device_online(self, *, facility: Slug, device: Slug, online: bool) -> None:
        """The device, or the broker in its name, said that it is there or gone."""
        self._device_online.labels(facility, device).set(online)

    def device_skew(self, *, facility: Slug, device: Slug, seconds: float) -> None:
        """The estimate of how far the device's clock is behind ours; negative if it is ahead."""
        self._device_skew.labels(facility, device).set(seconds)

    # ── messages in and commands out ────────────────────────────────────────────────────────

    def received(self, *, facility: Slug, kind: str, status: str) -> None:
        """A message is in the inbox; `kind` is its codec's word, never the device's."""
        self._inbox_messages.labels(facility, kind, status).inc()

    def rejected(self, *, facility: Slug, family: str, reason: str) -> None:
        """A message could not be understood; `reason` is that of the CodecError."""
        self._inbox_rejections.labels(facility, family, reason).inc()

    def inbox(self, *, facility: Slug, depth: int, oldest_seconds: float) -> None:
        """What waits in the inbox now; 0 seconds when nothing does."""
        self._inbox_depth.labels(facility).set(depth)
        self._inbox_age.labels(facility).set(oldest_seconds)

    def command(self, *, facility: Slug, do: Do, status: CommandStatus) -> None:
        """A command reached this status."""
        self._commands.labels(facility, do, status).inc()

    def outbox(self, *, facility: Slug, depth: int, oldest_seconds: float) -> None:
        """The commands that wait to be sent now; 0 seconds when none does."""
        self._outbox_depth.labels(facility).set(depth)
        self._outbox_age.labels(facility).set(oldest_seconds)

    # ── facilities and zones ────────────────────────────────────────────────────────────────

    def facility_taken(self, facility: Slug) -> None:
        """This daemon owns the facility now. Alarms start at 0, so that their first is a rise."""
        self._lease_held.labels(facility).set(1)
        self._mqtt_up.labels(facility).set(0)
        for alarm in (self._mqtt_reconnects, self._mqtt_takeovers, self._mqtt_sessions_lost):
            alarm.labels(facility)

    def facility_left(self, facility: Slug) -> None:
        """Another daemon may own it by now: drop what is said of its state, keep the counts."""
        for metric in self._of_facility:
            for series in [s for family in metric.collect() for s in family.samples]:
                if series.labels["facility"] == facility:
                    metric.remove(*series.labels.values())
        for key in [key for key in self._lane_states if key[0] == facility]:
            del self._lane_states[key]
        for key in [key for key in self._lane_calls if key[0] == facility]:
            del self._lane_calls[key]
        self._drifts = {key for key in self._drifts if key[0] != facility}
        self._lease_held.labels(facility).set(0)

    def zone(
        self, *, facility: Slug, zone: Slug, capacity: int, occupied: int, available: int
    ) -> None:
        """The zone's numbers now."""
        self._zone_capacity.labels(facility, zone).set(capacity)
        self._zone_occupied.labels(facility, zone).set(occupied)
        self._zone_available.labels(facility, zone).set(available)

    def drift(self, *, facility: Slug, zone: Slug, against: str, vehicles: int | None) -> None:
        """How many more vehicles the zone counts than `against` says; None: that says nothing."""
        if vehicles is not None:
            self._drift.labels(facility, zone, against).set(vehicles)
            self._drifts.add((facility, zone, against))
        elif (facility, zone, against) in self._drifts:
            self._drifts.discard((facility, zone, against))
            self._drift.remove(facility, zone, against)

    # ── the parts of the daemon ─────────────────────────────────────────────────────────────

    def mqtt_link(self, *, facility: Slug, up: bool) -> None:
        """The facility's session has a link, or has lost it."""
        self._mqtt_up.labels(facility).set(up)

    def mqtt_reconnected(self, facility: Slug) -> None:
        """A link came up that was not the first."""
        self._mqtt_reconnects.labels(facility).inc()

    def mqtt_taken_over(self, facility: Slug) -> None:
        """Someone else connected under the facility's client id."""
        self._mqtt_takeovers.labels(facility).inc()

    def mqtt_session_lost(self, facility: Slug) -> None:
        """The broker no longer had the session of a moment ago, nor what it had queued."""
        self._mqtt_sessions_lost.labels(facility).inc()

    def database_link(self, *, up: bool) -> None:
        """Whether the database answered when last asked."""
        self._database_up.set(up)

    def database_failed(self, kind: str) -> None:
        """A statement failed; `kind` is a word of the store: `retryable`, `fenced_out`, …"""
        self._database_errors.labels(kind).inc()

    def mailbox(self, *, actor: str, depth: int) -> None:
        """The messages that wait for the actor now."""
        self._mailbox_depth.labels(actor).set(depth)

    def actor_restarted(self, actor: str) -> None:
        """The supervisor started a crashed actor again."""
        self._actor_restarts.labels(actor).inc()

    def actor_left(self, actor: str) -> None:
        """The actor is gone for good, with its facility: no mailbox is left to show."""
        if self.registry.get_sample_value("gated_mailbox_depth", {"actor": actor}) is not None:
            self._mailbox_depth.remove(actor)

    # ── scraping ────────────────────────────────────────────────────────────────────────────

    def before_scrape(self, refresh: Callable[[], None]) -> None:
        """Call this at each `refresh`: for depths and ages, which change by themselves."""
        self._refreshers.append(refresh)

    def refresh(self) -> None:
        """Bring up to date what is only looked at when somebody asks."""
        for refresh in self._refreshers:
            refresh()

    def encode(self, accept: str = "") -> tuple[bytes, str]:
        """The text of all metrics and its content type, as the Accept header asks for.

        May run in a thread of its own: thousands of series take tens of milliseconds.
        """
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # a version in the header that is no number
            encode, content_type = choose_encoder("")
        return encode(self.registry), content_type

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        """A gauge of a facility: it disappears with the facility's lease."""
        gauge = Gauge(name, meaning, labels, registry=self.registry)
        self._of_facility.append(gauge)
        return gauge
