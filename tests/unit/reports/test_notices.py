"""What people are told at collection says what the maps say, and where a map is silent that is a gap with its place."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from deploy.notices.forms import Links, as_html, as_json, as_markdown
from deploy.notices.practices import Practices, practices_of
from services.fulfillment.datamap.folder import load_systems
from services.fulfillment.vendors.classification import classify
from services.fulfillment.vendors.files import load_vendors

LINKS = Links(
    title="Shop & Sons",
    made_on=date(2026, 11, 2),
    privacy_policy="https://shop.example/privacy",
    opt_out="https://shop.example/no",
    limit="https://shop.example/limit",
    sells_under_16=False,
)
SYSTEM = "system: shop\nkind: sql\nbusiness: shop\nurl: {env: SHOP}\ndataset: shop-map.yml\n"
MAP = """
dataset:
  - fides_key: shop
    name: Shop
    meta: {habeas: {source: directly from the person, purpose: selling <things>, kept_for: two years}}
    collections:
      - name: people
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - name: visits
            data_categories: [user.behavior]
            fides_meta: {habeas: {kept_for: a year, disclosed_to: [hosting], sold_or_shared_to: [advertising networks]}}
          - {name: card, data_categories: [user.financial.credit_card]}
"""
VENDOR = """
vendor: tracker
title: Tracker
business: shop
does: Follows people.
works: by_itself
flows: [{data: [identifiers], purpose: cross_context_advertising}]
told: {by: kafka, identifiers: [{kind: email, form: sha256}]}
"""


TODAY = date(2026, 11, 2)


def shop(folder: Path, text: str = MAP, vendor: str = "", looking_back: date | None = None) -> Practices:
    (folder / "shop.yaml").write_text(SYSTEM)
    (folder / "shop-map.yml").write_text(text)
    vendors = folder / "vendors"
    vendors.mkdir(exist_ok=True)
    if vendor:
        (vendors / "tracker.yaml").write_text(vendor)
    classified = [classify(one, TODAY) for one in load_vendors(vendors)] if vendor else []
    return practices_of("shop", load_systems(folder, home=folder), classified, looking_back)


def test_each_category_says_what_its_columns_say_together(tmp_path: Path) -> None:
    found = shop(tmp_path)

    assert [one.category for one in found.practices] == ["identifiers", "internet_activity", "sensitive"]
    visits = found.practices[1]
    assert (visits.sources, visits.kept_for) == (("directly from the person",), ("a year",))
    assert (visits.disclosed_to, visits.sold_or_shared_to) == (("hosting",), ("advertising networks",))
    assert (found.gaps, found.sells_or_shares, found.holds_sensitive) == ((), True, True)


def test_what_a_map_does_not_say_is_a_gap_with_its_place(tmp_path: Path) -> None:
    found = shop(tmp_path, MAP.replace(", kept_for: two years", ""))

    assert found.gaps == (
        "identifiers: the map does not say how long it is kept (kept_for) for shop: people.id and 1 more",
        "sensitive: the map does not say how long it is kept (kept_for) for shop: people.card",
    )


def test_a_vendor_that_gets_what_no_map_calls_sold_is_a_gap(tmp_path: Path) -> None:
    assert shop(tmp_path, vendor=VENDOR).gaps == (
        "identifiers: sold to or shared with tracker, and no map names anybody under sold_or_shared_to",
    )


def ended(folder: Path, flow: str) -> Practices:
    """The tables of a policy, of a vendor with one flow."""
    said = VENDOR.replace("{data: [identifiers], purpose: cross_context_advertising}", flow)
    return shop(folder, vendor=said, looking_back=TODAY)


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("2026-11-01", True),
        ("2026-03-05", True),
        ("2025-11-02", True),
        ("2025-11-01", False),
        ("2026-11-02", False),
    ],
)
def test_a_policy_names_who_was_sold_to_in_the_last_twelve_months_with_the_last_day(
    tmp_path: Path,
    last: str,
    told: bool,  # noqa: FBT001 - of this test alone
) -> None:
    found = ended(tmp_path, f"{{data: [identifiers], purpose: cross_context_advertising, ended_on: {last}}}")

    [identifiers] = [one for one in found.practices if one.category == "identifiers"]
    assert identifiers.was_sold_or_shared_to == ((f"Tracker (until {last})",) if told else ())


def test_what_was_only_disclosed_is_told_apart_from_what_was_sold(tmp_path: Path) -> None:
    found = ended(tmp_path, "{data: [identifiers], purpose: services_for_us, ended_on: 2026-03-05}")

    [identifiers] = [one for one in found.practices if one.category == "identifiers"]
    assert identifiers.was_disclosed_to == ("Tracker (until 2026-03-05)",)
    assert (identifiers.was_sold_or_shared_to, found.sold_or_shared_before) == ((), False)


def test_what_went_out_and_no_map_holds_any_more_is_a_gap(tmp_path: Path) -> None:
    found = ended(tmp_path, "{data: [geolocation], purpose: cross_context_advertising, ended_on: 2026-03-05}")

    assert found.gaps == ("geolocation: Tracker (until 2026-03-05) got it, and no map holds any",)


def test_a_notice_at_collection_says_what_is_done_now_alone(tmp_path: Path) -> None:
    said = VENDOR.replace("cross_context_advertising}", "cross_context_advertising, ended_on: 2026-03-05}")

    found = shop(tmp_path, vendor=said)

    assert [one.was_sold_or_shared_to for one in found.practices] == [(), (), ()]


def test_who_stopped_selling_within_the_year_says_that_it_did(tmp_path: Path) -> None:
    text = MAP.replace(", sold_or_shared_to: [advertising networks]", "")
    said = VENDOR.replace("cross_context_advertising}", "cross_context_advertising, ended_on: 2026-03-05}")

    found = shop(tmp_path, text, said, looking_back=TODAY)
    page = as_html(found, LINKS, "policy")

    assert (
        "sells no personal information and shares none for cross-context behavioral advertising any more."
        in page
    )
    assert "Tracker (until 2026-03-05)" in page
    assert "Tracker (until 2026-03-05)" in as_markdown(found, LINKS, "policy")
    assert LINKS.model_copy(update={"opt_out": None}).missing(found, "policy") == []


def test_other_businesses_are_left_out(tmp_path: Path) -> None:
    shop(tmp_path)

    assert practices_of("elsewhere", load_systems(tmp_path, home=tmp_path)).practices == ()


@pytest.mark.parametrize("document", ["collection", "policy"])
def test_every_form_names_every_category_and_nothing_becomes_a_tag(tmp_path: Path, document: str) -> None:
    found = shop(tmp_path)

    page = as_html(found, LINKS, document)  # type: ignore[arg-type] # parametrized
    text = as_markdown(found, LINKS, document)  # type: ignore[arg-type] # parametrized
    told = json.loads(as_json(found, LINKS, document))  # type: ignore[arg-type] # parametrized

    for one in found.practices:
        assert one.words in page
        assert one.words in text
    assert [one["category"] for one in told["categories"]] == [one.category for one in found.practices]
    for each in (page, text):
        assert "selling &lt;things&gt;" in each or "selling &lt;things>" in each
        assert "<things>" not in each
    assert '<html lang="en">' in page
    assert "Shop &amp; Sons" in page
    assert "https://shop.example/no" in page


def test_who_sells_nothing_says_so(tmp_path: Path) -> None:
    found = shop(tmp_path, MAP.replace(", sold_or_shared_to: [advertising networks]", ""))

    assert "sells no personal information" in as_html(found, LINKS, "policy")
    assert "https://shop.example/no" not in as_html(found, LINKS, "collection")


@pytest.mark.parametrize("document", ["collection", "policy"])
def test_a_document_that_lacks_nothing_says_when_it_was_made_and_how_to_limit(
    tmp_path: Path, document: str
) -> None:
    found = shop(tmp_path)

    assert LINKS.missing(found, document) == []  # type: ignore[arg-type] # parametrized
    for form in (as_html, as_markdown):
        page = form(found, LINKS, document)  # type: ignore[arg-type] # parametrized
        assert "November 2, 2026" in page
        assert "https://shop.example/limit" in page


def test_what_no_map_can_say_is_asked_for_and_said(tmp_path: Path) -> None:
    found = shop(tmp_path)
    silent = LINKS.model_copy(update={"limit": None, "sells_under_16": None})
    opt_in = {"sells_under_16": True, "opt_in_under_16": "https://shop.example/under-16"}
    told = silent.model_copy(update={"sensitive_as_permitted": True, **opt_in})

    assert [one.split("(")[0].strip() for one in silent.missing(found, "policy")] == [
        "no link to the notice of the right to limit",
        "whether it is known that data of consumers under 16 is sold or shared",
    ]
    assert told.missing(found, "policy") == []
    page = " ".join(as_html(found, told, "policy").split())
    assert "knows that it sells or shares the personal information of consumers under 16" in page
    assert "nothing but the purposes that 11 CCR 7027(m) permits" in page


def checked(folder: Path, published: Path) -> tuple[int, list[str]]:
    answer = typed_as(folder, "check", str(published), "--json")
    return answer.exit_code, json.loads(answer.stdout)["stale"]


def test_a_published_notice_is_checked_against_the_maps_of_today(tmp_path: Path) -> None:
    shop(tmp_path)
    published = tmp_path / "published.json"
    typed(tmp_path, "--json", "--to", str(published))
    assert checked(tmp_path, published) == (0, [])

    shop(tmp_path, MAP.replace("selling <things>", "renting <things>").replace("user.behavior", "user.name"))

    code, stale = checked(tmp_path, published)
    assert code == 1
    assert "identifiers: purposes is another by now" in stale
    assert "internet_activity: in it, and not collected any more" in stale


def test_what_is_no_published_notice_is_refused_in_a_sentence(tmp_path: Path) -> None:
    shop(tmp_path)
    (tmp_path / "page.html").write_text("<html>")

    answer = typed_as(tmp_path, "check", str(tmp_path / "page.html"))

    assert answer.exit_code == 2
    assert "--format json" in answer.stderr


def typed(folder: Path, *words: str) -> Result:
    return typed_as(folder, "collection", "--business", "shop", *words)


def typed_as(folder: Path, *words: str) -> Result:
    environment = {
        "HABEAS_FULFILLMENT_SYSTEMS": str(folder),
        "HABEAS_FULFILLMENT_VENDORS": str(folder / "vendors"),
    }
    return CliRunner().invoke(app, ["notices", *words], env=environment)


def test_a_notice_without_its_links_ends_with_1_and_says_which(tmp_path: Path) -> None:
    shop(tmp_path)

    answer = typed(tmp_path, "--format", "md")

    assert answer.exit_code == 1
    assert answer.stdout.startswith("# Notice at collection")
    assert [line.split(":")[1].split("(")[0] for line in answer.stderr.splitlines()] == [
        " no link to the privacy policy's page ",
        " no link to the notice of the right to opt out ",
        " no link to the notice of the right to limit ",
    ]
    links = ("--policy-url", "https://shop.example/privacy", "--opt-out-url", "https://shop.example/no")
    assert typed(tmp_path, *links, "--sensitive-as-permitted").exit_code == 0
