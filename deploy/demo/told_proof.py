"""What each system that is only told should have heard, by the plan, against what it wrote down itself."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from deploy.demo.plan import Ask

Receipts = Mapping[UUID, Ask[Any]]
Heard = Iterable[tuple[str, str]]
"""A right and an address, for each order that is not a repetition."""


def wrongly_heard(system: str, rights: Collection[str], heard: Heard, receipts: Receipts) -> Iterator[str]:
    """Who was told of twice, of whom nobody asked, and whom it was never told of."""
    times = Counter((right, email.lower()) for right, email in heard)
    concerned = [ask for ask in receipts.values() if ask.right in rights and ask.acts]
    due = {(ask.right, ask.person.email.lower()) for ask in concerned}
    # Somebody whom the dealer knows by an older address may be told of by that one, too.
    may = {(ask.right, (ask.person.dms_email or ask.person.email).lower()) for ask in concerned}
    if missed := due - times.keys():
        yield f"{system} was not told of {len(missed)} people whom it should forget or leave alone"
    if strange := times.keys() - due - may:
        yield f"{system} was told of {len(strange)} people of whom it should not be"
    if twice := [one for one, number in times.items() if number > 1]:
        yield f"{system} was told of {len(twice)} people twice"


def still_there(
    system: str, held: Collection[str], before: Collection[str], receipts: Receipts
) -> Iterator[str]:
    """Whether just those are gone who asked for it: `held` are the addresses of now."""
    gone = {ask.person.email.lower() for ask in receipts.values() if ask.right == "delete" and ask.acts}
    if left := gone & set(held):
        yield f"{system} still has {len(left)} people who asked for deletion"
    if missing := set(before) - gone - set(held):
        yield f"{system} has lost {len(missing)} people who did not ask for deletion"
