"""Every row of the sample business, and whose it is: written down apart from any data map, for the auditor."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from itertools import count
from typing import Any
from uuid import UUID

from deploy.demo.cascadia.people import Person

IN_AN_AUDIENCE, WITH_CAPITALS, ASKED_FOR_HELP, ON_A_LIST = 0.5, 0.1, 0.3, 0.4
MAY_SELL = False

_MODELS = ("Larch hatchback", "Sequoia wagon", "Tamarack pickup", "Willow coupe")
_PAGES = ("/", "/inventory", "/inventory/larch", "/finance", "/service/book")
_SUMMARIES = (
    "asked about a test drive",
    "complained about a delay",
    "wants a call back",
    "praised the workshop",
)
_COMPLAINTS = ("brakes squeal", "oil change due", "engine light is on", "new tires")
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)")


@dataclass
class Rows:
    """Rows by system and table; `owner` tells whose a row is, None where several people share it."""

    tables: dict[tuple[str, str], list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))
    owner: dict[tuple[str, str, str], int | None] = field(default_factory=dict)
    _ids: Mapping[str, Iterator[int]] = field(default_factory=lambda: defaultdict(lambda: count(1)))

    def add(self, system: str, table: str, person: Person, *values: Any) -> int:
        """Add a row under the table's next id."""
        row_id = next(self._ids[f"{system}.{table}"])
        self.put(system, table, person.number, (row_id, *values))
        return row_id

    def put(self, system: str, table: str, owner: int | None, row: tuple[Any, ...]) -> None:
        self.tables[system, table].append(row)
        self.owner[system, table, str(row[0])] = owner


def make_rows(people: Iterable[Person], seed: int) -> Rows:
    """The whole content of all systems."""
    rows, chance = Rows(), random.Random(seed + 1)  # noqa: S311 - repeatable, not secret
    rented = random.Random(seed + 2)  # noqa: S311 - repeatable, not secret
    bought = random.Random(seed + 3)  # noqa: S311 - repeatable, not secret
    everybody = list(people)
    _households(rows, everybody)
    for person in everybody:
        _crm(rows, person, chance)
        if person.dms_email:
            _dms(rows, person, person.dms_email, chance)
        if person.subscribes:
            _marketing(rows, person, chance)
            _mailer(rows, person, rented)
        if person.owns_car or rented.random() < ASKED_FOR_HELP:
            _helpdesk(rows, person, rented)
        if bought.random() < ON_A_LIST:
            _leads(rows, person, bought)
    return rows


def _households(rows: Rows, people: list[Person]) -> None:
    members: dict[int, list[Person]] = defaultdict(list)
    for person in people:
        if person.household:
            members[person.household].append(person)
    for household, them in sorted(members.items()):
        owner = them[0].number if len(them) == 1 else None
        since = min(person.since for person in them)
        rows.put("crm", "households", owner, (household, f"{len(them)} drivers", since))


def _crm(rows: Rows, person: Person, chance: random.Random) -> None:
    born = date(1950, 1, 1) + timedelta(days=chance.randrange(18_000))
    contact = rows.add(
        "crm", "contacts", person, person.customer_id, person.household, person.first_name, person.last_name,
        _spelt(person.email, chance), person.phone, born, f"pbkdf2:{chance.randbytes(8).hex()}", MAY_SELL, person.since,
    )  # fmt: skip
    rows.add(
        "crm", "addresses", person, contact, person.street, person.city, person.postal_code, person.since
    )
    for at in _moments(person, chance, 3):
        summary = f"{person.first_name} {chance.choice(_SUMMARIES)}"
        rows.add(
            "crm", "interactions", person, contact, chance.choice(("phone", "visit", "chat")), summary, at
        )
    for at in _moments(person, chance, 2):
        session = UUID(int=chance.getrandbits(128), version=4)
        address = ip_address(f"198.51.100.{chance.randrange(256)}")
        rows.put(
            "crm", "web_sessions", person.number, (session, contact, address, chance.choice(_AGENTS), at)
        )
        for _ in range(chance.randint(1, 3)):
            rows.add("crm", "page_views", person, session, chance.choice(_PAGES), at)


def _dms(rows: Rows, person: Person, email: str, chance: random.Random) -> None:
    license_number = f"X{chance.randrange(10**7):07d}"
    customer = rows.add(
        "dms",
        "customers",
        person,
        person.customer_id,
        person.name,
        email,
        person.phone,
        license_number,
        person.since,
    )
    for at in _moments(person, chance, 2):
        price = Decimal(chance.randint(18_000, 60_000))
        rows.add("dms", "quotes", person, customer, email, chance.choice(_MODELS), price, at)
    if person.owns_car:
        _car(rows, person, customer, chance)


def _car(rows: Rows, person: Person, customer: int, chance: random.Random) -> None:
    vin = f"1CASC{chance.getrandbits(40):012X}"
    plate = f"{chance.randint(1, 9)}CAS{chance.randrange(1000):03d}"
    vehicle = rows.add("dms", "vehicles", person, vin, plate, customer, person.since)
    home = f"{person.street}, {person.city} {person.postal_code}"
    price = Decimal(chance.randint(18_000, 60_000))
    rows.add(
        "dms",
        "sales",
        person,
        customer,
        vehicle,
        person.name,
        home,
        chance.randrange(60_000),
        price,
        person.since,
    )
    for at in _moments(person, chance, 3):
        total = Decimal(chance.randint(5_000, 90_000)) / 100
        rows.add("dms", "service_visits", person, customer, vehicle, chance.choice(_COMPLAINTS), total, at)


def _marketing(rows: Rows, person: Person, chance: random.Random) -> None:
    since = _iso(person.since)
    subscriber = rows.add("marketing", "subscribers", person, person.email, person.first_name, 0, since)
    for at in _moments(person, chance, 3):
        campaign = f"{at.year}-{at.month:02d} newsletter"
        rows.add("marketing", "campaign_sends", person, subscriber, campaign, chance.randrange(2), _iso(at))
    if chance.random() < IN_AN_AUDIENCE:
        digest = hashlib.sha256(person.email.encode()).hexdigest()
        rows.add("marketing", "ad_audience_members", person, digest, "lookalike buyers", 0, since)


def _mailer(rows: Rows, person: Person, chance: random.Random) -> None:
    contact = rows.add(
        "mailer", "contacts", person, _spelt(person.email, chance), person.first_name, 0, _iso(person.since)
    )
    for at in _moments(person, chance, 3):
        rows.add("mailer", "activities", person, contact, f"{at.year} test-drive invitation", _iso(at))


def _helpdesk(rows: Rows, person: Person, chance: random.Random) -> None:
    user = rows.add("helpdesk", "users", person, person.email, person.name, person.phone, _iso(person.since))
    for at in _moments(person, chance, 3):
        body = f"This is {person.name}. Please call me."
        rows.add("helpdesk", "tickets", person, user, chance.choice(_COMPLAINTS), body, _iso(at))


def _leads(rows: Rows, person: Person, chance: random.Random) -> None:
    """Two sellers may sell the same person."""
    for _ in range(chance.choice((1, 1, 2))):
        email, model = _spelt(person.email, chance), chance.choice(_MODELS)
        rows.add(
            "leads", "leads", person, email, person.first_name, person.phone, model, MAY_SELL, person.since
        )


def _spelt(email: str, chance: random.Random) -> str:
    """Now and then a clerk types an address with capitals."""
    return email.title() if chance.random() < WITH_CAPITALS else email


def _moments(person: Person, chance: random.Random, most: int) -> list[datetime]:
    return [person.since + timedelta(hours=chance.randrange(1, 500)) for _ in range(chance.randint(0, most))]


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
