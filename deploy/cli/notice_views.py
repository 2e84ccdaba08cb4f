"""How notices are made from this installation's maps and vendors, and what is said where they leave gaps."""

from dataclasses import dataclass
from pathlib import Path

import typer

from deploy.cli.report_views import hand_over
from deploy.cli.systems import mapped
from deploy.cli.vendor_views import classified
from deploy.notices.forms import Document, Links, as_html, as_json, as_markdown
from deploy.notices.practices import Practices, practices_of
from services.fulfillment.settings import FulfillmentSettings
from services.intake.settings import Business, IntakeSettings
from shared.clock import SystemClock

FORMS = {"html": as_html, "md": as_markdown, "json": as_json}
OF_THE_DEMONSTRATION = Path("deploy/vendors")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which document, of whom, and what its settings do not say: the pages of policy, opt-out and limit."""

    document: Document
    business: str
    title: str | None
    urls: tuple[str | None, str | None, str | None]

    def links(self) -> Links:
        """What was typed, else what intake's settings say of the business."""
        known = IntakeSettings().businesses.get(self.business) or Business(name=self.business)
        policy, opt_out, limit = self.urls
        return Links(
            title=self.title or known.name,
            privacy_policy=policy or known.privacy_policy,
            opt_out=opt_out or known.opt_out,
            limit=limit,
        )


def hand_over_notice(asked: Asked, form: str, to: Path | None) -> None:
    """Print or write the document; exit 1 where it says less than it must."""
    found, links = _practices(asked.business), asked.links()
    hand_over(FORMS[form](found, links, asked.document), to, asked.document)
    lacking = [*found.gaps, *(f"no link to {one}" for one in links.missing(found, asked.document))]
    for one in lacking:
        typer.echo(f"gap: {one}", err=True)
    raise typer.Exit(1 if lacking else 0)


def _practices(business: str) -> Practices:
    systems = [one for one in mapped(None) if one.business == business]
    if not systems:
        typer.echo(f"--business: no system of {business} is described; see: habeas systems check", err=True)
        raise typer.Exit(2)
    folder = FulfillmentSettings().vendors or OF_THE_DEMONSTRATION
    there = any(folder.glob("*.yaml"))
    vendors = classified(folder, None, SystemClock().now().date()) if there else ()
    return practices_of(business, systems, vendors)
