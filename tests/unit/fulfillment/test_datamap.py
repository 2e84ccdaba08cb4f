"""Reading a data map: Fideslang as it is written elsewhere, our additions, and every mistake by file and place."""

from pathlib import Path
from typing import Any

import pytest

from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.folder import load_systems
from services.fulfillment.datamap.model import DataMap, MapError
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.ports import CategoryHeld, Frozen
from shared.policy.reading import read_yaml

EMAIL = {"name": "email", "data_categories": ["user.contact.email"], "fides_meta": {"identity": "email"}}
KEY = {"name": "id", "fides_meta": {"primary_key": True}}


def collection(name: str, *fields: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"name": name, "fides_meta": meta, "fields": [KEY, *fields]}


def field(name: str, *, category: str | None = None, **meta: Any) -> dict[str, Any]:
    return {"name": name, "data_categories": [category] if category else None, "fides_meta": meta}


def people(*fields: dict[str, Any], **additions: Any) -> dict[str, Any]:
    return collection("people", EMAIL, *fields, habeas=additions)


def refers(place: str, dataset: str = "shop") -> list[dict[str, str]]:
    return [{"dataset": dataset, "field": place}]


def read(*collections: dict[str, Any], **dataset: Any) -> DataMap:
    return read_dataset(
        {"dataset": [{"fides_key": "shop", **dataset, "collections": list(collections)}]}, file="f.yaml"
    )


def problems(*collections: dict[str, Any], **dataset: Any) -> tuple[str, ...]:
    with pytest.raises(MapError) as caught:
        read(*collections, **dataset)
    return caught.value.problems


def test_a_map_without_our_additions_works_as_it_is() -> None:
    datamap = read(people(field("name", category="user.name")))

    person = datamap.collections["people"]
    assert person.treatment == "erase"
    assert person.fields["email"].match == "lower"
    assert person.fields["name"].category == "identifiers"
    assert not datamap.warnings


def test_columns_stay_in_the_order_in_which_they_were_written() -> None:
    datamap = read(people(field("zip"), field("age")))

    assert list(datamap.collections["people"].fields) == ["id", "email", "zip", "age"]


@pytest.mark.parametrize(
    ("category", "withheld"),
    [
        ("user.government_id.national_identification_number", "social_security_number"),
        ("user.government_id.drivers_license_number", "government_id_number"),
        ("user.financial.bank_account", "financial_account_number"),
        ("user.health_and_medical.record_id", "health_id_number"),
        ("user.authorization.password", "account_password"),
        ("user.biometric.fingerprint", "biometric_data"),
        ("user.government_id.vehicle_registration", None),
        ("user.contact.email", None),
    ],
)
def test_what_may_never_be_shown_follows_from_the_category(category: str, withheld: str | None) -> None:
    assert read(people(field("x", category=category))).collections["people"].fields["x"].withheld == withheld


def test_the_nearest_word_on_provenance_wins() -> None:
    datamap = read(
        people(
            field("score", category="user.demographic.profile", habeas={"source": "inferred"}),
            purpose="selling",
        ),
        meta={"habeas": {"source": "the person", "purpose": "running the shop"}},
    )

    columns = datamap.collections["people"].fields
    assert columns["email"].provenance.source == "the person"
    assert columns["email"].provenance.purpose == "selling"
    assert columns["score"].provenance.source == "inferred"


def test_a_categories_answer_names_only_what_is_held() -> None:
    datamap = read(
        people(),
        collection(
            "visits",
            field("page", category="user.behavior"),
            field("person_id", references=refers("people.id")),
        ),
        meta={"habeas": {"source": "the person", "sold_or_shared_to": ["advertisers"]}},
    )

    held = categories_held(datamap, Frozen({"people": ((1,),), "visits": ()}))

    assert held == (CategoryHeld("identifiers", sources=("the person",), sold_or_shared_to=("advertisers",)),)


def test_a_table_without_personal_columns_is_walked_through_and_kept() -> None:
    datamap = read(
        people(field("country_id", references=refers("countries.id"))), collection("countries", field("name"))
    )

    assert datamap.collections["countries"].treatment == "keep"


def test_a_table_that_hangs_on_a_persons_table_is_the_persons() -> None:
    datamap = read(
        people(),
        collection("orders", field("person_id", references=refers("people.id"))),
        collection(
            "lines",
            field("order_id", references=refers("orders.id")),
            field("lamp", references=refers("lamps.id")),
        ),
        collection("lamps", field("title")),
        collection("likes", field("person_id", references=refers("people.id")), habeas={"personal": False}),
    )

    fates = {name: each.treatment for name, each in datamap.collections.items()}
    assert fates == {"people": "erase", "orders": "erase", "lines": "erase", "lamps": "keep", "likes": "keep"}


def test_fides_own_masking_strategies_are_understood() -> None:
    datamap = read(
        people(
            field("a", masking_strategy_override={"strategy": "null_rewrite"}),
            field(
                "b",
                masking_strategy_override={
                    "strategy": "string_rewrite",
                    "configuration": {"rewrite_value": "-"},
                },
            ),
        )
    )

    strategies = [f.deidentify for f in datamap.collections["people"].deidentified]
    assert [(each.strategy, each.value) for each in strategies if each] == [
        ("set_null", None),
        ("constant", "-"),
    ]


def test_a_reference_into_another_system_is_an_identity_that_somebody_may_know() -> None:
    datamap = read(people(field("crm_id", references=refers("contacts.id", dataset="crm"))))

    assert [kind for kind, _ in datamap.identities()] == ["email", "crm.contacts.id"]


def test_an_unknown_key_is_refused_wherever_it_stands() -> None:
    said = problems(
        {"name": "people", "colour": 1, "fides_meta": {"x": 1}, "fields": [{**KEY, "nmae": "y"}, EMAIL]},
        descripton="typo",
    )

    assert [each.partition("; known here: ")[0] for each in said] == [
        "f.yaml: dataset: unknown key 'descripton'; did you mean description?",
        "f.yaml: collections.people: unknown key 'colour'",
        "f.yaml: collections.people.fides_meta: unknown key 'x'",
        "f.yaml: collections.people.fields.id: unknown key 'nmae'; did you mean name?",
    ]
    assert "; known here: after, erase_after, habeas, " in said[2]


def test_a_key_of_ours_that_is_misspelt_is_told_what_it_may_have_meant() -> None:
    said = problems(people(retenton={}, created_at={"field": "at", "fromat": "epoch_millis"}))

    assert [each.partition("habeas.")[2] for each in said] == [
        "created_at.fromat: unknown key; did you mean format?",
        "retenton: unknown key; did you mean retention?",
    ]


def test_every_wrong_addition_is_named_at_once() -> None:
    said = problems(people(field("x", habeas={"withheld": "secret"}), retenton={}, max_matches=0))

    assert len(said) == 3
    assert {each.rpartition(": ")[0] for each in said} == {
        "f.yaml: collections.people.fields.x.fides_meta.habeas.withheld",
        "f.yaml: collections.people.fides_meta.habeas.retenton",
        "f.yaml: collections.people.fides_meta.habeas.max_matches",
    }


def test_what_fideslang_itself_refuses_is_said_with_its_place() -> None:
    said = problems(people(field("x", data_type="strnig")))

    assert said == (
        "f.yaml: collections.people.fields.x.fides_meta.data_type: Value error, The data type strnig is not supported.",
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            people(field("x", references=refers("nowhere.id"))),
            "fields.x: refers to nowhere.id, which the map lacks; its collections: people",
        ),
        (
            people(field("x", references=refers("peple.id"))),
            "fields.x: refers to peple.id, which the map lacks; did you mean people?",
        ),
        (
            people(field("x", references=refers("people"))),
            "fields.x: refers to 'people': name a collection and its field, such as people.id",
        ),
        (
            people(field("x", references=refers("people.nothing"))),
            "refers to people.nothing, which the map lacks; the columns of people: email, id, x",
        ),
        (
            people(created_at="born"),
            "habeas.created_at: the map has no column 'born'; known here: email, id",
        ),
        (
            people(opt_out={"field": "no"}),
            "habeas.opt_out: the map has no column 'no'; known here: email, id",
        ),
        (
            people(where={"emial": "a"}),
            "habeas.where.emial: the map has no column 'emial'; did you mean email?",
        ),
        (people(field("x", habeas={"deidentify": "constant"})), "the strategy 'constant' needs a value"),
        (
            people(field("x", habeas={"retention": {"exemption": "e", "cite": "c", "why": "w"}})),
            "fields.x: is retained, yet its row is erased: say what to de-identify",
        ),
    ],
)
def test_what_only_the_whole_map_can_tell_is_said_with_its_place(wrong: dict[str, Any], said: str) -> None:
    (only,) = problems(wrong)

    assert only.startswith("f.yaml: collections.people")
    assert only.endswith(said)


def test_an_unknown_masking_strategy_is_refused() -> None:
    said = problems(people(field("x", masking_strategy_override={"strategy": "rot13"})))

    assert said == (
        "f.yaml: collections.people.fields.x.masking_strategy_override: unknown strategy 'rot13'",
    )


def test_a_key_column_cannot_be_deidentified() -> None:
    said = problems(
        people({"name": "no", "fides_meta": {"primary_key": True, "habeas": {"deidentify": "set_null"}}})
    )

    assert said == ("f.yaml: collections.people.fields.no: a primary key cannot be de-identified",)


def test_a_parent_that_is_erased_under_a_child_that_stays_is_warned_of() -> None:
    kept = {"retention": {"exemption": "legal_obligation", "cite": "c", "why": "w"}}

    datamap = read(
        people(), collection("sales", field("person_id", references=refers("people.id")), habeas=kept)
    )

    assert datamap.warnings == (
        "f.yaml: collections.people: is erased while sales.person_id, which is kept, refers to it",
    )


def test_a_map_by_which_nobody_could_ever_be_found_is_refused() -> None:
    said = problems(
        collection("people", field("order_id", references=refers("orders.person_id"), category="user.name")),
        collection("orders", field("person_id", references=refers("people.id"))),
    )

    why = "no identity leads to any of them, so that nobody would ever be found"
    remedy = "say of a column what a person is known by in it, fides_meta: {identity: email}"
    assert said == (f"f.yaml: collections: {why}: {remedy}",)


def test_a_table_that_no_identity_leads_to_is_warned_of() -> None:
    datamap = read(people(), collection("island", field("x", category="user.name")))

    assert datamap.warnings == (
        "f.yaml: collections.island: no identity leads here, so nothing in it is ever found",
    )


def test_a_category_that_is_none_of_fideslang_s_is_warned_of_with_what_may_be_meant() -> None:
    slip = {"name": "email", "data_categories": ["usr.contact.email"], "fides_meta": {"identity": "email"}}

    [warning] = read(collection("people", slip)).warnings

    place = "f.yaml: collections.people.fields.email.data_categories"
    assert warning == f"{place}: usr.contact.email is none of Fideslang's; did you mean user.contact.email?"


def test_what_an_answer_says_without_words_in_another_language_is_warned_of() -> None:
    meta = {"habeas": {"source": "the person", "words": {"es": {"sales": "ventas", "email": "Correo"}}}}

    datamap = read(people(purpose="sales", disclosed_to=["carriers"]), meta=meta)

    assert datamap.words == {"es": {"sales": "ventas", "email": "Correo"}}
    assert datamap.warnings == (
        "f.yaml: meta.habeas.words.es: no words for 'the person', 'carriers'; answers show them as they are",
    )


def test_words_for_nothing_in_the_map_are_warned_of() -> None:
    meta = {"habeas": {"words": {"es": {"purchaces": "compras"}}}}

    assert read(people(), meta=meta).warnings == (
        "f.yaml: meta.habeas.words.es: nothing in the map is called 'purchaces'",
    )


def test_a_language_that_nobody_is_answered_in_is_refused() -> None:
    [problem] = problems(people(), meta={"habeas": {"words": {"fr": {}}}})

    assert problem.startswith("f.yaml: meta.habeas.words.fr")


@pytest.mark.parametrize("content", [None, [], "text", {"dataset": []}, {"dataset": [{}, {}]}])
def test_a_file_that_is_no_dataset_is_refused(content: object) -> None:
    with pytest.raises(MapError, match=r"^f\.yaml: "):
        read_dataset(content, file="f.yaml")


def test_the_sample_business_has_maps_without_a_warning() -> None:
    systems = load_systems(Path("deploy/systems"), home=Path("home"))

    assert len(systems) == 6
    assert [warning for system in systems for warning in system.datamap.warnings] == []


def test_every_ground_that_the_sample_business_names_is_in_the_policy() -> None:
    policy = read_yaml(Path("shared/policy/us-ca-ccpa.yaml").read_bytes())
    known = {exemption["id"]: exemption["cite"] for exemption in policy["exemptions"]}
    systems = load_systems(Path("deploy/systems"), home=Path("home"))
    stated = [c.retention for system in systems for c in system.datamap.collections.values() if c.retention]

    assert stated
    assert all(retention.cite.startswith(known[retention.exemption]) for retention in stated)
