"""Purchased lists in files: a small system for what only files and buckets can do to an adapter."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from services.fulfillment.adapters.objects import ObjectsAdapter, open_adapter
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Secret, System
from services.fulfillment.ports import Adapter, Done, Frozen, Gone, Outcome, Subject
from shared.policy.reading import read_yaml
from shared.private_files import write_private

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
EMAIL = "ada.canary@example.com"
HEADER = "lead_id,email,full_name,do_not_sell,bought_at"
ADA = f"L1,{EMAIL},Ada Canary,false,2026-01-05"
BOB = "L2,bob@example.com,Bob Other,false,2026-01-05"


def csv(*records: str) -> bytes:
    """A list of these records."""
    return "".join(f"{line}\n" for line in (HEADER, *records)).encode()


def lists(
    home: Path,
    address: str,
    settings: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> System:
    """The system at this address."""
    named = {"url": address, **(secrets or {})}
    for name, value in named.items():
        write_private(home / f"lists.{name}", value.encode())
    return System(
        system="lists",
        kind="objects",
        business="shop",
        url=Secret(file=home / "lists.url"),
        secrets={name: Secret(file=home / f"lists.{name}") for name in secrets or {}},
        settings={"files.leads": "*", **(settings or {})},
        dataset=Path("lists.yaml"),
        datamap=read_dataset(read_yaml(Path(__file__).with_suffix(".yaml").read_bytes()), file="lists.yaml"),
    )


def adapter_of(system: System) -> Adapter:
    """Its adapter."""
    adapter = open_adapter(system)
    assert isinstance(adapter, ObjectsAdapter)
    return adapter


async def found(adapter: Adapter, email: str = EMAIL) -> Frozen:
    frozen = await adapter.find(Subject({"email": email}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    return frozen


async def act(adapter: Adapter, frozen: Frozen, right: str = "delete") -> Outcome:
    return await adapter.act(right, frozen, cut_off=CUT_OFF, idempotency_key="key")


async def delete(adapter: Adapter) -> int:
    """Delete Ada, prove it, and say how many rows went."""
    frozen = await found(adapter)
    outcome = await act(adapter, frozen)
    assert isinstance(outcome, Done), outcome
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    return sum(count.erased for count in outcome.receipt.datasets)
