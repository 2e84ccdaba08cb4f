"""Cascadia Motors and one set of four service processes for all journeys that do not kill them."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import StackInfo
from tests.support.installation import Installations
from tests.support.running import Running, four_services
from tests.support.town import Town
from tests.support.vendor_business import VENDORS_OWN, with_vendors


@pytest.fixture(scope="package")
async def town(servers: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The sample business on the test servers."""
    built = await Town.build(servers.database_url, tmp_path_factory.mktemp("town"))
    yield built
    built.business.close()


@pytest.fixture(scope="package")
async def running(installations: Installations, town: Town) -> AsyncIterator[Running]:
    """An installation at work for that business, and for one that has vendors alone."""
    installation = await installations.make()
    async with four_services(installation, town, more=await with_vendors(installation)) as found:
        found.accounts.publish(installation.settings.home / "issuers", VENDORS_OWN)
        yield found
