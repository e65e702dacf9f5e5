"""The log pipeline: JSON lines for machines, readable lines on a terminal, one for everything.

Events of gated and records of the libraries' stdlib loggers go the same way. Field values pass
`gated.telemetry.redact`; a defect in the pipeline costs the line, never the caller.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import TextIO

import structlog
from structlog.dev import Column, ConsoleRenderer, KeyValueColumnFormatter, LogLevelColumnFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from gated.telemetry.failures import failures
from gated.telemetry.redact import redacted

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
FORMATS = ("auto", "json", "console")
_EVENT_WIDTH = 24


def configure_logs(
    format: str = "auto",  # noqa: A002 - the word of the configuration
    level: str = "info",
    stream: TextIO | None = None,
) -> None:
    """Send all logs of this process to the stream (standard error unless given).

    `format` is `json`, `console`, or `auto`: `console` if the stream is a terminal. `level`
    (`debug`, `info`, `warning`, `error`) holds for gated's own events; libraries are never
    heard below `info`, because their debug lines quote topics and payloads. May be called
    again. Raises ValueError for another format or level.
    """
    if format not in FORMATS or level not in LEVELS:
        raise ValueError(f"unknown log format or level: {format!r}, {level!r}")
    stream = sys.stderr if stream is None else stream
    terminal = stream.isatty()
    on_console = format == "console" or (format == "auto" and terminal)
    colours = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_stamped()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_console(colours=colours) if on_console else (_as_json,)),
            ],
        )
    )
    own = logging.getLogger("gated")
    own.setLevel(LEVELS[level])
    for earlier in [one for one in logging.root.handlers if isinstance(one, _Handler)]:
        logging.root.removeHandler(earlier)
    logging.root.addHandler(handler)
    logging.root.setLevel(max(LEVELS[level], logging.INFO))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *_stamped(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: own,
        # Loggers of modules outlive a second call, which must reach them.
        cache_logger_on_first_use=False,
    )


def _stamped() -> list[Processor]:
    return [structlog.stdlib.add_log_level, _add_time]


def _add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["timestamp"] = _iso(datetime.now(UTC))
    return event


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _failure_of(event: EventDict) -> BaseException | None:
    """Take the exception out of the event: `exc_info` is an exception, a triple or a flag."""
    event.pop("stack_info", None)
    match event.pop("exc_info", None):
        case BaseException() as error:
            return error
        case (_, BaseException() as error, _):
            return error
        case None | False | (None, None, None):
            return None
        case _:
            return sys.exception()


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One line of ASCII: every other character is escaped, so no terminal obeys one either."""
    error = _failure_of(event)
    head = {key: event.pop(key, None) for key in ("timestamp", "level", "event")}
    line = redacted({**head, **event})
    if error is not None:
        line["exception"] = [failure.as_json() for failure in failures(error)]
    return json.dumps(line, separators=(",", ":"), allow_nan=False)


def _console(*, colours: bool) -> tuple[Processor, Processor]:
    styles = ConsoleRenderer.get_default_column_styles(colours)
    levels = ConsoleRenderer.get_default_level_styles(colours)

    def column(
        style: str, *, width: int = 0, key_style: str | None = None
    ) -> KeyValueColumnFormatter:
        return KeyValueColumnFormatter(
            key_style=key_style,
            value_style=style,
            reset_style=styles.reset,
            value_repr=escaped if key_style is None else quoted,
            width=width,
        )

    renderer = ConsoleRenderer(
        columns=[
            Column("timestamp", column(styles.timestamp)),
            Column("level", LogLevelColumnFormatter(levels, reset_style=styles.reset)),
            Column("event", column(styles.bright, width=_EVENT_WIDTH)),
            Column("", column(styles.kv_value, key_style=styles.kv_key)),
        ],
        sort_keys=False,
    )
    return _for_people, renderer


def _for_people(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Empty fields and the date go; the exception becomes lines."""
    error = _failure_of(event)
    line = {escaped(key): value for key, value in redacted(event).items() if value is not None}
    line["timestamp"] = str(line["timestamp"]).partition("T")[2]
    if error is not None:
        lines = (part for failure in failures(error) for part in failure.as_lines())
        line["exception"] = "\n".join(f"    {escaped(part)}" for part in lines)
    return line


def escaped(value: object) -> str:
    """Text for a terminal: what does not print (control, ANSI, bidi, newline) as an escape."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def quoted(value: object) -> str:
    """A field's value for a terminal, in quotes where it would run into the next field.

    `repr` escapes what does not print, at any depth: nothing but plain values gets here.
    """
    bare = isinstance(value, str) and value.isprintable() and not set(value) & set(" ='\"\\")
    return str(value) if bare and value else repr(value)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes a line; if that is impossible, goes on without."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - a log line must not stop a decision
            line = self._unloggable(record, error)
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            self.stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self.stream.flush()
        except (OSError, ValueError):
            return  # the reader of the pipe is gone, or the stream is closed at exit

    def _unloggable(self, record: logging.LogRecord, error: Exception) -> str:
        """The stdlib's own report would quote the fields, unmasked."""
        event = record.msg.get("event") if isinstance(record.msg, dict) else record.name
        line = {
            "timestamp": _iso(datetime.now(UTC)),
            "level": "error",
            "event": "logs.line_lost",
            "lost": str(event)[:80],
            "error": type(error).__name__,
        }
        return json.dumps(line, separators=(",", ":"))
