"""docs/reference/settings.md: every environment variable that anything here reads."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from deploy.generation.contracts import NOTE
from shared.events.topics import SERVICES
from shared.settings import Settings

HEAD = f"""\
{NOTE}
# Settings

Settings are environment variables. Secrets never are: keys and database addresses lie in private files (0600) in
the installation's home, where `habeas migrate` puts them.
"""
ELSEWHERE = {
    "The embedded stack and the command line": {
        "HABEAS_DATABASE_URL": "An administrator's URL of your own PostgreSQL; then the stack starts none.",
        "HABEAS_JAVA": "The java program that runs the broker; else a system Java 17 or newer, else the wheel's.",
        "HABEAS_ACCOUNT": "As root: the unprivileged account that PostgreSQL runs as; else `nobody`.",
        "HABEAS_ACTOR": "Who gives a command at the command line: an id of staff, never a name or an address.",
        "HABEAS_INTAKE_URL": "Where `habeas request` reaches intake; else the address that this home's intake wrote.",
        "HABEAS_DEADLINE_URL": "Where `habeas evidence show` reaches deadline; else what this home's deadline wrote.",
        "HABEAS_FULFILLMENT_URL": "Where `habeas suppression check` and `holds` ask; else the address that runs here.",
        "HABEAS_ANCHORS": "The places of anchors, by spaces; best where nobody who runs the database can write.",
        "HABEAS_TIMESTAMP_URL": "An RFC 3161 authority that stamps anchors with the time.",
        "HABEAS_TIMESTAMP_ROOTS": "A PEM file of the roots by which time stamps are checked.",
    },
    "The tests": {
        "HABEAS_FAULTS": "`full` runs every fault test as `make faults` does; unset, a few of each.",
        "HABEAS_FAULTS_OUT": "Where the fault tests write their lines; `make faults` makes the table of them.",
        "HABEAS_FAULTS_MAX_POLL_MS": "A fault test's own limit between two polls of a consumer.",
        "HABEAS_FAULTS_MUTATION": "The seeded bug that a service of a fault test has; the test must find it.",
        "HABEAS_TEST_STACK": "`containers` runs the tests on testcontainers, if a Docker daemon answers.",
        "HABEAS_TEST_DATABASE_URL": "An administrator's URL of a PostgreSQL 18 for the tests of the SQL adapter.",
        "HABEAS_NODE_MODULES": "Where a test finds `@asyncapi/parser`; `node_modules` here if unset.",
        "HABEAS_TEST_SEARCH": "`opensearch`: the contract tests search in a real OpenSearch.",
        "HABEAS_TEST_MYSQL": "`mariadb` or `mysql`: the contract tests of the SQL adapter run on that server, too.",
        "HABEAS_TEST_DELTA": "`s3`: the contract tests of Delta tables run in a bucket, too.",
        "HABEAS_TEST_LOCALSTRIPE": "The program that `make connectors` tries Stripe's connector on.",
        "HABEAS_TEST_INTERCOM": "Intercom's OpenAPI description, which `make connectors` holds its connector against.",
        "HABEAS_REQUIRE_KAFKA": "`1`: a test that needs the real Apache Kafka fails where it would be skipped.",
        "HABEAS_FUZZ_EXAMPLES": "How many random examples a fuzzer tries; unset, few and always the same ones.",
    },
}


def render() -> str:
    """The page."""
    return "\n".join([HEAD, *(line for section in _sections() for line in section)])


def _sections() -> Iterator[Iterator[str]]:
    yield _section("All services", Settings)
    for service in SERVICES:
        for found in _settings_of(service):
            yield _section(service.capitalize(), found)
    for title, variables in ELSEWHERE.items():
        yield _table(title, "", ((name, "", meaning) for name, meaning in variables.items()))


def _settings_of(service: str) -> list[type[BaseSettings]]:
    name = f"services.{service}.settings"
    if find_spec(name) is None:
        return []
    module = vars(import_module(name)).values()
    return [
        one
        for one in module
        if isinstance(one, type) and one.__module__ == name and issubclass(one, BaseSettings)
    ]


def _section(title: str, settings: type[BaseSettings]) -> Iterator[str]:
    prefix = settings.model_config.get("env_prefix", "")
    rows = (
        (f"{prefix}{name}".upper(), _default(field), field.description or "")
        for name, field in settings.model_fields.items()
    )
    return _table(title, settings.__doc__ or "", rows)


def _table(title: str, meaning: str, rows: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    yield f"## {title}\n"
    if meaning:
        yield f"{meaning}\n"
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, default, text in rows:
        yield f"| `{name}` | {default} | {text.replace('<', '&lt;')} |"
    yield ""


def _default(field: FieldInfo) -> str:
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined or default is None or default in ("", {}):
        return ""
    return f"`{default}`"
