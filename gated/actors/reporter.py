"""Tells operators and monitoring what happened at the lanes of one facility: logs and metrics.

One log event per decision; plates are masked by the log pipeline.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog

from gated.core.effects import (
    AskPayment,
    CancelAdmission,
    CancelMove,
    Fault,
    NoteFault,
    Notice,
    Outcome,
    PassageKnown,
    PassFreely,
    ResumeStay,
)
from gated.core.errors import StoreError
from gated.core.events import Cause, OperateOutcome, Request
from gated.core.ids import EventId, StayId, ZoneId
from gated.core.lane import Call, LaneState
from gated.core.money import Money
from gated.core.phases import phase_name
from gated.core.plates import Plate
from gated.core.site import FacilitySetup, LaneSetup
from gated.records import FreePassageAnswer, PaymentTaken, PaymentTakenAnswer
from gated.telemetry import Metrics

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision, committed. `latency_seconds` is from receipt to here."""

    cause: Cause
    decision: str
    reason: str
    plate: Plate | None
    latency_seconds: float
    stay: StayId | None = None
    zone: ZoneId | None = None
    spot: str = ""
    price: Money | None = None


class Reporter:
    """Knows the facility's names, so that callers only say what happened."""

    def __init__(self, setup: FacilitySetup, metrics: Metrics) -> None:
        self._facility = setup.slug
        self._zones = {zone.id: zone.slug for zone in setup.zones}
        self._metrics = metrics

    def decided(self, lane: LaneSetup, record: Decided) -> None:
        """A vehicle was granted or denied passage."""
        self._metrics.decided(
            facility=self._facility,
            lane=lane.slug,
            direction=lane.direction,
            decision=record.decision,
            reason=record.reason,
        )
        _log.info(
            "decision",
            facility=self._facility,
            lane=lane.slug,
            plate=record.plate,
            decision=record.decision,
            reason=record.reason,
            zone=self._zones.get(record.zone) if record.zone else None,
            spot=record.spot or None,
            price=record.price.amount if record.price else None,
            currency=record.price.currency if record.price else None,
            latency_ms=round(record.latency_seconds * 1000, 1),
            correlation=record.cause.event,
            stay=record.stay,
        )

    def asked(self, lane: LaneSetup, effect: AskPayment) -> None:
        """A driver at the exit was asked to pay."""
        _log.info(
            "lane.payment_asked",
            facility=self._facility,
            lane=lane.slug,
            plate=effect.read.plate,
            due=effect.due.amount,
            currency=effect.due.currency,
            correlation=effect.cause.event,
            stay=effect.stay.id,
        )

    def paid(self, event: EventId, payment: PaymentTaken, answer: PaymentTakenAnswer) -> None:
        """A terminal's payment was counted, or could not be."""
        self._metrics.paid(facility=self._facility, outcome=answer.outcome)
        if answer.outcome.counted:
            _log.info(
                "payment.taken",
                facility=self._facility,
                outcome=answer.outcome,
                ticket=answer.ticket,
                amount=payment.amount,
                currency=payment.currency,
                due=answer.due.amount if answer.due else None,
                correlation=event,
            )
        else:
            _log.warning(
                "payment.refused",
                facility=self._facility,
                outcome=answer.outcome,
                ticket=payment.ticket,
                amount=payment.amount,
                currency=payment.currency,
                correlation=event,
            )

    def payment_failed(self, event: EventId, payment: PaymentTaken, error: StoreError) -> None:
        """The database could not say what a terminal's payment comes to."""
        _log.error(
            "payment.failed",
            facility=self._facility,
            ticket=payment.ticket,
            amount=payment.amount,
            currency=payment.currency,
            error=str(error),
            correlation=event,
        )

    def operated(
        self, lane: LaneSetup | None, event: EventId, request: Request, outcome: OperateOutcome
    ) -> None:
        """An operator's request was done, or refused."""
        self._metrics.operated(facility=self._facility, do=request.do, outcome=outcome)
        log, name = (
            (_log.info, "operator.done")
            if outcome is OperateOutcome.DONE
            else (_log.warning, "operator.refused")
        )
        log(
            name,
            facility=self._facility,
            lane=None if lane is None else lane.slug,
            operator=request.user,
            do=request.do,
            outcome=outcome,
            reason=request.reason,
            correlation=event,
        )

    def opened_without_transaction(self, lane: LaneSetup, why: str) -> None:
        """A barrier was told to open, and no stay paid for it or began by it."""
        self._metrics.opened_without_transaction(facility=self._facility, lane=lane.slug, why=why)

    def passed(self, lane: LaneSetup, stay: StayId, known: PassageKnown, correlation: UUID) -> None:
        """A vehicle went through."""
        self._metrics.passed(facility=self._facility, lane=lane.slug, known=known)
        _log.info(
            "lane.passed",
            facility=self._facility,
            lane=lane.slug,
            known=known,
            correlation=correlation,
            stay=stay,
        )

    def settled(self, lane: LaneSetup, outcome: Outcome) -> None:
        """A message of the lane's needs nothing more, and nothing was decided about it."""
        self._metrics.settled(facility=self._facility, lane=lane.slug, outcome=outcome)

    def cancelled(self, lane: LaneSetup, effect: CancelAdmission) -> None:
        """An admission was undone."""
        _log.warning(
            "lane.admission_cancelled",
            facility=self._facility,
            lane=lane.slug,
            reason=effect.reason,
            correlation=effect.correlation,
            stay=effect.stay,
        )

    def move_cancelled(self, lane: LaneSetup, effect: CancelMove) -> None:
        """A move into another zone was undone."""
        _log.warning(
            "lane.move_cancelled",
            facility=self._facility,
            lane=lane.slug,
            reason=effect.reason,
            correlation=effect.correlation,
            stay=effect.stay,
        )

    def resumed(self, lane: LaneSetup, effect: ResumeStay) -> None:
        """A release was undone."""
        _log.warning(
            "lane.stay_resumed",
            facility=self._facility,
            lane=lane.slug,
            reason=effect.reason,
            correlation=effect.correlation,
            stay=effect.stay,
        )

    def passed_freely(self, lane: LaneSetup, effect: PassFreely, answer: FreePassageAnswer) -> None:
        """A vehicle went through that nobody granted passage."""
        self._metrics.passed_freely(facility=self._facility, lane=lane.slug, kind=effect.kind)
        _log.warning(
            "lane.passed_freely",
            facility=self._facility,
            lane=lane.slug,
            kind=effect.kind,
            outcome=answer.outcome,
            plate=effect.read.plate if effect.read else None,
            due=answer.due.amount if answer.due else None,
            correlation=effect.cause.event,
            stay=answer.stay,
        )

    def fault(self, lane: LaneSetup, effect: NoteFault) -> None:
        """A fault of the lane's hardware began or ended."""
        self._metrics.lane_fault(
            facility=self._facility, lane=lane.slug, fault=effect.fault, on=effect.on
        )
        correlation = effect.cause.event if effect.cause else None
        if effect.on:
            _log.warning(
                "lane.fault_raised",
                facility=self._facility,
                lane=lane.slug,
                fault=effect.fault,
                correlation=correlation,
            )
        else:
            _log.info(
                "lane.fault_cleared",
                facility=self._facility,
                lane=lane.slug,
                fault=effect.fault,
                correlation=correlation,
            )

    def fault_stands(self, lane: LaneSetup, fault: Fault) -> None:
        """A fault of before this start, which nothing has disproved."""
        self._metrics.lane_fault(facility=self._facility, lane=lane.slug, fault=fault, on=True)
        _log.warning("lane.fault_stands", facility=self._facility, lane=lane.slug, fault=fault)

    def noticed(self, lane: LaneSetup, notice: Notice) -> None:
        """Something an operator should see."""
        self._metrics.noticed(facility=self._facility, lane=lane.slug, notice=notice.name)
        if notice.name == "opened_without_grant":
            self.opened_without_transaction(lane, notice.detail or "not_asked")
        _log.warning(
            "lane.notice",
            facility=self._facility,
            lane=lane.slug,
            notice=notice.name,
            detail=notice.detail if notice.shown is None else notice.shown,
            correlation=notice.cause.event if notice.cause else None,
        )

    def called(self, lane: LaneSetup, before: Call | None, now: Call | None) -> None:
        """The lane calls for a person, for another reason than before, or does not any more."""
        self._metrics.lane_call(
            facility=self._facility, lane=lane.slug, reason=None if now is None else now.why
        )
        if now is not None and (before is None or before.since != now.since):
            self._metrics.call_begun(facility=self._facility, lane=lane.slug, reason=now.why)

    def entered(self, lane: LaneSetup, state: LaneState) -> None:
        """The lane is in another phase."""
        phase = phase_name(state.phase)
        self._metrics.lane_state(facility=self._facility, lane=lane.slug, state=phase)
        _log.debug("lane.phase", facility=self._facility, lane=lane.slug, phase=phase)
