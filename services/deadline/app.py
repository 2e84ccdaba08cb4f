"""Puts the deadline service together."""

from collections.abc import Sequence
from typing import Any

from services.deadline.api import certificate_routes
from services.deadline.domain import ADDENDUM, CERTIFICATE, DESTROY_KEY, DeadlineCase, DeadlineDomain
from services.deadline.handlers import DestroyKey, SignAddendum, SignCertificate
from services.deadline.history import SystemHistory
from services.deadline.settings import DeadlineSettings
from services.deadline.storage import PostgresCertificates
from shared.dead_letter_seal import DeadLetterSeal
from shared.hosting import Resources, ServiceParts
from shared.machine.decision import Message


async def build(resources: Resources) -> ServiceParts[DeadlineCase]:
    """The service's parts; the vault's role lets it destroy keys and do nothing else."""
    certificates = PostgresCertificates(resources.pool)
    history = SystemHistory(resources.pool)
    return ServiceParts(
        domain=DeadlineDomain(destroys_by_itself=DeadlineSettings().keys == "destroyed_when_due"),
        prepare=_prepare,
        facts=history.facts,
        handlers={
            CERTIFICATE: SignCertificate(resources.keys.evidence(), certificates, resources.clock),
            ADDENDUM: SignAddendum(resources.keys.evidence(), certificates, resources.clock),
            DESTROY_KEY: DestroyKey(resources.vault),
        },
        routes=lambda _batcher: certificate_routes(certificates),
        # Only this service's login of the vault may destroy, so the months of dead letters end here.
        chores=(history.count, DeadLetterSeal(resources.vault).destroy_expired),
    )


async def _prepare(messages: Sequence[Message]) -> Sequence[Any]:
    """Nothing that this service hears is sealed."""
    return [None] * len(messages)
