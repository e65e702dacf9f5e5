"""What an error of PostgreSQL or asyncpg means: a domain outcome, a `FencedOut` or a `StoreError`.

The one place that knows SQLSTATEs and the names of constraints.
"""

from collections.abc import Mapping
from types import MappingProxyType

import asyncpg

from gated.core.errors import FencedOut, GatedError, StoreError
from gated.records import AdmitOutcome

# gate.hold_fence_v1 and gate.renew_lease_v1.
FENCED_OUT = "GT001"

# Our own errors: what is asked for cannot be answered, however often one asks.
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "GT002": "unknown message",
        "GT003": "unknown command",
        "GT010": "negative stay",
        "GT011": "no pricing rule in force",
        "GT012": "unknown currency",
        "GT013": "facility without settings",
    }
)

# May pass by itself: connection trouble (08), the server ends or starts (57P01 to 57P03), lost
# races and waits (40001, 40P01, 55P03), disk full, a standby that is not yet the primary, a
# session ended for idling. 53300 is the moment after a fail-over when everyone dials at once.
RETRYABLE = frozenset(
    {
        "57P01",
        "57P02",
        "57P03",
        "40001",
        "40P01",
        "55P03",
        "53100",
        "53300",
        "25006",
        "25P03",
    }
)

# The referees behind the row locks: what the loser of a race is told.
ADMIT_REFEREES: Mapping[str, AdmitOutcome] = MappingProxyType(
    {
        "claims_stay_plate_key": AdmitOutcome.ALREADY_INSIDE,
        "claims_spot_excl": AdmitOutcome.ZONE_FULL,
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
        retryable = state in RETRYABLE or state.startswith("08")
        meaning = MEANINGS.get(state, state)
        return StoreError(f"{statement}: {meaning}: {error}", retryable=retryable)
    # asyncpg's own DataError (the name without the underscore is PostgreSQL's): a wrong argument.
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return StoreError(f"{statement}: {error}", retryable=False)
    # The connection is gone or was never made, or asyncpg lost its thread on a restart.
    text = str(error) or type(error).__name__
    return StoreError(f"{statement}: {text}", retryable=True)
