"""Lists on terminals of any width: each id that another command needs is whole."""

from uuid import UUID

import pytest
from rich.text import Text

from gated.cli.listing import lines, show

ID = str(UUID(int=7))
NAMES = ("id", "since", "what", "lane", "particulars")
ROWS = [
    (ID, "2026-11-27 04:02:11Z", "over_capacity", "entry", "passed held, zone deck-1"),
    (ID, "2026-11-27 04:03:00Z", "exit_unmatched", "", ""),
]


def listed(width: int | None) -> list[str]:
    return [line.plain for line in lines(NAMES, ROWS, below=("id", "particulars"), width=width)]


def test_with_room_each_row_is_a_line() -> None:
    wide = [
        f"id{' ' * 36}since                 what            lane   particulars",
        f"{ID}  2026-11-27 04:02:11Z  over_capacity   entry  passed held, zone deck-1",
        f"{ID}  2026-11-27 04:03:00Z  exit_unmatched",
    ]
    assert listed(None) == wide
    assert listed(120) == wide


def test_without_it_what_is_long_goes_below() -> None:
    assert listed(80) == [
        "since                 what            lane   particulars",
        "2026-11-27 04:02:11Z  over_capacity   entry  passed held, zone deck-1",
        f"  id {ID}",
        "2026-11-27 04:03:00Z  exit_unmatched",
        f"  id {ID}",
    ]
    assert listed(40) == [
        "since                 what",
        "2026-11-27 04:02:11Z  over_capacity",
        f"  id {ID}",
        "  lane entry",
        "  particulars passed held, zone deck-1",
        "2026-11-27 04:03:00Z  exit_unmatched",
        f"  id {ID}",
    ]


def test_where_nothing_fits_nothing_is_cut() -> None:
    said = "\n".join(listed(10))
    for value in (value for row in ROWS for value in row):
        assert all(word in said for word in value.split())


def test_long_particulars_are_wrapped_between_words() -> None:
    rows = [("1", f"passage {ID}, plate HHXY1234, after ticket 0000012C")]
    assert [line.plain for line in lines(("n", "evidence"), rows, width=50)] == [
        "n",
        "1",
        "  evidence passage",
        f"           {ID},",
        "           plate HHXY1234, after ticket 0000012C",
    ]


def test_colours_stay() -> None:
    rows = [("deck-1", Text("-2 against stays", style="red"))]
    _, row = lines(("zone", "apart"), rows)
    assert [str(span.style) for span in row.spans] == ["red"]
    *_, below = lines(("zone", "apart"), rows, width=10)
    assert "red" in [str(span.style) for span in below.spans]


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_printed_is_neither_cut_nor_wrapped(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dumb terminal has 80 columns; a pipe has as many as it takes."""
    monkeypatch.setenv("TERM", "dumb")
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    many = ", ".join(f"word{number}" for number in range(90))
    show(("id", "said"), [(ID, many)], below=("said",))
    printed = capsys.readouterr().out.splitlines()
    if terminal:
        assert printed[:2] == ["id", ID]
        assert max(map(len, printed)) <= 80
        assert " ".join(" ".join(printed[2:]).split()) == f"said {many}"
    else:
        assert printed[1:] == [f"{ID}  {many}"]
