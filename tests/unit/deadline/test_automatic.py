"""The extension that nobody asks for: named open systems are its reason, looked at 7, 5 and 3 days before the date."""

from datetime import timedelta

import pytest

from services.deadline.domain.work import Usual
from shared.events.commands import SendNotice
from shared.events.deadline import DeadlineApproaching, DeadlineExtended
from shared.events.fulfillment import NamedSystem, SystemOutcome, TaskNeedsPerson, TaskSettled, TasksPlanned
from shared.events.intake import NoticeExpired, NoticeFailed
from shared.policy import Right, load_regime
from tests.support import facts
from tests.support.watched import REASONS, Watched

# Due on day 45, 2026-03-19: looked at on days 38, 40 and 42 at nine in California.
DAY_37, FIRST, SECOND, LAST, DAY_44 = 37, 38, 40, 42, 44
SLOW = {("crm", "delete"): Usual(40, timedelta(days=60)), ("dms", "delete"): Usual(40, timedelta(hours=5))}
QUICK = {(name, "delete"): Usual(40, timedelta(days=41)) for name in ("crm", "dms")}


def _working(right: str = "delete") -> Watched:
    watched = Watched(right)
    watched.hear_in_time()
    watched.hear(facts.verified(right))
    watched.hear(TasksPlanned(right=Right(right), systems=("crm", "dms")))
    return watched


def _settle(watched: Watched, system: str) -> None:
    settled = SystemOutcome(system=system, outcome="done", receipt_digest="d" * 64)
    watched.hear(TaskSettled(right=Right(watched.right), settled=settled))


def _asked(watched: Watched) -> list[SendNotice]:
    return watched.driver.bodies(SendNotice)


def test_open_systems_are_named_as_the_reasons_of_an_extension_early_enough_for_its_notice() -> None:
    watched = _working()

    watched.pass_until(watched.at(days=DAY_37))
    assert _asked(watched) == []
    watched.pass_until(watched.at(days=FIRST))

    [notice] = _asked(watched)
    assert notice.reasons == ("We have not finished our work in these of our systems: crm, dms.",)
    assert (notice.send_by, notice.due) == (watched.due.late_from, watched.extend_to)
    assert watched.due.late_from - watched.driver.now > timedelta(days=6)


def test_the_reasons_name_systems_as_people_know_them_in_every_language() -> None:
    watched = _working()
    named = (
        NamedSystem(system="crm", title="Customer records", titles={"es": "Registros de clientes"}),
        NamedSystem(system="dms", title="Dealer management"),
    )
    watched.hear(TasksPlanned(right=Right.DELETE, systems=("crm", "dms"), named=named))
    watched.hear(TaskNeedsPerson(system="dms", task="act:dms:delete", kind="credentials", reason="x"))

    watched.pass_until(watched.at(days=FIRST))

    [notice] = _asked(watched)
    assert notice.reasons == (
        "We have not finished our work in these of our systems: Customer records.",
        "One of our staff has to finish the work in these of our systems by hand: Dealer management.",
    )
    assert notice.reasons_in["es"] == (
        "No hemos terminado nuestro trabajo en estos sistemas nuestros: Registros de clientes.",
        (
            "Una persona de nuestro equipo tiene que terminar a mano el trabajo en estos sistemas nuestros: "
            "Dealer management."
        ),
    )


def test_it_is_extended_only_when_its_notice_was_handed_over() -> None:
    watched = _working()
    watched.pass_until(watched.at(days=FIRST))
    assert watched.driver.bodies(DeadlineExtended) == []

    watched.notice("extension")

    [moved] = watched.driver.bodies(DeadlineExtended)
    assert moved.reasons == _asked(watched)[0].reasons
    watched.pass_until(watched.at(days=100))
    assert len(_asked(watched)) == 1


def test_only_what_is_still_open_is_a_reason() -> None:
    watched = _working()
    _settle(watched, "dms")

    watched.pass_until(watched.at(days=FIRST))

    assert _asked(watched)[0].reasons == ("We have not finished our work in these of our systems: crm.",)


def test_work_that_is_done_is_no_reason() -> None:
    watched = _working()
    _settle(watched, "dms")
    _settle(watched, "crm")

    watched.pass_until(watched.at(days=DAY_44))

    assert _asked(watched) == []


@pytest.mark.parametrize("ended", ["fulfilled", "withdrawn", "answered"])
def test_a_request_that_is_over_is_not_extended(ended: str) -> None:
    watched = _working()
    over = {
        "fulfilled": facts.fulfilled(),
        "withdrawn": facts.withdrawn(watched.at(days=2)),
        "answered": facts.notice_sent("answer", watched.at(days=2)),
    }
    watched.hear(over[ended])

    watched.pass_until(watched.at(days=DAY_44))

    assert _asked(watched) == []


def test_a_plan_heard_after_the_ending_keeps_no_system_open() -> None:
    for order in ((facts.tasks_planned(), facts.fulfilled()), (facts.fulfilled(), facts.tasks_planned())):
        watched = Watched()
        watched.receive()
        for body in order:
            watched.hear(body)

        assert watched.case.work is None


def test_a_request_without_named_systems_is_left_to_people() -> None:
    watched = Watched()
    watched.hear_in_time()

    watched.pass_until(watched.at(days=DAY_44))

    assert _asked(watched) == []


def test_an_opt_out_has_no_extension_however_much_is_open() -> None:
    watched = _working("opt_out")

    watched.pass_until(watched.at(days=60))

    assert _asked(watched) == []


def test_systems_that_are_usually_done_in_time_are_waited_for_until_the_last_look() -> None:
    watched = _working()
    watched.driver.facts = QUICK

    watched.pass_until(watched.at(days=SECOND))
    assert _asked(watched) == []
    watched.pass_until(watched.at(days=LAST))

    assert len(_asked(watched)) == 1


def test_a_task_that_comes_to_need_a_person_extends_at_once_after_the_first_look() -> None:
    watched = _working()
    watched.driver.facts = QUICK
    watched.pass_until(watched.at(days=39))

    watched.hear(TaskNeedsPerson(system="crm", task="act:crm:delete", kind="credentials", reason="x"))

    [notice] = _asked(watched)
    assert notice.reasons == (
        "We have not finished our work in these of our systems: dms.",
        "One of our staff has to finish the work in these of our systems by hand: crm.",
    )


@pytest.mark.parametrize("kind", [NoticeExpired, NoticeFailed])
def test_a_notice_that_did_not_go_out_is_asked_for_again_on_the_next_look_and_not_before(kind: type) -> None:
    watched = _working()
    for look in (FIRST, SECOND, LAST):
        watched.pass_until(watched.at(days=look))
        fields = {"send_by": watched.due.late_from} if kind is NoticeExpired else {"reason": "no_channel"}
        watched.hear(kind(kind="extension", **fields))
        watched.hear(facts.notice_sent("verification_code", watched.driver.now))

    watched.pass_until(watched.at(days=60))

    assert len(_asked(watched)) == 3


def test_who_slept_through_every_look_asks_once_and_who_slept_past_the_date_does_not_ask() -> None:
    late, too_late = _working(), _working()

    late.sleep_until(late.due.late_from - timedelta(hours=1))
    too_late.sleep_until(too_late.due.late_from)

    assert len(_asked(late)) == 1
    assert _asked(too_late) == []
    assert "respond missed" in too_late.stated


def test_a_person_may_not_ask_while_ours_is_under_way() -> None:
    watched = _working()
    watched.pass_until(watched.at(days=FIRST))

    assert watched.ask_extension(REASONS).refusal == "extension_pending"


def test_a_regime_without_the_rule_extends_nothing_by_itself() -> None:
    named = {
        name
        for name in ("us-ca-ccpa", "us-ca-delete-act", "us-va-vcdpa", "eu-gdpr")
        if load_regime(name).rules.automatic_extension
    }

    assert named == {"us-ca-ccpa"}


def test_a_warning_names_what_is_waited_for_and_what_its_history_says() -> None:
    watched = _working()
    watched.driver.facts = SLOW
    watched.pass_until(watched.at(days=36))

    warning = watched.driver.bodies(DeadlineApproaching)[-1]

    assert warning.predicted == "late"
    assert [(one.system, one.seen, one.nine_in_ten_within_hours) for one in warning.waits_for] == [
        ("crm", 40, 1440.0),
        ("dms", 40, 5.0),
    ]


@pytest.mark.parametrize(
    ("pace", "predicted"),
    [
        (QUICK, "in_time"),
        (SLOW, "late"),
        ({}, "unknown"),
        ({("crm", "delete"): Usual(4, timedelta(days=1))}, "unknown"),
        ({(name, "delete"): Usual(9, timedelta(days=1)) for name in ("crm", "dms")}, "unknown"),
        ({(name, "correct"): Usual(9, timedelta(days=41)) for name in ("crm", "dms")}, "unknown"),
    ],
)
def test_nothing_is_predicted_from_too_few_tasks_of_another_right_or_past_what_is_usual(
    pace: dict[tuple[str, str], Usual], predicted: str
) -> None:
    watched = _working()
    watched.driver.facts = pace

    watched.pass_until(watched.at(days=26))

    assert watched.driver.bodies(DeadlineApproaching)[-1].predicted == predicted


def test_an_acknowledgement_waits_for_no_system() -> None:
    watched = Watched()
    watched.receive()
    watched.hear(facts.tasks_planned())

    watched.pass_until(watched.at(days=10))

    assert {(one.clock, one.predicted) for one in watched.driver.bodies(DeadlineApproaching)} == {
        ("acknowledge", None)
    }


def test_a_case_that_waits_for_many_systems_stays_small_and_its_notice_short() -> None:
    watched = Watched()
    watched.hear_in_time()
    names = tuple(f"a-rather-long-name-of-a-system-{number:02}" for number in range(40))
    watched.hear(TasksPlanned(right=Right.DELETE, systems=names))

    watched.pass_until(watched.at(days=FIRST))

    [reason] = _asked(watched)[0].reasons
    assert reason.endswith(f"{names[4]} and 35 more.")


def test_a_decision_that_a_person_owes_is_named_in_the_warning_and_no_reason_for_more_time() -> None:
    watched = Watched("know_specific")
    watched.hear_in_time()
    watched.hear(facts.verified("know_specific"))

    watched.hear(TaskNeedsPerson(system="", task="review", kind="decision", reason="two were answered"))
    watched.pass_until(watched.at(days=DAY_44))

    assert _asked(watched) == []
    [*_, warning] = watched.driver.bodies(DeadlineApproaching)
    assert [one.system for one in warning.waits_for] == ["decision"]
