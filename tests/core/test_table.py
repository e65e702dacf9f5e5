"""The whole table is what was found right: tests/core/table.py says how to write it anew."""

from gated.core.phases import Phase, phase_name
from gated.core.transitions import TABLE, Signal, stay
from tests.core.table import FILE, HEADER, lines

RENEW = ".venv/bin/python -m tests.core.table"


def test_each_signal_in_each_phase_comes_to_what_was_found_right() -> None:
    header, *right = FILE.read_text().splitlines(keepends=True)
    assert header == HEADER
    is_so = [f"{line}\n" for line in lines()]
    missing, new = sorted(set(right) - set(is_so)), sorted(set(is_so) - set(right))
    told = "".join([*(f"- {line}" for line in missing), *(f"+ {line}" for line in new)])
    assert not told, f"If this is meant: {RENEW}, and read what changes.\n{told}"
    assert right == is_so, "not sorted, or something twice"


def test_every_signal_that_does_something_is_in_it() -> None:
    told = {tuple(line.split()[:2]) for line in lines()}
    decided = {
        (_name(phase), signal.name.lower())
        for phase, row in TABLE.items()
        for signal, step in row.items()
        if step is not stay
    }
    assert decided <= told
    assert len(told) >= len(TABLE) * (len(Signal) - 1)


def _name(phase: type[Phase]) -> str:
    return phase_name(phase.__new__(phase))
