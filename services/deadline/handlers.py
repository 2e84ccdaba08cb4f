"""The tasks of a closed request: certificate and addenda are signed now, its key is destroyed when it may be."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from services.deadline.ports import Addenda, Certificates, DestroysKeys, StoredAddendum, StoredCertificate
from shared.addendum import sign_addendum
from shared.clock import Clock
from shared.evidence import evidence_digest, sign_certificate
from shared.signing import KeyRing
from shared.tasks.work import Again, Answer, Calling, Claimed, Finished

# Not allowed to go on means a blocked case or a lost lease: a person or another owner comes first.
LATER: Final = timedelta(minutes=15)
RETENTION_ENDED: Final = "retention_ended"


class SignCertificate:
    """Signs the payload that the closing decided on and keeps the result; nothing leaves the service."""

    def __init__(self, ring: KeyRing, certificates: Certificates, clock: Clock) -> None:
        self._ring = ring
        self._certificates = certificates
        self._clock = clock

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Sign; a repeat finds its certificate there and leaves it."""
        payload = str(task.body["payload"]).encode()
        digest = evidence_digest(payload)
        signed = sign_certificate(payload, self._ring)
        await self._certificates.add(StoredCertificate(task.request_id, digest, signed, self._clock.now()))
        return Finished("done", {"payload_sha256": digest})


class SignAddendum:
    """Signs what was found after the closing, beside the certificate that it does not change."""

    def __init__(self, ring: KeyRing, addenda: Addenda, clock: Clock) -> None:
        self._ring = ring
        self._addenda = addenda
        self._clock = clock

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Sign; a repeat finds its addendum there and leaves it."""
        del calling
        payload = str(task.body["payload"]).encode()
        digest = evidence_digest(payload)
        signed = sign_addendum(payload, self._ring)
        event_id = UUID(task.body["event_id"])
        made = StoredAddendum(task.request_id, event_id, digest, signed, self._clock.now())
        await self._addenda.add_addendum(made)
        return Finished("done", {"payload_sha256": digest})


class DestroyKey:
    """Destroys the request's key in the vault: whatever was sealed under it is gone for good."""

    def __init__(self, vault: DestroysKeys) -> None:
        self._vault = vault

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Destroy; repeating it after a crash changes nothing, so there is nothing to prove first."""
        if not await calling():
            return Again(LATER, "not_permitted", ambiguous=task.settle)
        await self._vault.destroy([task.request_id], RETENTION_ENDED)
        return Finished("done", {})
