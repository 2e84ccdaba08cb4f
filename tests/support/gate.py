"""What makes a green run mean something: tests were executed, and with HABEAS_REQUIRE_KAFKA=1 on the real broker."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# How fast this machine is today is no property of the code.
settings.register_profile("habeas", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("habeas")

NEEDS_KAFKA = "needs the real Apache Kafka"
_executed = pytest.StashKey[int]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skipping of a durability test into a failure where the real broker is required."""
    report = yield
    if report.when == "call" and not report.skipped:
        item.session.stash[_executed] = item.session.stash.get(_executed, 0) + 1
    if report.skipped and _required() and _is_about_durability(item, report):
        report.outcome = "failed"
        report.longrepr = f"HABEAS_REQUIRE_KAFKA=1 forbids to skip this: {report.longrepr}"
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run that executed nothing has proved nothing."""
    listing = session.config.option.collectonly
    if exitstatus == pytest.ExitCode.OK and not listing and not session.stash.get(_executed, 0):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def _required() -> bool:
    return os.environ.get("HABEAS_REQUIRE_KAFKA") == "1"


def _is_about_durability(item: pytest.Item, report: pytest.TestReport) -> bool:
    return item.get_closest_marker("durable") is not None or NEEDS_KAFKA in str(report.longrepr)
