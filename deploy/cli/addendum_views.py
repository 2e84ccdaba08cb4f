"""How `habeas evidence addenda` tells what was found after a request was closed."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import typer

from deploy.cli.evidence_views import SENTENCES, public_keys
from deploy.cli.moments import moment
from shared.addendum import Addendum, verify_addendum
from shared.evidence import CertificateRefused

KINDS: Final = {"came_back": "were there again", "deleted_again": "were deleted once more"}


def judge_addenda(tokens: Iterable[str], jwks: Path) -> list[Addendum | str]:
    """Each addendum, or why it proves nothing; CannotCheck where the keys cannot be read."""
    keys = public_keys(jwks)
    found = [verify_addendum(token, keys) for token in tokens]
    return [one.reason if isinstance(one, CertificateRefused) else one for one in found]


def show_addenda(judged: Sequence[Addendum | str], *, as_json: bool) -> None:
    """Print them in the order in which they were made."""
    if as_json:
        rows = [one if isinstance(one, str) else one.model_dump(mode="json") for one in judged]
        typer.echo(json.dumps({"addenda": rows}))
        return
    for one in judged:
        typer.echo(SENTENCES[one] if isinstance(one, str) else _line(one))
    if not judged:
        typer.echo("Nothing was found after the closing.")


def _line(one: Addendum) -> str:
    receipt = f", receipt {one.receipt_digest[:12]}" if one.receipt_digest else ""
    return f"{moment(one.found_at)} {one.system}: {one.count} rows {KINDS[one.kind]} ({one.look}{receipt})"
