"""The log pipeline: what a line holds, what it must never hold, and the catalogue of events."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from gated.core.events import PlateRead
from gated.core.money import Money
from gated.core.plates import Plate
from gated.telemetry import configure_logs
from gated.telemetry.failures import FAILURE_COUNT_MAX, FRAME_COUNT_MAX, failures
from gated.telemetry.redact import TEXT_LENGTH_MAX, excerpt, harmless, message, text
from tests import log_catalogue
from tests.log_catalogue import Entry, Usages

PLATE = Plate("HHAB1234")
HOSTILE = (
    "gated\x1b[2J\x1b]0;owned\x07\n\r2026 [info] forged \u202egro\u2066\u200b\u2028\x9b31m\x7f"
)

Lines = Callable[[], list[dict[str, object]]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    """Logging belongs to the process: give it back to the next test as it was."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.getLogger("gated").setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    configure_logs("json", "debug", stream)

    def read() -> list[dict[str, object]]:
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    return read


@pytest.fixture
def console(stream: io.StringIO) -> io.StringIO:
    configure_logs("console", "debug", stream)
    return stream


# ── the shape of a line ─────────────────────────────────────────────────────────────────────


def test_a_json_line_begins_with_time_level_and_event(
    lines: Lines, log: structlog.stdlib.BoundLogger
) -> None:
    log.info("decision", facility="north", spot=None)
    (line,) = lines()
    assert list(line) == ["timestamp", "level", "event", "facility", "spot"]
    assert line | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "event": "decision",
        "facility": "north",
        "spot": None,
    }
    stamp = str(line["timestamp"])
    assert stamp.endswith("Z")
    assert len(stamp) == len("2026-05-04T07:31:08.412Z")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(stamp)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("format_", "stream_", "is_json"),
    [
        ("auto", io.StringIO(), True),
        ("auto", Terminal(), False),
        ("json", Terminal(), True),
        ("console", io.StringIO(), False),
    ],
)
def test_auto_asks_the_stream(
    format_: str, stream_: io.StringIO, is_json: bool, log: structlog.stdlib.BoundLogger
) -> None:
    configure_logs(format_, "info", stream_)
    log.info("daemon.started")
    assert stream_.getvalue().startswith("{") is is_json


def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, log: structlog.stdlib.BoundLogger
) -> None:
    def written(stream: io.StringIO) -> str:
        configure_logs("console", "info", stream)
        log.warning("daemon.stopping", facilities=3)
        return stream.getvalue()

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in written(Terminal())
    assert "\x1b[" not in written(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in written(Terminal())


def test_the_console_leaves_out_what_is_empty(
    console: io.StringIO, log: structlog.stdlib.BoundLogger
) -> None:
    log.info("decision", lane="in-1", spot=None, note="two words", held=False)
    (line,) = console.getvalue().splitlines()
    assert line.split()[1:] == [
        *("[info", "]", "decision", "lane=in-1", "note='two", "words'", "held=False")
    ]


def test_the_level_holds_and_a_second_call_replaces_the_first(
    log: structlog.stdlib.BoundLogger,
) -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logs("json", "info", first)
    log.debug("lane.phase")
    assert first.getvalue() == ""
    configure_logs("json", "debug", second)
    log.debug("lane.phase")
    assert first.getvalue() == ""
    assert second.getvalue().count("lane.phase") == 1


@pytest.mark.parametrize(("format_", "level"), [("xml", "info"), ("json", "loud")])
def test_unknown_words_are_refused(format_: str, level: str) -> None:
    with pytest.raises(ValueError, match="unknown log format or level"):
        configure_logs(format_, level)


def test_context_variables_join_the_line(lines: Lines, log: structlog.stdlib.BoundLogger) -> None:
    with structlog.contextvars.bound_contextvars(facility="north"):
        log.info("lane.phase")
    assert lines()[0]["facility"] == "north"


# ── libraries ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["asyncio", "aiohttp.server", "asyncpg.pool", "mqtt", "paho"])
def test_libraries_go_the_same_way(lines: Lines, name: str) -> None:
    logging.getLogger(name).error("lost %s of %d", "x\x1b[0m", 3)
    (line,) = lines()
    assert (line["event"], line["level"], line["logger"]) == ("lost x\x1b[0m of 3", "error", name)


def test_debug_lines_of_libraries_are_never_written(lines: Lines) -> None:
    logging.getLogger("mqtt").debug("PUBLISH gated/v1/north/lane/in-1/plate HHAB1234")
    assert lines() == []


def test_warnings_of_python_go_the_same_way(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert lines()[0]["logger"] == "py.warnings"


# ── failures ────────────────────────────────────────────────────────────────────────────────


def _deep(depth: int) -> None:
    if depth:
        _deep(depth - 1)
    raise ValueError("deep down")


def _failing() -> None:
    try:
        try:
            _deep(2)
        except ValueError as error:
            raise LookupError("not found") from error
    except LookupError:
        raise RuntimeError("while cleaning up")  # noqa: B904 - the context is what is tested


def test_the_whole_chain_is_told_once(lines: Lines, log: structlog.stdlib.BoundLogger) -> None:
    try:
        _failing()
    except RuntimeError as error:
        log.error("actor.crashed", exc_info=error)  # noqa: TRY400 - the form that actors use
        log.exception("actor.crashed")
        logging.getLogger("asyncio").exception("never retrieved")
    for line in lines():
        chain = line["exception"]
        assert isinstance(chain, list)
        assert [(one["type"], one["message"], one.get("via")) for one in chain] == [
            ("RuntimeError", "while cleaning up", None),
            ("LookupError", "not found", "context"),
            ("ValueError", "deep down", "cause"),
        ]
        assert chain[2]["frames"][-1].startswith("tests/test_logs.py:")
        assert chain[2]["frames"][-1].endswith(" _deep")
        assert "exc_info" not in line
    assert len(lines()) == 3


def test_groups_loops_and_long_chains_end() -> None:
    shared = ValueError("shared")
    group = ExceptionGroup("both", [shared, OSError("other")])
    group.__cause__ = shared
    assert [(one.type, one.via) for one in failures(group)] == [
        *(("ExceptionGroup", ""), ("ValueError", "member"), ("OSError", "member")),
    ]
    loop, back = ValueError("a"), ValueError("b")
    loop.__cause__, back.__cause__ = back, loop
    assert len(failures(loop)) == 2
    errors = [ValueError(str(number)) for number in range(100)]
    for outer, inner in pairwise(errors):
        outer.__cause__ = inner
    assert len(failures(errors[0])) == FAILURE_COUNT_MAX
    with pytest.raises(ValueError, match="deep") as caught:
        _deep(100)
    assert len(failures(caught.value)[0].frames) == FRAME_COUNT_MAX


def test_a_flag_without_an_exception_says_nothing(
    lines: Lines, log: structlog.stdlib.BoundLogger
) -> None:
    log.error("actor.crashed", exc_info=True)  # noqa: LOG014 - the mistake is the test
    log.error("actor.crashed", exc_info=None)
    assert all("exception" not in line and "exc_info" not in line for line in lines())


def test_messages_do_not_quote_values() -> None:
    class Payload(BaseModel):
        model_config = ConfigDict(extra="forbid")
        confidence: float

    with pytest.raises(ValidationError) as caught:
        Payload.model_validate({"confidence": "HH AB 1234", "junk": "HH AB 1234"})
    said = message(caught.value)
    assert said == "2 defects in Payload: confidence: float_parsing, junk: extra_forbidden"
    with pytest.raises(ValidationError) as many:
        Payload.model_validate({"confidence": 1.0} | {f"k{n}": "HHAB1234" for n in range(1000)})
    assert message(many.value) == "1000 defects in Payload"
    assert harmless(caught.value) == f"ValidationError: {said}"

    server = "duplicate key\nDETAIL:  Key (plate)=(HH AB 1234) already exists.\nHINT:  none"
    assert message(RuntimeError(server)) == "duplicate key\nHINT:  none"
    assert text("x DETAIL: HHAB1234") == "x"


def test_an_exception_that_cannot_speak_is_named() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert message(Mute()) == "<no message: RuntimeError>"
    noted = ValueError("bad")
    noted.add_note("row 7")
    assert message(noted) == "bad; row 7"


# ── values ──────────────────────────────────────────────────────────────────────────────────


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1 << 70, "<int of 71 bits>"),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("text", "text"),
        ("lone \ud800", "lone \ud800"),
        (Colour.RED, "red"),
        (PLATE, "HH****34"),
        ([PLATE, (PLATE,)], ["HH****34", ["HH****34"]]),
        ({"seen": PLATE}, {"seen": "HH****34"}),
        ({"plate": "HHAB1234"}, {"plate": "HH****34"}),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Decimal("1E+3"), "1000"),
        (Decimal("3.50"), "3.50"),
        (Decimal("1E+9999"), "<Decimal>"),
        (Money(Decimal("3.5"), "EUR"), "3.50 EUR"),
        (Money(Decimal(700), "JPY"), "700 JPY"),
        (datetime(2026, 5, 4, 9, 0, tzinfo=timezone(timedelta(hours=2))), "2026-05-04T07:00:00Z"),
        (date(2026, 5, 4), "2026-05-04"),
        (timedelta(minutes=1.5), 90.0),
        (Path("/etc/gated"), "/etc/gated"),
        (ValueError("why"), "ValueError: why"),
        (PlateRead, "PlateRead"),
        (PlateRead(PLATE, "HH-AB 1234"), "<PlateRead>"),
        ({1}, [1]),
        ([[[[[[1]]]]]], [[[["…"]]]]),
    ],
)
def test_values_become_plain(value: object, expected: object) -> None:
    assert harmless(value) == expected
    json.dumps(harmless(value), allow_nan=False)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("plate", "HHAB1234", "HH****34"),
        ("plate", "HH****34", "HH****34"),
        ("plate_raw", "hh-ab 1234", "hh******34"),
        ("plates", ["HHAB1234"], ["HH****34"]),
        ("password", "hunter2", "***"),
        ("Token", b"hunter2", "***"),
        ("secret", None, None),
        ("error", "postgresql://gated:hunter2@db/gated", "postgresql://gated:***@db/gated"),
        ("excerpt", '{"plate":"HHAB1234"}', '{"plate":"HH******"}'),
    ],
)
def test_the_name_of_a_field_counts(key: str, value: object, expected: object) -> None:
    assert harmless(value, key) == expected


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b'{"id":"e-17","plate":"HH-AB 1234","x":1}', '{"id":"e-##","plate":"HH********","x":#}'),
        (b'{"data":{"text":"HHAB1234"}}', '{"data":{"text":"HH******"}}'),
        (b'{"licensePlate" : "HHAB12', '{"licensePlate" : "HH****'),
        (b'{"plate":{"value":"HHAB1234"}}', '{"plate":{"value":"HHAB####"}}'),
        (b"\xff\x00\x1b[2J", "\\xff\x00\x1b[#J"),
    ],
)
def test_an_excerpt_keeps_the_shape_and_not_the_plate(payload: bytes, shown: str) -> None:
    assert excerpt(payload) == shown
    assert harmless(payload) == shown


def test_sizes_are_bounded() -> None:
    assert len(str(harmless("x" * 10_000_000))) < TEXT_LENGTH_MAX + 20
    assert len(str(harmless(b"x" * 10_000_000))) <= 200
    assert len(str(harmless({str(n): n for n in range(10_000)}))) < 1_000
    assert len(str(harmless(list(range(10_000))))) < 1_000
    assert len(str(harmless("x" * 10_000, "plate"))) <= 64


# ── hostile values ──────────────────────────────────────────────────────────────────────────


def _all_places(log: structlog.stdlib.BoundLogger) -> None:
    log.warning("inbox.quarantined", topic=HOSTILE, nested={HOSTILE: [HOSTILE]})
    log.warning(HOSTILE, **{HOSTILE: 1, "payload": HOSTILE.encode()})
    log.error("x", exc_info=ValueError(HOSTILE))
    logging.getLogger("mqtt").error("%s", HOSTILE)
    with structlog.contextvars.bound_contextvars(topic=HOSTILE):
        log.info("y")


@pytest.mark.parametrize("format_", ["json", "console"])
def test_no_value_can_act_on_a_terminal_or_forge_a_line(
    format_: str, log: structlog.stdlib.BoundLogger
) -> None:
    stream = io.StringIO()
    configure_logs(format_, "info", stream)
    _all_places(log)
    written = stream.getvalue()
    assert "".join(written.split("\n")).isprintable()
    forged = [line for line in written.split("\n") if line.startswith("2026 [info]")]
    assert forged == []
    # One line for each event, and one more for the exception on the console.
    assert written.count("\n") == (5 if format_ == "json" else 6)


def test_a_terminal_without_unicode_still_gets_the_line(
    log: structlog.stdlib.BoundLogger,
) -> None:
    buffer = io.BytesIO()
    configure_logs("console", "info", io.TextIOWrapper(buffer, encoding="ascii"))
    log.info("facility.started", facility="Zürich", odd="\ud800")
    assert rb"facility=Z\xfcrich" in buffer.getvalue()


def test_a_plate_object_is_masked_everywhere(
    lines: Lines, log: structlog.stdlib.BoundLogger
) -> None:
    log.info("decision", plate=PLATE, read=PlateRead(PLATE, "HH-AB 1234"), others=[PLATE])
    assert "AB" not in json.dumps(lines())
    assert lines()[0]["plate"] == "HH****34"


# ── when writing fails ──────────────────────────────────────────────────────────────────────


def test_a_line_that_cannot_be_made_is_reported_without_its_values(
    lines: Lines, log: structlog.stdlib.BoundLogger
) -> None:
    class Broken(dict[str, str]):
        def items(self) -> object:  # type: ignore[override]
            raise RuntimeError("HHAB1234")

    log.info("decision", broken=Broken(a="HHAB1234"))
    (line,) = lines()
    assert (line["event"], line["lost"]) == ("logs.line_lost", "decision")
    assert line["error"] == "RuntimeError"
    assert "HHAB1234" not in json.dumps(line)


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "disk full"), ValueError("shut")])
def test_a_stream_that_is_gone_does_not_stop_the_caller(
    error: Exception, log: structlog.stdlib.BoundLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise error

    configure_logs("json", "info", Gone())
    log.info("decision")
    assert capsys.readouterr() == ("", "")


# ── the catalogue ───────────────────────────────────────────────────────────────────────────


def test_every_event_is_in_the_catalogue_and_the_other_way_round() -> None:
    assert log_catalogue.differences(log_catalogue.documented(), log_catalogue.used()) == []


def test_every_notice_is_in_the_catalogue_and_the_other_way_round() -> None:
    assert log_catalogue.documented_notices() == log_catalogue.used().notices


def test_the_catalogue_is_in_order_and_complete() -> None:
    page = (log_catalogue.ROOT / "docs/logs.md").read_text()
    rows = log_catalogue.table(page, "Events")
    assert len(rows) > 40
    names = list(rows)[1:]  # the decision is what all the others are about
    assert names == sorted(names)
    for name, row in rows.items():
        levels, _fields, meaning, action = row
        assert log_catalogue.words(levels) <= log_catalogue.LEVELS, name
        assert meaning.endswith("."), name
        assert action == "-" or action.endswith((".", ":")), name


CATALOGUE = {
    "a.one": Entry(frozenset({"info"}), frozenset({"x"})),
    "a.two": Entry(frozenset({"error"}), frozenset({"x", "who"})),
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("_log.info('a.one', x=1)\nlog.bind(who=1)\nself._log.error('a.two', x=1)", []),
        ("_log.info('a.one', x=1)\nlogger.exception('a.two', x=1, who=2, exc_info=True)", []),
        ("_log.info('a.one', x=1)\npair = (self._log.error, 'a.two')", []),
        ("_log.info('a.one', **all)\n_log.error('a.two', **all)", []),
        ("_log.info('a.one', x=1)", ["a.two: nothing logs it"]),
        (
            "_log.info('a.one', x=1, y=2)\n_log.error('a.two', x=1, who=2)",
            ["a.one: add the fields y"],
        ),
        (
            "_log.info('a.one', x=1)\n_log.error('a.two', x=1)",
            ["a.two: no call has the fields who"],
        ),
        (
            "_log.debug('a.one', x=1)\n_log.error('a.two', x=1, who=2)",
            ["a.one: level debug in the code, info in the table"],
        ),
        (
            "_log.info('a.one', x=1)\n_log.error('a.two', x=1, who=2)\n_log.info('a.six')",
            ["a.six: add it to the table"],
        ),
        (
            "_log.info('a.one', x=1)\n_log.error('a.two', x=1, who=2)\n_log.info(name)",
            ["m.py:3: the event's name is no literal"],
        ),
    ],
)
def test_the_check_sees_what_it_should(source: str, expected: list[str]) -> None:
    usages = Usages()
    log_catalogue.scan(source, "m.py", usages)
    assert log_catalogue.differences(CATALOGUE, usages) == expected


def test_a_written_line_can_be_held_against_the_catalogue() -> None:
    good = {"timestamp": "", "level": "info", "event": "a.one", "x": 1, "exception": []}
    assert log_catalogue.defects(good, CATALOGUE) == []
    assert log_catalogue.defects(good | {"y": 1, "level": "error"}, CATALOGUE) == [
        "a.one: unlisted field y",
        "a.one: unlisted level error",
    ]
    assert log_catalogue.defects(good | {"event": "b"}, CATALOGUE) == ["b: not in the table"]
    assert log_catalogue.defects(good | {"event": "b", "logger": "asyncio"}, CATALOGUE) == []
