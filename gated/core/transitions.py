"""The transition table of a lane: in each phase, what each signal asks for.

A signal is what an event means to a passage. What is the same in every phase is not here but in
`gated.core.decide`. Each pair is decided on purpose: `stay` means that nothing is to be done.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto

from gated.core.answers import answered, unexpected
from gated.core.arm import (
    broke_at_rest,
    broke_granted,
    broke_under_way,
    went_down_again,
    went_down_behind,
    went_down_held,
    went_down_open,
    went_down_passing,
    went_up,
    went_up_again,
    went_up_asked,
    went_up_held,
)
from gated.core.gathering import (
    crossed_unsure,
    gather_read,
    gathered_enough,
    left_unsure,
)
from gated.core.judging import (
    changed_meanwhile,
    changed_while_denied,
    paid_meanwhile,
    returned_unpaid,
)
from gated.core.loops import (
    cleared,
    cleared_approached,
    cleared_granted,
    cleared_undecided,
    cleared_unpaid,
    crossed,
    crossed_unpaid,
    left,
    left_let_through,
    left_undecided,
    left_unpaid,
    moved_before_arm,
    passed,
    passed_by_hand,
    passed_held,
    reached,
    reached_held,
    reached_let_through,
    reached_undecided,
    stood_approached,
    stood_at_rest,
    stood_held,
    stood_let_through,
)
from gated.core.outgoing import (
    command_ended,
    command_ended_undecided,
)
from gated.core.overdue import (
    closing_overdue,
    loop_overdue,
    never_came,
    never_read,
    nobody_came,
    opening_overdue,
    passage_overdue,
    passing_overdue,
    pay_overdue,
)
from gated.core.phases import (
    Approached,
    AwaitingPayment,
    Closed,
    Closing,
    Deciding,
    Denied,
    Gathering,
    Held,
    Idle,
    LetThrough,
    Occupied,
    Open,
    Opening,
    OutOfService,
    Passing,
    Phase,
)
from gated.core.reads import (
    note_held,
    note_let_through,
    read_again,
    read_passing,
    serve,
    serve_instead,
    serve_or_wait,
    turn_away,
    unread,
    unread_beside,
    unread_held,
    wait_in_line,
)
from gated.core.rest import Decision, Turn

Step = Callable[[Turn], Decision]


class Signal(Enum):
    """What an event means to a passage.

    STOOD, LEFT: the presence loop is on, or off. REACHED, CLEARED: the closing loop came on, or
    off. TIMER: that of the phase ran out. ANSWERED: gated's own work has an answer.
    """

    READ = auto()
    UNREAD = auto()
    STOOD = auto()
    LEFT = auto()
    REACHED = auto()
    CLEARED = auto()
    ARM_UP = auto()
    ARM_DOWN = auto()
    ARM_BROKEN = auto()
    TIMER = auto()
    ANSWERED = auto()
    COMMAND_ENDED = auto()
    PAYMENT_TOLD = auto()
    CHANGE_TOLD = auto()


def stay(turn: Turn) -> Decision:
    """Nothing is to be done."""
    return turn.stay()


TABLE: Mapping[type[Phase], Mapping[Signal, Step]] = {
    Idle: {
        Signal.READ: serve,
        Signal.UNREAD: unread,
        Signal.STOOD: stood_at_rest,
        Signal.LEFT: stay,
        Signal.REACHED: crossed,
        Signal.CLEARED: cleared,
        Signal.ARM_UP: went_up,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_at_rest,
        Signal.TIMER: stay,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    Occupied: {
        Signal.READ: serve,
        Signal.UNREAD: unread,
        Signal.STOOD: stay,
        Signal.LEFT: left,
        Signal.REACHED: crossed,
        Signal.CLEARED: cleared,
        Signal.ARM_UP: went_up,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_at_rest,
        Signal.TIMER: never_read,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    Approached: {
        Signal.READ: read_again,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: stood_approached,
        Signal.LEFT: stay,
        Signal.REACHED: crossed,
        Signal.CLEARED: cleared_approached,
        Signal.ARM_UP: went_up,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_under_way,
        Signal.TIMER: never_came,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    Gathering: {
        Signal.READ: gather_read,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: stay,
        Signal.LEFT: left_unsure,
        Signal.REACHED: crossed_unsure,
        Signal.CLEARED: cleared,
        Signal.ARM_UP: went_up,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_under_way,
        Signal.TIMER: gathered_enough,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    Deciding: {
        Signal.READ: wait_in_line,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: stay,
        Signal.LEFT: left_undecided,
        Signal.REACHED: reached_undecided,
        Signal.CLEARED: cleared_undecided,
        Signal.ARM_UP: went_up,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_under_way,
        Signal.TIMER: stay,
        Signal.ANSWERED: answered,
        Signal.COMMAND_ENDED: command_ended_undecided,
        Signal.PAYMENT_TOLD: paid_meanwhile,
        Signal.CHANGE_TOLD: changed_meanwhile,
    },
    AwaitingPayment: {
        Signal.READ: serve_instead,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: returned_unpaid,
        Signal.LEFT: left_unpaid,
        Signal.REACHED: crossed_unpaid,
        Signal.CLEARED: cleared_unpaid,
        Signal.ARM_UP: went_up,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_under_way,
        Signal.TIMER: pay_overdue,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: pay_overdue,
        Signal.CHANGE_TOLD: stay,
    },
    Denied: {
        Signal.READ: serve,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: stay,
        Signal.LEFT: left,
        Signal.REACHED: crossed,
        Signal.CLEARED: cleared,
        Signal.ARM_UP: went_up,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_at_rest,
        Signal.TIMER: loop_overdue,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: changed_while_denied,
    },
    Opening: {
        Signal.READ: serve_or_wait,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: moved_before_arm,
        Signal.LEFT: moved_before_arm,
        Signal.REACHED: reached,
        Signal.CLEARED: cleared_granted,
        Signal.ARM_UP: went_up_asked,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_granted,
        Signal.TIMER: opening_overdue,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: command_ended,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    Open: {
        Signal.READ: serve_or_wait,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: moved_before_arm,
        Signal.LEFT: moved_before_arm,
        Signal.REACHED: reached,
        Signal.CLEARED: cleared_granted,
        Signal.ARM_UP: went_up_asked,
        Signal.ARM_DOWN: went_down_open,
        Signal.ARM_BROKEN: broke_granted,
        Signal.TIMER: passage_overdue,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: command_ended,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    Passing: {
        Signal.READ: read_passing,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: stay,
        Signal.LEFT: stay,
        Signal.REACHED: stay,
        Signal.CLEARED: passed,
        Signal.ARM_UP: went_up_held,
        Signal.ARM_DOWN: went_down_passing,
        Signal.ARM_BROKEN: broke_under_way,
        Signal.TIMER: passing_overdue,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: command_ended,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    Closing: {
        Signal.READ: serve,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: stay,
        Signal.LEFT: stay,
        Signal.REACHED: crossed,
        Signal.CLEARED: cleared,
        Signal.ARM_UP: went_up_held,
        Signal.ARM_DOWN: went_down_behind,
        Signal.ARM_BROKEN: broke_at_rest,
        Signal.TIMER: closing_overdue,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    LetThrough: {
        Signal.READ: note_let_through,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: stood_let_through,
        Signal.LEFT: left_let_through,
        Signal.REACHED: reached_let_through,
        Signal.CLEARED: passed_by_hand,
        Signal.ARM_UP: went_up_held,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_under_way,
        Signal.TIMER: nobody_came,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    Held: {
        Signal.READ: note_held,
        Signal.UNREAD: unread_held,
        Signal.STOOD: stood_held,
        Signal.LEFT: stay,
        Signal.REACHED: reached_held,
        Signal.CLEARED: passed_held,
        Signal.ARM_UP: went_up_held,
        Signal.ARM_DOWN: went_down_held,
        Signal.ARM_BROKEN: broke_under_way,
        Signal.TIMER: stay,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    Closed: {
        Signal.READ: turn_away,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: stay,
        Signal.LEFT: stay,
        Signal.REACHED: crossed,
        Signal.CLEARED: cleared,
        Signal.ARM_UP: went_up,
        Signal.ARM_DOWN: stay,
        Signal.ARM_BROKEN: broke_under_way,
        Signal.TIMER: stay,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
    OutOfService: {
        Signal.READ: turn_away,
        Signal.UNREAD: unread_beside,
        Signal.STOOD: stay,
        Signal.LEFT: stay,
        Signal.REACHED: crossed,
        Signal.CLEARED: cleared,
        Signal.ARM_UP: went_up_again,
        Signal.ARM_DOWN: went_down_again,
        Signal.ARM_BROKEN: broke_under_way,
        Signal.TIMER: stay,
        Signal.ANSWERED: unexpected,
        Signal.COMMAND_ENDED: stay,
        Signal.PAYMENT_TOLD: stay,
        Signal.CHANGE_TOLD: stay,
    },
}


def step(turn: Turn, signal: Signal) -> Decision:
    """What the table says."""
    return TABLE[type(turn.state.phase)][signal](turn)
