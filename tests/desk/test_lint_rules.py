"""Who governs: tariffs that never do, and stays that have none."""

from gated.desk.lint_rules import governing, rule_findings
from tests.desk.tariffs import flat, tariff_file


def told(*tariffs: str) -> list[tuple[str, str, str]]:
    found = rule_findings(tariff_file(*tariffs))
    return [(each.kind, each.place, each.text) for each in found]


def rule(name: str, priority: int, condition: str = "") -> str:
    asked = f"for = {{ {condition} }}" if condition else ""
    return flat(name, more=f"priority = {priority}\n{asked}")


def test_tariffs_that_each_govern_somebody_are_let_be() -> None:
    assert not told(
        rule("all", 0),
        rule("electric", 1, "electric = true"),
        rule("gold", 2, 'members = ["gold"]'),
    )


def test_a_tariff_whose_stays_all_fall_under_a_higher_one_never_governs() -> None:
    found = told(
        rule("all", 0),
        rule("vans", 5, 'vehicle_types = ["VAN", "TRUCK"]'),
        rule("electric vans", 3, 'vehicle_types = ["VAN"], electric = true'),
    )
    assert [(kind, place) for kind, place, _ in found] == [("tariff_unreachable", "tariff.toml:26")]
    assert (
        '"electric vans" never governs: whatever stay it is for falls under "vans"' in found[0][2]
    )


def test_several_may_hide_one_together() -> None:
    found = told(
        rule("all", 0), rule("with", 1, "electric = true"), rule("without", 2, "electric = false")
    )
    assert [kind for kind, _, _ in found] == ["tariff_unreachable"]
    assert 'falls under "with" and "without"' in found[0][2] or (
        'falls under "without" and "with"' in found[0][2]
    )


def test_a_second_subscription_hides_nothing() -> None:
    assert not told(
        rule("all", 0),
        rule("gold", 2, 'members = ["gold"]'),
        rule("silver", 1, 'members = ["silver"]'),
    )


def test_who_has_no_tariff_is_named() -> None:
    found = told(
        rule("members", 1, 'members = ["gold"]'), rule("vans", 0, 'vehicle_types = ["VAN"]')
    )
    assert [kind for kind, _, _ in found] == ["no_tariff"]
    assert "such as: vehicle type CAR" in found[0][2]


def test_the_visitor_of_a_tariff_is_the_most_common_one_that_it_governs() -> None:
    file = tariff_file(
        rule("all", 0),
        rule("electric", 1, 'electric = true, zones = ["A"]'),
        rule("gold", 2, 'members = ["gold"], reserved = true'),
    )
    first, without = governing(file)
    assert not without
    contexts = {
        name: visitor.context(file.facility.vehicle_type_default) for name, visitor in first.items()
    }
    assert contexts == {
        "all": {},
        "electric": {"electric": True, "zone": "A"},
        "gold": {"members": ["gold"]},
    }
    assert first["gold"].reserved
    assert first["electric"].words() == "vehicle type CAR, electric, zone A"
