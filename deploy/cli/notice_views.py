"""How notices are made from this installation's maps and vendors, and what is said where they leave gaps."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import typer

from deploy.cli.described_systems import whole
from deploy.cli.report_views import hand_over
from deploy.cli.vendor_views import classified
from deploy.notices.forms import Document, Links, as_html, as_json, as_markdown
from deploy.notices.practices import Practices, practices_of
from services.fulfillment.settings import FulfillmentSettings
from services.intake.settings import Business, IntakeSettings
from shared.clock import SystemClock
from shared.policy.dates import not_before

FORMS = {"html": as_html, "md": as_markdown, "json": as_json}
OF_THE_DEMONSTRATION = Path("deploy/vendors")
# What is published is brought up to date at least every twelve months (Civ. Code 1798.130(a)(5)).
A_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """Which document, of whom, and what its settings do not say: the pages of policy, opt-out and limit, two facts."""

    document: Document
    business: str
    title: str | None
    urls: tuple[str | None, str | None, str | None] = (None, None, None)
    sensitive_as_permitted: bool = False
    sells_under_16: bool | None = None

    def links(self) -> Links:
        """What was typed, else what intake's settings say of the business."""
        known = IntakeSettings().businesses.get(self.business) or Business(name=self.business)
        policy, opt_out, limit = self.urls
        return Links(
            title=self.title or known.name,
            made_on=SystemClock().now().date(),
            privacy_policy=policy or known.privacy_policy,
            opt_out=opt_out or known.opt_out,
            limit=limit or known.limit,
            sensitive_as_permitted=self.sensitive_as_permitted,
            sells_under_16=self.sells_under_16,
            opt_in_under_16=known.opt_in_under_16,
            places=known.places,
        )


def hand_over_notice(asked: Asked, form: str, to: Path | None) -> None:
    """Print or write the document; exit 1 where it says less than it must."""
    found, links = _practices(asked.business, asked.document), asked.links()
    hand_over(FORMS[form](found, links, asked.document), to, asked.document)
    lacking = [*found.gaps, *links.missing(found, asked.document)]
    for one in lacking:
        typer.echo(f"gap: {one}", err=True)
    raise typer.Exit(1 if lacking else 0)


def check_published(published: Path, *, as_json: bool) -> None:
    """Hold what was published, as its JSON says it, against the maps of today; exit 1 where it is not true any more."""
    try:
        said = json.loads(published.read_text("utf-8"))
        stale = list(_stale(said, SystemClock().now().date()))
    except (OSError, ValueError, KeyError, TypeError):
        typer.echo(f"{published} is no notice that was written with --format json; make one.", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps({"current": not stale, "stale": stale}))
    else:
        for one in stale:
            typer.echo(one)
        typer.echo("Publish it anew." if stale else "What was published is still true.")
    raise typer.Exit(1 if stale else 0)


def _stale(said: Mapping[str, Any], today: date) -> Iterator[str]:
    if not_before(date.fromisoformat(said["made_on"]), A_YEAR) <= today:
        yield f"made on {said['made_on']}: it is to be brought up to date every twelve months"
    now = {
        one.category: one.model_dump(mode="json")
        for one in _practices(said["business"], said["document"]).practices
    }
    then = {one["category"]: one for one in said["categories"]}
    for category in sorted(now.keys() | then.keys()):
        if category not in then:
            yield f"{category}: collected by now, and not in it"
        elif category not in now:
            yield f"{category}: in it, and not collected any more"
        else:
            changed = [name for name, value in now[category].items() if then[category].get(name, []) != value]
            yield from (f"{category}: {name} is another by now" for name in changed)


def _practices(business: str, document: Document) -> Practices:
    """A policy looks back on twelve months; a notice at collection says what is done now."""
    systems = [one for one in whole() if one.business == business]
    if not systems:
        typer.echo(f"--business: no system of {business} is described; see: habeas systems check", err=True)
        raise typer.Exit(2)
    folder = FulfillmentSettings().vendors or OF_THE_DEMONSTRATION
    there = any(folder.glob("*.yaml"))
    today = SystemClock().now().date()
    vendors = classified(folder, None, today) if there else ()
    return practices_of(business, systems, vendors, today if document == "policy" else None)
