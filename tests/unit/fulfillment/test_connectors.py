"""Reading connectors: what could never work is found in the file, and named by file, key and remedy."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.exceptions import SecurityError

from services.fulfillment.adapters.http import open_adapter
from services.fulfillment.adapters.http.address import base_address, same_origin
from services.fulfillment.adapters.http.connector import Request
from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.requests import prepared
from services.fulfillment.adapters.http.templates import UnsafeValueError, compiled
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import load_system

BLANK = Path("deploy/connectors/blank/blank.yaml")
MAP = Path("deploy/connectors/blank/maps/blank.yaml")
SYSTEM = """
system: theirs
kind: http
business: shop
url: {file: url}
connector: connectors/theirs.yaml
secrets: {token: {file: token}}
dataset: datasets/theirs.yaml
"""


def blank() -> dict[str, Any]:
    content = yaml.safe_load(BLANK.read_text())
    assert isinstance(content, dict)
    return content


def problems(folder: Path, connector: dict[str, Any] | str, system: str = SYSTEM) -> tuple[str, ...]:
    """What is said of this connector."""
    for name in ("connectors", "datasets"):
        (folder / name).mkdir(exist_ok=True)
    text = connector if isinstance(connector, str) else yaml.safe_dump(connector)
    (folder / "connectors" / "theirs.yaml").write_text(text)
    (folder / "datasets" / "theirs.yaml").write_text(MAP.read_text())
    (folder / "theirs.yaml").write_text(system)
    try:
        open_adapter(load_system(folder / "theirs.yaml", home=folder))
    except MapError as error:
        return error.problems
    return ()


def changed(**collection: Any) -> dict[str, Any]:
    """The blank connector with other keys in its collection; None takes one away."""
    content = blank()
    spec = {**content["collections"]["subscribers"], **collection}
    content["collections"]["subscribers"] = {name: value for name, value in spec.items() if value is not None}
    return content


def test_the_connector_to_begin_with_fits_its_map(tmp_path: Path) -> None:
    assert problems(tmp_path, blank()) == ()


@pytest.mark.parametrize(
    ("connector", "said"),
    [
        (
            changed(find_by={}),
            "collections.subscribers.find_by: unknown key; known here: fields, complete, find",
        ),
        (
            changed(delete={"request": {"path": "/x", "verb": "DELETE"}}),
            "verb: unknown key; known here: method, path",
        ),
        (
            changed(delete={"request": {"path": "//evil.example/x"}}),
            "delete.request.path: String should match",
        ),
        (changed(delete={"request": {"path": "/{{ id"}}), "delete.request.path: not a template: "),
        (changed(delete={"request": {"path": "/{{ id | shout }}"}}), "No filter named 'shout'"),
        (
            changed(read={"request": {"path": "/x"}, "rows": "items["}),
            "read.rows: not a JMESPath expression: ",
        ),
        (
            changed(find={"email": {"request": {"path": "/x", "query": {"q": "{{ e_mail }}"}}}}),
            "unknown variable 'e_mail'; known here: settings, value, values",
        ),
        (changed(find={}), "find.email: the map looks here for email"),
        (changed(find={"e_mail": {"derive": "x"}}), "fields.e_mail: the map has no such column"),
        (changed(delete=None), "collections.subscribers.delete: the map erases these rows; say how"),
        (
            changed(update=None),
            "collections.subscribers.opt_out: the map has a flag for it; say how it is set",
        ),
        (
            changed(update=None, opt_out={"request": {"path": "/x"}}),
            "collections.subscribers.correct: the map lets columns be corrected; say how, here or under update",
        ),
        (changed(read=None), "collections.subscribers.read: what is corrected must be readable"),
        (
            changed(correct={"request": {"path": "/x"}, "body": {}}),
            "collections.subscribers.correct.body: unknown key; known here: request, then",
        ),
        (changed(correct={"request": {"path": "/{{ changes.name | shout }}"}}), "No filter named 'shout'"),
        ({**blank(), "collections": {}}, "collections: Dictionary should have at least 1 item"),
        ({**blank(), "auth": {"kind": "magic"}}, "auth: Input tag 'magic'"),
        (
            {**blank(), "auth": {"kind": "bearer", "secret": "key"}},
            "names no secret 'key'; add it under `secrets`",
        ),
        (
            {**blank(), "settings": {"list": "its id"}},
            "settings.list: the system file theirs does not say it: its id",
        ),
        ("connector: [", "not readable as YAML: "),
    ],
)
def test_what_could_never_work_is_said_by_file_key_and_remedy(
    tmp_path: Path, connector: dict[str, Any] | str, said: str
) -> None:
    found = problems(tmp_path, connector)

    assert any(said in problem for problem in found), found
    assert all("connectors/theirs.yaml: " in problem for problem in found)


def test_a_collection_that_only_one_of_the_two_files_knows_is_said(tmp_path: Path) -> None:
    connector = blank()
    connector["collections"]["strangers"] = connector["collections"].pop("subscribers")

    found = problems(tmp_path, connector)

    assert any("the map's subscribers is missing" in problem for problem in found)
    assert any("collections.strangers: is not in the map" in problem for problem in found)


def test_a_system_over_http_needs_a_connector_and_says_so(tmp_path: Path) -> None:
    without = SYSTEM.replace("connector: connectors/theirs.yaml\n", "")

    assert problems(tmp_path, blank(), without) == (
        "theirs: connector: is needed for the kind http; name a file of connectors",
    )


def test_every_value_in_a_path_stays_in_its_place() -> None:
    fill = compiled("/people/{{ id }}/mail", path=True)

    assert fill({"id": "a/../b?c=d#e f"}) == "/people/a%2F..%2Fb%3Fc%3Dd%23e%20f/mail"
    for leading_away in ("", ".", ".."):
        with pytest.raises(UnsafeValueError):
            fill({"id": leading_away})


def test_a_lone_template_keeps_its_type_and_a_text_around_it_does_not() -> None:
    request = prepared(
        Request.model_validate(
            {"path": "/x", "json": {"ids": "{{ ids }}", "text": "no {{ ids[0] }}", "n": 5}}
        ),
        "x",
    )

    assert request.fill({"ids": ["007", 8]}).body == {"ids": ["007", 8], "text": "no 007", "n": 5}


def test_a_template_reaches_nothing_but_its_variables() -> None:
    with pytest.raises(SecurityError):
        compiled("{{ ''.__class__.__mro__ }}")({})


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{ value | soql }}", "O\\'Hara"),
        ('"{{ value | quoted }}"', '"O\'Hara"'),
    ],
)
def test_quotes_cannot_leave_the_place_that_they_were_put_in(text: str, filled: str) -> None:
    assert compiled(text)({"value": "O'Hara"}) == filled


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/v1/next?page=2", "/next?page=2"),
        ("https://api.example/v1/next", "/next"),
        ("https://evil.example/v1/next", None),
        ("http://api.example/v1/next", None),
        ("//evil.example/next", None),
        ("https://api.example@evil.example/", None),
    ],
)
def test_no_answer_leads_to_another_host(address: str, path: str | None) -> None:
    assert same_origin("https://api.example/v1", address) == path


@pytest.mark.parametrize(
    "address", ["http://api.example", "file:///etc/passwd", "https://", "https://a:b@c", "x"]
)
def test_an_address_without_tls_is_only_for_this_machine(address: str) -> None:
    assert base_address("http://127.0.0.1:8000/", {}) == "http://127.0.0.1:8000"
    assert base_address("https://{{ settings.name }}.example", {"name": "shop"}) == "https://shop.example"
    with pytest.raises(Failure):
        base_address(address, {})
