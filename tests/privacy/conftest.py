"""One walk through every path, for all searches."""

from collections.abc import AsyncIterator

import pytest

from deploy.demo.cascadia.load import load_people
from deploy.local.stack import StackInfo
from tests.support.every_path import Walked, every_path
from tests.support.identities import marked_people
from tests.support.installation import Installations
from tests.support.running import four_services
from tests.support.town import Town


@pytest.fixture(scope="package")
async def walked(
    servers: StackInfo, installations: Installations, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Walked]:
    """Four processes through which marked people went in every way, each good request closed."""
    home = tmp_path_factory.mktemp("marked")
    business = await load_people(servers.database_url, home, marked_people(9), seed=7)
    async with four_services(await installations.make(), Town(business)) as running:
        yield await every_path(running)
