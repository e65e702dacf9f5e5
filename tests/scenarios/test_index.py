"""The list of behaviours names every file of stories, and none that is not there."""

import re
from pathlib import Path

import tests.scenarios

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def test_it_is_complete_and_true() -> None:
    text = tests.scenarios.__doc__ or ""
    named = set(re.findall(r"[\w/]*\btest_\w+\.py", text))
    here = {name for name in named if "/" not in name}
    assert here == {file.name for file in HERE.glob("test_*.py")} - {Path(__file__).name}
    assert [name for name in named - here if not (ROOT / name).is_file()] == []


def test_each_file_says_what_it_is_about_and_names_files_that_exist() -> None:
    for file in HERE.glob("test_*.py"):
        says = file.read_text().partition('"""')[2].partition('"""')[0]
        assert says.strip(), file.name
        for name in re.findall(r"tests/[\w/]+\.py", says):
            assert (ROOT / name).is_file(), (file.name, name)
