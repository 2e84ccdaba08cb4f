"""How `habeas package verify` reads an archive and says what it found."""

import json
from pathlib import Path
from typing import Final

import typer

from deploy.cli.evidence_views import CannotCheck, public_keys
from deploy.cli.moments import moment
from services.fulfillment.answer.checking import Checked, check_archive

SENTENCES: Final = {
    "form": "This is no answer's archive: its signed list of files is missing or cannot be read.",
    "size": "Not checked: the archive is larger than any answer.",
    "unknown_key": "Not proved: none of the given public keys signed this.",
    "signature": "Not genuine: the signature does not fit; the list was changed after it was signed.",
    "time": "Not an answer: what was signed as its time is no time.",
    "type": "Not an answer: the list was signed for another purpose.",
}


def check(file: Path, jwks: Path) -> Checked:
    """Judge an archive; CannotCheck says which file stands in the way."""
    keys = public_keys(jwks)
    try:
        return check_archive(file, keys)
    except OSError as error:
        raise CannotCheck(f"{file} cannot be read ({error.strerror}); name the archive") from None


def show(found: Checked, *, as_json: bool) -> None:
    """Print the verdict, as sentences or as one JSON object."""
    if as_json:
        typer.echo(json.dumps(_facts(found)))
        return
    for sentence in _sentences(found):
        typer.echo(sentence)


def _facts(found: Checked) -> dict[str, object]:
    return {
        "genuine": found.genuine,
        "reason": found.reason or None,
        "missing": list(found.missing),
        "changed": list(found.changed),
        "added": list(found.added),
        "request_id": found.manifest and found.manifest.request_id,
        "composed_at": found.manifest and found.manifest.composed_at,
    }


def _sentences(found: Checked) -> list[str]:
    if found.manifest is None:
        return [SENTENCES.get(found.reason, SENTENCES["form"])]
    one = found.manifest
    if found.genuine:
        return [
            f"Genuine: the answer to request {one.request_id}, of {moment(one.composed_at)}.",
            f"{len(one.files)} files, each as it was signed.",
        ]
    return [
        "Not genuine: the archive is not as it was signed.",
        *(f"  missing: {name}" for name in found.missing),
        *(f"  changed: {name}" for name in found.changed),
        *(f"  added: {name}" for name in found.added),
    ]
