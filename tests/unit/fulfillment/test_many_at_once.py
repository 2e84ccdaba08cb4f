"""A call for many requests names itself to the system by a key of its own, as a call for one does."""

from itertools import combinations

from services.fulfillment.bulk import Order, key_of_all
from services.fulfillment.ports import Frozen
from tests.support.shop import CUT_OFF

ORDERS = [Order(Frozen({}), CUT_OFF, letter * 64) for letter in "abcd"]


def test_two_calls_share_a_key_only_when_they_are_about_the_same_requests() -> None:
    keys = [key_of_all(chosen) for number in range(2, 5) for chosen in combinations(ORDERS, number)]

    assert len(set(keys)) == len(keys)
    assert key_of_all(ORDERS[::-1]) == key_of_all(ORDERS)
