"""Turns an exception into its whole chain, each exception once: what a log tells of a failure.

No local variables and no values that validation quotes: both may hold plates and secrets.
"""

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gated.telemetry.redact import Json, message

FAILURE_COUNT_MAX = 20
FRAME_COUNT_MAX = 30

_ROOT = str(Path(__file__).parents[2]) + "/"


@dataclass(frozen=True, slots=True)
class Failure:
    """One exception of a chain. `via` says how the one before led to it: `cause` (raised from
    it), `context` (raised while handling it), `member` (of a group); empty for the first.

    `frames` run from the outermost call to the place of the error, as "file:line function".
    """

    type: str
    message: str
    via: str
    frames: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        """The failure as it stands in a JSON log line."""
        described: dict[str, Json] = {"type": self.type, "message": self.message}
        if self.via:
            described["via"] = self.via
        described["frames"] = list(self.frames)
        return described

    def as_lines(self) -> Iterator[str]:
        """The failure as it stands on a terminal; the renderer escapes the lines."""
        yield f"{self.via + ': ' if self.via else ''}{self.type}: {self.message}"
        yield from (f"    {frame}" for frame in self.frames)


def failures(error: BaseException) -> tuple[Failure, ...]:
    """The error, then its causes and the members of groups, nearest first."""
    found: list[Failure] = []
    seen: set[int] = set()
    waiting: list[tuple[BaseException, str]] = [(error, "")]
    while waiting and len(found) < FAILURE_COUNT_MAX:
        current, via = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        found.append(Failure(_name(type(current)), message(current), via, _frames(current)))
        waiting.extend(reversed(list(_behind(current))))
    return tuple(found)


def _behind(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield member, "member"
    if error.__cause__ is not None:
        yield error.__cause__, "cause"
    elif error.__context__ is not None and not error.__suppress_context__:
        yield error.__context__, "context"


def _frames(error: BaseException) -> tuple[str, ...]:
    frames = [
        f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return tuple(frames[-FRAME_COUNT_MAX:])


def _short(file: str) -> str:
    _, packages, within = file.rpartition("site-packages/")
    return within if packages else file.removeprefix(_ROOT)


def _name(kind: type[BaseException]) -> str:
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else (f"{kind.__module__}.{kind.__qualname__}")
    )
