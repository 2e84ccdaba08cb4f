"""The page of `make stores`: what ran is told anew, and what did not keeps what was told of it."""

from datetime import UTC, datetime

from tests.stores.report import Seen, page

DAY_1, DAY_2 = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


def test_a_store_that_did_not_run_keeps_its_row_its_day_and_its_figures() -> None:
    mariadb = Seen(50, 1, 0, 81.2, {"version": "10.11", "seconds to delete": "16.5"})
    before = page({"mariadb": mariadb}, DAY_1)

    after = page({"lake": Seen(30, 0, 0, 327.0, {})}, DAY_2, before)

    rows = [line for line in after.splitlines() if line.startswith("| ")]
    assert "| MariaDB | 10.11 | 50 | 1 | 0 | 81 | 2026-03-01 |" in rows
    assert "| Delta in S3 |  | 30 | 0 | 0 | 327 | 2026-03-02 |" in rows
    assert "| MariaDB: seconds to delete | 16.5 |" in rows
    assert page({}, DAY_2, after) == after
