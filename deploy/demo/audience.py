"""The audience of a social network: it has hashes alone, hears by the shipped connector whom to remove, and records it.

A deletion and an opt-out are the same call, so its record tells how often it was told of somebody, not why.
"""

import json
import re
import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.demo.cascadia.people import Person
from deploy.demo.cascadia.saas import Served
from deploy.demo.told_proof import Receipts
from shared.private_files import write_private
from shared.settings import Settings

SYSTEM = "cascadia-audience"
RIGHTS = ("delete", "opt_out")
VERSION, AUDIENCE = "/v25.0", "238471100990"
_CONNECTOR = Path(__file__).parent.parent / "connectors" / "meta-custom-audiences.yaml"
_HASH = re.compile("[0-9a-f]{64}")
_TABLES = """
CREATE TABLE members (email_sha256 TEXT PRIMARY KEY);
CREATE TABLE told (number INTEGER PRIMARY KEY, email_sha256 TEXT NOT NULL);
CREATE TABLE refused (reason TEXT);
"""


class Audience:
    """Its members and what it was told, in one file."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home / "cascadia"
        self._connectors = settings.home / "systems" / "connectors"
        self._file = self._folder / "audience.sqlite"
        self._token = secrets.token_urlsafe(24)
        self._before: frozenset[str] = frozenset()
        one = f"{VERSION}/{AUDIENCE}"
        removal = Route(f"{one}/users", self._remove, methods=["DELETE"])
        self._served = Served(Starlette(routes=[Route(one, self._look), removal]))

    def furnish(self, people: Iterable[Person]) -> None:
        """Everybody is advertised to; and say where it listens, by which token, and with the connector as it ships."""
        self._before = frozenset(_hash(person.email) for person in people)
        with closing(sqlite3.connect(self._file)) as database, database:
            database.executescript(_TABLES)
            database.executemany("INSERT INTO members VALUES (?)", [(each,) for each in self._before])
        self._file.chmod(0o600)
        self._connectors.mkdir(exist_ok=True)
        shutil.copy(_CONNECTOR, self._connectors)
        write_private(self._folder / f"{SYSTEM}.key", self._token.encode())
        write_private(self._folder / f"{SYSTEM}.url", f"{self._served.start()}{VERSION}".encode())

    def stop(self) -> None:
        """Listen no more."""
        self._served.stop()

    def findings(self, receipts: Receipts) -> Iterator[str]:
        """What is wrong, by its members and by what it wrote down: once for each request, and nothing in the clear."""
        asks = [ask for ask in receipts.values() if ask.right in RIGHTS and ask.acts]
        due = Counter(_hash(ask.person.email) for ask in asks)
        # Somebody whom the dealer knows by an older address may be told of by that one, too.
        may = due | Counter(_hash(ask.person.dms_email or ask.person.email) for ask in asks)
        told = Counter(self._all("SELECT email_sha256 FROM told"))
        if missed := due - told:
            yield f"{SYSTEM} was not told of {len(missed)} people whom it should remove"
        if strange := told.keys() - may.keys():
            yield f"{SYSTEM} was told of {len(strange)} people of whom it should not be"
        if again := [one for one, times in told.items() if one in may and times > may[one]]:
            yield f"{SYSTEM} was told of {len(again)} people more than once for a request"
        if set(self._all("SELECT email_sha256 FROM members")) != self._before - due.keys():
            yield f"{SYSTEM} has other members than those who did not ask for removal"
        if reasons := self._all("SELECT reason FROM refused"):
            yield f"{SYSTEM} refused {len(reasons)} calls, the first because {reasons[0]}"

    async def _look(self, request: Request) -> Response:
        if self._unknown(request):
            return self._refuse("its token is not ours")
        return JSONResponse({"id": AUDIENCE, "name": "Cascadia Motors: customers"})

    async def _remove(self, request: Request) -> Response:
        body = (await request.body()).decode()
        fault = "its token is not ours" if self._unknown(request) else _in_the_clear(request, body)
        if fault:
            return self._refuse(fault)
        hashes = [(each,) for each in json.loads(parse_qs(body)["payload"][0])["data"]]
        self._write("INSERT INTO told (email_sha256) VALUES (?)", hashes)
        self._write("DELETE FROM members WHERE email_sha256 = ?", hashes)
        return JSONResponse({"audience_id": AUDIENCE, "num_received": len(hashes), "num_invalid_entries": 0})

    def _unknown(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        return not secrets.compare_digest(given, f"Bearer {self._token}")

    def _refuse(self, reason: str) -> Response:
        """It answers any mistake with 400, as the real one does."""
        self._write("INSERT INTO refused VALUES (?)", [(reason,)])
        return JSONResponse({"error": {"message": reason}}, 400)

    def _all(self, query: str) -> list[str]:
        with closing(sqlite3.connect(self._file, timeout=10)) as database:
            return [str(row[0]) for row in database.execute(query)]

    def _write(self, statement: str, rows: Iterable[tuple[str, ...]]) -> None:
        with closing(sqlite3.connect(self._file, timeout=10)) as database, database:
            database.executemany(statement, rows)


def _hash(email: str) -> str:
    return sha256(email.strip().lower().encode()).hexdigest()


def _in_the_clear(request: Request, body: str) -> str:
    """What was sent beside hashes of addresses, in the body or around it; nothing where all is well."""
    form = parse_qs(body, keep_blank_values=True)
    try:
        (sent,) = form.pop("payload", ["{}"])
        payload = json.loads(sent)
    except ValueError:
        return "its payload is not one object of JSON"
    if form or request.url.query or any("@" in each for each in request.headers.values()):
        return "it says more than its payload"
    if not isinstance(payload, dict) or payload.keys() != {"schema", "data"}:
        return "its payload says more, or less, than whom to remove"
    hashes = payload["data"]
    if payload["schema"] != "EMAIL_SHA256" or not isinstance(hashes, list) or not hashes:
        return "it does not send the hashes of addresses"
    return "" if all(_HASH.fullmatch(str(each)) for each in hashes) else "it says somebody in the clear"
