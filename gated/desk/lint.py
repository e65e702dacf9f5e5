"""A check of a tariff file: what its tables say by themselves, then what prices say."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from gated.desk.findings import Finding, Severity
from gated.desk.lint_amounts import amount_findings
from gated.desk.lint_bands import band_findings
from gated.desk.lint_prices import (
    dear_special_findings,
    drop_findings,
    idle_findings,
    refusal_findings,
    validation_findings,
)
from gated.desk.lint_rules import rule_findings
from gated.desk.sights import Sight, check_moments, question, sights
from gated.desk.survey import Look, Pricer, surveyed
from gated.tariff.file import TariffFile
from gated.toml import KeyPath

LONGEST = timedelta(days=8)
DETAILED = timedelta(days=2)
# A validation is tried on stays of a day: that is enough to see whether it takes anything off.
VALIDATED = timedelta(days=1)

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def read_findings(file: TariffFile, today: date) -> list[Finding]:
    """What can be told without prices."""
    found = [*rule_findings(file), *band_findings(file, today)]
    for index in range(len(file.tariffs)):
        found += amount_findings(file, index).values()
    return found


async def priced_findings(
    file: TariffFile,
    pricer: Pricer,
    today: date,
    on_priced: Callable[[int], None] = lambda _: None,
) -> list[Finding]:
    """What prices tell, of some thousands of stays of up to eight days.

    Raises what the pricer raises.
    """
    found: list[Finding] = []
    for sight in sights(file):
        moments = check_moments(file, sight.tariff, today)
        asked = question(file, sight, LONGEST, detailed=DETAILED)
        looks = await surveyed(pricer, asked, moments, on_priced)
        certain: Mapping[KeyPath, Finding] = amount_findings(file, sight.index)
        found += refusal_findings(file, sight.index, looks)
        found += drop_findings(file, sight.index, looks)
        found += dear_special_findings(file, sight.index, looks)
        found += idle_findings(file, sight.index, looks, certain=tuple(certain))
        if sight.tariff.validations:
            found += await _validations(file, sight, pricer, looks[0], on_priced)
    return found


async def _validations(
    file: TariffFile,
    sight: Sight,
    pricer: Pricer,
    first: Look,
    on_priced: Callable[[int], None],
) -> list[Finding]:
    """Each validation, given alone, on the stays of the first moment."""
    given = []
    for validation in sight.tariff.validations:
        asked = question(file, sight, VALIDATED)
        context = {**asked.context, "validations": [validation.name]}
        asked = replace(asked, context=context)
        (look,) = await surveyed(pricer, asked, [first.moment], on_priced)
        given.append((validation.name, look))
    return list(validation_findings(file, sight.index, first, given))


def in_order(findings: list[Finding]) -> list[Finding]:
    """The gravest first, then in the order of the file."""
    return sorted(findings, key=lambda each: (_ORDER[each.severity], _line(each.place)))


def _line(place: str) -> int:
    line = place.rpartition(":")[2]
    return int(line) if line.isdigit() else 0
