"""What `habeas systems plan --statements` tells of systems over HTTP: the requests themselves, and nobody's values."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from services.fulfillment.adapters.email.telling import statements_of as letters_of
from services.fulfillment.adapters.files.telling import statements_of as files_of
from services.fulfillment.adapters.http.telling import statements_of
from services.fulfillment.adapters.opendsr.telling import statements_of as orders_of
from services.fulfillment.adapters.webhook.telling import statements_of as messages_of
from services.fulfillment.ports import Subject
from tests.contracts.connectors.test_any_connector import CUT_OFF, KEY, NAMES
from tests.support.told import WHSEC, told
from tests.support.vendor import Vendor, frozen_of

TOLD = """\
Each request has authorization by basic (api_key)

Requests
  GET /lists/a1b2/members/md5(:email)

Request that asks whether we are let in
  GET /lists/a1b2?fields=id,name

Requests that show what is held, or whether it is
  GET /lists/a1b2/members/:id

Requests of a deletion
  POST /lists/a1b2/members/:id/actions/delete-permanent

Requests of an opt-out or a limit
  PATCH /lists/a1b2/members/:id {"status": "unsubscribed"}

Requests of a correction
  PATCH /lists/a1b2/members/:id {"merge_fields": {"FNAME": ":first_name", "LNAME": ":last_name"}}
"""


def test_the_requests_are_told_in_their_order_with_names_for_values(tmp_path: Path) -> None:
    assert statements_of(Vendor("mailchimp").system("http://localhost", tmp_path), {"email"}) == TOLD


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_told_is_what_is_sent(name: str, tmp_path: Path) -> None:
    vendor = Vendor(name)
    system, adapter = vendor.system("http://localhost", tmp_path), vendor.adapter(tmp_path)
    lines = statements_of(system, set(vendor.fixture["person"])).splitlines()
    await adapter.find(Subject(vendor.fixture["person"]), cut_off=CUT_OFF)
    frozen = frozen_of(vendor.fixture["found"])
    await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    vendor.state = "held"
    await adapter.act("opt_out", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    await adapter.close()

    patterns = [pattern_of(line) for line in lines if line.startswith("  ")]
    sent = {f"{method} {path}" for method, path in vendor.told if not path.endswith("/token")}
    assert sent
    assert [each for each in sorted(sent) if not any(one.fullmatch(each) for one in patterns)] == []
    assert not any("{{" in line for line in lines)
    secrets = [str(each) for each in vendor.fixture["secrets"].values()]
    assert not any(secret in line for secret in secrets for line in lines)


def pattern_of(line: str) -> re.Pattern[str]:
    """What a told request looks like when it is sent: anything for a name; a page may have an address of its own."""
    method, path = line.split()[:2]
    named = re.sub(r"md5\(:\w+\)|:\w+(\.\w+(?=/))?", "[^/]+", path.rstrip(",").partition("?")[0])
    return re.compile(f"{method} {named}" + ("(/[^/]+)?" if "pages after" in line else ""))


def test_an_order_is_told_without_the_person(tmp_path: Path) -> None:
    plain = told(tmp_path, "opendsr", "https://api.processor.example/v2", {"certificate": "x"})
    settings = {
        "rights": "delete, know_specific",
        "format": "sha256",
        "results_hosts": "files.processor.example",
    }
    system = plain.model_copy(update={"settings": settings})

    lines = [line.strip() for line in orders_of(system, {"email", "phone"}).splitlines()]

    orders = [json.loads(line.removeprefix("POST /requests ")) for line in lines if line.startswith("POST")]
    assert [order["subject_request_type"] for order in orders] == ["erasure", "access"]
    assert orders[0]["subject_identities"] == [
        {"identity_type": "email", "identity_value": "sha256(:email)", "identity_format": "sha256"}
    ]
    assert "GET :results_url, if it is on its own host or files.processor.example; 50 MB at most" in lines
    assert "none" in orders_of(system, {"phone"})


def test_a_message_is_told_without_the_person(tmp_path: Path) -> None:
    system = told(tmp_path, "webhook", "https://hooks.example/here", {"signing": WHSEC})

    (line,) = [each for each in messages_of(system, {"email"}).splitlines() if "POST" in each]

    assert json.loads(line.split("POST ")[1])["data"]["subjects"] == [{"email": ":email"}]
    assert "whsec" not in line
    assert "none" in messages_of(system, {"phone"})


def test_a_file_for_a_folder_is_told_as_it_is_written_without_the_person(tmp_path: Path) -> None:
    system = told(tmp_path, "files", str(tmp_path), {}).model_copy(
        update={"settings": {"rights": "delete, opt_out", "patience_days": 5}}
    )

    lines = [line.strip() for line in files_of(system, {"email", "phone"}).splitlines()]

    written = [json.loads(line.removeprefix("write :order.json ")) for line in lines if "write" in line]
    assert written == [
        {"order": ":order", "right": right, "subjects": [{"email": ":email"}], "collected_until": ":cut_off"}
        for right in ("delete", "opt_out")
    ]
    assert "look for :order.done beside it every 1 h, for 5 days at most" in lines
    assert list(tmp_path.glob("*.json")) == []
    assert "none" in files_of(system, {"phone"})


def test_a_letter_is_told_word_for_word_without_the_person_or_the_mail_server(tmp_path: Path) -> None:
    address = "smtps://user:secret-password@mail.example"
    settings = {"to": "privacy@company.example", "from": "us@shop.example", "rights": "opt_out"}
    system = told(tmp_path, "email", address, {"certificate": "x"}).model_copy(update={"settings": settings})

    text = letters_of(system, {"email"})

    assert "Each letter is not signed, encrypted to the company; afterwards a person ends the task" in text
    assert (
        "  To: privacy@company.example\n  Subject: A privacy request for you to carry out (:order)\n" in text
    )
    assert "  Message-ID: <:order@shop.example>\n" in text
    assert "  Please no longer sell or share the personal information of the person known to you as\n" in text
    assert "    - email: :email\n" in text
    (beside,) = [line for line in text.splitlines() if "order.json: " in line]
    assert json.loads(beside.split("order.json: ")[1])["subjects"] == [{"email": ":email"}]
    assert "secret" not in text
    assert "mail.example" not in text
    assert "none" in letters_of(system, {"phone"})


def test_the_command_tells_them_and_repeats_no_identity(tmp_path: Path) -> None:
    runner = CliRunner(env={"HABEAS_FULFILLMENT_SYSTEMS": str(tmp_path), "HABEAS_HOME": str(tmp_path)})
    made = runner.invoke(
        app, ["systems", "new", "http", "shop-stripe", "--connector", "stripe", "--business", "shop"]
    )
    assert made.exit_code == 0, made.output
    person = "ana@example.com\n"

    plain = runner.invoke(app, ["systems", "plan", "shop-stripe", "--identity", "-"], input=person)
    full = runner.invoke(
        app, ["systems", "plan", "shop-stripe", "--identity", "-", "--statements"], input=person
    )

    assert "Requests of a correction" not in plain.output
    assert 'GET /v1/customers/search?query=email:":email"&limit=100, and the pages after it' in full.output
    assert "POST /v1/customers/:id form name=:name&phone=:phone" in full.output
    assert "ana@example.com" not in full.output
