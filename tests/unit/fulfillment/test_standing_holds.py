"""Holds that stand by themselves: on a person, a system or a category, whoever asks for deletion."""

from datetime import timedelta
from typing import Any
from uuid import uuid5

import pytest
from pydantic import ValidationError

from services.fulfillment.domain import Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from services.fulfillment.domain.holds import StandingHold, cover
from shared.events.commands import PlaceStandingHold, ReleaseStandingHold
from shared.events.fulfillment import HoldPlaced, HoldReleased
from shared.machine.decision import Context, Go, Wait
from shared.policy.rights import Right
from shared.privacy import HmacKeyring, Secret
from shared.privacy.holds import hold_hashes
from shared.privacy.suppression import suppression_hashes
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.facts import RECEIVED_AT, received, verified

NOW = RECEIVED_AT + timedelta(hours=2)
HOLD = uuid5(REQUEST, "a standing hold")
RIGHTS = frozenset({Right.DELETE, Right.OPT_OUT})
CATALOGUE = Catalogue(
    [
        SystemEntry("crm", "cascadia", RIGHTS, categories=frozenset({"identifiers"})),
        SystemEntry("dms", "cascadia", RIGHTS, categories=frozenset({"identifiers", "commercial"})),
        SystemEntry("lists", "cascadia", RIGHTS, categories=None, told=True),
        SystemEntry("elsewhere", "harbor", RIGHTS, categories=frozenset({"commercial"})),
    ]
)
HASH = f"1:{'a' * 64}"


def place(scope: str = "system", **said: Any) -> PlaceStandingHold:
    named: dict[str, dict[str, Any]] = {
        "person": {"hashes": (HASH,)},
        "system": {"name": "crm"},
        "category": {"name": "commercial"},
    }
    given = {
        "business": "cascadia",
        "actor": "counsel",
        "reason": "litigation 24-118",
        **named[scope],
        **said,
    }
    return PlaceStandingHold.model_validate({"scope": scope, **given})


RELEASE = ReleaseStandingHold(actor="counsel", reason="the case was settled", evidence="LEGAL-9")


class Hold:
    """One hold, told commands."""

    def __init__(self) -> None:
        self.driver: DomainDriver[FulfillmentCase] = DomainDriver(FulfillmentDomain(CATALOGUE), NOW, HOLD)
        self.messages = Messages(HOLD)

    def told(self, body: Any) -> str | None:
        return self.driver.deliver(self.messages.command(body, at=NOW)).refusal


def permit(key: str, *standing: StandingHold) -> Any:
    """What becomes of a verified deletion's task while these holds stand."""
    domain = FulfillmentDomain(CATALOGUE)
    driver, messages = DomainDriver[FulfillmentCase](domain, NOW), Messages()
    right = key.rpartition(":")[2]
    for body in (received(right), verified(right)):
        driver.deliver(messages.event(body, at=NOW))
    return domain.permit(driver.case, key, "act", Context(NOW, "", b"", standing))


def test_a_hold_is_stated_when_it_comes_into_force_and_when_it_is_over() -> None:
    hold = Hold()

    for body in (place(), place(), RELEASE, RELEASE, place()):
        assert hold.told(body) is None

    assert hold.driver.bodies(HoldPlaced) == [HoldPlaced(hold_id=HOLD)]
    assert hold.driver.bodies(HoldReleased) == [HoldReleased(hold_id=HOLD)]
    assert hold.driver.case.standing == "released"


def test_a_hold_that_was_released_before_it_was_heard_of_never_comes_into_force() -> None:
    hold = Hold()

    hold.told(RELEASE)
    hold.told(place())

    assert hold.driver.case.standing == "released"
    assert not hold.driver.bodies(HoldPlaced)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (place(name="cmr"), "unknown_system"),
        (place(name="elsewhere"), "unknown_system"),
        (place("category", name="comercial"), "unknown_category"),
        (place("category", name="geolocation"), "unknown_category"),
        (place("person", business="cascadiaa"), "unknown_business"),
    ],
)
def test_a_hold_on_what_nobody_has_would_keep_nothing_and_is_refused(
    body: PlaceStandingHold, word: str
) -> None:
    hold = Hold()

    assert hold.told(body) == word
    assert hold.driver.case.standing is None


def test_a_request_s_id_is_no_hold_s() -> None:
    driver, messages = DomainDriver[FulfillmentCase](FulfillmentDomain(CATALOGUE), NOW), Messages()
    driver.deliver(messages.event(received(), at=NOW))

    for body in (place(), RELEASE):
        assert driver.deliver(messages.command(body, at=NOW)).refusal == "not_a_hold"


@pytest.mark.parametrize("key", ["act:crm:delete", "act:crm:correct"])
@pytest.mark.parametrize(
    "hold",
    [
        StandingHold("person", "cascadia"),
        StandingHold("system", "cascadia", "crm"),
        StandingHold("category", "cascadia", "identifiers"),
    ],
)
def test_what_would_destroy_or_overwrite_waits_for_the_hold_that_covers_it(
    key: str, hold: StandingHold
) -> None:
    assert permit(key, hold) == Wait(NOW + timedelta(hours=1), "hold")


@pytest.mark.parametrize(
    ("key", "hold"),
    [
        ("act:dms:delete", StandingHold("system", "cascadia", "crm")),
        ("act:crm:delete", StandingHold("category", "cascadia", "commercial")),
        ("act:crm:delete", StandingHold("system", "harbor", "crm")),
        ("act:crm:delete", StandingHold("person", "harbor")),
        ("act:crm:opt_out", StandingHold("system", "cascadia", "crm")),
        ("act:crm:opt_out", StandingHold("person", "cascadia")),
    ],
)
def test_everything_else_goes_on(key: str, hold: StandingHold) -> None:
    assert permit(key, hold) == Go()


def test_a_system_whose_categories_nobody_knows_is_covered_by_every_category() -> None:
    assert permit("act:lists:delete", StandingHold("category", "cascadia", "commercial")) == Wait(
        NOW + timedelta(hours=1), "hold"
    )


def test_a_deletion_of_what_came_back_is_covered_as_the_first_one_was() -> None:
    case = FulfillmentCase(business="cascadia", later=("again:crm:0",))
    context = Context(NOW, "", b"", (StandingHold("system", "cascadia", "crm"),))

    verdict = FulfillmentDomain(CATALOGUE).permit(case, "again:crm:0", "act", context)

    assert verdict == Wait(NOW + timedelta(hours=1), "hold")
    assert not cover(None, case, "again:crm:0", CATALOGUE)


@pytest.mark.parametrize(
    "said",
    [{"scope": "person", "name": "crm"}, {"scope": "system"}, {"scope": "system", "hashes": (HASH,)}],
)
def test_a_hold_names_what_it_is_on_and_nothing_else(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="named by"):
        PlaceStandingHold.model_validate(
            {"business": "cascadia", "actor": "counsel", "reason": "a duty", **said}
        )


def test_a_person_is_on_hold_by_every_spelling_under_every_version_and_unlike_who_is_suppressed() -> None:
    keyring = HmacKeyring("2", {"1": Secret(b"k" * 32), "2": Secret(b"m" * 32)})

    hashes = hold_hashes(keyring, "cascadia", "email", "Ada@Example.com")

    assert [one.partition(":")[0] for one in hashes] == ["2", "1"]
    assert hashes == hold_hashes(keyring, "cascadia", "email", "ada@example.com")
    assert not set(hashes) & set(suppression_hashes(keyring, "cascadia", "email", "ada@example.com"))
    assert not set(hashes) & set(hold_hashes(keyring, "harbor", "email", "ada@example.com"))
