"""What terminals tell of payments: written down once, told to the lanes that wait, always answered.

Whether the money counts is for the database to say, in the transaction that counts it.
"""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import assert_never

from gated.actors.messages import PaymentAgain, PaymentHere
from gated.actors.persistence import Persistence
from gated.actors.reporter import Reporter
from gated.core.errors import StoreError
from gated.core.ids import EventId, Fence
from gated.core.site import FacilitySetup
from gated.ports import Announcer, Store
from gated.records import PaymentOutcome, PaymentTaken, PaymentTakenAnswer

# What whoever looks after the terminal reads beside the word.
WHY: Mapping[PaymentOutcome, str] = MappingProxyType(
    {
        PaymentOutcome.BOOKING_UNKNOWN: "the facility has no stay of this ticket or plate",
        PaymentOutcome.BOOKING_ENDED: "the booking was cancelled, or nobody came",
        PaymentOutcome.AMOUNT_INVALID: "the amount is not positive, or finer than the currency",
        PaymentOutcome.CURRENCY_MISMATCH: "the facility has another currency",
        PaymentOutcome.PROVIDER_UNKNOWN: "no such provider",
        PaymentOutcome.TOLD_DIFFERENTLY: (
            "this id or this transaction was told before, for another stay or of another amount"
        ),
        PaymentOutcome.FAILED: "the database could not take it: nothing was counted",
        PaymentOutcome.EVENT_DONE: "decided before, and not as a payment",
    }
)


class PaymentDesk:
    """Takes the payments that one facility's terminals tell of."""

    def __init__(
        self,
        setup: FacilitySetup,
        fence: Fence,
        *,
        store: Store,
        announcer: Announcer,
        rng: random.Random,
        reporter: Reporter,
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._store = store
        self._announcer = announcer
        self._persistence = Persistence(setup, fence, store, rng)
        self._reporter = reporter

    async def take(self, message: PaymentHere | PaymentAgain, counted: Callable[[], None]) -> None:
        """Write it down, however long that takes, and answer; `counted` is called if it counts.

        One that cannot be written stops nobody. Raises FencedOut.
        """
        try:
            match message:
                case PaymentHere():
                    await self._take(message, counted)
                case PaymentAgain():
                    await self._answer_again(message)
                case _:
                    assert_never(message)
        except StoreError as error:
            # It is not known what it came to: whoever hears nothing asks again.
            self._reporter.payment_failed(message.event, message.payment, error)

    async def _take(self, message: PaymentHere, counted: Callable[[], None]) -> None:
        event, payment = message.event, message.payment
        try:
            answer = await self._persistence.written(
                lambda: self._store.take_payment(self._setup.id, self._fence, event, payment)
            )
        except StoreError as error:
            self._reporter.payment_failed(event, payment, error)
            answer = await self._given_up(event, payment)
        self._reporter.paid(event, payment, answer)
        if answer.outcome.counted:
            counted()
        self._answer(payment, answer)

    async def _given_up(self, event: EventId, payment: PaymentTaken) -> PaymentTakenAnswer:
        """Nothing was counted, and nothing will be by this message, also not after a crash; unless
        an earlier attempt had been committed, and its answer was lost."""
        await self._persistence.written(
            lambda: self._store.give_up_payment(self._setup.id, self._fence, event, payment)
        )
        answer = await self._persistence.written(
            lambda: self._store.payment_again(self._setup.id, self._fence, payment)
        )
        return answer or PaymentTakenAnswer(PaymentOutcome.FAILED)

    async def _answer_again(self, message: PaymentAgain) -> None:
        """The same message came once more: say what it came to, if it has come to something."""
        payment = message.payment
        answer = await self._persistence.written(
            lambda: self._store.payment_again(self._setup.id, self._fence, payment)
        )
        if answer is None:
            return
        if answer.outcome is PaymentOutcome.TOLD_DIFFERENTLY:
            # Other money under a number that was used before: nobody has been told of it yet.
            self._reporter.paid(message.event, payment, answer)
        self._answer(payment, answer)

    def _answer(self, payment: PaymentTaken, answer: PaymentTakenAnswer) -> None:
        if answer.outcome.counted:
            self._announcer.payment_taken(payment.message, answer)
        else:
            self._announcer.payment_refused(
                payment.message, answer.outcome, WHY.get(answer.outcome, "")
            )
