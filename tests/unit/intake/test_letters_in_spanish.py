"""Whoever asks in Spanish is answered in Spanish, with nothing less than in English."""

from datetime import date
from pathlib import Path

import pytest

from services.intake.domain import Letter
from services.intake.notices import texts as notices
from services.intake.notices.wording import wording
from shared.events.fulfillment import SystemOutcome, VendorTold
from shared.policy import Right, load_regime
from shared.privacy.claims import Language
from tests.support.letters import (
    acknowledgement,
    addressed,
    answer,
    extension,
    package,
    rendering,
    retained,
    said,
    text,
)

TEMPLATES = Path(notices.__file__).parent / "templates"
TOLD = (
    VendorTold(vendor="a", title="Evergreen", outcome="done"),
    VendorTold(vendor="b", title="Northwind", outcome="nothing"),
    VendorTold(vendor="c", title="Oldco", outcome="impossible", facts="It was dissolved."),
    VendorTold(vendor="d", title="Bigco", outcome="disproportionate", facts="Paper alone."),
    VendorTold(vendor="e", title="Slowco", outcome="canceled"),
)
DONE = (
    SystemOutcome(system="crm", title="Customers", outcome="done", erased=3, deidentified=1, corrected=2),
    SystemOutcome(system="paper", title="Paper files", outcome="done", evidence="box 7"),
    SystemOutcome(system="empty", title="Empty", outcome="nothing"),
)
OFFERED = load_regime("us-ca-ccpa").offered_rights(date(2026, 2, 2))
LETTERS: dict[str, Letter] = {
    "received": acknowledgement(),
    "from an agent": acknowledgement(requester="agent"),
    "late": extension(),
    "told before": answer("delete", "duplicate"),
    "nothing": answer("delete", "nothing_found"),
    "no opt-out needed": answer("opt_out", "nothing_found"),
    "taken back": answer("delete", "withdrawn"),
    "taken back late": answer("delete", "withdrawn", systems=DONE, vendors=TOLD),
    "denied": answer("delete", "denied", ground="identity_not_verified"),
    "no categories": answer("know_categories", "denied", ground="identity_not_verified"),
    "downgraded": answer("know_specific", "complete", right="know_categories", **package()),
    "part of a copy": answer("know_specific", "partial", ground="not_done", **package()),
    "deleted in part": answer("delete", "partial", **retained(), vendors=TOLD),
    "opted out in part": answer("opt_out", "partial", systems=DONE, vendors=TOLD, ground="vendor_not_done"),
    "not corrected": answer("correct", "denied", ground="not_done"),
    "kept whole": answer("delete", "denied", **retained()),
    "corrected in part": answer("correct", "partial", systems=DONE, vendors=TOLD, ground="not_done"),
    **{right: answer(right, "complete", systems=DONE, vendors=TOLD) for right in Right if right in OFFERED},
}
ENGLISH = {"the", "your", "you", "we", "request", "record", "records", "and", "is", "our"}


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_says_the_same_in_both_languages(name: str) -> None:
    found = LETTERS[name]

    assert said(found, "es") == said(found, "en")
    assert len(text(found, language="es").split("\n\n")) == len(text(found).split("\n\n"))


@pytest.mark.parametrize("name", LETTERS)
def test_no_english_is_left_in_a_spanish_letter(name: str) -> None:
    own_words = {"it", "was", "dissolved.", "paper", "files", "alone.", "one", "system", "answers", "only"}

    words = set(text(LETTERS[name], language="es").lower().split())

    assert not words & (ENGLISH - own_words)


def test_both_languages_have_the_same_templates_and_words() -> None:
    english, spanish = wording("en"), wording("es")

    names = [{file.name for file in (TEMPLATES / language).iterdir()} for language in ("en", "es")]
    assert names[0] == names[1]
    for part in ("asked", "grounds", "subjects"):
        assert getattr(english, part).keys() == getattr(spanish, part).keys()


def test_every_exemption_of_the_law_has_spanish_words() -> None:
    assert wording("es").exemptions.keys() == {each.id for each in load_regime("us-ca-ccpa").rules.exemptions}


def test_every_right_that_the_law_offers_is_named_in_plain_words() -> None:
    assert set(OFFERED) <= set(wording("en").asked)


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2026, 3, 19), "jueves 19 de marzo de 2026"),
        (date(2026, 12, 6), "domingo 6 de diciembre de 2026"),
    ],
)
def test_a_date_is_written_as_people_write_it(day: date, written: str) -> None:
    assert wording("es").day(day) == written


def test_a_partial_deletion_gives_its_ground_in_spanish_with_its_place_in_the_law() -> None:
    words = " ".join(text(LETTERS["deleted in part"], language="es").split())

    assert "2 registros: para cumplir una obligación legal (Civ. Code 1798.105(d)(8))" in words
    assert "¿Quiere también que dejemos de vender y de compartir su información personal?" in words
    assert "- Evergreen confirmó que lo hizo." in words


@pytest.mark.parametrize(
    ("language", "did"),
    [
        (
            "en",
            "- Customers: 3 records deleted, 1 record made impossible to link to you, 2 records corrected",
        ),
        (
            "es",
            "- Customers: 3 registros borrados, 1 registro que ya no se puede vincular con usted, 2 registros",
        ),
    ],
)
def test_what_was_done_is_told_with_where_and_how_much(language: Language, did: str) -> None:
    words = " ".join(text(LETTERS["delete"], language=language).split())

    assert did in words
    assert "- Paper files: " in words
    assert "Empty" not in words


def test_systems_and_reasons_are_told_in_spanish_where_there_are_words() -> None:
    crm = SystemOutcome(system="crm", title="Customers", titles={"es": "Clientes"}, outcome="done", erased=1)
    reasons_in = {"es": ("falta un sistema",)}
    late = extension().model_copy(update={"reasons_in": reasons_in})

    assert "- Clientes: 1 registro borrado" in text(
        answer("delete", "complete", systems=(crm,)), language="es"
    )
    assert "- Customers: 1 record deleted" in text(answer("delete", "complete", systems=(crm,)))
    assert "- falta un sistema" in text(late, language="es")
    assert "- one system answers only by mail" in text(late)


def test_a_vendor_that_was_told_is_named_once() -> None:
    outcomes = (*DONE, SystemOutcome(system="a", title="Evergreen", outcome="done"))

    words = text(answer("delete", "complete", systems=outcomes, vendors=TOLD))

    assert words.count("Evergreen") == 1


def test_of_very_many_systems_the_rest_is_added_up_and_none_is_lost() -> None:
    many = tuple(
        SystemOutcome(system=f"s{n}", title=f"System {n}", outcome="done", erased=1) for n in range(30)
    )

    words = text(answer("delete", "complete", systems=many))

    assert "- System 14: 1 record deleted" in words
    assert "- Another of our systems: 15 records deleted" in words


def test_the_mail_says_which_language_it_is_in_and_keeps_its_accents() -> None:
    mail = rendering().message(LETTERS["received"], addressed(language="es"))

    assert (mail["Content-Language"], mail["Subject"]) == (
        "es",
        "Recibimos su solicitud de privacidad (Cascadia Motors)",
    )
    assert "recibimos una solicitud de que se borre su información personal" in " ".join(
        mail.get_content().split()
    )
