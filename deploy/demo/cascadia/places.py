"""Names and addresses of the sample business's databases."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

DATABASES = {"crm": "cascadia_crm", "dms": "cascadia_dms"}
FILES = ("marketing", "mailer", "helpdesk")
"""The systems whose rows lie in a SQLite file: the last two are rented services, reached over HTTP."""

RENTED = ("mailer", "helpdesk")
LISTS = "leads"
"""The system whose rows lie in Parquet files, in an object store or a folder."""

SYSTEMS = {name: f"cascadia-{name}" for name in (*DATABASES, *FILES, LISTS)}
ROLES = {"crm": "habeas_cascadia_crm", "dms": "habeas_cascadia_dms"}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the business's things lie, below Habeas's home."""

    admin_url: str
    home: Path

    @property
    def folder(self) -> Path:
        return self.home / "cascadia"

    def file(self, system: str) -> Path:
        """The rows of a system that has no server of its own."""
        return self.folder / f"{system}.sqlite"

    @property
    def lists(self) -> Path:
        """The folder of the lead lists, where there is no object store."""
        return self.folder / LISTS

    @property
    def store_keys(self) -> Path:
        """How the lead lists' owner reaches their object store; the file is there if the store is."""
        return self.folder / f"{SYSTEMS[LISTS]}.owner"

    @property
    def marketing(self) -> Path:
        return self.file("marketing")

    @property
    def before(self) -> Path:
        """The auditor's record of every row before anybody asked for anything."""
        return self.folder / "before.sqlite"

    def secret(self, system: str, kind: str = "url") -> Path:
        return self.folder / f"{SYSTEMS[system]}.{kind}"

    def admin(self, database: str | None = None) -> str:
        """The administrator's address, of one of the databases."""
        parts = urlsplit(self.admin_url)
        path = parts.path if database is None else f"/{database}"
        return urlunsplit(parts._replace(scheme="postgresql", path=path))

    def adapter(self, system: str, password: str) -> str:
        """The address that the adapter uses: its own role, its own database."""
        parts = urlsplit(self.admin_url)
        host = parts.netloc.rpartition("@")[2]
        netloc = f"{ROLES[system]}:{quote(password)}@{host}"
        return urlunsplit(parts._replace(scheme="postgresql", netloc=netloc, path=f"/{DATABASES[system]}"))
