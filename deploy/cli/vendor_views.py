"""What `habeas vendors` prints."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import typer

from deploy.cli.vendors import UNUSABLE
from deploy.onboarding import CannotOnboard, onboard, topics_of
from deploy.settings import local_settings
from services.fulfillment.vendors.classification import Classified, Contradiction, classify
from services.fulfillment.vendors.files import Vendor, VendorError, load_vendors


def classified(folder: Path, name: str | None, today: date) -> list[Classified]:
    """The vendors of a folder, or one of them."""
    return [classify(one, today) for one in chosen(folder, name)]


def chosen(folder: Path, name: str | None) -> list[Vendor]:
    """The vendors of a folder, or one of them; what is wrong is said, and ends the command."""
    try:
        every = {one.vendor: one for one in load_vendors(folder)}
    except VendorError as error:
        typer.echo("\n".join(error.problems), err=True)
        raise typer.Exit(UNUSABLE) from None
    if name is not None and name not in every:
        typer.echo(f"habeas: there is no vendor {name} in {folder}; known: {', '.join(every)}", err=True)
        raise typer.Exit(2)
    return [one for one in every.values() if name in {None, one.vendor}]


def onboarded(folder: Path, name: str, theirs: Path | None, *, topics: bool) -> Path:
    """Onboard one vendor; what is wrong is said, and ends the command."""
    settings = local_settings()
    [vendor] = chosen(folder, name)
    try:
        handed = onboard(settings, vendor, theirs)
    except CannotOnboard as error:
        typer.echo(f"habeas: {error}", err=True)
        raise typer.Exit(UNUSABLE) from None
    if topics:
        from deploy.topics import apply

        asyncio.run(apply(settings, topics_of(name)))
    return handed


def as_mapping(one: Classified) -> dict[str, Any]:
    """A class as JSON."""
    return {
        "vendor": one.vendor.vendor,
        "business": one.vendor.business,
        "party": one.party,
        "called": one.vendor.contract.calls_it if one.vendor.contract else None,
        "missing": [{"term": t.name, "citation": t.citation, "asks": t.asks} for t in one.missing],
        "disclosures": [
            {"data": list(flow.data), "purpose": flow.purpose, "is": kind}
            for flow, kind in zip(one.vendor.flows, one.disclosures, strict=True)
        ],
        "told_of": sorted(one.rights),
        "contradictions": [
            {"flow": each.flow, "citation": each.citation, "says": each.says} for each in one.contradictions
        ],
    }


def as_lines(one: Classified) -> str:
    """A class for a person to read."""
    called = one.vendor.contract.calls_it if one.vendor.contract else "nothing: there is no contract"
    lines = [f"{one.vendor.vendor} ({one.vendor.title}): {_words(one.party)}", f"  called {_words(called)}"]
    lines += [
        f"  {kind} of {', '.join(map(_words, flow.data))} for {_words(flow.purpose)}"
        for flow, kind in zip(one.vendor.flows, one.disclosures, strict=True)
    ] or ["  gets no data from us"]
    lines += [f"  missing: {term.asks} ({term.citation})" for term in one.missing]
    lines += [f"  told of: {', '.join(map(_words, sorted(one.rights)))}"] if one.rights else []
    return "\n".join([*lines, *(_contradicts(each) for each in one.contradictions)])


def _contradicts(each: Contradiction) -> str:
    where = "" if each.flow is None else f" flow {each.flow + 1}:"
    return f"  CONTRADICTION:{where} {each.says} ({each.citation})"


def _words(text: str) -> str:
    return text.replace("_", " ")
