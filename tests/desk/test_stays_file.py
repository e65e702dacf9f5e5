"""Stays from a CSV file."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gated.core.errors import ConfigError
from gated.db.tariffs import Refused, Stay
from gated.desk.stays_file import UNREADABLE, load_stays

BERLIN = ZoneInfo("Europe/Berlin")
EIGHT, NINE = datetime(2026, 12, 1, 7, tzinfo=UTC), datetime(2026, 12, 1, 8, tzinfo=UTC)


def write(folder: Path, text: str) -> Path:
    file = folder / "stays.csv"
    file.write_text(text)
    return file


def test_each_row_is_a_stay_or_says_why_not(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "\ufeffexit,entry,context,note\n"
        '2026-12-01T09:00,2026-12-01T08:00,"{""electric"": true}",local\n'
        "2026-12-01T09:00+01:00,2026-12-01T07:00Z,,offsets\n"
        "2026-03-29T02:30,2026-12-01T08:00,,skipped\n"
        "2026-12-01T09:00,2026-12-01T08:00,[],no object\n"
        '2026-12-01T09:00,2026-12-01T08:00,"{""zone"": ""\\u0000""}",what no database holds\n'
        "2026-12-01T09:00\n",
    )
    rows = load_stays(file, BERLIN)
    assert [row.line for row in rows] == [2, 3, 4, 5, 6, 7]
    assert rows[0].stay == Stay(EIGHT, NINE, {"electric": True})
    assert rows[1].stay == Stay(EIGHT, NINE)
    reasons = [row.stay.reason for row in rows if isinstance(row.stay, Refused)]
    assert all(row.stay.error == UNREADABLE for row in rows[2:] if isinstance(row.stay, Refused))
    assert [reason.split(": ", 1)[0] for reason in reasons] == [f"{file}:{n}" for n in (4, 5, 6, 7)]
    assert "skips 2026-03-29T02:30" in reasons[0]
    assert "the context is no JSON object" in reasons[1]
    assert "contains U+0000" in reasons[2]
    assert "got ''" in reasons[3]


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no column exit"):
        load_stays(write(tmp_path, "entry,left\n"), BERLIN)
    with pytest.raises(ConfigError, match="has no column entry and no column exit"):
        load_stays(write(tmp_path, ""), BERLIN)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_stays(tmp_path / "none.csv", BERLIN)
