"""One walk through every path, for all searches."""

from collections.abc import AsyncIterator

import pytest

from deploy.demo.cascadia.load import load_people
from deploy.local.stack import StackInfo
from tests.support.collector import collector, exporting_to
from tests.support.every_path import every_path
from tests.support.http_server import serving
from tests.support.identities import marked_people
from tests.support.installation import Installations
from tests.support.running import four_services
from tests.support.town import Town
from tests.support.walked import Walked


@pytest.fixture(scope="package")
async def walked(
    servers: StackInfo, installations: Installations, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Walked]:
    """Four processes through which marked people went in every way, each good request closed."""
    home = tmp_path_factory.mktemp("marked")
    business = await load_people(servers.database_url, home, marked_people(17), seed=7)
    spans: list[bytes] = []
    async with (
        serving(collector(spans)) as collecting,
        four_services(await installations.make(), Town(business), more=exporting_to(collecting)) as running,
    ):
        walked = await every_path(running)
        walked.spans = spans
        yield walked
