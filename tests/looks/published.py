"""The pages that a business publishes, as the demonstration's maps and a made-up year have them."""

from datetime import date
from pathlib import Path

from deploy.notices.forms import Document, Links, as_html
from deploy.notices.practices import practices_of
from deploy.reports.forms import Year, figures_as_page
from deploy.reports.metrics import KINDS, Figures, Law
from services.fulfillment.datamap.folder import load_systems

TITLE = "Cascadia Motors"
LINKS = Links(
    title=TITLE,
    made_on=date(2026, 11, 2),
    privacy_policy="https://cascadia.example/privacy",
    opt_out="https://cascadia.example/do-not-sell",
    limit="https://cascadia.example/limit",
    sells_under_16=False,
)


def published() -> dict[str, bytes]:
    """Each page under its name."""
    return {
        "figures": figures_as_page(_figures(), Year(year=2026, business="cascadia", title=TITLE)).encode(),
        "notice": _notice("collection"),
        "policy": _notice("policy"),
    }


def _notice(document: Document) -> bytes:
    folder = Path("deploy/systems")
    return as_html(practices_of("cascadia", load_systems(folder, home=folder)), LINKS, document).encode()


def _figures() -> list[Figures]:
    """Numbers of every width."""
    return [
        Figures(
            kind=kind.name,
            title=kind.title,
            received=12_400 // (number + 1) ** 2,
            complied=10_900 // (number + 1) ** 2,
            complied_in_part=40,
            nothing_found=30,
            denied=820 // (number + 1) ** 2,
            denied_unverifiable=700 // (number + 1) ** 2,
            denied_not_by_consumer=11,
            denied_exempt=20,
            denied_other=9,
            denied_other_grounds={"answered_often_enough": 6, "suspected_fraud": 3},
            denied_in_part_unverifiable=25,
            denied_in_part_exempt=35,
            denied_in_part_other=5,
            exemptions={"legal_obligation": 33},
            not_decided=10,
            open=7,
            late=0,
            median_days=11.5 + number,
            mean_days=13.2 + number,
        )
        for number, kind in enumerate(KINDS[Law.ccpa])
    ]
