"""Draft: a map of a database that nobody has described yet, for a person to finish.

What a column holds is guessed from its name, and of a column of JSON from the names inside it; a guess is marked, and
nothing is left out. A draft is never used as it is: whoever finishes it answers for it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from services.fulfillment.adapters.sql.connect import make_engine
from services.fulfillment.adapters.sql.draft_inside import Names, lines_of, names_of
from services.fulfillment.adapters.sql.failures import BadAddressError, classify
from services.fulfillment.adapters.sql.looking import documents_in
from services.fulfillment.adapters.sql.tables import Link, Reflection, reflect
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.systems import Limits

GUESSES: Final[tuple[tuple[str, str, str | None], ...]] = (
    (r"e_?mail", "user.contact.email", "email"),
    (r"phone|mobile|cell|msisdn", "user.contact.phone_number", "phone"),
    (r"(first|given)_?name", "user.name.first", None),
    (r"(last|family|sur)_?name", "user.name.last", None),
    (r"(full|middle|display)_?name", "user.name", None),
    (r"birth|(^|_)dob($|_)", "user.demographic.date_of_birth", None),
    (r"ssn|social_sec|national_id|tax_id", "user.government_id.national_identification_number", None),
    (r"passport", "user.government_id.passport_number", None),
    (r"licen[sc]e", "user.government_id.drivers_license_number", None),
    (r"(^|_)vin($|_)", "user.government_id.vehicle_registration", None),
    (r"card_?(num|no)|(^|_)pan($|_)", "user.financial.credit_card", None),
    (r"iban|account_?(num|no)|routing", "user.financial.bank_account", None),
    (r"passw|secret_(question|answer)", "user.authorization.password", None),
    (r"street|address_?(line)?_?\d*$", "user.contact.address.street", None),
    (r"(^|_)city($|_)|town", "user.contact.address.city", None),
    (r"zip|postal|postcode", "user.contact.address.postal_code", None),
    (r"ip_?addr|(^|_)ip($|_)", "user.device.ip_address", None),
    (r"device_?id|advertising_id|idfa|gaid", "user.device.device_id", None),
    (r"cookie", "user.device.cookie_id", None),
    (r"user_?agent|browser", "user.device", None),
    (r"latitude|longitude|geo", "user.location.precise", None),
    (r"gender|(^|_)sex($|_)", "user.demographic.gender", None),
    (r"ethnic|race", "user.demographic.race_ethnicity", None),
    (r"salary|income", "user.financial", None),
    (r"user_?name|login", "user.account.username", None),
    (r"do_not_(sell|share)|opt_?out|consent|subscribed", "user.privacy_preferences", None),
    (r"note|comment|message|summary|description", "user.content", None),
)
CREATED: Final = re.compile(
    r"^(created|inserted|registered|added|opened)(_(at|on|date|time))?$", re.IGNORECASE
)
PLAIN: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
HEAD: Final = """\
# A draft, made from the tables' own description, and the names inside columns of JSON. Before it is used, one has to
#   - confirm each line marked "guessed", and say what each line marked "?" holds, or that it holds nothing personal;
#   - take out tables that hold nothing about people, and references that lead to somebody else's rows;
#   - say where the information comes from, what for and who gets it (source, purpose, disclosed_to, sold_or_shared_to);
#   - name what must be kept, with the law that says so (retention), and what tells that somebody opted out (opt_out).
# Then: habeas systems check, habeas systems plan.
"""


class CannotDescribeError(Exception):
    """The database cannot be read; the sentence says why, without its address."""


class NoSuchSchemaError(CannotDescribeError):
    """The database can be read and has no schema of that name."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a database says of its tables, and the names inside its columns of JSON."""

    seen: Reflection
    inside: Mapping[tuple[str, str], Names | None]


async def describe(address: str, schema: str | None) -> Described:
    """Ask a database what it holds; of rows only some are read, for the names inside columns of JSON.

    Raises:
        CannotDescribeError: it cannot be reached, refuses, or holds no table.
    """
    try:
        engine = make_engine(address, Limits())
    except (BadAddressError, sa.exc.SQLAlchemyError, ImportError) as error:
        words = str(error) if isinstance(error, BadAddressError) else ""
        raise CannotDescribeError(words or "the file holds no address of a database") from None
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_find_schema, schema)
            seen = await connection.run_sync(reflect, DataMap("draft", {}, schema=schema), names=None)
            documents = await documents_in(connection, seen, schema)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise CannotDescribeError(classify(error).reason) from None
    finally:
        await engine.dispose()
    if not seen.columns:
        raise CannotDescribeError(
            "the database has no table there that this account may see; name another schema with --schema"
        )
    return Described(seen, {column: names_of(each) for column, each in documents.items() if each})


def _find_schema(connection: sa.Connection, schema: str | None) -> None:
    """A schema that is misspelt would otherwise be one without tables, or a statement that fails."""
    there = sa.inspect(connection).get_schema_names() if schema else []
    if schema and schema not in there:
        raise NoSuchSchemaError(f"the database has no {schema}; it has {', '.join(there)}")


def draft(described: Described, key: str) -> str:
    """The map as YAML, in the tables' order by name."""
    lines = [
        "dataset:",
        f"  - fides_key: {key}",
        f"    name: {key}",
        "    collections:",
        *(line for table in sorted(described.seen.columns) for line in _table(table, described, key)),
    ]
    return HEAD + "\n".join(lines) + "\n"


def _table(table: str, described: Described, key: str) -> Iterator[str]:
    seen = described.seen
    columns = seen.columns[table]
    yield f"      - name: {_word(table)}"
    created = next((name for name in columns if CREATED.match(name)), None)
    if created is not None:
        yield f"        fides_meta: {{habeas: {{created_at: {_word(created)}}}}}  # guessed"
    if not seen.keys.get(table):
        yield "        # ? this table has no primary key; name columns that tell its rows apart"
    yield "        fields:"
    for name in columns:
        if names := described.inside.get((table, name)):
            yield f"          - name: {_word(name)}"
            yield "            fields:"
            yield from lines_of(names, " " * 14, _inner)
        else:
            closed = (table, name) in described.inside
            yield _field(table, name, seen, key) + ("  # the names inside look like values" if closed else "")


def _inner(name: str) -> str:
    """One field inside a column of JSON."""
    guess = _guess(name, sa.types.NullType())
    if guess is None:
        return f"{{name: {name}}}  # ?"
    identity = f", fides_meta: {{identity: {guess[1]}}}" if guess[1] else ""
    return f"{{name: {name}, data_categories: [{guess[0]}]{identity}}}  # guessed"


def _field(table: str, name: str, seen: Reflection, key: str) -> str:
    parts = [f"name: {_word(name)}"]
    meta: list[str] = []
    if name in seen.keys.get(table, ()):
        meta.append("primary_key: true")
    target = _target(seen, table, name)
    guess = None if meta or target or CREATED.match(name) else _guess(name, seen.columns[table][name])
    if guess:
        parts.append(f"data_categories: [{guess[0]}]")
        meta += [f"identity: {guess[1]}"] if guess[1] else []
    if target:
        meta.append(f"references: [{{dataset: {key}, field: {target}, direction: from}}]")
    if meta:
        parts.append(f"fides_meta: {{{', '.join(meta)}}}")
    known = bool(meta) or CREATED.match(name) is not None
    mark = "  # guessed" if guess else "" if known else "  # ?"
    return f"          - {{{', '.join(parts)}}}{mark}"


def _guess(name: str, kind: sa.types.TypeEngine[Any]) -> tuple[str, str | None] | None:
    if isinstance(kind, sa.Boolean) and not re.search(r"sell|share|opt_?out|consent|subscribed", name):
        return None
    for pattern, category, identity in GUESSES:
        if re.search(pattern, name, re.IGNORECASE):
            return category, identity
    return None


def _target(seen: Reflection, table: str, name: str) -> str | None:
    """Where a foreign key of this one column points; those of several columns are left to a person."""
    links: list[Link] = [link for link, _ in seen.foreign_keys if link.child == table]
    for link in links:
        if [child for child, _ in link.pairs] == [name]:
            return f"{link.parent}.{link.pairs[0][1]}"
    return None


def _word(name: str) -> str:
    return name if PLAIN.match(name) else json.dumps(name)
