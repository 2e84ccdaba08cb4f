"""Reading a submission: from the bytes of any channel to one normal form, or to the reasons why not."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from services.intake.application import Application, UpstreamApplication, read_strictly
from services.intake.submission import KNOW, KNOW_REACHES_TO, Follows, Problem, Submission
from shared.canonical import canonical_json
from shared.policy import Regime, Right, load_regime
from shared.privacy import Claims, HmacKeyring, lookup_hashes

# The laws that requests are taken in under: those that the policy data offers.
OFFERED: Final = ("us-ca-ccpa",)
# The policy's word for what is asked for in two steps.
CONFIRMED_SEPARATELY: Final = "confirm_in_two_steps"
# The policy's word for a law under which a browser's signal counts as an opt-out.
SIGNAL_HONORED: Final = "honor_signal_on_receipt"
CHOICES_OF_SALE: Final = frozenset({Right.OPT_OUT, Right.OPT_IN})
# On these channels nobody asks back: without an address no answer would ever arrive.
ANSWERED_BY_MAIL: Final = frozenset({"web", "api"})


def offered_regimes() -> dict[str, Regime]:
    """The regimes that a residency can select, loaded; loading every regime there is would slow each start."""
    return {name: load_regime(name) for name in OFFERED}


@cache
def regime_of() -> Mapping[str, str]:
    """Where a person lives selects the law that their request falls under, as each law says itself."""
    applies = {name: load_regime(name).rules.applies for name in OFFERED}
    return {residency: name for name, rule in applies.items() for residency in rule.residencies}


@dataclass(frozen=True, slots=True)
class Desk:
    """Reads submissions for these businesses; `default` is the one meant where none is named."""

    businesses: Collection[str]
    default: str
    keyring: HmacKeyring

    def read(self, content: bytes) -> Submission | tuple[Problem, ...]:
        """A submission over HTTP; it is received now."""
        found = read_strictly(content, Application)
        return self._checked(found, self.default) if isinstance(found, Application) else found

    def read_upstream(self, claims: bytes, business: str) -> Submission | tuple[Problem, ...]:
        """An upstream system's decrypted claims; `business` is what its envelope says."""
        found = read_strictly(claims, UpstreamApplication)
        if not isinstance(found, Application):
            return found
        # Every record about the request names the envelope's business: it must be the one that is meant.
        if found.business is not None and business and found.business != business:
            return (Problem("two_businesses", "business", "name the same one in the header ce_business"),)
        return self._checked(found, business or self.default)

    def _checked(self, found: Application, business: str) -> Submission | tuple[Problem, ...]:
        problems = tuple(self._problems(found, found.business or business))
        return problems or self._submission(found, found.business or business)

    def _problems(self, found: Application, business: str) -> Iterator[Problem]:
        if found.residency not in regime_of():
            known = ", ".join(regime_of())
            yield Problem(
                "unknown_residency", "residency", f"give one of {known}; other laws are not offered yet"
            )
        if business not in self.businesses:
            yield Problem(
                "unknown_business", "business", "name a business that is served here, or leave it out"
            )
        yield from _identity_problems(found)
        yield from _scope_problems(found)
        yield from _link_problems(found)
        yield from _confirmation_problems(found)

    def _submission(self, found: Application, business: str) -> Submission:
        content = canonical_json({**found.model_dump(mode="json", exclude_none=True), "business": business})
        return Submission(
            business=business,
            regime=regime_of()[found.residency],
            right=found.right,
            requester=found.requester,
            channel=found.channel,
            claims=Claims(**found.model_dump(include=set(Claims.model_fields))),
            assertion=found.assertion,
            follows=_follows(found),
            received_at=found.received_at if isinstance(found, UpstreamApplication) else None,
            fingerprints=lookup_hashes(self.keyring, "submission", content.decode()),
        )


def signaled(found: Submission) -> Submission | None:
    """The opt-out that the browser of who asks has sent along: known by name now, the person has opted out.

    11 CCR 7025(c)(1). Whoever asks for somebody else has a browser of their own, and who chooses here has chosen.
    """
    rules = load_regime(found.regime).rules.rights.get(Right.OPT_OUT)
    honored = rules is not None and any(duty.id == SIGNAL_HONORED for duty in rules.duties)
    if not honored or found.requester != "subject" or found.right in CHOICES_OF_SALE:
        return None
    about = found.claims.model_copy(
        update={"corrections": None, "collected_from": None, "collected_to": None}
    )
    return found.model_copy(
        update={"right": Right.OPT_OUT, "claims": about, "assertion": None, "follows": None}
    )


def _identity_problems(found: Application) -> Iterator[Problem]:
    if found.email is None and found.channel in ANSWERED_BY_MAIL:
        yield Problem("missing", "email", "give the e-mail address that the answer goes to")
    elif not any((found.email, found.phone, found.customer_id, found.device_id)):
        yield Problem("missing", "email", "give at least one of email, phone, customer_id, device_id")


def _follows(found: Application) -> Follows | None:
    if found.appeals is not None:
        return Follows(kind="appeal", request_id=found.appeals)
    return Follows(kind="again", request_id=found.again) if found.again is not None else None


def _link_problems(found: Application) -> Iterator[Problem]:
    """An appeal says what it is against; nothing else appeals."""
    if found.appeals is not None and found.again is not None:
        yield Problem("one_of", "again", "give either appeals or again")
    if found.right is Right.APPEAL and found.appeals is None:
        yield Problem("missing", "appeals", "give the id of the request whose answer is appealed against")
    if found.right is not Right.APPEAL and found.appeals is not None:
        yield Problem("not_for_this_right", "appeals", "ask for the right appeal, or give it as again")


def _confirmation_problems(found: Application) -> Iterator[Problem]:
    """Allowing sale or sharing again is asked for and then separately confirmed (11 CCR 7028); nothing else is."""
    if not _asked_twice(found):
        if found.confirmed is not None:
            yield Problem("not_for_this_right", "confirmed", "leave it out; only opt_in has it")
    elif found.confirmed is not True:
        remedy = (
            "ask the person a second time, and send it again with confirmed: true once they have said yes"
        )
        yield Problem("not_confirmed", "confirmed", remedy)


def _asked_twice(found: Application) -> bool:
    law = regime_of().get(found.residency)
    rules = load_regime(law).rules.rights.get(found.right) if law else None
    return rules is not None and any(duty.id == CONFIRMED_SEPARATELY for duty in rules.duties)


def _scope_problems(found: Application) -> Iterator[Problem]:
    """Days are chosen for `know` alone; it does not reach behind 2022 (Civ. Code 1798.130(a)(2)(B))."""
    first, last = found.collected_from, found.collected_to
    if found.corrections is not None and found.right is not Right.CORRECT:
        yield Problem("not_for_this_right", "corrections", "leave them out; only correct has them")
    if (first or last) and found.right not in KNOW:
        yield Problem("not_for_this_right", "collected_from", "leave the days out; only know has them")
        return
    if first is not None and first < KNOW_REACHES_TO:
        yield Problem(
            "too_early", "collected_from", f"give {KNOW_REACHES_TO} or a later day; the right begins there"
        )
    if first and last and last < first:
        yield Problem("wrong_order", "collected_to", "give a day that is not before collected_from")
