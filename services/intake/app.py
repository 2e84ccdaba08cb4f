"""Putting intake together: the only place that constructs."""

import time

from fastapi import APIRouter

from services.intake.api import dress, routes
from services.intake.appealed import Appeals
from services.intake.collection import Collection, Confirms
from services.intake.counter import Counter
from services.intake.desk import Desk, offered_regimes
from services.intake.domain import IntakeCase, IntakeDomain
from services.intake.notices import NoticeHandler, Rendering, SmtpServer, Texts
from services.intake.notices.letters import Letters
from services.intake.notices.rendering import Sender
from services.intake.pace import Pace
from services.intake.packages import Packages
from services.intake.ports import MailServer
from services.intake.prepare import Prepare
from services.intake.settings import IntakeSettings
from services.intake.storage import IntakeTables
from shared.hosting import Resources, ServiceParts
from shared.issuers import IssuerFolder
from shared.machine.batcher import Batcher
from shared.privacy import request_secret
from shared.private_files import read_private
from shared.signing import jwks_document


async def build(resources: Resources) -> ServiceParts[IntakeCase]:
    """The service with the mail server that the settings name."""
    return assemble(resources, _server(resources, IntakeSettings()))


def assemble(resources: Resources, server: MailServer) -> ServiceParts[IntakeCase]:
    """What intake is made of, around whoever takes its notices over."""
    settings, shared = IntakeSettings(), resources.settings
    desk = Desk(frozenset(settings.serving(shared.business)), shared.business, resources.keys.lookup())
    decryption = resources.keys.submissions()
    tables = IntakeTables(resources.pool)
    secrets = resources.keys.request_secret()
    packages = Packages(shared.packages_folder, resources.vault)
    issuers = IssuerFolder(settings.issuers or shared.home / "issuers")
    confirms = Confirms(issuers.of, settings.audience)
    texts = texts_of(resources, settings)
    letters = Letters(tables, resources.vault, texts, resources.clock)
    pace = Pace(settings.submissions_per_minute, monotonic=time.monotonic)

    def routed(batcher: Batcher) -> APIRouter:
        counter = Counter(desk, secrets, batcher, tables, resources.clock)
        collection = Collection(counter, packages, tables, resources.vault, confirms, letters)
        return routes(counter, collection, jwks_document(decryption), pace)

    return ServiceParts(
        domain=IntakeDomain(offered_regimes()),
        prepare=Prepare(desk, decryption, resources.vault, tables),
        facts=Appeals(offered_regimes(), resources.clock).already,
        handlers={"notice": _notices(resources, settings, tables, server, texts)},
        routes=routed,
        dress=dress,
    )


def _notices(
    resources: Resources, settings: IntakeSettings, tables: IntakeTables, server: MailServer, texts: Texts
) -> NoticeHandler:
    rendering = Rendering(texts, Sender(settings.mail_from, settings.mail_domain))
    return NoticeHandler(tables, resources.vault, rendering, server, resources.clock)


def texts_of(resources: Resources, settings: IntakeSettings) -> Texts:
    """The words of every notice, for the businesses that are served."""
    secrets = resources.keys.request_secret()
    return Texts(
        settings.serving(resources.settings.business),
        offered_regimes(),
        lambda request_id: request_secret(secrets, request_id).reveal(),
    )


def _server(resources: Resources, settings: IntakeSettings) -> SmtpServer:
    password = settings.smtp_password_file
    return SmtpServer(
        clock=resources.clock,
        host=resources.settings.smtp_host,
        port=resources.settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=read_private(password).decode().strip() if password else None,
        seconds=settings.smtp_seconds,
    )
