"""What `habeas migrate` does: key files, databases, schemas, roles, tables."""

from pathlib import Path

from deploy.migrate import Databases, migrate
from shared.keyfiles import init_keys
from shared.settings import Settings


async def install(settings: Settings, admin_url: str | None) -> list[str]:
    """Make or update everything that the services need on this machine; what was done, a line each."""
    url = admin_url or stack_database(settings.home)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.packages_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = init_keys(settings.keys)
    return [*(f"key made: {name}" for name in made), *await migrate(url, Databases(settings.secrets))]


def stack_database(home: Path) -> str:
    """The administrator's URL of the embedded stack that runs in `home`.

    Raises:
        deploy.local.errors.StackError: it does not run.
    """
    from deploy.local.stack import info

    return info(home).database_url
