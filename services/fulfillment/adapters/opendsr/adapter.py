"""Ask a processor to erase or for a copy, then ask it what became of that: its states are all the proof there is."""

from datetime import datetime

from services.fulfillment.adapters.opendsr import access
from services.fulfillment.adapters.opendsr.access import Copies
from services.fulfillment.adapters.opendsr.callbacks import CALLBACK, problem_of
from services.fulfillment.adapters.opendsr.orders import IDENTITIES, UNDER_WAY, Orders, orders_of, spelt_state
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Capabilities,
    CheckReport,
    Export,
    Frozen,
    Gone,
    Job,
    NeedsPerson,
    Outcome,
    Proof,
    Retry,
    StillPresent,
    TakesRows,
    Unknown,
)
from services.fulfillment.told.adapter import Telling
from services.fulfillment.told.calling import NotWell
from services.fulfillment.told.subjects import GIVES_COPIES, identifiers, problems_of, rights_told
from shared.clock import Clock, SystemClock
from shared.policy.rights import Right

SETTINGS = frozenset(
    {CALLBACK, "format", "look_again_minutes", access.REQUEST_TYPE, access.HOSTS, access.MOST_MB}
)
SECRETS = frozenset({"user", "password", "certificate"})
FORMATS = ("raw", "sha256")
SERVED = frozenset({Right.DELETE, *GIVES_COPIES})


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system.

    Raises:
        MapError: the system file cannot be used; every problem is named.
    """
    problems = problems_of(system, settings=SETTINGS, secrets=SECRETS)
    if "certificate" not in system.secrets:
        problems += (f"{system.system}: secrets.certificate: the processor's, in PEM, as discovery names it",)
    kinds = {kind for kind, _ in system.datamap.identities()}
    if kinds - set(IDENTITIES):
        known = " and ".join(sorted(IDENTITIES))
        problems += (f"{system.system}: dataset: OpenDSR is asked by {known} alone",)
    if system.settings.get("format", "raw") not in FORMATS:
        problems += (f"{system.system}: settings.format: raw or sha256",)
    if rights_told(system) - SERVED:
        problems += (f"{system.system}: settings.rights: OpenDSR knows delete and know_specific, no other",)
    problems += (*filter(None, [problem_of(system)]), *access.problems_of(system))
    if problems:
        raise MapError(problems)
    return OpenDsrAdapter(system, clock or SystemClock())


class OpenDsrAdapter(Telling):
    """One processor. An order's id comes from what is asked, so that asking again gives no second order."""

    capabilities = Capabilities(
        idempotency_key=True, verify=True, naturally_idempotent=True, bounded_by_cutoff=False
    )

    def __init__(self, system: System, clock: Clock) -> None:
        super().__init__(system, clock)
        self._orders = Orders(system, clock)
        self._copies = Copies(system, self._orders)

    async def check(self) -> CheckReport:
        try:
            said = await self._orders.discovery()
        except (NotWell, SecretMissingError) as error:
            away = isinstance(error, NotWell) and error.meaning in {"away", "unknown"}
            return CheckReport(reachable=not away, credentials=False, notes=(str(error),))
        kinds = said.get("supported_subject_request_types")
        missing = sorted(self._kinds() - set(kinds if isinstance(kinds, list) else ()))
        notes = tuple(f"the processor does not say that it serves {kind}" for kind in missing)
        return CheckReport(reachable=True, credentials=not missing, notes=notes)

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        """The processor's copy, once it is ready; the whole of it, for it says of no row when it came to be."""
        if not specific or Right.KNOW_SPECIFIC not in rights_told(self.system):
            return await super().export(frozen, cut_off=cut_off, specific=specific)
        return await self._copies.export(frozen, cut_off)

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if answer := self.idle(right, frozen):
            return answer
        orders = orders_of(right, frozen, cut_off)
        try:
            for each, order in zip(identifiers(frozen), orders, strict=True):
                await self._orders.give(each, order, "erasure")
        except NotWell as failure:
            return failure.outcome(self.retry_after)
        except SecretMissingError as missing:
            return NeedsPerson("credentials", str(missing))
        jobs = tuple(Job(order, self.clock.now()) for order in orders)
        return Ambiguous("the processor has taken it on", jobs, self._orders.look_again)

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        try:
            found = [await self._orders.status(order) for order in orders_of(right, frozen, cut_off)]
        except (NotWell, SecretMissingError) as error:
            return Unknown(str(error))
        if None in found:
            return StillPresent(found.count(None))
        states = {spelt_state(each) for each in found if each is not None}
        if UNDER_WAY & states:
            return Unknown("the processor is at work on it", look_again=self._orders.look_again)
        if states == {"completed"}:
            return Gone({name: len(keys) for name, keys in frozen.rows.items()})
        return Unknown("the processor has canceled it, or says what OpenDSR does not know")

    def _kinds(self) -> set[str]:
        rights = rights_told(self.system)
        copy = str(self.system.settings.get(access.REQUEST_TYPE, access.TYPES[0]))
        return {"erasure" if right is Right.DELETE else copy for right in rights}
