"""Whom to look for: the sealed claims, and the identifiers that identity sources gave, opened for one attempt."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol
from uuid import UUID

from pydantic import ValidationError

from services.fulfillment.domain.catalogue import PROVABLE
from services.fulfillment.ports import NeedsPerson, Subject
from shared.machine.decision import Kept
from shared.privacy import Claims
from shared.privacy.claims import Correction
from shared.vault.errors import CannotUnseal, KeyDestroyed, KeyUnknown
from shared.vault.vault import Vault

UNREADABLE = (CannotUnseal, KeyDestroyed, KeyUnknown, ValidationError, ValueError)


class ReadsKept(Protocol):
    """The sealed fields that the service remembered."""

    async def of(self, request_id: UUID) -> Sequence[Kept]:
        """All that is kept for a request."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """The person to look for, and the days of collection that they asked about (11 CCR 7024(h)).

    There is one subject for each value of an identifier that the business's own records gave several of, as
    when somebody has two accounts.
    """

    subjects: tuple[Subject, ...]
    collected_from: date | None = None
    collected_to: date | None = None
    corrections: tuple[Correction, ...] = ()


class Subjects:
    """Opens what is kept; plaintext lives only as long as the attempt."""

    def __init__(self, kept: ReadsKept, vault: Vault) -> None:
        self._kept = kept
        self._vault = vault

    async def wanted(self, request_id: UUID, *, proved: bool) -> Wanted | NeedsPerson:
        """The person to look for.

        Where the right needs verification, only what was proved is believed of the claims (`proved`): whoever
        proves their own address must not reach the data of somebody whose telephone number they typed.
        """
        rows = {row.name: row for row in await self._kept.of(request_id)}
        await self._vault.prefetch([request_id])
        try:
            claims = Claims.from_bytes(self._open(request_id, rows.pop("claims")))
            found = [json.loads(self._open(request_id, row)) for row in rows.values()]
        except UNREADABLE:
            return NeedsPerson("refused", "the sealed claims cannot be opened")
        except KeyError:
            return NeedsPerson("refused", "the claims are missing")
        seeds = _claimed(claims, proved=proved)
        subjects = tuple(_spread(seeds, _merged(found)))
        return replace(
            Wanted(subjects),
            collected_from=claims.collected_from,
            collected_to=claims.collected_to,
            corrections=claims.corrections or (),
        )

    async def claims(self, request_id: UUID) -> Claims | None:
        """What the request said, or None where it cannot be opened: then the answer is in English."""
        rows = {row.name: row for row in await self._kept.of(request_id)}
        await self._vault.prefetch([request_id])
        try:
            return Claims.from_bytes(self._open(request_id, rows["claims"]))
        except (*UNREADABLE, KeyError):
            return None

    def _open(self, request_id: UUID, row: Kept) -> bytes:
        return self._vault.open(request_id, row.message_id, row.field, row.sealed)


def _claimed(claims: Claims, *, proved: bool) -> dict[str, str]:
    said = {
        "email": claims.email,
        "phone": claims.phone,
        "phone_number": claims.phone,
        "customer_id": claims.customer_id,
        "device_id": claims.device_id,
    }
    return {kind: value for kind, value in said.items() if value and (kind in PROVABLE or not proved)}


def _merged(found: Sequence[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    kinds = sorted({kind for each in found for kind in each})
    return {kind: sorted({value for each in found for value in each.get(kind, ())}) for kind in kinds}


def _spread(seeds: dict[str, str], found: Mapping[str, Sequence[str]]) -> list[Subject]:
    """The records' own values win over claimed ones; further values of a kind are searched for by themselves."""
    first = {kind: values[0] for kind, values in found.items() if values}
    further = [Subject({kind: value}) for kind, values in found.items() for value in values[1:]]
    return [Subject({**seeds, **first}), *further]
