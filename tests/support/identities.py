"""People whose every detail occurs nowhere else, so that a copy of one can only come from them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from deploy.demo.cascadia.before import Where
from deploy.demo.cascadia.people import Person, make_people

MARK = "Quokkafrost"
FIRST_NUMBER = 731_801
STEMS = (MARK, "Zylborough", "@quokkamail.example", "Quokkalane", "530731820")
TELLING = {"driver_license", "portal_password", "vin"}


def marked_people(count: int, seed: int = 7) -> tuple[Person, ...]:
    """People with rows in all three systems."""
    return tuple(_marked(person, index) for index, person in enumerate(make_people(seed, count)))


def values_of(person: Person) -> dict[str, str]:
    """What tells who somebody is, by a name for it."""
    told = {
        "first name": person.first_name,
        "last name": person.last_name,
        "email": person.email,
        "phone": person.phone,
        "street": person.street,
        "customer id": person.customer_id,
    }
    return {f"{person.number} {what}": value for what, value in told.items()}


def values_of_rows(rows: dict[Where, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """What only the business's own systems know of somebody."""
    for (system, table, row_id), row in rows.items():
        for column in TELLING & row.keys():
            if row[column]:
                yield f"{system}.{table} {row_id} {column}", str(row[column])


def _marked(person: Person, index: int) -> Person:
    email = f"{MARK}.{index}zyl@quokkamail.example".lower()
    return replace(
        person,
        number=FIRST_NUMBER + index,
        first_name=MARK,
        last_name=f"Zylborough{index}",
        email=email,
        phone=f"+1530{7_318_200 + index}",
        street=f"{8100 + index} Quokkalane Street",
        household=None,
        dms_email=email,
        owns_car=True,
        subscribes=True,
    )
