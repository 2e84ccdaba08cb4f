"""A notice or a policy's tables as a page, as Markdown, as JSON."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Final, Literal
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from pydantic import BaseModel, ConfigDict

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
_TEMPLATES.filters["cell"] = lambda text: (
    str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
)


class Links(BaseModel):
    """How the business is called, the pages that a notice must lead to (11 CCR 7012(e)), and what no map can say.

    `sensitive_as_permitted`: sensitive information is used for nothing but what 11 CCR 7027(m) permits, so that there
    is no right to limit. `sells_under_16`: whether it is known that data of people under 16 is sold or shared.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    made_on: date
    privacy_policy: str | None = None
    opt_out: str | None = None
    limit: str | None = None
    sensitive_as_permitted: bool = False
    sells_under_16: bool | None = None

    def missing(self, found: Practices, document: Document) -> list[str]:
        """What such a document needs and has not."""
        return [*self._no_links(found, document), *self._foreign(), *self._unsaid(found, document)]

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

    def _foreign(self) -> Iterator[str]:
        for url in filter(None, (self.opt_out, self.limit)):
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
