"""The calendar of test drives: an address that is told by webhook, believes what is signed, and writes it down.

It checks as the Standard Webhooks rules say: the signature over id, time and body, and a time within five minutes.
"""

import base64
import hmac
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.demo.cascadia.people import Person
from deploy.demo.cascadia.saas import Served, refused
from deploy.demo.told_proof import Receipts, still_there, wrongly_heard
from shared.clock import AdvancingClock
from shared.private_files import write_private
from shared.settings import Settings

SYSTEM = "cascadia-test-drives"
RIGHTS = ("delete", "opt_out")
AT_MOST = timedelta(minutes=5)
_TABLES = """
CREATE TABLE bookings (email TEXT PRIMARY KEY, not_sold INTEGER NOT NULL DEFAULT 0);
CREATE TABLE told (id TEXT, right TEXT, email TEXT, PRIMARY KEY (id, email));
CREATE TABLE refused (reason TEXT);
"""
_CHANGES = {
    "delete": "DELETE FROM bookings WHERE email = ?",
    "opt_out": "UPDATE bookings SET not_sold = 1 WHERE email = ?",
}


class Booking:
    """Its bookings and what it was told, in one file."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home / "cascadia"
        self._file = self._folder / "test-drives.sqlite"
        self._clock = AdvancingClock(settings.clock_file)
        self._key = secrets.token_bytes(32)
        self._before: frozenset[str] = frozenset()
        self.app = Starlette(routes=[Route("/privacy", self._hear, methods=["POST"])])
        self._served = Served(self.app)

    def furnish(self, people: Iterable[Person]) -> None:
        """Everybody has driven once; and say where it listens, and by which key it knows us."""
        self._before = frozenset(person.email.lower() for person in people)
        with closing(sqlite3.connect(self._file)) as database, database:
            database.executescript(_TABLES)
            database.executemany(
                "INSERT INTO bookings (email) VALUES (?)", [(each,) for each in sorted(self._before)]
            )
        self._file.chmod(0o600)
        key = b"whsec_" + base64.b64encode(self._key)
        write_private(self._folder / f"{SYSTEM}.signing", key)
        write_private(self._folder / f"{SYSTEM}.url", f"{self._served.start()}/privacy".encode())

    def stop(self) -> None:
        """Listen no more."""
        self._served.stop()

    def findings(self, receipts: Receipts) -> Iterator[str]:
        """What is wrong, by its bookings and by what it wrote down."""
        with closing(sqlite3.connect(self._file)) as database:
            heard = database.execute("SELECT right, email FROM told").fetchall()
            held = dict(database.execute("SELECT email, not_sold FROM bookings").fetchall())
            reasons = database.execute("SELECT reason FROM refused").fetchall()
        yield from wrongly_heard(SYSTEM, RIGHTS, heard, receipts)
        yield from still_there(SYSTEM, held, self._before, receipts)
        out = {ask.person.email.lower() for ask in receipts.values() if ask.right == "opt_out" and ask.acts}
        if {email for email, not_sold in held.items() if not_sold} != out:
            yield f"{SYSTEM}: others are left alone there than who asked for it"
        if reasons:
            yield f"{SYSTEM} refused {len(reasons)} messages, the first because {reasons[0][0]}"

    async def _hear(self, request: Request) -> Response:
        body = await request.body()
        if fault := self._fault(request.headers, body):
            self._write("INSERT INTO refused VALUES (?)", [(fault,)])
            return refused(fault)
        message = json.loads(body)["data"]
        right, emails = message["right"], [one["email"].lower() for one in message["subjects"]]
        name = request.headers["webhook-id"]
        # A message that comes again has the same id: it is written once, and changes nothing more.
        self._write("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", [(name, right, each) for each in emails])
        self._write(_CHANGES[right], [(each,) for each in emails])
        return JSONResponse({}, 202)

    def _fault(self, headers: Mapping[str, str], body: bytes) -> str:
        """Why it is not believed; nothing where it is."""
        at = headers.get("webhook-timestamp", "")
        if not at.isdigit() or abs(self._clock.now().timestamp() - int(at)) > AT_MOST.total_seconds():
            return "its time is not now"
        signed = f"{headers.get('webhook-id', '')}.{at}.".encode() + body
        right = "v1," + base64.b64encode(hmac.new(self._key, signed, "sha256").digest()).decode()
        found = headers.get("webhook-signature", "").split()
        return "" if any(hmac.compare_digest(right, each) for each in found) else "its signature is not ours"

    def _write(self, statement: str, rows: Iterable[tuple[str, ...]]) -> None:
        with closing(sqlite3.connect(self._file, timeout=10)) as database, database:
            database.executemany(statement, rows)
