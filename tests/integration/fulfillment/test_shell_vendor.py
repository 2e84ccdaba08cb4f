"""A vendor that has no programmer: kcat, jq, jose and openssl read a directive, do it, and answer."""

import asyncio
import shutil
import signal
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from deploy.cli.main import app
from services.fulfillment.vendors.classification import classify
from services.fulfillment.vendors.files import load_vendors
from shared.events.topics import TOPICS
from shared.settings import Settings
from tests.support.eventually import eventually_async
from tests.support.fulfillment_host import fulfillment_host
from tests.support.installation import Installations
from tests.support.memory_system import Row, connected, memory_system
from tests.support.vendors import TODAY, a_flow, a_vendor

EXAMPLE = Path("examples/vendor/vendor.sh")
NAME = "paper-house"
EMAIL, OTHER = "ada.canary@example.com", "bob@example.com"
TOOLS = ("kcat", "jq", "jose", "openssl")
pytestmark = [
    pytest.mark.connected,
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in TOOLS),
        reason=f"needs {', '.join(TOOLS)}, as Debian has them",
    ),
]


def onboarded(settings: Settings, folder: Path) -> None:
    """As a person does it, for a vendor that signs nothing."""
    told = {
        "by": "kafka",
        "identifiers": [{"kind": "email", "form": "sha256"}],
        "answers": {"signed": False},
    }
    flows = [a_flow("cross_context_advertising")]
    vendor = a_vendor("third_party", flows=flows, vendor=NAME, told=told)
    folder.mkdir()
    (folder / f"{NAME}.yaml").write_text(yaml.safe_dump(vendor.model_dump(mode="json", exclude_none=True)))
    environment = {
        "HABEAS_HOME": str(settings.home),
        "HABEAS_NAMESPACE": settings.namespace,
        "HABEAS_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
    }
    answer = CliRunner(env=environment).invoke(app, ["vendors", "onboard", NAME, "--vendors", str(folder)])
    assert answer.exit_code == 0, answer.output


async def test_it_deletes_whom_it_is_told_and_the_request_ends(
    installations: Installations, tmp_path: Path
) -> None:
    needed = [one for one in TOPICS if "fulfillment" in (*one.readers, *one.writers)]
    installation = await installations.make(topics=needed, partitions=1)
    settings, people = installation.settings, tmp_path / "people.tsv"
    people.write_text(f"{EMAIL}\tcustomer\n{OTHER}\tcustomer\n")
    await asyncio.to_thread(onboarded, settings, tmp_path / "vendors")
    vendors = [classify(one, TODAY) for one in load_vendors(tmp_path / "vendors")]
    crm = memory_system("crm", Row("people", 1, {"email": EMAIL}), tables=())
    handed = settings.home / "vendors" / NAME
    shell = await asyncio.create_subprocess_exec(
        "bash", str(EXAMPLE), settings.kafka_bootstrap, NAME, str(handed / "private.jwks.json"),
        str(handed / "habeas.jwks.json"), str(people), settings.namespace,
        stdout=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        async with fulfillment_host(installation, [connected(crm)], vendors) as service:
            await service.host.start()
            asked = await service.asked(EMAIL, "delete")
            await service.hear(*asked.facts("delete"))
            service.host.loops["tasks"].wakeup.set()
            [ended] = await eventually_async(lambda: service.fulfilled(asked.request_id), within=60)
            await service.host.stop()
    finally:
        _stop(shell)
        await shell.wait()

    assert ended.resolution == "complete"
    assert (NAME, "done") in {(one.system, one.outcome) for one in ended.systems}
    assert people.read_text() == f"{OTHER}\tcustomer\n"


def _stop(shell: asyncio.subprocess.Process) -> None:
    """With the reader that it started: both are in a group of their own."""
    import os

    os.killpg(shell.pid, signal.SIGTERM)
