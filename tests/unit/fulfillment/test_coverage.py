"""What a map covers, what it leaves open, and how its walk is drawn."""

import re
from pathlib import Path

from services.fulfillment.datamap.coverage import coverage
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.picture import picture, pictures
from services.fulfillment.datamap.reading import read_dataset
from shared.policy.reading import read_yaml

SHOP = Path("tests/support/shop.yaml")
BARE = """
dataset:
  - fides_key: bare
    name: Bare
    meta: {habeas: {source: "?"}}
    collections:
      - name: leads
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
      - name: calls
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: caller, data_categories: [user.name]}
"""


def shop() -> DataMap:
    return read_dataset(read_yaml(SHOP.read_bytes()), file="shop.yaml")


def test_a_map_that_says_everything_is_whole() -> None:
    covered = coverage(shop())

    assert covered.whole
    assert covered.identities == ("email", "phone")
    assert covered.corrected == ("customers.full_name", "households.street")
    assert {"identifiers", "sensitive", "commercial"} <= set(covered.categories)
    assert 0 < covered.personal < covered.columns


def test_what_a_map_leaves_open_is_named_by_table_and_column() -> None:
    covered = coverage(read_dataset(read_yaml(BARE.encode()), file="bare.yaml"))

    assert not covered.whole
    assert covered.unreached == ("calls",)
    assert covered.undated == ("calls", "leads")
    assert covered.undescribed == ("calls.caller: source, purpose", "leads.email: source, purpose")


def test_a_picture_draws_every_step_and_what_becomes_of_each_table() -> None:
    drawn = picture(shop(), {"email"})

    lines = drawn.splitlines()
    assert lines[0] == "flowchart LR"
    assert '  s0(["email"])' in lines
    assert any(line.endswith('["invoices<br/>retained"]') for line in lines)
    assert any('-->|"customer_id = id"|' in line for line in lines)
    assert any('-.->|"id = household_id"|' in line for line in lines)
    assert picture(shop(), {"email"}) == drawn


def test_several_systems_are_one_drawing_in_which_each_has_its_frame_and_names_of_its_own() -> None:
    drawn = pictures(
        {"shop": shop(), "bare": read_dataset(read_yaml(BARE.encode()), file="b.yaml")}, {"email"}
    )

    assert drawn.count("flowchart") == 1
    assert [line.strip() for line in drawn.splitlines() if "subgraph" in line] == [
        'subgraph m0["shop"]',
        'subgraph m1["bare"]',
    ]
    marks = re.findall(r"^    (m\d[st]\d+)[(\[]", drawn, re.MULTILINE)
    assert len(marks) == len(set(marks)) > 8


def test_what_the_seeds_do_not_reach_is_drawn_so() -> None:
    drawn = picture(read_dataset(read_yaml(BARE.encode()), file="bare.yaml"), {"email"})

    assert 'calls<br/>not reached"]' in drawn
