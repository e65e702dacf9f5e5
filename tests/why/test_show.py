"""Stories on a terminal and for machines."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from rich.cells import cell_len

from gated.why.as_json import as_json
from gated.why.assemble import stories
from gated.why.show import WIDTH, lines
from gated.why.story import About, Kind, Step, Story, Tone
from gated.why.words import GRANTED, words
from tests.why.rows import AT, ENDED, ENTRY, NORTH, NOW, PLATE, STAY, id_of, ms, read


def shown(story: Story, width: int = WIDTH) -> list[str]:
    return [line.plain.rstrip() for line in lines(story, width)]


def the_entry() -> Story:
    (story,) = stories(ENTRY, NOW, PLATE)
    return story


def test_a_story_reads_like_this() -> None:
    (story,) = stories(replace(ENTRY, stays=(ENDED,)), NOW, PLATE)
    assert shown(story) == [
        "HHXY1234  ticket 0000017H  north, City Garage North",
        "let out after 1 h 15 min",
        "  in        Mon 2026-05-04 09:31, lane in-1, measured by the closing loop",
        "  out       Mon 2026-05-04 10:46, lane out-1, reported by the arm",
        "  spot      A-017 in Deck 1",
        "  price     4.00 EUR, paid 0.00, due 4.00",
        f"  stay      {STAY.id}",
        "",
        "  Mon 2026-05-04 +02:00, Europe/Berlin",
        "  09:31:07.712  -700 ms  in-1  presence loop on",
        "  09:31:08.412           in-1  read HHXY1234, confidence 0.94",
        f"                               event {id_of('e1')}",
        f"  09:31:08.433   +21 ms  in-1  granted: {words(GRANTED, 'transient')}",
        "                               spot A-017 in Deck 1",
        "  09:31:08.433   +21 ms  in-1  command open to gate-in-1: taken for sending (dispatched)",
        "  09:31:08.833  +421 ms  in-1  open: the hardware reports the arm up (confirmed)",
        "  09:31:11.312   +2.9 s  in-1  closing loop on",
        "  09:31:12.602   +4.2 s  in-1  closing loop off",
        "  09:31:12.607   +4.2 s  in-1  came in: measured by the closing loop",
        "",
        "  ------------------------------------------------",
        "  by the hour",
        "  Mon 09:31:08 - 10:46:08",
        "    2 x 60 min at 2.00                        4.00",
        "  ------------------------------------------------",
        "  Total                                   EUR 4.00",
        "  Paid                                        0.00",
        "  Due                                     EUR 4.00",
    ]


@pytest.mark.parametrize("width", [72, 80, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    story = the_entry()
    wide = Step(AT, Kind.ACT, "京都 " * 40, notes=("note " * 40,), lane="in-1", by="operator anna")
    story = replace(story, steps=(*story.steps, wide), verdict="verdict " * 20)
    said = shown(story, width)
    assert max(map(cell_len, said)) <= width
    assert "(by operator anna)" in " ".join(" ".join(said).split())
    assert sum(line.count("note") for line in said) == 40


@pytest.mark.parametrize("width", [60, 80])
def test_ids_stay_whole_for_the_next_command(width: int) -> None:
    ids = [str(id_of(f"a{number}")) for number in range(3)]
    step = Step(
        AT,
        Kind.ACT,
        f"command {ids[0]} was given",
        notes=(f"event {ids[1]}", f"the account of it is {ids[2]} (CUSTOMER)"),
        lane="entrance-of-the-north",
    )
    text = "\n".join(shown(replace(the_entry(), steps=(step,)), width))
    assert [id_ for id_ in ids if id_ not in text] == []


def test_the_night_of_a_clock_change_has_both_offsets() -> None:
    at = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    steps = tuple(Step(at + timedelta(hours=hour), Kind.ACT, f"act {hour}") for hour in range(3))
    story = Story(About.STAY, NORTH, None, "x", Tone.PLAIN, steps)
    assert shown(story)[3:] == [
        "  Sun 2026-10-25 +02:00, Europe/Berlin",
        "  02:30:00  act 0",
        "  Sun 2026-10-25 +01:00, Europe/Berlin",
        "  02:30:00  act 1",
        "  03:30:00  act 2",
    ]


def test_reads_in_a_row_are_cut_short() -> None:
    again = tuple(
        read(f"r{number}", PLATE, AT - ms(number), "superseded") for number in (9, 7, 5, 3)
    )
    (story,) = stories(replace(ENTRY, heard=(*again, *ENTRY.heard)), NOW, PLATE)
    said = [line.split("in-1  ")[-1] for line in shown(story, 160) if "superseded" in line]
    newer = "read HHXY1234, confidence 0.94: a newer read took its place (superseded)"
    assert said == [newer, f"2 reads more, and {newer}"]
    (story,) = stories(replace(ENTRY, heard=(*again[1:], *ENTRY.heard)), NOW, PLATE)
    assert sum("superseded" in line for line in shown(story, 160)) == 3


def test_colours_say_how_to_take_it() -> None:
    story = the_entry()
    styles = {
        line.plain.strip()[-20:]: [str(span.style) for span in line.spans] for line in lines(story)
    }
    assert styles["the lane lets everyone in (transient)"[-20:]] == ["dim", "green bold"]
    bad = replace(story, tone=Tone.BAD, verdict="not let in")
    assert list(lines(bad))[1].style == "bold red"


def test_a_story_for_machines() -> None:
    (story,) = stories(replace(ENTRY, stays=(ENDED,)), NOW, PLATE)
    value = json.loads(json.dumps(as_json(story)))
    assert value["verdict"] == "let out after 1 h 15 min"
    assert value["stay"]["entry_at"] == "2026-05-04T09:31:08.433000+02:00"
    assert (value["stay"]["final_price"], value["bill"]["due"]) == ("4.00", "4.00")
    assert value["bill"]["lines"] == [dict(ENDED.price_lines[0])]
    confirmed = next(step for step in value["steps"] if step["facts"].get("status") == "confirmed")
    assert (confirmed["kind"], confirmed["lane"], confirmed["later_ms"]) == ("command", "in-1", 421)
    assert confirmed["correlation"] == str(id_of("e1"))
    read = next(step for step in value["steps"] if step["kind"] == "read")
    assert (read["event"], read["facts"]["confidence"]) == (str(id_of("e1")), 0.94)
    assert Decimal(value["bill"]["amount"]) == 4
