"""The metrics: names by the rules of Prometheus, labels from a list, and docs/metrics.md."""

import ast
import re
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from gated.core.effects import Do, Fault, FreeKind, Outcome, PassageKnown
from gated.core.events import CommandStatus, OperateOutcome, OperatorDo
from gated.core.ids import Slug
from gated.core.reasons import CallReason
from gated.core.site import Direction
from gated.records import PaymentOutcome
from gated.telemetry import Metrics
from tests.log_catalogue import ROOT, table, words

NORTH, SOUTH, LANE, ZONE = Slug("north"), Slug("south"), Slug("in-1"), Slug("deck-1")

# What a label may be called. Each is a word of the site file or of the code; a new one must be
# neither a plate, nor an id without bound, nor a text that a device sent.
LABELS = frozenset(
    {
        *("facility", "zone", "lane", "device", "direction", "actor"),
        *("decision", "reason", "known", "notice", "state", "kind", "status", "family", "do"),
        *("against", "fault", "version", "python"),
        *("outcome", "why"),
    }
)
NOT_BASE_UNITS = re.compile(
    r"_(ms|us|ns|milliseconds|microseconds|minutes|hours|days|percent|kb|mb|kib|mib|cents)(_|$)"
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(version="1.2.3")


def feed(metrics: Metrics, facility: Slug = NORTH) -> None:
    """Let everything happen once."""
    metrics.facility_taken(facility)
    metrics.decided(
        facility=facility,
        lane=LANE,
        direction=Direction.ENTRY,
        decision="grant",
        reason="transient",
    )
    metrics.handed_over(facility=facility, direction=Direction.ENTRY, seconds=0.004)
    metrics.passed(facility=facility, lane=LANE, known=PassageKnown.MEASURED)
    metrics.settled(facility=facility, lane=LANE, outcome=Outcome.IGNORED)
    metrics.noticed(facility=facility, lane=LANE, notice="barrier_fault")
    metrics.passed_freely(facility=facility, lane=LANE, kind=FreeKind.TAILGATING)
    metrics.lane_fault(facility=facility, lane=LANE, fault=Fault.ARM_STUCK, on=True)
    metrics.operated(facility=facility, do=OperatorDo.OPEN, outcome=OperateOutcome.DONE)
    metrics.paid(facility=facility, outcome=PaymentOutcome.PAID)
    metrics.opened_without_transaction(facility=facility, lane=LANE, why="operator_open")
    metrics.lane_state(facility=facility, lane=LANE, state="idle")
    metrics.lane_call(facility=facility, lane=LANE, reason=CallReason.BUTTON)
    metrics.call_begun(facility=facility, lane=LANE, reason=CallReason.BUTTON)
    metrics.device_online(facility=facility, device=Slug("cam-1"), online=True)
    metrics.device_skew(facility=facility, device=Slug("cam-1"), seconds=-0.25)
    metrics.received(facility=facility, kind="plate", status="new")
    metrics.rejected(facility=facility, family="axis", reason="not_json")
    metrics.inbox(facility=facility, depth=2, oldest_seconds=0.5)
    metrics.command(facility=facility, do=Do.OPEN, status=CommandStatus.CONFIRMED)
    metrics.outbox(facility=facility, depth=1, oldest_seconds=0.25)
    metrics.zone(facility=facility, zone=ZONE, capacity=10, occupied=4, available=6)
    metrics.drift(facility=facility, zone=ZONE, against="sensor", vehicles=-2)
    metrics.mqtt_link(facility=facility, up=True)
    metrics.mqtt_reconnected(facility)
    metrics.mqtt_taken_over(facility)
    metrics.mqtt_session_lost(facility)
    metrics.database_link(up=True)
    metrics.database_failed("retryable")
    metrics.mailbox(actor=f"facility/{facility}", depth=3)
    metrics.actor_restarted(f"facility/{facility}")


def families(metrics: Metrics) -> dict[str, Metric]:
    """What a scrape gives, parsed, by the name of its series without `_bucket` and the like."""
    body, _ = metrics.encode()
    return {
        family.name + ("_total" if family.type == "counter" else ""): family
        for family in text_string_to_metric_families(body.decode())
        if not family.name.startswith("process_")
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


# ── names and labels ────────────────────────────────────────────────────────────────────────


def test_names_follow_the_rules_of_prometheus(metrics: Metrics) -> None:
    feed(metrics)
    for name, family in families(metrics).items():
        assert re.fullmatch(r"gated_[a-z]+(_[a-z]+)+", name), name
        assert not NOT_BASE_UNITS.search(name), name
        assert name.endswith("_total") == (family.type == "counter"), name
        assert family.type in {"counter", "gauge", "histogram"}, name
        assert "_seconds" in name or family.type != "histogram", name
        assert "age" not in name.split("_") or name.endswith("_seconds"), name
        assert family.documentation.endswith("."), name
        assert family.samples, f"{name}: `feed` forgets it"


def test_labels_are_from_the_list(metrics: Metrics) -> None:
    feed(metrics)
    seen = {
        label
        for family in families(metrics).values()
        for sample in family.samples
        for label in sample.labels
    }
    assert seen - {"le"} == LABELS


def test_no_method_takes_what_no_label_may_hold() -> None:
    def arguments(tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield from (argument.arg for argument in node.args.args + node.args.kwonlyargs)

    source = (ROOT / "gated/telemetry/metrics.py").read_text()
    names = set(arguments(ast.parse(source)))
    assert not names & {"plate", "topic", "payload", "text", "error", "message", "stay", "event"}


def test_no_created_series_double_the_answer(metrics: Metrics) -> None:
    feed(metrics)
    assert b"_created" not in metrics.encode()[0]


def test_the_page_and_the_code_agree(metrics: Metrics) -> None:
    feed(metrics)
    rows = table((ROOT / "docs/metrics.md").read_text(), "Metrics")
    written = {name: (row[0], words(row[1])) for name, row in rows.items()}
    told = {
        name: (
            family.type,
            frozenset(label for sample in family.samples for label in sample.labels) - {"le"},
        )
        for name, family in families(metrics).items()
    }
    assert written == told


def test_every_metric_is_fed_by_the_daemon() -> None:
    """A metric that nobody sets is a promise that monitoring relies on in vain."""
    source = ast.parse((ROOT / "gated/telemetry/metrics.py").read_text())
    (class_,) = (node for node in source.body if isinstance(node, ast.ClassDef))
    methods = {node.name for node in class_.body if isinstance(node, ast.FunctionDef)}
    public = {name for name in methods if not name.startswith("_")}
    called: set[str] = set()
    for file in (ROOT / "gated").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Attribute(
                    value=ast.Name(id="metrics") | ast.Attribute(attr="metrics" | "_metrics"),
                    attr=name,
                ):
                    called.add(name)
                case _:
                    pass
    assert sorted(public - called) == []


# ── values ──────────────────────────────────────────────────────────────────────────────────


def test_a_lane_is_in_one_state(metrics: Metrics) -> None:
    for state in ("idle", "deciding", "opening", "idle"):
        metrics.lane_state(facility=NORTH, lane=LANE, state=state)
    metrics.lane_state(facility=SOUTH, lane=LANE, state="deciding")
    samples = families(metrics)["gated_lane_state"].samples
    current = {(one.labels["facility"], one.labels["state"]) for one in samples if one.value}
    assert current == {("north", "idle"), ("south", "deciding")}
    assert len(samples) == 4
    metrics.lane_state(facility=NORTH, lane=LANE, state="idle")
    assert value(metrics, "gated_lane_state", facility="north", lane="in-1", state="idle") == 1


def test_a_lane_calls_for_one_reason_or_not(metrics: Metrics) -> None:
    def now() -> dict[str, float]:
        samples = families(metrics)["gated_lane_call"].samples
        return {one.labels["reason"]: one.value for one in samples}

    metrics.lane_call(facility=NORTH, lane=LANE, reason=None)
    assert now() == {}
    metrics.lane_call(facility=NORTH, lane=LANE, reason=CallReason.BUTTON)
    assert now() == {"button": 1}
    metrics.lane_call(facility=NORTH, lane=LANE, reason=CallReason.MATCH_NEEDED)
    assert now() == {"button": 0, "match_needed": 1}
    metrics.lane_call(facility=NORTH, lane=LANE, reason=None)
    assert now() == {"button": 0, "match_needed": 0}
    metrics.lane_call(facility=NORTH, lane=LANE, reason=CallReason.BUTTON)
    metrics.facility_left(NORTH)
    metrics.lane_call(facility=NORTH, lane=LANE, reason=None)
    assert now() == {}


def test_a_facility_that_left_takes_its_gauges_along_and_leaves_its_counts(
    metrics: Metrics,
) -> None:
    feed(metrics, NORTH)
    feed(metrics, SOUTH)
    metrics.facility_left(NORTH)
    metrics.actor_left("facility/north")
    metrics.actor_left("facility/north")
    for name, family in families(metrics).items():
        left = [one for one in family.samples if "north" in "".join(one.labels.values())]
        kept = [one for one in family.samples if "south" in "".join(one.labels.values())]
        if "facility" in next(iter(family.samples)).labels:
            assert kept, name
        if name == "gated_lease_held":
            assert [one.value for one in left] == [0]
        else:
            assert bool(left) == (bool(kept) and family.type != "gauge"), name
    metrics.lane_state(facility=NORTH, lane=LANE, state="opening")
    assert value(metrics, "gated_lane_state", facility="north", lane="in-1", state="idle") is None


def test_alarms_start_at_zero(metrics: Metrics) -> None:
    metrics.facility_taken(NORTH)
    for name in ("reconnects", "takeovers", "sessions_lost"):
        assert value(metrics, f"gated_mqtt_{name}_total", facility="north") == 0


def test_taking_a_facility_again_keeps_the_counts(metrics: Metrics) -> None:
    metrics.mqtt_taken_over(NORTH)
    metrics.facility_taken(NORTH)
    assert value(metrics, "gated_mqtt_takeovers_total", facility="north") == 1


def test_latency_falls_into_its_bucket(metrics: Metrics) -> None:
    for seconds in (0.0005, 0.004, 6.0):
        metrics.handed_over(facility=NORTH, direction=Direction.EXIT, seconds=seconds)
    samples = families(metrics)["gated_decision_seconds"].samples
    buckets = {one.labels["le"]: one.value for one in samples if one.name.endswith("_bucket")}
    assert (buckets["0.001"], buckets["0.003"], buckets["0.005"]) == (1, 1, 2)
    assert (buckets["5.0"], buckets["+Inf"]) == (2, 3)


def test_two_daemons_in_one_process_do_not_share(metrics: Metrics) -> None:
    other = Metrics(version="1")
    metrics.actor_restarted("a")
    assert value(other, "gated_actor_restarts_total", actor="a") is None


def test_the_version_is_told(metrics: Metrics) -> None:
    (sample,) = families(metrics)["gated_build_info"].samples
    assert sample.labels["version"] == "1.2.3"
    assert families(Metrics())["gated_build_info"].samples[0].labels["version"]


# ── scraping ────────────────────────────────────────────────────────────────────────────────


def test_what_changes_by_itself_is_brought_up_to_date(metrics: Metrics) -> None:
    depths = iter([5, 6])
    metrics.before_scrape(lambda: metrics.mailbox(actor="a", depth=next(depths)))
    metrics.refresh()
    assert value(metrics, "gated_mailbox_depth", actor="a") == 5
    metrics.refresh()
    assert value(metrics, "gated_mailbox_depth", actor="a") == 6


@pytest.mark.parametrize(
    ("accept", "expected", "parse"),
    [
        ("", "text/plain; version=0.0.4", text_string_to_metric_families),
        ("*/*", "text/plain; version=0.0.4", text_string_to_metric_families),
        ("text/plain;version=junk", "text/plain; version=0.0.4", text_string_to_metric_families),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
            "application/openmetrics-text; version=1.0.0",
            openmetrics.text_string_to_metric_families,
        ),
    ],
)
def test_the_format_is_the_one_asked_for(
    metrics: Metrics, accept: str, expected: str, parse: Callable[[str], Iterator[Metric]]
) -> None:
    feed(metrics)
    body, content_type = metrics.encode(accept)
    assert content_type.startswith(expected)
    assert {family.name for family in parse(body.decode())} >= {"gated_mqtt_up"}


def test_a_drift_that_nobody_can_tell_any_more_is_not_told(metrics: Metrics) -> None:
    labels = {"facility": "north", "zone": "deck-1", "against": "sensor"}
    for vehicles in (3, 0):
        metrics.drift(facility=NORTH, zone=ZONE, against="sensor", vehicles=vehicles)
        assert value(metrics, "gated_occupancy_drift", **labels) == vehicles
    for _ in range(2):
        metrics.drift(facility=NORTH, zone=ZONE, against="sensor", vehicles=None)
        assert value(metrics, "gated_occupancy_drift", **labels) is None
    metrics.drift(facility=NORTH, zone=ZONE, against="sensor", vehicles=1)
    metrics.facility_left(NORTH)
    metrics.drift(facility=NORTH, zone=ZONE, against="sensor", vehicles=None)
    assert value(metrics, "gated_occupancy_drift", **labels) is None
