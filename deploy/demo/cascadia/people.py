"""The people of the sample business: invented, at example.com and example.org, and the same for the same seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

_FIRST = (
    "Ana", "Bao", "Carla", "Deshawn", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jamal", "Kiko", "Lena", "Mateo",
    "Nadia", "Omar", "Priya", "Quinn", "Rosa", "Sven", "Tala", "Uma", "Viktor", "Wanda", "Ximena", "Yusuf", "Zoe",
)  # fmt: skip
_LAST = (
    "Abernathy", "Bellweather", "Castellanos", "Dunmore", "Everhart", "Fairbank", "Goldleaf", "Hartwell", "Ironwood",
    "Juniper", "Kestrel", "Larkspur", "Merriweather", "Nightingale", "Oakhurst", "Pemberton", "Quillfeather",
    "Ravenscroft", "Silverlake", "Thistledown", "Underhill", "Vanterpool", "Whitcombe", "Yarrow",
)  # fmt: skip
_STREETS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Hawthorn", "Juniper", "Laurel", "Madrone")
_CITIES = (("Redding", "96001"), ("Chico", "95926"), ("Yreka", "96097"), ("Red Bluff", "96080"))

LIVE_TOGETHER, OWN_A_CAR, SUBSCRIBE = 0.4, 0.5, 0.7
NO_DEALER_CUSTOMER, DEALER_HAS_OLD_ADDRESS = 0.35, 0.1

_OPENED = datetime(2023, 1, 2, 9, 0, tzinfo=UTC)
_OPEN_MINUTES = 60 * 24 * 365 * 3


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has been in touch; what else is known of them hangs on what they did."""

    number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    street: str
    city: str
    postal_code: str
    household: int | None
    since: datetime
    dms_email: str | None
    owns_car: bool
    subscribes: bool

    @property
    def customer_id(self) -> str:
        return f"C-{self.number:06d}"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


def make_people(seed: int, count: int) -> tuple[Person, ...]:
    """Everybody, in the order of their numbers."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    return tuple(_person(number, chance) for number in range(1, count + 1))


def stranger_to(people: Sequence[Person]) -> Person:
    """Somebody who has never been in touch with the business."""
    number = len(people) + 1
    return replace(
        people[0], number=number, first_name="Nobody", last_name="Known", email=f"nobody.{number}@example.net",
        phone="", household=None, dms_email=None, owns_car=False, subscribes=False,
    )  # fmt: skip


def _person(number: int, chance: random.Random) -> Person:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    email = f"{first}.{last}.{number}@example.{chance.choice(('com', 'org'))}".lower()
    city, postal_code = chance.choice(_CITIES)
    return Person(
        number=number,
        first_name=first,
        last_name=last,
        email=email,
        phone=f"+1530555{number % 10_000:04d}",
        street=f"{chance.randint(1, 9999)} {chance.choice(_STREETS)} Street",
        city=city,
        postal_code=postal_code,
        household=(number + 1) // 2 if chance.random() < LIVE_TOGETHER else None,
        since=_OPENED + timedelta(minutes=chance.randrange(_OPEN_MINUTES)),
        dms_email=_dms_email(email, chance),
        owns_car=chance.random() < OWN_A_CAR,
        subscribes=chance.random() < SUBSCRIBE,
    )


def _dms_email(email: str, chance: random.Random) -> str | None:
    """How the dealer-management system spells the address: the same, an older one, or it has no customer."""
    if chance.random() < NO_DEALER_CUSTOMER:
        return None
    return f"old.{email}" if chance.random() < DEALER_HAS_OLD_ADDRESS else email
