"""An installation at work, at which every kind of nonsense is thrown."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.stack import StackInfo
from tests.support.installation import Installations
from tests.support.planted import Canaries, places_that_show
from tests.support.running import Running, four_services
from tests.support.town import Town


@pytest.fixture(scope="package")
async def running(
    installations: Installations, servers: StackInfo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """The four services of the sample business."""
    town = await Town.build(servers.database_url, tmp_path_factory.mktemp("town"))
    async with four_services(await installations.make(), town) as found:
        yield found


@pytest.fixture(scope="package")
async def planted(running: Running) -> AsyncIterator[Canaries]:
    """The made-up persons of the whole folder: when all its tests are over, no word of theirs is seen anywhere."""
    canaries = Canaries()
    yield canaries
    assert await places_that_show(running, canaries) == []


@pytest.fixture
def canaries(planted: Canaries) -> Iterator[Canaries]:
    """Words for one test, which has to use them."""
    before = planted.planted
    yield planted
    assert planted.planted > before, "this test planted nothing, so it would prove nothing"
