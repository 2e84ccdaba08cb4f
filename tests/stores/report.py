"""`make stores`: hold the suite of every adapter against real servers, and say on a page what was seen.

A server is started by its own run of pytest, and ends with it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from shared.clock import SystemClock

SUITE = "tests/contracts/adapters"
ANY = (f"{SUITE}/test_any_adapter.py", f"{SUITE}/test_any_correction.py", f"{SUITE}/test_many.py")


@dataclass(frozen=True)
class Store:
    """A server, what has its tests run, and which they are."""

    title: str
    asked: Mapping[str, str]
    tests: Sequence[str]


STORES = {
    "opensearch": Store("OpenSearch", {"HABEAS_TEST_SEARCH": "opensearch"}, (*ANY[:2], "-k", "search")),
    "lake": Store("Delta in S3", {"HABEAS_TEST_DELTA": "s3"}, (*ANY, "-k", "lake")),
    "mariadb": Store("MariaDB", {"HABEAS_TEST_MYSQL": "mariadb"}, (SUITE, "-k", "mysql")),
    "mysql": Store("MySQL", {"HABEAS_TEST_MYSQL": "mysql"}, (SUITE, "-k", "mysql")),
}


@dataclass(frozen=True)
class Seen:
    """How one run ended, and what it said of the server."""

    passed: int
    skipped: int
    failed: int
    seconds: float
    said: Mapping[str, str]


def run(store: Store) -> Seen:
    """One store's tests, in a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", *store.tests, f"--junitxml={report}"]
        ended = subprocess.run(command, check=False, env={**os.environ, **store.asked})  # noqa: S603 - our own tests
        if not report.exists():
            raise SystemExit(ended.returncode)
        return _read(ET.parse(report).getroot().find("testsuite"))  # noqa: S314 - written by our own run


def _read(suite: ET.Element | None) -> Seen:
    assert suite is not None, "pytest has written no suite"
    said = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    count = {name: int(suite.attrib[name]) for name in ("tests", "skipped", "failures", "errors")}
    failed = count["failures"] + count["errors"]
    passed = count["tests"] - count["skipped"] - failed
    return Seen(passed, count["skipped"], failed, float(suite.attrib["time"]), said)


def page(seen: Mapping[str, Seen], when: datetime, before: str = "") -> str:
    """What is told of it; of a store that did not run this time, what was told before."""
    rows, figures = list[str](), list[str]()
    for name, store in STORES.items():
        if name in seen:
            rows.append(row(store, seen[name], when))
            figures += [f"| {store.title}: {what} | {value} |" for what, value in _measured(seen[name])]
        else:
            rows += [line for line in before.splitlines() if line.startswith(f"| {store.title} |")]
            figures += [line for line in before.splitlines() if line.startswith(f"| {store.title}: ")]
    return PAGE.format(table="\n".join(rows), figures="\n".join(figures))


def row(store: Store, one: Seen, when: datetime) -> str:
    """One line of the table."""
    counts = f"{one.passed} | {one.skipped} | {one.failed} | {one.seconds:.0f}"
    return f"| {store.title} | {one.said.get('version', '')} | {counts} | {when.date()} |"


def _measured(one: Seen) -> list[tuple[str, str]]:
    return [(what, value) for what, value in one.said.items() if what != "version"]


PAGE = """# Adapters against real servers

Written by `make stores`. The suite of every adapter, and what is said of MySQL and MariaDB alone
([the tests](../../tests/contracts/adapters/test_sql_on_mysql.py)), ran against these servers. MariaDB is Debian's
package, MySQL that of Debian's unstable release, OpenSearch comes from Maven's jars. The store that speaks S3 is moto's
server: a double that others maintain.

| server | version | tests passed | not for it | failed | seconds | on |
|---|---|---|---|---|---|---|
{table}

| measured, on a machine that did other work too | |
|---|---|
{figures}
"""


def main() -> None:
    """Run them all, or those that are named."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("stores", nargs="*", default=list(STORES), help=f"of {', '.join(STORES)}")
    options.add_argument("--page", type=Path)
    chosen = options.parse_args()
    seen = {name: run(STORES[name]) for name in chosen.stores}
    before = chosen.page.read_text() if chosen.page is not None and chosen.page.exists() else ""
    text = page(seen, SystemClock().now(), before)
    sys.stdout.write(text)
    if chosen.page is not None:
        chosen.page.write_text(text)
    if any(one.failed for one in seen.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
