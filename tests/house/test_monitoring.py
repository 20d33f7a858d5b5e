"""Alert rules and dashboard: every metric, label and value that they name is one that /metrics gives out."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sync.health.queries.figures import FIGURES
from sync.models import Heartbeat, Run
from sync.queue import QUICK, RUNS
from tests.world.programs import ROOT

pytestmark = pytest.mark.pure
RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/monitoring/grafana.json").read_text())
LABELS = {figure.name: set(figure.labels) for figure in FIGURES}
# Of labels that are written out: every value that can be.
VALUES = {
    "role": set(Heartbeat.Role.values),
    "queue": {QUICK, RUNS},
    "state": {*Run.State.values},
    "method": {"throttled"},
}
METRIC = re.compile(r"(lockstep_\w+)(?:\{([^}]*)\})?")


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    yield from (one["query"] for one in DASHBOARD["templating"]["list"])


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_what_is_asked_for_is_given_out(expression: str) -> None:
    for name, selector in METRIC.findall(expression):
        assert name in LABELS
        for label, operator, value in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', selector):
            assert label in LABELS[name]
            assert operator == "=~" or value in VALUES[label]
    labels = {label for name, _selector in METRIC.findall(expression) for label in LABELS[name]}
    for grouped in re.findall(r"(?:by|on) \(([^)]*)\)", expression):
        assert set(grouped.split(", ")) <= labels
    assert expression.count("(") == expression.count(")")


def test_legends_and_summaries_name_labels_that_there_are() -> None:
    for rule in RULES:
        names = METRIC.findall(rule["expr"])
        used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert used <= {label for name, _selector in names for label in LABELS[name]}, rule["alert"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            labels = {label for name, _selector in METRIC.findall(target["expr"]) for label in LABELS[name]}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels, panel["title"]


def test_every_alert_stands_in_the_documents() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    assert [rule["alert"] for rule in RULES if f"`{rule['alert']}`" not in text] == []


def test_every_figure_stands_in_the_documents_with_its_meaning() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    assert [figure.name for figure in FIGURES if f"| `{figure.name}` | {figure.help} |" not in text] == []


def test_panels_do_not_cover_each_other() -> None:
    cells = [
        (x, y)
        for one in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(one["x"], one["x"] + one["w"])
        for y in range(one["y"], one["y"] + one["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _y in cells) < 24
