"""Letters of every kind, planned by intake's own rules, and the words that they are put into."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from services.intake.desk import offered_regimes
from services.intake.domain import IntakeCase, Letter
from services.intake.notices import Rendering, Texts
from services.intake.notices.rendering import Sender
from services.intake.notices.texts import Addressed
from services.intake.settings import Business
from shared.events.commands import SendNotice
from shared.events.fulfillment import PackageReference, Retention, SystemOutcome
from shared.privacy.claims import Language
from tests.support import facts
from tests.support.domain_driver import DomainDriver, Messages
from tests.support.front_desk import NOW, driver, http_message, submission

REQUEST_ID = UUID("7de025f4-a629-458b-8b68-bf6344ef7257")
NOTICE_ID = UUID("1728a55c-7471-4514-befe-9364f50e2090")
CASCADIA = Business(
    name="Cascadia Motors",
    contact="privacy@cascadia.test",
    privacy_policy="https://cascadia.test/privacy",
    opt_out="https://cascadia.test/do-not-sell",
    requests="https://cascadia.test/requests",
)
# What the answer to `know` must hold stands in its package, not in the mail that points to it.
IN_THE_PACKAGE = {"specific_pieces", "categories_collected", "categories_of_sources", "purposes"} | {
    "categories_of_third_parties",
    "categories_sold_or_shared_with_recipients",
    "categories_disclosed_with_recipients",
}


def texts(business: Business = CASCADIA) -> Texts:
    return Texts({"cascadia": business}, offered_regimes(), lambda _: "1.access-key")


def rendering(business: Business = CASCADIA) -> Rendering:
    return Rendering(texts(business), Sender("privacy@cascadia.test", "mail.cascadia.test"))


def addressed(
    code: str | None = None, email: str = "ada@example.com", language: Language = "en"
) -> Addressed:
    return Addressed(REQUEST_ID, NOTICE_ID, email, code, NOW, language)


def received(right: str = "delete", **more: Any) -> DomainDriver[IntakeCase]:
    desk = driver()
    desk.deliver(http_message(submission(right=right, **more)))
    return desk


def letter(desk: DomainDriver[IntakeCase], kind: str) -> Letter:
    """The planned letter of that kind, as the task's body carries it."""
    [body] = [plan.body for plan in desk.tasks.values() if plan.body["kind"] == kind]
    return Letter.model_validate(body)


def acknowledgement(right: str = "delete", **more: Any) -> Letter:
    return letter(received(right, **more), "acknowledgement")


def answer(asked: str, resolution: Any, **more: Any) -> Letter:
    desk = received(asked)
    fields = {"right": asked, "resolution": resolution, **more}
    desk.deliver(Messages().event(facts.fulfilled(**fields), at=NOW))
    kinds = {"denied": "denial", "withdrawn": "withdrawal"}
    return letter(desk, kinds.get(resolution, "answer"))


def retained() -> dict[str, Any]:
    kept = Retention(dataset="dms.sales", exemption="legal_obligation", count=2)
    return {
        "systems": (SystemOutcome(system="dms", outcome="done", erased=3, retained=(kept,)),),
        "ground": "exemption",
    }


def package() -> dict[str, Any]:
    return {"package": PackageReference(package_id=NOTICE_ID, sha256="a" * 64, size=9)}


def extension() -> Letter:
    desk = received()
    due = facts.clocks().extend_to
    command = SendNotice(
        kind="extension",
        reasons=("one system answers only by mail",),
        due=due,
        send_by=NOW + timedelta(days=1),
    )
    desk.deliver(Messages().command(command, at=NOW, source="habeas/deadline"))
    return letter(desk, "extension")


def text(found: Letter, **more: Any) -> str:
    return texts(more.pop("business", CASCADIA)).text(found, addressed(**more))


def said(found: Letter, language: Language = "en") -> set[str]:
    """The statements that a rendered letter made."""
    heard: set[str] = set()

    def says(statement: str) -> str:
        heard.add(statement)
        return ""

    texts().text(found, addressed(language=language), says)
    return heard
