"""The search finds a value in every form in which a copy of it could lie somewhere, wherever it stands."""

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote_plus

import pytest

from tests.support.canaries import ALGORITHMS, Canaries

NAME = "Zoë Quokka/Frost?"
PHONE = "+15307318200"
SEARCH = Canaries({"name": NAME, "phone": PHONE})


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", '{"name":"'])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_base64_is_found_wherever_in_a_text_the_value_began(
    before: str, encode: Callable[[bytes], bytes]
) -> None:
    for value in (NAME, NAME.lower(), NAME.upper(), PHONE):
        assert SEARCH.found_in(encode(f"{before}{value}, and more".encode()))


@pytest.mark.parametrize(
    "text",
    [
        NAME,
        NAME.upper(),
        json.dumps({"a": NAME}),
        quote_plus(NAME),
        NAME.encode().hex(),
        NAME.encode().hex().upper(),
        "tel:+1-530-731-8200",
        "(530) 731-8200",
        "530.731.8200",
    ],
)
def test_a_value_is_found_as_it_is_written(text: str) -> None:
    assert SEARCH.found_in(f"before {text} behind".encode())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("value", [NAME, NAME.lower(), PHONE, PHONE.removeprefix("+1")])
def test_a_hash_without_a_key_is_found_in_each_form(algorithm: str, value: str) -> None:
    digest = hashlib.new(algorithm, value.encode(), usedforsecurity=False).digest()

    for written in (digest, digest.hex().encode(), digest.hex().upper().encode(), b64encode(digest)):
        assert SEARCH.found_in(b"<" + written + b">")
        assert not SEARCH.found_in(b"<" + written + b">", hashes=False)


def test_nothing_is_found_where_nothing_is() -> None:
    assert SEARCH.found_in(b"a request of somebody else, +1 530 731 8201, zoe@example.com") == []
