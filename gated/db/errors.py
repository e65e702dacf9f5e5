"""What an error of PostgreSQL or asyncpg means: a domain outcome, a `FencedOut` or a kind of
`StoreError`.

The one place that knows SQLSTATEs and the names of constraints.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

import asyncpg

from gated.core.errors import FencedOut, GatedError, NotSetUp, RefusedValue, StoreError
from gated.records import AdmitOutcome

# gate.hold_fence_v1 and gate.renew_lease_v1.
FENCED_OUT = "GT001"

# Our own errors: what is asked for cannot be answered, however often one asks.
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "GT002": "unknown message",
        "GT003": "unknown command",
        "GT004": "unknown zone",
        "GT005": "unknown booking",
        "GT010": "negative or unfinished stay",
        "GT011": "no pricing rule in force",
        "GT012": "unknown currency",
        "GT013": "facility without settings",
        "GT014": "a minute without a price",
        "GT015": "rounding that the currency does not have",
        "GT016": "unknown validation",
        "GT017": "context of a price not understood",
    }
)

# What a call named that is not there, by the constraint that says so: a name, or how it ends.
# The server's own text names tables and keys, which mean nothing to whoever asked.
UNKNOWN: Mapping[str, str] = MappingProxyType(
    {
        "bookings_spot_check": "spot of another facility",
        "bookings_zone_check": "zone of another facility",
        "_booking_fkey": "unknown booking",
        "_facility_id_fkey": "unknown facility",
        "_zone_id_fkey": "unknown zone",
        "_spot_id_fkey": "unknown spot",
        "_lane_id_fkey": "unknown lane",
        "_vehicle_id_fkey": "unknown vehicle",
        "_user_id_fkey": "unknown user",
    }
)

# May pass by itself, as connection trouble (class 08) does.
RETRYABLE = frozenset(
    {
        "57P01",  # the server stops,
        "57P02",  # has crashed,
        "57P03",  # is not up yet
        "57P05",  # a session, or its transaction, was ended for idling or lasting too long
        "25P03",
        "25P04",
        "57014",  # statement_timeout, or an administrator's cancel: a slow moment, not a wrong call
        "55P03",  # lock_timeout, or the spots changed hands too often to lock one
        "40001",  # lost races
        "40P01",
        "53100",  # out of disk or memory: what was asked for is small, others took the room
        "53200",
        "53300",  # the moment after a fail-over when everyone dials at once
        "58030",  # the server's disk fails: nothing that another message would do better
        "25006",  # a standby that is not yet the primary
    }
)

# What an operator has to do first: there is no database, no schema, an older one, or no right.
REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "3D000": "`gated db init` makes it",
        "3F000": "`gated db init` makes it",
        "42P01": "`gated db init` makes it, `gated db upgrade` completes an older one",
        "42703": "`gated db upgrade` completes an older database",
        "42883": "`gated db upgrade` completes an older database",
        "42501": "`gated check` names the rights that are missing",
    }
)

# What is wrong with a value, in words of ours: the server's own name its functions and encodings.
VALUE_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "22001": "a text that is too long",
        "22003": "a number out of range",
        "22007": "not a date or time",
        "22008": "a date or time out of range",
        "22021": "a character that cannot be stored",
        "22P02": "not a value of the kind that is expected",
        "22P05": "a character that cannot be stored",
        "54000": "a text that is too long",
    }
)
VALUE_TOO_LARGE = "54000"
CHECK_VIOLATION = "23514"

# The referees behind the row locks: what the loser of a race is told.
ADMIT_REFEREES: Mapping[str, AdmitOutcome] = MappingProxyType(
    {
        "claims_stay_plate_key": AdmitOutcome.ALREADY_INSIDE,
        "claims_spot_excl": AdmitOutcome.ZONE_FULL,
        "claims_stay_spot_key": AdmitOutcome.ZONE_FULL,
    }
)

# What a failed call can raise, as far as the store understands it; all else is a bug.
FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


def refusal(error: BaseException) -> AdmitOutcome | None:
    """The outcome that a referee's refusal stands for; None for any other error."""
    cause = error.__cause__ if isinstance(error, StoreError) else error
    if isinstance(cause, asyncpg.IntegrityConstraintViolationError):
        return ADMIT_REFEREES.get(cause.constraint_name or "")
    return None


def translated(error: Exception, statement: str) -> GatedError:
    """The exception that the store raises in place of `error`, which `statement` met with."""
    state = getattr(error, "sqlstate", None)
    if state == FENCED_OUT:
        return FencedOut(str(error))
    if isinstance(error, asyncpg.PostgresError) and isinstance(state, str):
        if (unknown := _unknown(error)) is not None:
            return StoreError(f"{statement}: {unknown}", retryable=False)
        if _is_about_a_value(error, state):
            return RefusedValue(f"{statement}: {_value_fault(error, state)}")
        text = f"{statement}: {MEANINGS.get(state, state)}: {error}"
        if state in REMEDIES:
            return NotSetUp(f"{statement}: {error}: {REMEDIES[state]}")
        return StoreError(text, retryable=state in RETRYABLE or state.startswith("08"))
    # asyncpg's own DataError (the name without the underscore is PostgreSQL's): a wrong argument.
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return RefusedValue(f"{statement}: {_argument_fault(error)}")
    # The connection is gone or was never made, or asyncpg lost its thread on a restart.
    text = str(error) or type(error).__name__
    return StoreError(f"{statement}: {text}", retryable=True)


def _unknown(error: asyncpg.PostgresError) -> str | None:
    """What the call named that is not there, if that is what the error says."""
    name = getattr(error, "constraint_name", None) or ""
    return next((words for end, words in UNKNOWN.items() if name.endswith(end)), None)


def _value_fault(error: asyncpg.PostgresError, state: str) -> str:
    """Which value is refused, by the rule that it breaks. The server's text stays the cause's."""
    if state == CHECK_VIOLATION:
        return f"a value that the rule {error.constraint_name} refuses"
    return VALUE_FAULTS.get(state, f"a value that cannot be stored ({state})")


def _argument_fault(error: Exception) -> str:
    """Which argument asyncpg could not send; the reason is the cause's."""
    which = re.search(r"argument \$\d+", str(error))
    return f"{which[0] if which else 'an argument'} is not of its kind, or out of range"


def _is_about_a_value(error: asyncpg.PostgresError, state: str) -> bool:
    if state == CHECK_VIOLATION:
        # A missing partition says 23514 too, and names no constraint: that is the database's fault.
        return bool(error.constraint_name)
    return state.startswith("22") or state == VALUE_TOO_LARGE
