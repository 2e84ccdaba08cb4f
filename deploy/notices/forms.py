"""A notice or a policy's tables as a page, as Markdown, as JSON."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, Literal
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from deploy.notices.practices import Practices

Document = Literal["collection", "policy"]
# Markdown is not escaped as HTML is: `cell` sees to what would end a cell, or begin a tag.
_TEMPLATES: Final = Environment(
    loader=ChoiceLoader([PackageLoader("deploy.notices"), PackageLoader("deploy.reports")]),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Tools of advertising associations: to send people there is no way to opt out of one's own sales (CPPA, PlayOn, 2026).
INDUSTRY_TOOLS: Final = (
    "aboutads.info",
    "networkadvertising.org",
    "thenai.org",
    "youradchoices.com",
    "youronlinechoices.com",
    "youronlinechoices.eu",
    "edaa.eu",
)
_TEMPLATES.filters["listed"] = lambda words: "; ".join(words) if words else "not stated"
_TEMPLATES.filters["long"] = lambda day: f"{day:%B} {day.day}, {day.year}"
_TEMPLATES.filters["nobody"] = lambda words: "; ".join(words) if words else "nobody"
_TEMPLATES.filters["linked"] = lambda way: (
    Markup('<a href="{0}">{0}</a>').format(way) if way.startswith("https://") else way
)
_TEMPLATES.filters["cell"] = lambda text: (
    str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
)


class Links(BaseModel):
    """How the business is called, the pages that a notice must lead to (11 CCR 7012(e)), and what no map can say.

    `sensitive_as_permitted`: sensitive information is used for nothing but what 11 CCR 7027(m) permits, so that there
    is no right to limit. `sells_under_16`: whether it is known that data of people under 16 is sold or shared, which
    needs `opt_in_under_16`. `places`: each site, app and device, and where people opt out there.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    made_on: date
    privacy_policy: str | None = None
    opt_out: str | None = None
    limit: str | None = None
    sensitive_as_permitted: bool = False
    sells_under_16: bool | None = None
    opt_in_under_16: str | None = None
    places: Mapping[str, str | None] = Field(default_factory=dict)

    def missing(self, found: Practices, document: Document) -> list[str]:
        """What such a document needs and has not."""
        lacking = (
            self._no_links(found, document),
            self._no_ways(found),
            self._foreign(),
            self._unsaid(found, document),
        )
        return [gap for gaps in lacking for gap in gaps]

    def _no_links(self, found: Practices, document: Document) -> Iterator[str]:
        if document == "collection" and self.privacy_policy is None:
            yield "no link to the privacy policy's page (--policy-url)"
        if found.sells_or_shares and self.opt_out is None:
            yield "no link to the notice of the right to opt out (--opt-out-url): data is sold or shared"
        if found.holds_sensitive and self.limit is None and not self.sensitive_as_permitted:
            yield (
                "no link to the notice of the right to limit (--limit-url); or say --sensitive-as-permitted, where "
                "sensitive information is used for nothing but what 11 CCR 7027(m) permits"
            )

    def _no_ways(self, found: Practices) -> Iterator[str]:
        """Whoever is met in an app opts out in the app, and nobody under 16 is sold without having opted in."""
        if not found.sells_or_shares:
            return
        for name in sorted(name for name, way in self.places.items() if way is None):
            yield f"no way to opt out in {name} (places in intake's settings): data is sold or shared (11 CCR 7026(a))"
        if self.sells_under_16 and self.opt_in_under_16 is None:
            yield (
                "data of consumers under 16 is sold or shared, and there is no place where they, or their parents, "
                "opt in (opt_in_under_16 in intake's settings; Civ. Code 1798.120(c))"
            )

    def _foreign(self) -> Iterator[str]:
        for url in filter(None, (self.opt_out, self.limit, *self.places.values())):
            host = urlsplit(url).hostname or ""
            if any(host == one or host.endswith(f".{one}") for one in INDUSTRY_TOOLS):
                yield f"{host} is an association's tool: it does not stop your own sales; link a page of your own"

    def _unsaid(self, found: Practices, document: Document) -> Iterator[str]:
        if document == "policy" and found.sells_or_shares and self.sells_under_16 is None:
            yield (
                "whether it is known that data of consumers under 16 is sold or shared "
                "(--sells-under-16 or --no-sells-under-16; 11 CCR 7011(e)(1))"
            )


def as_json(found: Practices, links: Links, document: Document) -> str:
    """One object: the document's kind, its links, each category."""
    told = {
        "document": document,
        "business": found.business,
        **links.model_dump(mode="json"),
        "categories": [one.model_dump() for one in found.practices],
        "gaps": found.gaps,
    }
    return json.dumps(told, indent=1) + "\n"


def as_html(found: Practices, links: Links, document: Document) -> str:
    """A page to publish, or to take the tables from."""
    return _TEMPLATES.get_template(f"{document}.html").render(found=found, links=links)


def as_markdown(found: Practices, links: Links, document: Document) -> str:
    """The same for whoever keeps pages as Markdown."""
    return _TEMPLATES.get_template(f"{document}.md").render(found=found, links=links)
