"""`gated demo` as its users start it: what it prints and writes, and that nothing stays behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.processes import wait_until

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A temporary directory of this demo's own, so that its processes can be told by it.

    Not pytest's, whose parents are closed to the user that PostgreSQL runs as under root.
    """
    with tempfile.TemporaryDirectory(prefix="gated-test-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory
        assert processes_of(directory) == []


def start(scratch: Path, output: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "gated", "demo", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(scratch)},
            start_new_session=True,
        )


def processes_of(scratch: Path) -> list[str]:
    """The command lines of all processes that work in the directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if f"{scratch}/" in line:
            found.append(line)
    return found


# What drivers and hardware did, and what gated made of it: words of the report, each at least once.
# Of the cast, those who play in any case. A chance misreading may make a stranger of one with a
# reservation (`overstayed`); the last ones at the pay exit may still be inside when the demo closes
# (`paid_a_part`, `matched_by_hand`, `backed_off_unpaid`).
SOME_OF_EACH = {
    "drivers": (
        "backed_out",
        "tailgated_in",
        "tailgated_out",
        "misread",
        "misread_matched",
        "unread_let_in",
        "paid_late",
        "arm_did_not_move",
        "loop_stuck",
    ),
    "acts": (
        "cancelled_no_passage",
        "passed_tailgating_entry_stay_opened",
        "passed_tailgating_exit_stay_ended",
        "passed_operator_entry_stay_opened",
        "matched",
        "matched_by_hand",
        "payment.asked",
        "asked_again",
        "fault_raised_arm_stuck",
        "fault_cleared_arm_stuck",
        "fault_raised_presence_loop_stuck",
        "fault_cleared_presence_loop_stuck",
    ),
}


def test_a_short_demo_shows_some_of_each_and_holds_its_invariants(scratch: Path) -> None:
    output, report_file = scratch / "output.txt", scratch / "report.json"
    demo = start(
        scratch, output, "--seconds", "14", "--seed", "7", "--speed", "1.5",
        "--report", str(report_file),
    )  # fmt: skip
    status = demo.wait(110)
    text = output.read_text()
    assert status == 0, text
    report = json.loads(report_file.read_text())
    assert report["seed"] == 7
    assert report["entries"] > 0
    assert report["opened"] >= report["entries"]
    assert report["entries"] == sum(one["entries"] for one in report["facilities"].values())
    assert set(report["facilities"]) == {"harbour", "market", "station"}
    assert report["decision_ms"]["p50"] > 0
    assert report["decision_ms"]["p99"] >= report["decision_ms"]["p50"]
    assert report["first_open_seconds"] > 0
    assert report["invariants"] == dict.fromkeys(
        (
            "spots_claimed_twice",
            "occupancy_wrong",
            "opens_without_grant",
            "commands_late",
            "leaks_uncounted",
            "violations_wrong",
            "matches_wrong",
            "cases_wrong",
            "money_wrong",
            "prices_unexplained",
            "drivers_unanswered",
        ),
        0,
    )
    for where, words in SOME_OF_EACH.items():
        assert all(report[where].get(word) for word in words), report[where]
    assert report["violations"]["tailgating"] > 0
    assert float(report["paid"]["JPY"]) > 0
    assert "decision=grant" in text
    assert "Some of each" in text
    assert "Invariants" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(scratch: Path, number: signal.Signals) -> None:
    output = scratch / "output.txt"
    demo = start(scratch, output, "--seconds", "300")
    wait_until(lambda: "decision=" in output.read_text(), "the demo decides", 60)
    assert len(processes_of(scratch)) >= 3
    os.killpg(demo.pid, number)
    assert demo.wait(30) == 130
    wait_until(lambda: processes_of(scratch) == [], "all processes of the demo have ended")
    assert list(scratch.glob("gated-demo-*")) == []
    assert "Traceback" not in output.read_text()


@pytest.mark.parametrize(
    ("report", "reason"),
    [("nowhere/report.json", "No such file or directory"), (".", "Is a directory")],
)
def test_a_report_that_cannot_be_written_is_refused_before_anything_starts(
    scratch: Path, report: str, reason: str
) -> None:
    output = scratch / "output.txt"
    demo = start(scratch, output, "--report", str(scratch / report))
    assert demo.wait(30) == 2
    assert reason in output.read_text()


def test_ctrl_c_while_the_cluster_is_made_leaves_nothing_behind(scratch: Path) -> None:
    output = scratch / "output.txt"
    demo = start(scratch, output, "--seconds", "300")
    wait_until(lambda: any("initdb" in line for line in processes_of(scratch)), "initdb runs", 60)
    os.killpg(demo.pid, signal.SIGINT)
    assert demo.wait(30) == 130
    wait_until(lambda: processes_of(scratch) == [], "all processes of the demo have ended")
    assert list(scratch.glob("gated-demo-*")) == []
    assert "Traceback" not in output.read_text()
