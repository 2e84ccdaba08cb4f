"""How a bundle is made and checked from the command line."""

import asyncio
import json
from pathlib import Path
from uuid import UUID

import typer

from deploy.bundles.checking import Checked, NoBundle, check_bundle
from deploy.bundles.files import Proofs, bundle
from deploy.chains.reading import chain_of
from deploy.cli.certificates import fetch, fetch_addenda
from deploy.cli.evidence_views import CannotCheck, public_keys
from deploy.cli.moments import moment
from deploy.dead_letters import database
from deploy.event_history import history
from deploy.settings import local_settings
from shared.audit import AuditRow
from shared.events.envelope import Record
from shared.events.topics import SERVICES
from shared.hosting import clock_of
from shared.keyfiles import KeyFiles
from shared.private_files import write_private

ZIP = b"PK\x03\x04"


def make_bundle(request_id: UUID, to: Path, url: str | None, home: Path, database_url: str | None) -> Checked:
    """Collect what proves a request, write it, and say what a stranger would find."""
    settings = local_settings().model_copy(update={"home": home})
    token, addenda = fetch(request_id, url, home), fetch_addenda(request_id, url, home)
    found = asyncio.run(history(settings, request_id))
    keys = settings.keys / "public" / "evidence.jwks.json"
    proofs = Proofs(
        request_id=request_id,
        certificate=token,
        addenda=addenda,
        events=[one for one in found if isinstance(one, Record)],
        chains=asyncio.run(_chains(home, request_id, database_url)),
        keys=keys.read_bytes(),
    )
    content = bundle(proofs, KeyFiles(settings.keys).evidence(), clock_of(settings).now())
    write_private(to, content)
    return check_bundle(content, public_keys(keys))


def is_bundle(file: Path) -> bool:
    """Whether a file that is to be verified is a bundle, and not a certificate."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(ZIP)) == ZIP
    except OSError:
        return False


def check_file(file: Path, jwks: Path) -> Checked:
    """Check a bundle; CannotCheck says what stands in the way."""
    try:
        return check_bundle(file.read_bytes(), public_keys(jwks))
    except OSError as error:
        raise CannotCheck(f"{file} cannot be read ({error.strerror})") from None
    except NoBundle as error:
        raise CannotCheck(f"{file}: {error}") from None


def show_checked(checked: Checked, *, as_json: bool) -> bool:
    """Say what was found; whether everything is as it should be."""
    genuine = checked.certificate is not None and not checked.faults
    if as_json:
        certificate = checked.certificate.model_dump(mode="json") if checked.certificate else None
        told = {"genuine": genuine, "faults": checked.faults, "events": checked.events, "rows": checked.rows}
        typer.echo(json.dumps({**told, "certificate": certificate}))
        return genuine
    if checked.certificate is not None:
        one = checked.certificate
        typer.echo(
            f"Request {one.request_id} ({one.right}, {one.business}): {one.resolution}, closed {moment(one.closed_at)}."
        )
        typer.echo(f"{checked.events} events and {checked.rows} rows of history.")
    for fault in checked.faults:
        typer.echo(f"  {fault}")
    typer.echo("Everything is genuine and agrees." if genuine else "Not proved.")
    return genuine


async def _chains(home: Path, request_id: UUID, database_url: str | None) -> dict[str, list[AuditRow]]:
    settings = local_settings().model_copy(update={"home": home})
    async with database(settings, database_url) as connection:
        return {service: await chain_of(connection, service, request_id) for service in SERVICES}
