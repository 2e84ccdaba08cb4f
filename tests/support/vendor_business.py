"""A business that has vendors and no system: a request to it waits for them alone."""

from pathlib import Path

import yaml

from deploy.onboarding import onboard, topics_of
from deploy.topics import apply
from services.fulfillment.vendors.files import Vendor
from tests.support.installation import Installation
from tests.support.vendors import a_flow, a_vendor

VENDORS_OWN = "quayside"
POST, ADS = "post-house", "quay-ads"
ANSWERS = {"receipt_days": 2, "outcome_days": 10, "reminders": 2, "reminder_days": 3}
TOLD = {"by": "kafka", "identifiers": [{"kind": "email", "form": "raw"}], "answers": ANSWERS}


def _vendors() -> tuple[Vendor, Vendor]:
    common = {"business": VENDORS_OWN, "told": TOLD}
    sharing = [a_flow("cross_context_advertising")]
    return (
        a_vendor("contractor", vendor=POST, title="Post House", **common),
        a_vendor("third_party", vendor=ADS, title="Quay Ads", flows=sharing, **common),
    )


async def with_vendors(installation: Installation) -> dict[str, str]:
    """Describe and onboard them; what the services must be told besides."""
    settings, folder = installation.settings, installation.settings.home / "described"
    await apply(settings, [topic for one in _vendors() for topic in topics_of(one.vendor)])
    _described(folder)
    for one in _vendors():
        onboard(settings, one)
    names = f'{{"cascadia": {{"name": "Cascadia Motors"}}, "{VENDORS_OWN}": {{"name": "Quayside Boats"}}}}'
    return {"HABEAS_FULFILLMENT_VENDORS": str(folder), "HABEAS_INTAKE_BUSINESSES": names}


def _described(folder: Path) -> None:
    folder.mkdir()
    for one in _vendors():
        text = yaml.safe_dump(one.model_dump(mode="json", exclude_none=True))
        (folder / f"{one.vendor}.yaml").write_text(text)
