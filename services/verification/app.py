"""Puts the verification service together."""

from datetime import timedelta

from services.verification.domain import Limits, VerificationCase, VerificationDomain
from services.verification.prepare import Prepare, Trust
from services.verification.settings import VerificationSettings
from shared.hosting import Resources, ServiceParts
from shared.issuers import IssuerFolder


async def build(resources: Resources) -> ServiceParts[VerificationCase]:
    """The service's parts; it has no tasks and no pages of its own."""
    settings = VerificationSettings()
    keyring = resources.keys.lookup()
    issuers = IssuerFolder(settings.issuers or resources.settings.home / "issuers")
    trust = Trust(
        issuers=issuers.of,
        audience=settings.audience,
        fresh_for=timedelta(minutes=settings.fresh_sign_in_minutes),
    )
    return ServiceParts(
        domain=VerificationDomain(keyring, _limits(settings)),
        prepare=Prepare(resources.vault, keyring, trust),
    )


def _limits(settings: VerificationSettings) -> Limits:
    return Limits(
        code_lives=timedelta(hours=settings.code_hours),
        attempts=settings.code_attempts,
        challenges=settings.code_challenges,
    )
