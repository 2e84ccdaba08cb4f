"""What looks like a value that may never be shown stops an answer; what only has many digits does not."""

import pytest

from services.fulfillment.second_net import Net, looks_like


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("my social is 536-22-8145, thanks", "social_security_number"),
        ("536 22 8145", "social_security_number"),
        ("SSN: 536228145", "social_security_number"),
        ("charged 4111 1111 1111 1111 twice", "financial_account_number"),
        ("378282246310005", "financial_account_number"),
        ("please refund to GB82 WEST 1234 5698 7654 32", "financial_account_number"),
        ("my checking account is 000123456789", "financial_account_number"),
        ("driver's license D1234567", "government_id_number"),
        ("Passport no. 340020013", "government_id_number"),
    ],
)
def test_such_values_are_seen_in_free_text(text: str, kind: str) -> None:
    assert looks_like(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "order 4111111111111112",
        "call me at 530-555-0142 or +1 530 555 0142",
        "tracking 9400 1000 0000 0000 0000 00",
        "000-12-3456 and 666-12-3456 and 912-34-5678",
        "0199c0de-7000-7000-8000-00000000c0de",
        "2026-02-02T19:00:00Z",
        "invoice 123456789",
        "VIN 1HGCM82633A004352",
    ],
)
def test_other_numbers_are_let_through(text: str) -> None:
    assert looks_like(text) is None


# Each holds a run of digits that a card's number might be.
@pytest.mark.parametrize(
    "made",
    [
        "53033190-7660-45b1-99e1-7b552e94525c",
        "6f3e29a35278d71c7f65495871231324",
        "5d8f6cce532a7aeb57196be62344095936793400b3aeb3580d248b17d5518a86",
    ],
)
@pytest.mark.parametrize("text", ["{}", "/sessions/{}?page=2", "seen {} and {}"])
def test_what_machines_make_up_is_let_through_and_what_stands_beside_it_is_seen(text: str, made: str) -> None:
    assert looks_like(text.format(made, made.upper())) is None
    assert looks_like(f"{text.format(made, made)} 4111111111111111") == "financial_account_number"


def test_it_tells_the_place_and_the_kind_and_never_the_value() -> None:
    net = Net()

    net.look("tickets", [{"id": 1, "body": {"lines": ["hello", "ssn 536-22-8145"]}}])

    assert net.found == {("tickets", "body"): "social_security_number"}
    assert "tickets.body: social_security_number" in net.told()
    assert "8145" not in net.told()


def test_a_column_that_a_person_has_looked_at_is_passed_by() -> None:
    net = Net(cleared={("orders", "number")})

    net.look("orders", [{"number": "4111111111111111", "note": "5500005555555559"}])

    assert list(net.found) == [("orders", "note")]
