"""An extension counts once, with reasons, told in time; every other try is refused with its reason."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.policy import ExtensionRefusal, Right, compute_clocks, extension_refusal, load_regime

PACIFIC = ZoneInfo("America/Los_Angeles")
CCPA = load_regime("us-ca-ccpa")
RECEIVED_AT = datetime(2026, 2, 2, 11, tzinfo=PACIFIC)
DELETE = compute_clocks(CCPA, Right.DELETE, RECEIVED_AT)
OPT_OUT = compute_clocks(CCPA, Right.OPT_OUT, RECEIVED_AT)
IN_TIME = datetime(2026, 3, 10, 9, tzinfo=PACIFIC)
DAY_46 = datetime(2026, 3, 20, 0, 0, tzinfo=PACIFIC)
REASONS = ("one system answers only by mail",)


def test_a_reasoned_notice_on_day_36_extends_to_the_ninetieth_day() -> None:
    assert extension_refusal(DELETE, handed_over_at=IN_TIME, reasons=REASONS) is None
    due = DELETE.due(extended=True)
    assert due is not None
    assert due.date == date(2026, 5, 3)


@pytest.mark.parametrize(
    ("handed_over_at", "refusal"),
    [
        (DAY_46 - timedelta(microseconds=1), None),
        (DAY_46, ExtensionRefusal.TOO_LATE),
        (datetime(2026, 3, 20, 6, 59, 59, tzinfo=UTC), None),
        (datetime(2026, 3, 20, 7, tzinfo=UTC), ExtensionRefusal.TOO_LATE),
    ],
)
def test_the_last_instant_of_day_45_is_in_time_and_the_next_is_not(
    handed_over_at: datetime, refusal: ExtensionRefusal | None
) -> None:
    assert extension_refusal(DELETE, handed_over_at=handed_over_at, reasons=REASONS) == refusal


def test_a_notice_that_came_too_late_leaves_the_request_overdue_from_day_46() -> None:
    assert extension_refusal(DELETE, handed_over_at=DAY_46, reasons=REASONS) == "too_late"
    due = DELETE.due(extended=False)
    assert due is not None
    assert due.late_from == DAY_46


def test_a_second_extension_is_refused() -> None:
    second = datetime(2026, 3, 12, 9, tzinfo=PACIFIC)

    refusal = extension_refusal(DELETE, handed_over_at=second, reasons=REASONS, already_extended=True)

    assert refusal is ExtensionRefusal.ALREADY_EXTENDED


@pytest.mark.parametrize("reasons", [(), ("",), ("  ", "\n")])
def test_a_notice_without_reasons_is_refused(reasons: tuple[str, ...]) -> None:
    assert extension_refusal(DELETE, handed_over_at=IN_TIME, reasons=reasons) == "no_reasons"


def test_an_opt_out_cannot_be_extended() -> None:
    assert extension_refusal(OPT_OUT, handed_over_at=IN_TIME, reasons=REASONS) == "right_has_no_extension"
    assert OPT_OUT.due(extended=True) == OPT_OUT.effective_by


def test_a_closed_request_is_not_extended_whatever_else_holds() -> None:
    assert extension_refusal(DELETE, handed_over_at=IN_TIME, reasons=REASONS, closed=True) == "closed"
