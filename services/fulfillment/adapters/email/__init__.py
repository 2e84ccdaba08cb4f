"""A letter by e-mail to a company, in S/MIME where there are certificates; a person hears its answer."""

from collections.abc import Iterator
from datetime import datetime

from services.fulfillment.adapters.email.letters import Letter, NoCertificateError, sealed
from services.fulfillment.adapters.email.posting import NotPostedError, Post, knock, post, read_address
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import (
    Adapter,
    Capabilities,
    CheckReport,
    Done,
    Frozen,
    NeedsPerson,
    Outcome,
    Proof,
    Unknown,
)
from services.fulfillment.told.adapter import Telling
from services.fulfillment.told.subjects import identifiers, order_id, problems_of, receipt
from shared.clock import Clock, SystemClock

__all__ = ["EmailAdapter", "open_adapter"]

SETTINGS = frozenset({"to", "from", "acknowledged_by"})
SECRETS = frozenset({"certificate", "signing_certificate", "signing_key"})
PERSON, HANDOVER = "person", "handover"


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system.

    Raises:
        MapError: the system file cannot be used; every problem is named.
    """
    problems = problems_of(system, settings=SETTINGS, secrets=SECRETS)
    if problems := (*problems, *(f"{system.system}: {each}" for each in _problems(system))):
        raise MapError(problems)
    return EmailAdapter(system, clock or SystemClock())


def _problems(system: System) -> Iterator[str]:
    for name in ("to", "from"):
        if "@" not in str(system.settings.get(name, "")):
            yield f"settings.{name}: an address, such as privacy@company.example"
    if system.settings.get("acknowledged_by", PERSON) not in {PERSON, HANDOVER}:
        yield f"settings.acknowledged_by: {PERSON} or {HANDOVER}"
    if ("signing_key" in system.secrets) != ("signing_certificate" in system.secrets):
        yield "secrets: signing_key and signing_certificate go together"


class EmailAdapter(Telling):
    """One company. A letter that is sent again has the same Message-ID, and the company may take it for one."""

    capabilities = Capabilities(
        idempotency_key=True, verify=False, naturally_idempotent=True, bounded_by_cutoff=False
    )

    async def check(self) -> CheckReport:
        """The mail server is asked to let us in; no letter is handed in."""
        try:
            server = read_address(self.system.address(), private=self._private)
            sealed(self._letter("delete", Frozen({}), self.clock.now()), self._secrets())
            await knock(server, self.system.limits)
        except NotPostedError as error:
            away = error.meaning in {"away", "unknown"}
            return CheckReport(reachable=not away, credentials=False, notes=(error.reason,))
        except (SecretMissingError, NoCertificateError) as error:
            return CheckReport(reachable=True, credentials=False, notes=(str(error),))
        notes = (
            []
            if self._private
            else ["secrets.certificate: without one only the way to the server is encrypted"]
        )
        return CheckReport(reachable=True, credentials=True, notes=tuple(notes))

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if answer := self.idle(right, frozen):
            return answer
        try:
            server = read_address(self.system.address(), private=self._private)
            letter = self._letter(right, frozen, cut_off)
            await post(
                Post(server, letter.sender, letter.to, sealed(letter, self._secrets())), self.system.limits
            )
        except NotPostedError as failure:
            return failure.outcome(self.retry_after)
        except (SecretMissingError, NoCertificateError) as error:
            return NeedsPerson("credentials", str(error))
        if self.system.settings.get("acknowledged_by", PERSON) == PERSON:
            reason = (
                f"letter {letter.order} is sent: end this task when the company answers, and name its answer"
            )
            return NeedsPerson("manual", reason)
        return Done(receipt(self.system, frozen, (self.clock.now(), cut_off)))

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        return Unknown("a company that is written to cannot be asked what it did")

    def _letter(self, right: str, frozen: Frozen, cut_off: datetime) -> Letter:
        settings = self.system.settings
        return Letter(
            order=str(order_id(right, frozen, cut_off)),
            right=right,
            sender=str(settings["from"]),
            to=str(settings["to"]),
            subjects=identifiers(frozen),
            times=(self.clock.now(), cut_off),
        )

    def _secrets(self) -> dict[str, bytes]:
        return {name: secret.read().encode() for name, secret in self.system.secrets.items()}

    @property
    def _private(self) -> bool:
        return "certificate" in self.system.secrets
