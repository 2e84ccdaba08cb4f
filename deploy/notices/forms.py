"""A notice or a policy's tables as a page, as Markdown, as JSON."""

import json
from typing import Final, Literal

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
_TEMPLATES.filters["listed"] = lambda words: "; ".join(words) if words else "not stated"
_TEMPLATES.filters["nobody"] = lambda words: "; ".join(words) if words else "nobody"
_TEMPLATES.filters["cell"] = lambda text: (
    str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
)


class Links(BaseModel):
    """How the business is called, and the pages that a notice must lead to (11 CCR 7012(e))."""

    model_config = ConfigDict(frozen=True)

    title: str
    privacy_policy: str | None = None
    opt_out: str | None = None
    limit: str | None = None

    def missing(self, found: Practices, document: Document) -> list[str]:
        """The links that such a document needs and has not."""
        told: list[str] = []
        if document == "collection" and self.privacy_policy is None:
            told.append("the privacy policy's page (--policy-url)")
        if found.sells_or_shares and self.opt_out is None:
            told.append("the notice of the right to opt out (--opt-out-url): data is sold or shared")
        return told


def as_json(found: Practices, links: Links, document: Document) -> str:
    """One object: the document's kind, its links, each category."""
    told = {
        "document": document,
        "business": found.business,
        **links.model_dump(),
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
