"""A regime's file is read strictly, every rule in it is sourced, and what is not in force is not granted."""

import copy
from collections.abc import Callable, Iterator
from datetime import date, datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from yaml import YAMLError

from shared.policy import (
    Degree,
    NotInForceError,
    Right,
    RightNotOfferedError,
    UnknownRegimeError,
    compute_clocks,
    load_regime,
    regime_names,
    verification_rule,
)
from shared.policy.reading import RepeatedKeyError, read_yaml
from shared.policy.regimes import BrokenPolicyError, assemble, parse_calendars, parse_rules
from shared.policy.rules import RegimeRules

PACIFIC = ZoneInfo("America/Los_Angeles")
CCPA = load_regime("us-ca-ccpa")
TEXT = files("shared.policy").joinpath("us-ca-ccpa.yaml").read_bytes()
IN_2026 = datetime(2026, 12, 31, 23, 59, tzinfo=PACIFIC)
IN_2027 = datetime(2027, 1, 1, 0, 0, tzinfo=PACIFIC)
TABLE = parse_calendars(files("shared.policy").joinpath("calendars", "us-ca.yaml").read_bytes())
ADMT = (Right.OPT_OUT_ADMT, Right.ACCESS_ADMT, Right.APPEAL_ADMT)
PLAIN = copy.deepcopy(read_yaml(TEXT))
Mapping = dict[str, Any]
Path = tuple[str | int, ...]


def _mappings(value: Any, path: Path = ()) -> Iterator[tuple[Path, Mapping]]:
    """Walk every mapping of the document with the way to it."""
    if isinstance(value, dict):
        yield path, value
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _mappings(inner, (*path, key))


def _changed(path: Path, change: Callable[[Mapping], object]) -> Mapping:
    """Copy the document without its anchors and change one mapping of it."""
    document: Any = _unshared(PLAIN)
    place = document
    for step in path:
        place = place[step]
    change(place)
    assert isinstance(document, dict)
    return document


def _unshared(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unshared(inner) for key, inner in value.items()}
    return [_unshared(inner) for inner in value] if isinstance(value, list) else value


RULES = [path for path, mapping in _mappings(PLAIN) if "cite" in mapping]


@pytest.mark.parametrize("key", ["cite", "effective", "confidence"])
def test_no_rule_may_lack_its_source_its_date_or_its_confidence(key: str) -> None:
    for path in RULES:
        with pytest.raises(ValidationError):
            RegimeRules.model_validate(_changed(path, lambda rule: rule.pop(key)))


def test_every_statement_of_law_is_a_sourced_rule() -> None:
    containers = {"effective", "rights", "degrees", "clocks", "notices", "retention", "days_before"}
    unsourced = {path for path, mapping in _mappings(PLAIN) if "cite" not in mapping}

    assert {path[-1] for path in unsourced} == containers


def test_an_unknown_key_is_refused_wherever_it_stands() -> None:
    for path, _ in _mappings(PLAIN):
        with pytest.raises(ValidationError):
            RegimeRules.model_validate(_changed(path, lambda mapping: mapping.update(mispelt=1)))


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(RepeatedKeyError, match="line 2: offered stands there twice"):
        read_yaml(b"offered: false\noffered: true\n")


def test_a_value_that_holds_itself_is_refused_and_one_that_is_repeated_is_not() -> None:
    with pytest.raises(YAMLError, match="an alias"):
        read_yaml(b"fields: &all [{inner: *all}]\n")
    assert read_yaml(b"one: &one [1]\nboth: [*one, *one]\n")["both"] == [[1], [1]]


def test_a_tag_that_would_build_an_object_is_refused() -> None:
    with pytest.raises(Exception, match="could not determine a constructor"):
        parse_rules(b"!!python/object/apply:os.getcwd []\n")


@pytest.mark.parametrize(
    ("path", "change", "complaint"),
    [
        (("rights", "opt_out", "verification"), {"degree": "reasonable"}, "on_unverified is given exactly"),
        (("rights", "delete", "on_unverified"), {"to": "know_categories"}, "to is given exactly"),
        (("rights", "know_specific", "on_unverified"), {"to": "object"}, "a right that the regime lacks"),
        (("rights", "delete", "clocks", "extend"), {"times": 2}, "Input should be 1"),
        (("rights", "delete", "clocks", "respond"), {"n": 0}, "greater than or equal to 1"),
        (
            ("rights", "delete", "clocks", "respond"),
            {"unit": "fortnight"},
            "does not match any of the expected",
        ),
        (("rights", "delete", "verification"), {"confidence": "K"}, "offered must be false while"),
        (("rights", "delete", "clocks", "respond"), {"confidence": "K"}, "offered must be false while"),
    ],
)
def test_a_contradiction_in_the_file_is_refused(path: Path, change: Mapping, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        RegimeRules.model_validate(_changed(path, lambda mapping: mapping.update(change)))


@pytest.mark.parametrize(
    ("effective", "complaint"),
    [
        ({"from": date(2026, 1, 2)}, "delete.respond begins later than the right that needs it"),
        ({"from": date(2026, 1, 1), "to": date(2029, 1, 1)}, "delete.respond ends earlier than the right"),
    ],
)
def test_a_period_that_is_not_law_as_long_as_its_right_is_refused(effective: Mapping, complaint: str) -> None:
    document = _changed(
        ("rights", "delete", "clocks", "respond"), lambda clock: clock.update(effective=effective)
    )

    with pytest.raises(ValidationError, match=complaint):
        RegimeRules.model_validate(document)


@pytest.mark.parametrize(
    ("path", "change", "complaint"),
    [
        (("rights", "delete", "clocks", "extend"), {"n": 45}, "extend is the whole longer period"),
        (("rights", "know_specific", "frequency"), {"calendar_year": True}, "give months or calendar_year"),
        ((), {"because": "it rains"}, "because is given exactly when offered is false"),
        ((), {"offered": False}, "because is given exactly when offered is false"),
    ],
)
def test_what_cannot_be_meant_is_refused(path: Path, change: Mapping, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        RegimeRules.model_validate(_changed(path, lambda mapping: mapping.update(change)))


def test_an_extension_of_nothing_is_refused() -> None:
    document = _changed(("rights", "delete", "clocks"), lambda clocks: clocks.pop("respond"))

    with pytest.raises(ValidationError, match="nothing to extend"):
        RegimeRules.model_validate(document)


def test_a_degree_that_is_not_described_is_refused() -> None:
    with pytest.raises(ValidationError, match="a degree that degrees does not describe"):
        RegimeRules.model_validate(_changed(("degrees",), lambda degrees: degrees.pop("reasonably_high")))


def test_a_calendar_that_the_place_lacks_is_refused() -> None:
    rules = RegimeRules.model_validate(
        _changed(("rights", "limit", "clocks", "effective"), lambda clock: clock.update(calendar="lunar"))
    )

    with pytest.raises(BrokenPolicyError, match=r"limit\.effective: us-ca has no calendar lunar"):
        assemble(rules, TABLE, version="test")


def test_an_unconfirmed_regime_loads_but_is_not_offered() -> None:
    document = _changed(("rights", "delete"), lambda rule: rule.update(confidence="K"))
    regime = assemble(
        RegimeRules.model_validate(document | {"offered": False, "because": "deletion is unconfirmed"}),
        TABLE,
        version="test",
    )

    assert regime.offered_rights(date(2026, 6, 1)) == ()
    with pytest.raises(RightNotOfferedError, match="unconfirmed"):
        compute_clocks(regime, Right.DELETE, IN_2026)


@pytest.mark.parametrize("right", ADMT)
def test_rights_over_automated_decisions_begin_with_2027(right: Right) -> None:
    assert not CCPA.offers(right, date(2026, 12, 31))
    assert CCPA.offers(right, date(2027, 1, 1))
    with pytest.raises(NotInForceError, match="from 2027-01-01 on"):
        compute_clocks(CCPA, right, IN_2026)
    assert compute_clocks(CCPA, right, IN_2027).answer_by is not None


def test_california_offers_seven_rights_in_2026_and_ten_from_2027() -> None:
    assert set(CCPA.offered_rights(date(2026, 6, 1))) == {
        Right.KNOW_CATEGORIES,
        Right.KNOW_SPECIFIC,
        Right.DELETE,
        Right.CORRECT,
        Right.OPT_OUT,
        Right.LIMIT,
        Right.OPT_IN,
    }
    assert len(CCPA.offered_rights(date(2027, 6, 1))) == 10


@pytest.mark.parametrize("right", [Right.OBJECT, Right.PORTABILITY, Right.SHINE_THE_LIGHT])
def test_a_right_of_another_regime_is_not_granted(right: Right) -> None:
    with pytest.raises(RightNotOfferedError, match=f"{right} does not exist in us-ca-ccpa"):
        compute_clocks(CCPA, right, IN_2027)


def test_a_request_from_before_the_rules_is_not_computed_with_them() -> None:
    with pytest.raises(NotInForceError, match="from 2026-01-01 on"):
        compute_clocks(CCPA, Right.DELETE, datetime(2025, 12, 31, 23, 59, tzinfo=PACIFIC))


@pytest.mark.parametrize("name", ["", "us-ca", "../us-ca-ccpa", "calendars/us-ca", "US-CA-CCPA"])
def test_an_unknown_regime_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(UnknownRegimeError, match="us-ca-ccpa"):
        load_regime(name)


@pytest.mark.parametrize(
    ("right", "degree", "when_sensitive"),
    [
        (Right.KNOW_CATEGORIES, Degree.REASONABLE, None),
        (Right.KNOW_SPECIFIC, Degree.REASONABLY_HIGH, None),
        (Right.DELETE, Degree.REASONABLE, Degree.REASONABLY_HIGH),
        (Right.CORRECT, Degree.REASONABLE, Degree.REASONABLY_HIGH),
        (Right.OPT_OUT, Degree.NONE, None),
        (Right.LIMIT, Degree.NONE, None),
        (Right.OPT_IN, Degree.NONE, None),
        (Right.OPT_OUT_ADMT, Degree.NONE, None),
        (Right.ACCESS_ADMT, Degree.REASONABLY_HIGH, None),
        (Right.APPEAL_ADMT, Degree.REASONABLE, Degree.REASONABLY_HIGH),
    ],
)
def test_the_right_decides_the_degree(right: Right, degree: Degree, when_sensitive: Degree | None) -> None:
    rule = verification_rule(CCPA, right)

    assert (rule.degree, rule.when_sensitive) == (degree, when_sensitive)


def test_only_specific_pieces_fall_back_to_categories() -> None:
    rules = CCPA.rules.rights.items()
    fallbacks = {right: rule.on_unverified.to for right, rule in rules if rule.on_unverified}

    assert fallbacks.pop(Right.KNOW_SPECIFIC) is Right.KNOW_CATEGORIES
    assert set(fallbacks.values()) == {None}


def test_the_eight_exemptions_of_section_105_d_are_listed() -> None:
    cites = [exemption.cite for exemption in CCPA.rules.exemptions]

    assert cites[:8] == [f"Civ. Code 1798.105(d)({n})" for n in range(1, 9)]
    assert len({exemption.id for exemption in CCPA.rules.exemptions}) == len(cites)


def test_what_belongs_to_another_person_is_exempt_from_every_right_over_data() -> None:
    others = next(one for one in CCPA.rules.exemptions if one.id == "rights_of_others")

    assert others.cite == "Civ. Code 1798.145(k)"
    assert {Right.KNOW_SPECIFIC, Right.DELETE} <= set(others.rights)


@pytest.mark.parametrize("name", regime_names())
def test_every_regime_that_is_not_offered_says_why(name: str) -> None:
    regime = load_regime(name)
    right = next(iter(regime.rules.rights))

    assert regime.rules.offered == (name == "us-ca-ccpa")
    if not regime.rules.offered:
        with pytest.raises(RightNotOfferedError, match=f"{name} is not offered: "):
            compute_clocks(regime, right, datetime(2027, 6, 1, tzinfo=PACIFIC))


def test_every_regime_that_has_a_file_loads_and_keeps_its_name() -> None:
    assert [load_regime(name).id for name in regime_names()] == list(regime_names())


def test_a_regime_is_loaded_once_and_its_version_names_its_bytes() -> None:
    assert load_regime("us-ca-ccpa") is CCPA
    assert len(CCPA.version) == 12
    assert compute_clocks(CCPA, Right.DELETE, IN_2026).policy_version == CCPA.version
