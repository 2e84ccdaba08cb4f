"""What a vendor's engineer is given fits this vendor: its forms, rights and login, and a message that it can open."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.onboarding_page import pages
from services.fulfillment.vendors.files import OverKafka
from shared.keyfiles import KeyFiles, init_keys
from shared.policy.rights import Right
from shared.settings import Settings
from tests.support.vendor_at_work import VendorAtWork
from tests.support.vendors import a_flow, a_vendor

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def handed(
    home: Path, calls_it: str = "third_party", **told: Any
) -> tuple[dict[str, str], VendorAtWork, KeyFiles]:
    """The files by name, the vendor with its keys, and ours."""
    init_keys(home / "keys")
    vendor = VendorAtWork()
    vendor.publish(home / "keys")
    how = {"by": "kafka", "identifiers": [{"kind": "email", "form": "sha256"}], **told}
    flows = [a_flow("cross_context_advertising" if calls_it == "third_party" else "services_for_us")]
    described = a_vendor(calls_it, told=how, flows=flows)
    assert isinstance(described.told, OverKafka)
    found = pages(Settings(home=home), described, described.told, NOW)
    return {name: content.decode() for name, content in found}, vendor, KeyFiles(home / "keys")


def test_the_example_opens_with_the_vendors_key_and_says_what_the_page_says(tmp_path: Path) -> None:
    files, vendor, keys = handed(tmp_path)
    example = json.loads(files["example.json"])

    said = vendor.opens(example["value"]["letter"], keys.directives().public())

    assert said == example["what its letter says"]
    assert json.dumps(said, indent=1) in files["README.md"]


def test_a_vendor_is_told_what_to_do_for_the_rights_that_concern_it_alone(tmp_path: Path) -> None:
    third, _, _ = handed(tmp_path / "a")
    provider, _, _ = handed(tmp_path / "b", "service_provider")

    named = [
        [right for right in Right if f"| `{right}` |" in page["README.md"]] for page in (third, provider)
    ]

    assert [set(one) for one in named] == [{"delete", "opt_out", "limit"}, {"delete", "correct"}]


def test_who_need_not_sign_is_not_told_how(tmp_path: Path) -> None:
    signs, _, _ = handed(tmp_path / "a")
    login, _, _ = handed(tmp_path / "b", answers={"signed": False, "reminders": 1})

    assert "ce_signature" in signs["README.md"]
    assert "ce_signature" not in login["README.md"]
    assert "You are reminded once" in login["README.md"]
    assert "SHA-256 of the email" in login["README.md"]


def test_the_schemas_come_with_it(tmp_path: Path) -> None:
    files, _, _ = handed(tmp_path)

    assert files["vendors.asyncapi.yaml"] == Path("deploy/schemas/vendors.asyncapi.yaml").read_text()
    assert "$" not in files["README.md"].replace("$id", "")
