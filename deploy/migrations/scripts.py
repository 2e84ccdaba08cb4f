"""Runs a file of plain SQL inside a migration's transaction."""

from pathlib import Path
from typing import Any

from alembic import op
from sqlalchemy.util import await_only

FOLDER = Path(__file__).parent


def run_script(name: str, *, optional: bool = False) -> None:
    """Execute the statements of a file beside this one; a missing optional one is nothing to do."""
    file = FOLDER / name
    if optional and not file.exists():
        return
    # The driver's own connection takes many statements at once; SQLAlchemy's prepared ones do not.
    driver: Any = op.get_bind().connection.driver_connection
    await_only(driver.execute(file.read_text("utf-8")))
