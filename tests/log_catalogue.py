"""Reads docs/logs.md, and what the code logs, so that tests can hold the two together.

The code is read, not run: calls like `log.info("inbox.quarantined", topic=…)` on something named
`log` or `…_log`, pairs like `(log.error, "mqtt.taken_over")`, and `Notice("…")`.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
METHODS = LEVELS | {"exception"}
# What the pipeline itself adds to a line.
ENVELOPE = frozenset({"timestamp", "level", "event", "exception"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue."""

    levels: frozenset[str]
    fields: frozenset[str]


@dataclass(slots=True)
class Usage:
    """How the code uses one event. `open` tells that a call passes fields this cannot see."""

    levels: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    open: bool = False


@dataclass(slots=True)
class Usages:
    """All that the code logs: events and notices by name, and what could not be read."""

    events: dict[str, Usage] = field(default_factory=dict)
    notices: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)


def table(text: str, heading: str) -> dict[str, list[str]]:
    """The rows of the Markdown table under a heading, by their first cell, without backticks."""
    _, _, section = text.partition(f"\n## {heading}\n")
    section, _, _ = section.partition("\n## ")
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {row[0].strip("`"): row[1:] for row in rows}


def words(cell: str) -> frozenset[str]:
    """The comma-separated words of a cell; a dash stands for none."""
    return frozenset(word.strip(" `") for word in cell.split(",")) - {"", "-"}


def documented() -> dict[str, Entry]:
    """The events of docs/logs.md."""
    rows = table((ROOT / "docs/logs.md").read_text(), "Events")
    return {name: Entry(words(row[0]), words(row[1])) for name, row in rows.items()}


def documented_notices() -> frozenset[str]:
    """The notices of docs/logs.md."""
    return frozenset(table((ROOT / "docs/logs.md").read_text(), "Notices"))


def used() -> Usages:
    """What the package logs."""
    found = Usages()
    for file in sorted((ROOT / "gated").rglob("*.py")):
        scan(file.read_text(), str(file.relative_to(ROOT)), found)
    return found


def scan(source: str, place: str, found: Usages) -> None:
    """Add what one module logs."""
    tree = ast.parse(source)
    bound = set(_bound_fields(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr=method)) if (
                method in METHODS and _is_log(receiver)
            ):
                _add_call(node, method, bound, f"{place}:{node.lineno}", found)
            case ast.Tuple(
                elts=[ast.Attribute(value=receiver, attr=method), ast.Constant(value=str(name))]
            ) if method in METHODS and _is_log(receiver):
                usage = found.events.setdefault(name, Usage())
                usage.levels.add(_level(method))
                usage.open = True
            case ast.Call(func=ast.Name(id="Notice"), args=[ast.Constant(value=str(name)), *_]):
                found.notices.add(name)
            case _:
                pass


def differences(catalogue: Mapping[str, Entry], usages: Usages) -> list[str]:
    """Where catalogue and code disagree, as sentences that say what to do."""
    return [
        *(f"{place}: the event's name is no literal" for place in usages.unreadable),
        *(f"{name}: add it to the table" for name in usages.events if name not in catalogue),
        *(f"{name}: nothing logs it" for name in catalogue if name not in usages.events),
        *(
            f"{name}: {difference}"
            for name, usage in usages.events.items()
            if name in catalogue
            for difference in _differences(catalogue[name], usage)
        ),
    ]


def defects(line: Mapping[str, object], catalogue: Mapping[str, Entry]) -> list[str]:
    """What is wrong with one JSON line that gated wrote (one with `logger` is a library's)."""
    name = str(line["event"])
    if "logger" in line:
        return []
    if name not in catalogue:
        return [f"{name}: not in the table"]
    entry = catalogue[name]
    strange = sorted(line.keys() - entry.fields - ENVELOPE)
    return [f"{name}: unlisted field {word}" for word in strange] + (
        [] if line["level"] in entry.levels else [f"{name}: unlisted level {line['level']}"]
    )


def _differences(entry: Entry, usage: Usage) -> Iterator[str]:
    if entry.levels != usage.levels:
        yield f"level {_listed(usage.levels)} in the code, {_listed(entry.levels)} in the table"
    missing = usage.fields - entry.fields
    if missing:
        yield f"add the fields {_listed(missing)}"
    surplus = entry.fields - usage.fields - usage.bound
    if surplus and not usage.open:
        yield f"no call has the fields {_listed(surplus)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _add_call(call: ast.Call, method: str, bound: set[str], place: str, found: Usages) -> None:
    match call.args:
        case [ast.Constant(value=str(name)), *_]:
            usage = found.events.setdefault(name, Usage())
        case _:
            found.unreadable.append(place)
            return
    usage.levels.add(_level(method))
    usage.bound |= bound
    for keyword in call.keywords:
        if keyword.arg is None:
            usage.open = True
        elif keyword.arg != "exc_info":
            usage.fields.add(keyword.arg)


def _level(method: str) -> str:
    return "error" if method == "exception" else method


def _is_log(receiver: ast.expr) -> bool:
    match receiver:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in {"log", "logger"} or name.endswith(("_log", "_logger"))
        case ast.Call(func=ast.Attribute(attr="bind") | ast.Attribute(attr="get_logger")):
            return True
        case _:
            return False


def _bound_fields(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="bind"), keywords=keywords):
                yield from (keyword.arg for keyword in keywords if keyword.arg)
            case _:
                pass
