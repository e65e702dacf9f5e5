"""Pictures: what is on them, and that a missing matplotlib is told."""

import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gated.core.errors import ConfigError
from gated.desk import plot
from gated.desk.picture import drawn, moments
from gated.desk.plot import Picture, Trace, check_output, draw
from gated.desk.sights import sights
from tests.desk.fakes import FakePricer
from tests.desk.tariffs import blocks, holiday, tariff_file

TODAY = date(2026, 11, 26)
STEPS = '{ minutes = 60, price = "2.00", times = 1 }, { minutes = 30, price = "1.00" }'
MORE = """
free_minutes = 10
free_minutes_reading = "threshold"
free_minutes_limit = "inclusive"
caps = [{ per = "rolling_24h", amount = "20.00", reading = "each" }]
special_wins = "listed"
specials = [{ name = "evening", price = "5.00", enter_from = "18:00", enter_until = "06:00",
    exit_until = "06:00", exit_day = 1 }]
""".replace("\n    ", " ")


def test_entries_by_day_at_night_at_weekends_on_holidays_and_before_a_clock_change() -> None:
    file = tariff_file(blocks(STEPS), head=holiday("2026-12-25") + holiday("2026-12-12", "fair"))
    assert [moment.label for moment in moments(file, file.tariffs[0], TODAY)] == [
        "Tue 08:00",
        "Tue 19:00",
        "Tue 23:00",
        "Sat 10:00",
        "Sun 10:00",
        "holiday Fri 2026-12-25 10:00",
        "clock forward Sun 2027-03-28 22:00 the evening before",
    ]


async def test_a_picture_marks_the_limits_and_tells_curves_alike_once() -> None:
    file = tariff_file(blocks(STEPS, MORE))
    (sight,) = sights(file)
    picture = await drawn(file, sight, FakePricer(), TODAY, timedelta(days=1))
    labels = [trace.label for trace in picture.traces]
    assert labels[0] == "Tue 08:00 / Sat, Sun 10:00"
    assert "Tue 19:00" in labels
    evening = picture.traces[labels.index("Tue 19:00")]
    assert 11 * 60 in evening.marks, "06:00, when the special ends"
    assert (60, "1 h") in picture.lengths
    assert (10, "free minutes") in picture.lengths
    assert picture.amounts == [(Decimal("20.00"), "cap per 24 hours: 20.00")]


PICTURE = Picture(
    title="standard",
    subtitle="of a test",
    currency="EUR",
    decimals=2,
    traces=[
        Trace("Mon 08:00", [(0, Decimal(0)), (60, Decimal(2)), (1440, Decimal(1200))], [60]),
        Trace("Sat 08:00", [(0, Decimal(0)), (1440, Decimal(0))]),
    ],
    lengths=[(60, "1 h"), (61, "too close"), (9999, "too far")],
    amounts=[(Decimal(800), "cap: 800.00"), (Decimal(9999), "out of sight")],
)


def test_a_vector_picture_names_axes_curves_and_limits(tmp_path: Path) -> None:
    file = tmp_path / "price.svg"
    draw(PICTURE, file)
    text = file.read_text()
    for words in (
        "length of the stay (hours)", "price (EUR)", "Mon 08:00", "Sat 08:00", "1 h", "cap: 800.00",
        "1\N{THIN SPACE}200.00", "the clock reaches a limit:",
    ):  # fmt: skip
        assert f">{words}<" in text, words
    for words in ("too close", "too far", "out of sight"):
        assert words not in text
    before = file.read_bytes()
    draw(PICTURE, file)
    assert file.read_bytes() == before, "the same picture is the same file"


def test_a_picture_of_nothing_is_drawn_too(tmp_path: Path) -> None:
    draw(
        Picture("free", "", "JPY", 0, [Trace("Mon", [(0, Decimal(0)), (60, Decimal(0))])]),
        tmp_path / "a.png",
    )
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_that_cannot_be_a_picture_is_told_before_the_work(tmp_path: Path) -> None:
    check_output(tmp_path / "a.PNG")
    with pytest.raises(ConfigError, match=r"a file that ends in \.png, \.svg, \.pdf"):
        check_output(tmp_path / "a.txt")
    with pytest.raises(ConfigError, match="there is no folder"):
        check_output(tmp_path / "no" / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        draw(PICTURE, tmp_path / "folder.png")


def test_a_missing_matplotlib_is_told_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plot, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"'\.\[plot\]'"):
        check_output(tmp_path / "a.png")


def test_the_command_line_starts_without_matplotlib() -> None:
    program = "import sys, gated.cli.main; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
