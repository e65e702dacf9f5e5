"""docs/lanes.md has every state of a lane, and every way to pass without a grant."""

import re
from pathlib import Path
from typing import get_args

from gated.core.effects import FreeKind
from gated.core.phases import Phase
from gated.core.reasons import CallReason
from gated.core.site import LanePolicy

PAGE = (Path(__file__).parents[1] / "docs" / "lanes.md").read_text()


def state(phase: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", phase.__name__).lower()


def rows(heading: str) -> set[str]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    first = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {word for cell in first for word in re.findall(r"`(\w+)`", cell)}


def test_every_state_is_told() -> None:
    assert rows("The states") == {state(phase) for phase in get_args(Phase)}


def test_the_picture_has_every_state() -> None:
    picture = PAGE.split("```mermaid")[1].split("```")[0]
    shown = {word for line in picture.splitlines() for word in re.findall(r"^    (\w+) -->", line)}
    assert shown == {state(phase) for phase in get_args(Phase)}


def test_every_way_to_pass_without_a_grant_is_told() -> None:
    assert rows("Who passes without a grant") == {kind.value for kind in FreeKind}


def test_every_call_is_told() -> None:
    assert rows("Who needs a person") == {reason.value for reason in CallReason}


def test_what_it_says_of_policies_exists() -> None:
    named = set(re.findall(r"`(\w+_(?:seconds|max|seconds_max|tries_max))`", PAGE))
    assert named <= set(LanePolicy.__dataclass_fields__)
