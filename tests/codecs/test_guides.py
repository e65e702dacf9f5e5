"""docs/devices/: the set-ups shown there are right ones, and the table of refusals is complete."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gated.actors.reception import Refusal
from gated.cli.device import app
from gated.devices.codec import Reason
from gated.devices.families import CODECS
from tests.codecs.support import device

GUIDES = Path(__file__).parents[2] / "docs" / "devices"


@pytest.mark.parametrize("family", sorted(CODECS))
def test_the_set_up_shown_is_a_right_one(family: str) -> None:
    guide = (GUIDES / f"{family}.md").read_text()
    shown = tomllib.loads(guide.partition("```toml\n")[2].partition("```")[0])
    setup = device(family, shown.get("topic", ""), **shown["options"])
    assert shown["family"] == family
    CODECS[family].check(setup)
    assert CODECS[family].inputs(setup) == {"presence", "closing"}


def test_the_table_of_refusals_is_complete() -> None:
    table = (GUIDES / "README.md").read_text().partition("## Why a message is refused")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {word for row in rows for word in re.findall(r"`(\w+)`", row)} == {*Reason, *Refusal}


def test_the_example_prints_what_it_shows() -> None:
    example = re.search(
        r"\$ echo '(.*)' \| gated device (.*)\n(\{.*\})", (GUIDES / "README.md").read_text()
    )
    assert example is not None
    payload, call, shown = example.groups()
    result = CliRunner().invoke(app, call.split(), input=payload)
    assert json.loads(result.stdout) == json.loads(shown)
