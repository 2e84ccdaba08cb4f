"""The demonstration's proof finds every vendor that was missed, told twice, told something else, or did not do it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from deploy.demo.plan import Ask, plan, without_vendors
from deploy.demo.vendor_proof import Told

DELETION, OPT_OUT, SILENT, UNWILLING, LIMIT = (UUID(int=number) for number in (1, 2, 3, 4, 5))
POST, ADS = "evergreen-mail", "meridian-audiences"
MESSAGES = ((POST, DELETION, "d1", 1), (ADS, DELETION, "d2", 1), (ADS, OPT_OUT, "d3", 1))


@dataclass(frozen=True)
class Named:
    email: str


ASKED: dict[UUID, Ask[Any]] = {
    DELETION: Ask(Named("gone@example.com"), "delete", "http", "assertion"),
    OPT_OUT: Ask(Named("out@example.com"), "opt_out", "http", "none"),
    SILENT: Ask(Named("silent@example.com"), "delete", "http", "none", "silent"),
}


def findings(*messages: tuple[str, UUID, str, int], **known: dict[str, bool]) -> list[str]:
    held = {"out@example.com": False, "silent@example.com": False}
    right = {POST: held, ADS: {**held, "out@example.com": True}}
    told = Told(
        messages, {**right, **{{"post": POST, "ads": ADS}[name]: one for name, one in known.items()}}, 3
    )
    return list(told.findings(ASKED))


def test_a_run_in_which_everybody_was_told_once_is_proved() -> None:
    assert findings(*MESSAGES) == []
    assert findings(*MESSAGES, (ADS, OPT_OUT, "d3", 2)) == []


def test_whom_a_vendor_did_not_delete_by_the_plan_it_still_knows() -> None:
    asked = {**ASKED, UNWILLING: Ask(Named("kept@example.com"), "delete", "http", "assertion", "unwilling")}
    messages = (*MESSAGES, (POST, UNWILLING, "d4", 1), (ADS, UNWILLING, "d5", 1))
    left = {"out@example.com": False, "silent@example.com": False}
    ads = {**left, "out@example.com": True}

    def found(post: dict[str, bool]) -> list[str]:
        return list(Told(messages, {POST: post, ADS: ads}, 4).findings(asked))

    assert found({**left, "kept@example.com": False}) == []
    assert found(left) == [f"{POST}: knows 2 people, and 3 should be left"]


def test_a_limit_is_told_to_whom_data_is_shared_with_and_marked_there_as_an_opt_out_is() -> None:
    asked = {**ASKED, LIMIT: Ask(Named("limits@example.com"), "limit", "http", "none")}
    messages = (*MESSAGES, (ADS, LIMIT, "d4", 1))
    left = {"out@example.com": False, "silent@example.com": False, "limits@example.com": False}
    marked = {**left, "out@example.com": True, "limits@example.com": True}

    def found(messages: Any, ads: dict[str, bool]) -> list[str]:
        return list(Told(messages, {POST: left, ADS: ads}, 4).findings(asked))

    assert found(messages, marked) == []
    assert found(MESSAGES, marked) == [f"request {LIMIT}: {ADS} was told 0 times under 0 directives"]
    assert found(messages, {**marked, "limits@example.com": False}) == [
        f"{ADS}: others opted out there than who asked for it"
    ]


def test_somebody_limits_the_use_of_their_data_unless_no_vendor_is_at_work() -> None:
    asks = plan(range(40), 40, 18, seed=1)

    assert [ask.proof for ask in asks if ask.right == "limit"] == ["none"]
    assert [ask.right for ask in without_vendors(asks)].count("limit") == 0
    assert [ask.right for ask in without_vendors(asks)].count("opt_out") == 2


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        (MESSAGES[1:], f"{POST} was told 0 times under 0 directives"),
        ((*MESSAGES, MESSAGES[0]), f"{POST} was told 2 times under 1 directives"),
        ((*MESSAGES, (ADS, OPT_OUT, "d9", 2)), f"{ADS} was told 1 times under 2 directives"),
        ((*MESSAGES, (POST, OPT_OUT, "d9", 1)), f"{POST} was told 1 times under 1 directives"),
        ((*MESSAGES, (POST, SILENT, "d9", 1)), f"{POST} was told 1 times under 1 directives"),
    ],
    ids=["missed", "twice", "something else", "not its right", "never verified"],
)
def test_who_was_told_wrongly_is_found(messages: Any, said: str) -> None:
    [finding] = findings(*messages)

    assert finding.endswith(said)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"post": {"out@example.com": False}}, "knows 1 people, and 2 should be left"),
        (
            {"post": {"gone@example.com": False, "out@example.com": False}},
            "knows 2 people, and 2 should be left",
        ),
        ({"ads": {"out@example.com": False, "silent@example.com": False}}, "others opted out there"),
        ({"ads": {"out@example.com": True, "silent@example.com": True}}, "others opted out there"),
    ],
)
def test_who_did_not_do_it_is_found(known: dict[str, dict[str, bool]], said: str) -> None:
    [finding] = findings(*MESSAGES, **known)

    assert said in finding
