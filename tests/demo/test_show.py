"""The demo's last page: what happened, beside what gated made of it."""

import io

from rich.console import Console

from gated.demo.recount import Report
from gated.demo.show import show


def shown(report: Report) -> str:
    page = io.StringIO()
    show(report, Console(file=page, width=160, no_color=True))
    return page.getvalue()


def line_of(page: str, words: str) -> list[str]:
    """The cells of the row that has these words."""
    (row,) = [line for line in page.splitlines() if words in line]
    return [cell.strip() for cell in row.strip("│ ").split("│")]


def test_what_happened_stands_beside_what_gated_made_of_it() -> None:
    page = shown(
        Report(
            drivers={"misread": 3, "paid_late": 1, "paid_a_part": 1, "turned_away": 2},
            acts={"matched": 2, "matched_by_hand": 1, "payment.asked": 4},
            denials={"blocked": 2, "full_zone": 3},
        )
    )
    matched = "matched at the exit: 2, by the operator: 1"
    assert line_of(page, "plates misread") == ["plates misread", "3", matched]
    late = "paid at the exit late, or a part"
    assert line_of(page, late) == [late, "2", "times asked for what was due: 4"]
    # Vehicles here, decisions there: whoever comes again is refused again.
    refused = "5 refusals: blocked: 2, full_zone: 3"
    assert line_of(page, "turned away") == ["vehicles turned away", "2", refused]


def test_what_did_not_happen_is_not_listed() -> None:
    page = shown(Report())
    assert "loops that stuck" not in page
    assert "followed another" not in page


def test_what_is_left_to_people_is_counted() -> None:
    page = shown(Report(cases={"exit_unmatched": 2}, acts={"passed_operator_exit_nobody_known": 2}))
    lost = "left, and nobody knew whose stay"
    assert line_of(page, lost) == [lost, "2", "let out by the operator: 2"]
    assert line_of(page, "left to people") == ["left to people: exit_unmatched", "2"]


def test_money_is_told_by_what_became_of_it() -> None:
    page = shown(Report(revenue={"JPY": "900"}, paid={"JPY": "600"}, owed={"JPY": "300"}))
    assert line_of(page, "revenue JPY") == ["revenue JPY", "900: 600 paid, 300 owed"]


def test_a_broken_invariant_stands_out() -> None:
    assert line_of(shown(Report(invariants={"money_wrong": 1})), "money wrong")[1] == "1"
    assert not Report(invariants={"money_wrong": 1}).sound
