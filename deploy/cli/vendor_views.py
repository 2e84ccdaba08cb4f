"""What `habeas vendors` prints."""

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import typer

from deploy.cli.vendors import UNUSABLE
from deploy.onboarding import CannotOnboard, onboard, topics_of
from deploy.settings import local_settings
from services.fulfillment.vendors.classification import Classified, Contradiction, classify
from services.fulfillment.vendors.files import Flow, Vendor, VendorError, load_vendors
from services.fulfillment.vendors.spans import told_of_today


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


def next_steps(handed: Path, files: list[str]) -> Iterator[str]:
    """What lies there, and what to do with it."""
    ours, secret = "acls.sh", "private.jwks.json"
    yield f"{handed}: {', '.join(files)}"
    yield f"Hand over all but {ours}, which is for the administrator of a Kafka that denies by default."
    if secret in files:
        yield f"{secret} is the vendor's alone: hand it over by a safe way, and delete it here."
    yield "Then start fulfillment anew: it reads the vendor's topic from its start on."


def as_mapping(one: Classified, today: date) -> dict[str, Any]:
    """A class as JSON."""
    return {
        "vendor": one.vendor.vendor,
        "business": one.vendor.business,
        "party": one.party,
        "called": one.vendor.contract.calls_it if one.vendor.contract else None,
        "missing": [{"term": t.name, "citation": t.citation, "asks": t.asks} for t in one.missing],
        "disclosures": [
            {"data": list(flow.data), "purpose": flow.purpose, "is": kind}
            for flow, kind in zip(one.flows, one.disclosures, strict=True)
        ],
        "ended": [
            {"data": list(flow.data), "purpose": flow.purpose, "on": flow.ended_on.isoformat()}
            for flow in one.vendor.flows
            if flow.ended_on is not None and _is_over(flow, today)
        ],
        "told_of": sorted(told_of_today(one, today)),
        "contradictions": [
            {"flow": each.flow, "citation": each.citation, "says": each.says} for each in one.contradictions
        ],
    }


def as_lines(one: Classified, today: date) -> str:
    """A class for a person to read."""
    called = one.vendor.contract.calls_it if one.vendor.contract else "nothing: there is no contract"
    lines = [f"{one.vendor.vendor} ({one.vendor.title}): {_words(one.party)}", f"  called {_words(called)}"]
    lines += [
        f"  {kind} of {_what(flow)}" for flow, kind in zip(one.flows, one.disclosures, strict=True)
    ] or ["  gets no data from us"]
    lines += [f"  until {flow.ended_on}: {_what(flow)}" for flow in one.vendor.flows if _is_over(flow, today)]
    lines += [f"  missing term: {term.asks} ({term.citation})" for term in one.missing]
    rights = told_of_today(one, today)
    lines += [f"  told of: {', '.join(map(_words, sorted(rights)))}"] if rights else []
    return "\n".join([*lines, *(_contradicts(each) for each in one.contradictions)])


def _is_over(flow: Flow, today: date) -> bool:
    return flow.ended_on is not None and flow.ended_on < today


def _what(flow: Flow) -> str:
    return f"{', '.join(map(_words, flow.data))} for {_words(flow.purpose)}"


def _contradicts(each: Contradiction) -> str:
    where = "" if each.flow is None else f" flow {each.flow + 1}:"
    return f"  CONTRADICTION:{where} {each.says} ({each.citation})"


def _words(text: str) -> str:
    return text.replace("_", " ")
