"""Every notice says, in plain words, what the law asks for, and carries the headers of a machine's mail."""

from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from services.intake.domain import Letter
from services.intake.notices.texts import LANGUAGES
from services.intake.settings import Business
from shared.events.commands import SendNotice
from shared.events.fulfillment import SystemOutcome, VendorTold
from shared.policy import load_regime
from shared.privacy.claims import Language
from tests.support import facts
from tests.support.domain_driver import Messages
from tests.support.front_desk import NOW, Upstream, driver, upstream_submission
from tests.support.letters import (
    CASCADIA,
    IN_THE_PACKAGE,
    NOTICE_ID,
    REQUEST_ID,
    acknowledgement,
    addressed,
    answer,
    extension,
    letter,
    package,
    received,
    rendering,
    retained,
    said,
    text,
    texts,
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("notice", "found"),
    [
        ("acknowledgement", acknowledgement()),
        ("acknowledgement", acknowledgement("know")),
        ("extension", extension()),
        ("refusal", answer("delete", "denied", ground="identity_not_verified")),
        ("unverified", answer("delete", "denied", ground="identity_not_verified")),
        ("unverified_know_categories", answer("know_categories", "denied", ground="identity_not_verified")),
        (
            "unverified_know_specific",
            answer("know_specific", "complete", right="know_categories", **package()),
        ),
        ("answer_know_categories", answer("know_categories", "complete", **package())),
        ("answer_know_specific", answer("know_specific", "partial", **package(), ground="not_done")),
        ("answer_delete", answer("delete", "complete")),
        ("answer_delete", answer("delete", "nothing_found")),
        ("answer_delete_partial", answer("delete", "partial", **retained())),
        ("answer_correct", answer("correct", "complete")),
        ("answer_opt_out", answer("opt_out", "complete")),
        ("answer_opt_out", answer("opt_out", "nothing_found")),
        ("answer_limit", answer("limit", "complete")),
    ],
)
def test_each_notice_says_everything_that_the_policy_names(
    notice: str, found: Letter, language: Language
) -> None:
    must_say = set(load_regime("us-ca-ccpa").rules.notices[notice].must_say)

    assert must_say - IN_THE_PACKAGE <= said(found, language)


@pytest.mark.parametrize("right", ["opt_out", "limit", "opt_out_admt"])
@pytest.mark.parametrize(("language", "wait"), [("en", "at least 12 months"), ("es", "al menos 12 meses")])
def test_whoever_made_a_choice_reads_that_nobody_asks_them_to_change_it_for_a_year(
    right: str, language: Language, wait: str
) -> None:
    found = Letter.model_validate(
        {
            "kind": "answer",
            "business": "cascadia",
            "regime": "us-ca-ccpa",
            "right": right,
            "received_on": "2027-02-01",
            "resolution": "complete",
        }
    )

    assert wait in " ".join(text(found, language=language).split())


def test_the_acknowledgement_explains_verification_and_names_the_date_of_the_answer() -> None:
    words = text(acknowledgement())

    assert "Thursday, March 19, 2026" in words
    assert "make sure that it is really you" in words
    assert str(REQUEST_ID) in words


def test_an_agents_request_is_acknowledged_with_what_an_agent_is_asked() -> None:
    assert "signed permission" in " ".join(text(acknowledgement(requester="agent")).split())


def test_the_extension_gives_its_reasons_and_the_ninetieth_day() -> None:
    words = text(extension())

    assert "- one system answers only by mail" in words
    assert "Sunday, May 3, 2026" in words


def test_what_is_kept_is_told_with_its_exemption_in_words_and_its_citation() -> None:
    words = " ".join(text(answer("delete", "partial", **retained())).split())

    assert "2 records: to comply with a legal obligation (Civ. Code 1798.105(d)(8))" in words
    assert CASCADIA.opt_out is not None
    assert CASCADIA.opt_out in words
    assert "dms" not in words


def test_7022_d_the_answer_says_until_when_backups_may_hold_what_was_erased() -> None:
    systems = tuple(
        SystemOutcome(system=name, outcome="done", erased=1, backups_until=until)
        for name, until in (("crm", date(2026, 3, 9)), ("dms", date(2026, 4, 1)), ("mailer", None))
    )

    words = " ".join(text(answer("delete", "complete", systems=systems)).split())

    assert "Copies in backups go by Wednesday, April 1, 2026." in words
    assert "go when the backups expire" in " ".join(text(answer("delete", "complete")).split())


@pytest.mark.parametrize("right", ["delete", "opt_out"])
def test_7022_b_and_7026_f_the_companies_that_were_told_are_named_with_what_they_said(right: str) -> None:
    told = (
        VendorTold(vendor="a", title="Evergreen Direct Mail", outcome="done"),
        VendorTold(vendor="b", title="Northwind", outcome="nothing"),
        VendorTold(vendor="c", title="Oldco", outcome="impossible", facts="It was dissolved in May 2026."),
    )
    found = answer(right, "partial", vendors=told, ground="vendor_not_done")

    words = " ".join(text(found).split())

    assert "recipients_told" in said(found)
    assert "- Evergreen Direct Mail has confirmed that it did." in words
    assert "- Northwind has confirmed that it holds nothing about you." in words
    assert "- Oldco: it proved impossible. It was dissolved in May 2026." in words
    assert "could not be brought to do it, as we say below" in words


@pytest.mark.parametrize("right", ["delete", "opt_out"])
def test_where_nobody_was_told_no_company_is_spoken_of(right: str) -> None:
    assert "recipients_told" not in said(answer(right, "complete"))


def test_a_complete_deletion_does_not_speak_of_things_kept() -> None:
    words = text(answer("delete", "complete"))

    assert "We kept" not in words
    assert "24 months" in words


def test_an_opt_out_is_confirmed_as_processed() -> None:
    assert "Opt-out request honored" in text(answer("opt_out", "complete"))


def test_a_denial_for_want_of_verification_says_so_and_how_to_ask_again() -> None:
    words = " ".join(text(answer("know_categories", "denied", ground="identity_not_verified")).split())

    assert "could not verify" in words
    assert "ask again" in words
    assert "https://cascadia.test/privacy" in words


def test_the_access_key_is_mailed_only_to_who_could_not_be_given_it_before() -> None:
    over_http = answer("know", "complete", right="know_specific", **package())
    desk = driver()
    desk.deliver(Upstream().submits(upstream_submission(right="know")))
    desk.deliver(Messages().event(facts.fulfilled(right="know_specific", **package()), at=NOW))

    assert "1.access-key" not in text(over_http)
    assert "1.access-key" in text(letter(desk, "answer"))


@pytest.mark.parametrize(
    ("language", "enclosed", "never"),
    [("en", "enclosed with this letter", "e-mail"), ("es", "incluida con esta carta", "correo")],
)
def test_a_letter_that_is_posted_encloses_the_answer_and_speaks_of_no_mail(
    language: Language, enclosed: str, never: str
) -> None:
    posted = answer("know", "complete", right="know_specific", **package()).model_copy(
        update={"by_hand": True}
    )
    received_by_phone = acknowledgement().model_copy(update={"by_hand": True})

    words = " ".join(text(posted, language=language).split())

    assert enclosed in words
    assert "download" not in words
    assert "descarga" not in words
    assert never not in text(received_by_phone, language=language, business=Business(name="Cascadia"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("resolution", "offered"), [("denied", True), ("partial", True), ("complete", False)]
)
def test_7023_f_who_is_not_corrected_may_give_a_statement(
    resolution: str, language: Language, *, offered: bool
) -> None:
    found = answer("correct", resolution, ground="not_done" if offered else None)

    assert ("statement_of_dispute" in said(found, language)) is offered
    assert ("detailed_ground" in said(found, language)) is offered
    assert ("250" in text(found, language=language)) is offered


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("resolution", ["denied", "partial"])
def test_7022_f_a_deletion_that_is_not_whole_says_all_that_the_law_asks(
    resolution: str, language: Language
) -> None:
    demanded = {"whether_complied", "detailed_ground", "kept_for_that_purpose_only"}
    demanded |= {"offer_to_opt_out", "record_of_request_kept"}

    assert demanded <= said(answer("delete", resolution, **retained()), language)


def test_the_code_stands_alone_on_its_line_until_when_it_is_good() -> None:
    desk = received()
    command = SendNotice(kind="verification_code", code="c2VhbGVk", expires_at=NOW + timedelta(days=3))
    desk.deliver(Messages().command(command, at=NOW, source="habeas/verification"))

    words = text(letter(desk, "verification_code"), code="493027")

    assert "\n    493027\n" in words
    assert "Thursday, February 5, 2026, 11:00 PST" in words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "found",
    [
        acknowledgement(),
        extension(),
        answer("delete", "denied", ground="manifestly_unfounded"),
        answer("delete", "withdrawn"),
        answer("delete", "duplicate"),
        answer("know", "nothing_found", right="know_categories"),
    ],
)
def test_letters_read_as_text_whatever_is_known_of_the_business(found: Letter, language: Language) -> None:
    bare = Business(name="Cascadia Motors")
    for words in (text(found, language=language), text(found, business=bare, language=language)):
        assert max(len(line) for line in words.splitlines()) <= 76
        assert not any(mark in words for mark in ("None", "{{", "{%", "{n}", "\n\n\n", "_"))


def message(found: Letter, email: str = "ada@example.com") -> EmailMessage:
    return rendering().message(found, addressed(email=email))


def test_every_notice_has_a_stable_id_and_says_that_a_machine_sent_it() -> None:
    first, second = message(acknowledgement()), message(acknowledgement())

    assert first["Message-ID"] == second["Message-ID"] == f"<{NOTICE_ID}@mail.cascadia.test>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert (first["From"], first["To"]) == ("Cascadia Motors <privacy@cascadia.test>", "ada@example.com")
    assert first["Reply-To"] == "privacy@cascadia.test"
    assert first["Date"] == "Mon, 02 Feb 2026 19:00:00 +0000"


HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Reply-To")


def as_the_library_writes(found: EmailMessage) -> bytes:
    written = EmailMessage(policy=SMTP)
    for name in HEADERS:
        if name in found:
            written[name] = str(found[name])
    written.set_content(found.get_content())
    written["Content-Language"] = "en"
    return written.as_bytes()


@pytest.mark.parametrize("email", ["ada@example.com", '"odd  one"@example.com', "a" * 60 + "@example.com"])
@pytest.mark.parametrize(
    "name", ["Cascadia Motors", "Cascadia, Inc. (West)", 'Möbel "Nord" AG', "=?utf-8?q?x?=", "Wide" * 20]
)
def test_a_notice_is_written_byte_for_byte_as_the_library_would(name: str, email: str) -> None:
    found = rendering(Business(name=name)).message(acknowledgement(), addressed(email=email))

    assert found.as_bytes() == as_the_library_writes(found)


def test_an_address_beyond_ascii_is_written_as_it_is() -> None:
    assert "jürgen@example.com".encode() in message(acknowledgement(), "jürgen@example.com").as_bytes()


def test_no_words_of_the_requester_stand_in_mail_to_an_address_nobody_has_proved() -> None:
    found = acknowledgement(name="Buy cheap watches at http://spam.example")

    assert "spam" not in message(found).as_string()


def test_an_addressed_letter_shows_nobody() -> None:
    assert "ada" not in repr(addressed(code="493027")) + str(addressed(code="493027"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "found",
    [
        acknowledgement(),
        extension(),
        answer("delete", "partial", **retained()),
        answer("know_specific", "complete", **package()),
    ],
)
def test_the_words_that_a_day_s_letters_share_are_those_of_a_letter_by_itself(
    found: Letter, language: Language
) -> None:
    desk = texts()
    for reference in (REQUEST_ID, NOTICE_ID):
        to = replace(addressed(language=language), request_id=reference)

        shared, by_itself = desk.text(found, to), desk.text(found, to, lambda _: "")

        assert shared == by_itself
        assert str(reference) in shared
