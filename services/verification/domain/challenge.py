"""Codes by e-mail: made from the shell's entropy, kept as a keyed hash, compared in constant time."""

import hashlib
from datetime import datetime

from services.verification.domain.case import Challenge, Draft
from services.verification.domain.limits import Limits
from shared.events.commands import SendNotice
from shared.events.verification import ChallengeFailed, ChallengeIssued
from shared.machine.decision import Context, Outgoing
from shared.privacy import HmacKeyring, Secret, lookup_hashes, same_secret

_DIGITS = 8


def issue(draft: Draft, context: Context, keyring: HmacKeyring, limits: Limits) -> Draft:
    """Send a fresh code in place of any earlier one, and say so on the journal."""
    case = draft.case
    code, salt = _code(context.entropy), _salt(context.entropy)
    expires_at = context.now + limits.code_lives
    if case.verify_until is not None:
        expires_at = min(expires_at, case.verify_until)
    challenge = Challenge(
        salt=salt,
        code_hash=_hashes(keyring, salt, code)[0],
        expires_at=expires_at,
        attempts_left=limits.attempts,
    )
    notice = SendNotice(kind="verification_code", code="", expires_at=expires_at, send_by=expires_at)
    return Draft(
        case.model_copy(update={"challenge": challenge, "challenges": case.challenges + 1}),
        (*draft.events, Outgoing(ChallengeIssued(method="email_code", expires_at=expires_at))),
        (*draft.commands, Outgoing(notice, seal={"code": code.encode()})),
    )


def matches(challenge: Challenge, presented: Secret[str], keyring: HmacKeyring) -> bool:
    """Whether this is the code, under any key version that is still held; spaces and hyphens are forgiven."""
    code = presented.reveal().replace(" ", "").replace("-", "")
    hashes = _hashes(keyring, challenge.salt, code)
    return any(same_secret(found, challenge.code_hash) for found in hashes)


def failed(draft: Draft, challenge: Challenge, now: datetime) -> Draft:
    """Count a wrong answer; an answer to a code that is over costs nothing more."""
    late = not challenge.lives(now)
    left = challenge.attempts_left if late else challenge.attempts_left - 1
    case = draft.case.model_copy(update={"challenge": challenge.model_copy(update={"attempts_left": left})})
    fact = ChallengeFailed(
        method="email_code", reason="expired" if late else "wrong_code", attempts_left=0 if late else left
    )
    return draft.saying(case, Outgoing(fact))


def _hashes(keyring: HmacKeyring, salt: str, code: str) -> tuple[str, ...]:
    return lookup_hashes(keyring, "verification_code", f"{salt}:{code}")


def _code(entropy: bytes) -> str:
    # 32 uniform bytes against ten to the eighth: the modulo's bias is beyond measure.
    number = int.from_bytes(hashlib.sha256(b"code" + entropy).digest())
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def _salt(entropy: bytes) -> str:
    return hashlib.sha256(b"salt" + entropy).hexdigest()[:32]
