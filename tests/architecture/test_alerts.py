"""Alerts speak of metrics that there are, and what is to be alerted on has its alert."""

import re
from pathlib import Path

import yaml

from deploy.cli.main import app
from shared.events.message import CATALOGUE
from shared.tasks.store import OPEN_STATES
from shared.telemetry.metrics import METRICS, Metric
from tests.support.command_tree import every_command

RULES = yaml.safe_load(Path("deploy/prometheus/habeas.rules.yaml").read_text("utf-8"))["groups"][0]["rules"]
BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}
USED = [
    (name, dict(re.findall(r'(\w+)="([^"]*)"', labels)))
    for rule in RULES
    for name, labels in re.findall(r"(habeas_\w+)(?:\{([^}]*)\})?", rule["expr"])
]
COMMANDS = {one.words for one in every_command(app)}
VALUES = {"ce_type": CATALOGUE.keys(), "state": set(OPEN_STATES)}


def test_every_metric_that_an_alert_names_is_declared_with_its_labels() -> None:
    assert len(USED) >= len(RULES)
    for name, labels in USED:
        assert labels.keys() <= set(BY_NAME[name].labels), name


def test_every_value_that_an_alert_looks_for_can_be_there() -> None:
    looked_for = [(label, value) for _, labels in USED for label, value in labels.items()]

    assert looked_for
    assert [(label, value) for label, value in looked_for if value not in VALUES[label]] == []


def test_what_its_meaning_says_to_alert_on_is_alerted_on() -> None:
    wanted = {metric.name for metric in METRICS if "Alert" in metric.meaning}

    assert wanted
    assert wanted <= {name for name, _ in USED}


def test_every_command_that_an_alert_tells_to_give_is_there() -> None:
    told = [
        words
        for rule in RULES
        for words in re.findall(r"habeas ([a-z][a-z -]*[a-z])", rule["annotations"]["action"])
    ]

    assert told
    assert [words for words in told if not any(f"{words} ".startswith(f"{one} ") for one in COMMANDS)] == []


def test_an_alert_says_what_it_means_and_what_to_do_and_has_a_name_of_its_own() -> None:
    names = [rule["alert"] for rule in RULES]

    assert len(names) == len(set(names))
    for rule in RULES:
        assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in {"warning", "critical"}
