"""Reading the files of vendors: every mistake is named by its file and place, and none is passed over."""

from pathlib import Path

import pytest

from services.fulfillment.vendors.classification import classify
from services.fulfillment.vendors.files import VendorError, load_vendor, load_vendors
from tests.support.sources import ROOT
from tests.support.vendors import TODAY

GOOD = """\
vendor: acme-mail
title: Acme Mail
business: cascadia
does: Prints and posts our letters.
works: for_us
flows:
  - {data: [identifiers], purpose: services_for_us}
told: {by: system, system: shop}
"""


def problems(folder: Path, text: str, name: str = "acme-mail.yaml") -> tuple[str, ...]:
    (folder / name).write_text(text)
    with pytest.raises(VendorError) as caught:
        load_vendor(folder / name)
    return tuple(problem.removeprefix(f"{folder / name}: ") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("works: for_us", "works: for_us\nwork: x", "work: unknown key"),
        ("[identifiers]", "[shoe_size]", "flows.0.data.0: Input should be 'identifiers'"),
        ("services_for_us", "fun", "flows.0.purpose: Input should be 'auditing'"),
        ("told: {by: system, system: shop}", "", "vendor: told: whoever gets data must be told"),
        ("by: system, system: shop", "by: pigeon", "told: Input tag 'pigeon'"),
        ("vendor: acme-mail", "vendor: other", "vendor: the file of other is named other.yaml"),
        ("vendor: acme-mail", "vendor: acme-mail\nvendor: b", "not readable as YAML: line 2: vendor"),
    ],
)
def test_a_mistake_is_said_by_its_place(tmp_path: Path, written: str, instead: str, said: str) -> None:
    found, *_ = problems(tmp_path, GOOD.replace(written, instead))

    assert found.startswith(said)


def test_a_term_without_a_reference_to_where_it_stands_is_refused(tmp_path: Path) -> None:
    terms = "{no_combining: ''}"
    contract = f"contract: {{calls_it: contractor, signed_on: 2026-01-01, document: c/1, terms: {terms}}}\n"

    [found] = problems(tmp_path, GOOD + contract)

    assert found.startswith("contract.terms.no_combining: ")


def test_all_that_is_wrong_in_all_files_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("vendor: a1\n")
    (tmp_path / "b.yaml").write_text("vendor: b1\n")

    with pytest.raises(VendorError) as caught:
        load_vendors(tmp_path)

    assert {Path(problem.split(":")[0]).name for problem in caught.value.problems} == {"a.yaml", "b.yaml"}


def test_a_folder_without_vendors_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(VendorError, match="no vendor is described here"):
        load_vendors(tmp_path)


def test_the_sample_shows_every_state_of_a_contract() -> None:
    found = {one.vendor: classify(one, TODAY) for one in load_vendors(ROOT / "deploy/vendors")}

    assert {name: (one.party, len(one.missing)) for name, one in found.items()} == {
        "summit-mining": ("service_provider", 0),
        "evergreen-mail": ("contractor", 0),
        "harbor-desk": ("third_party", 2),
        "meridian-audiences": ("third_party", 4),
        "lookback-replay": ("third_party", 10),
        "northwind-lists": ("third_party", 0),
    }
    assert {name for name, one in found.items() if one.contradictions} == {
        "harbor-desk", "meridian-audiences", "lookback-replay",
    }  # fmt: skip
