"""What happens to a request moves a date only where its law says so, and every refusal has its sentence."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.policy import Right, load_regime
from shared.policy.clocks import DueDate
from shared.policy.clockwork.happenings import Event, Happening, UnknownHappeningError, parse_happening
from shared.policy.clockwork.history import Clockwork, EventBeforeReceiptError
from shared.policy.clockwork.outlook import Outlook, look_ahead
from shared.policy.clockwork.periods import Cap
from shared.policy.sourced import Confidence, Effective

CCPA, GDPR, UK = (load_regime(name) for name in ("us-ca-ccpa", "eu-gdpr", "uk-gdpr"))
FEBRUARY = datetime(2026, 2, 2, 11, tzinfo=ZoneInfo("America/Los_Angeles"))
SEPTEMBER = datetime(2026, 9, 3, 9, tzinfo=ZoneInfo("Europe/London"))


def _happened(kind: str, month: int, day: int) -> Event:
    return Event(Happening(kind), date(2026, month, day))


def _delete(*events: Event) -> Outlook:
    return look_ahead(CCPA, Right.DELETE, FEBRUARY, events=events)


def _access(*events: Event) -> Outlook:
    return look_ahead(UK, Right.KNOW_SPECIFIC, SEPTEMBER, events=events)


def _on(due: DueDate | None) -> date:
    assert due is not None
    return due.date


def _said(outlook: Outlook) -> list[str]:
    return [effect.words for effect in outlook.course.effects]


def test_a_second_extension_is_refused_and_the_first_one_stays() -> None:
    outlook = _delete(_happened("extension-notice", 3, 10), _happened("extension-notice", 4, 20))

    assert _on(outlook.clocks.extend_to) == date(2026, 5, 3)
    assert _said(outlook)[1] == "refused: the period was extended already, which is possible once"


def test_reasons_that_come_later_in_time_still_extend() -> None:
    outlook = _delete(
        _happened("extension-notice-without-reasons", 3, 1), _happened("extension-notice", 3, 19)
    )

    assert _on(outlook.clocks.extend_to) == date(2026, 5, 3)
    assert _said(outlook) == ["refused: a notice must give its reasons", "extends the period"]


def test_a_notice_that_is_too_late_names_the_day_on_which_the_period_ended() -> None:
    outlook = _delete(_happened("extension-notice", 3, 20))

    assert outlook.clocks.extend_to is None
    assert _said(outlook) == ["refused: too late, the first period ended on 2026-03-19"]


@pytest.mark.parametrize("right", [Right.OPT_OUT, Right.LIMIT])
def test_a_right_without_an_extension_refuses_every_notice(right: Right) -> None:
    outlook = look_ahead(CCPA, right, FEBRUARY, events=[_happened("extension-notice", 2, 3)])

    assert _said(outlook) == ["refused: this right has no extension"]
    assert outlook.clocks.extend_to is None


@pytest.mark.parametrize("kind", [kind for kind in Happening if "extension" not in kind])
def test_nothing_but_a_notice_moves_a_californian_date(kind: Happening) -> None:
    outlook = _delete(Event(kind, date(2026, 2, 20)))

    assert outlook.clocks == _delete().clocks
    assert [effect.moved for effect in outlook.course.effects] == [False]


def test_what_is_dated_before_the_receipt_is_refused() -> None:
    with pytest.raises(
        EventBeforeReceiptError, match="extension-notice on 2026-02-01 lies before the receipt"
    ):
        _delete(_happened("extension-notice", 2, 1))


def test_a_clarification_that_is_still_awaited_moves_no_date_yet() -> None:
    outlook = _access(_happened("clarification-asked", 9, 7))

    assert outlook.clocks == _access().clocks
    assert _said(outlook) == [
        "the clock stands until clarification-received; the date moves when that day is known"
    ]


def test_a_clarification_that_outlasts_the_month_stops_the_clock_all_the_same() -> None:
    outlook = _access(_happened("clarification-asked", 10, 1), _happened("clarification-received", 12, 1))

    assert _on(outlook.clocks.respond_by) == date(2026, 12, 4)


def test_a_clarification_asked_after_the_month_stops_nothing() -> None:
    outlook = _access(_happened("clarification-asked", 10, 6), _happened("clarification-received", 10, 9))

    assert outlook.clocks == _access().clocks
    assert _said(outlook)[0] == "comes too late: the period had ended on 2026-10-03"


def test_a_clarification_asked_on_the_months_own_last_day_still_stops_the_clock() -> None:
    outlook = _access(_happened("clarification-asked", 10, 3), _happened("clarification-received", 10, 9))

    assert _on(outlook.clocks.respond_by) == date(2026, 10, 12)


def test_a_clarification_asked_on_the_day_to_which_a_weekend_carried_the_end_stops_nothing() -> None:
    outlook = _access(_happened("clarification-asked", 10, 5), _happened("clarification-received", 10, 9))

    assert outlook.clocks == _access().clocks


def test_an_answer_to_a_question_that_nobody_asked_stops_nothing() -> None:
    outlook = _access(_happened("clarification-received", 9, 9))

    assert outlook.clocks == _access().clocks
    assert _said(outlook) == ["nothing was waited for: there is no clarification-asked"]


def test_days_lost_twice_are_lost_once() -> None:
    once = _access(_happened("clarification-asked", 9, 7), _happened("clarification-received", 9, 14))
    twice = _access(
        _happened("clarification-asked", 9, 7),
        _happened("clarification-received", 9, 14),
        _happened("clarification-asked", 9, 14),
        _happened("clarification-received", 9, 14),
    )

    assert once.clocks == twice.clocks


def test_the_day_of_receipt_cannot_be_lost_again_but_the_law_might_read_it_so() -> None:
    due = _access(
        _happened("clarification-asked", 9, 3), _happened("clarification-received", 9, 6)
    ).clocks.respond_by

    assert due is not None
    assert (due.date, due.legal_latest) == (date(2026, 10, 6), date(2026, 10, 7))


def test_a_notice_given_while_the_clock_stood_is_in_time() -> None:
    outlook = _access(
        _happened("clarification-asked", 9, 7),
        _happened("extension-notice", 10, 20),
        _happened("clarification-received", 10, 26),
    )

    assert _said(outlook)[1] == "extends the period"
    assert _on(outlook.clocks.extend_to) == date(2027, 1, 22)


def test_a_clarification_after_an_extension_moves_the_extended_date() -> None:
    outlook = _access(
        _happened("extension-notice", 9, 10),
        _happened("clarification-asked", 11, 2),
        _happened("clarification-received", 11, 6),
    )

    assert _on(outlook.clocks.extend_to) == date(2026, 12, 8)


def test_the_month_begins_with_the_last_proof_of_identity_that_came() -> None:
    outlook = _access(
        _happened("identity-asked", 9, 4),
        _happened("identity-received", 9, 10),
        _happened("identity-received", 9, 9),
    )

    assert _on(outlook.clocks.respond_by) == date(2026, 10, 12)
    assert [effect.moved for effect in outlook.course.effects] == [False, True, True]
    assert outlook.clocks.received_on == date(2026, 9, 3)


def test_identity_that_was_never_waited_for_within_the_month_comes_too_late() -> None:
    outlook = _access(_happened("identity-received", 10, 6))

    assert outlook.clocks == _access().clocks


def test_the_european_month_waits_for_nobody() -> None:
    asked = [_happened("identity-asked", 9, 4), _happened("identity-received", 9, 20)]

    outlook = look_ahead(GDPR, Right.DELETE, SEPTEMBER, events=asked)

    assert outlook.clocks == look_ahead(GDPR, Right.DELETE, SEPTEMBER).clocks


def test_florida_ends_on_the_sixtieth_day_however_it_is_extended() -> None:
    florida = load_regime("us-fl-fdbr")

    outlook = look_ahead(florida, Right.DELETE, FEBRUARY, events=[_happened("extension-notice", 3, 1)])

    assert (_on(outlook.clocks.extend_to) - outlook.clocks.received_on).days == 60


def test_a_cap_holds_against_pauses_extensions_and_closed_days() -> None:
    rules = UK.right(Right.KNOW_SPECIFIC).clocks
    cap = Cap(
        days=40,
        cite="a test",
        effective=Effective.model_validate({"from": date(2026, 1, 1)}),
        confidence=Confidence.HOUSE_POLICY,
    )
    work = Clockwork(UK, Right.KNOW_SPECIFIC, rules.model_copy(update={"cap": cap}))
    events = [_happened("clarification-asked", 9, 7), _happened("clarification-received", 9, 30)]

    clocks = work.dates(work.follow(date(2026, 9, 3), events))

    assert clocks.respond_by is not None
    assert clocks.extend_to is not None
    assert {clocks.respond_by.date, clocks.extend_to.date} == {date(2026, 10, 13)}
    assert {clocks.respond_by.legal_latest, clocks.extend_to.legal_latest} == {date(2026, 10, 13)}


def test_events_count_in_the_order_of_their_days_however_they_are_told() -> None:
    events = [_happened("clarification-asked", 9, 7), _happened("clarification-received", 9, 14)]

    same_day = [_happened("clarification-asked", 9, 7), _happened("clarification-received", 9, 7)]

    assert _access(*events).clocks == _access(*reversed(events)).clocks
    assert _access(*same_day).clocks == _access(*reversed(same_day)).clocks != _access().clocks


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("extension-notice", Happening.EXTENSION_NOTICE),
        ("clarification-answered", Happening.CLARIFICATION_RECEIVED),
        ("verified", Happening.AUTHENTICATED),
    ],
)
def test_a_happening_has_its_name_and_some_an_alias(text: str, kind: Happening) -> None:
    assert parse_happening(text) is kind


def test_an_unknown_happening_is_refused_with_the_list() -> None:
    with pytest.raises(UnknownHappeningError, match="an event must be one of extension-notice, "):
        parse_happening("party")
