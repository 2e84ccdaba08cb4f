"""How `habeas evidence` reads its files and says what it found."""

import json
import sys
from base64 import b64decode
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import UUID

import typer

from deploy.cli.moments import moment
from shared.evidence import (
    Certificate,
    CertificateRefused,
    EventFindings,
    SystemEvidence,
    check_events,
    verify_certificate,
)
from shared.private_files import KeyFileRefused, read_trusted
from shared.signing import PublicKeys
from shared.signing.jws import signed_by

SENTENCES: Final = {
    "malformed": "This is no certificate: it has not the form of a signed token.",
    "algorithm": "Not genuine: the signature uses an algorithm that certificates never use.",
    "type": "Not a certificate: the token was signed for another purpose.",
    "unknown_key": "Not proved: it says that the key {key} signed it, which is not among the given ones. Older keys "
    "stay published when a key is rotated: ask the business for that one.",
    "retired_key": "Not genuine: the key {key} was retired before the date that it bears, and signs nothing since.",
    "signature": "Not genuine: the signature does not fit; the certificate was changed after it was signed.",
    "format": "Signed by the given key, but in a format that this version cannot read.",
}


class CannotCheck(Exception):
    """A file is missing or unreadable, so nothing can be said about the certificate."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check found."""

    certificate: Certificate | None = None
    refusal: str | None = None
    key: str = ""
    events: EventFindings | None = None

    @property
    def genuine(self) -> bool:
        return self.certificate is not None and (self.events is None or self.events.agree)


def check(file: Path, jwks: Path, events: Path | None) -> Verdict:
    """Read the files and judge the certificate; CannotCheck says which file stands in the way."""
    verdict = judge(_text(file), jwks)
    if verdict.certificate is None or events is None:
        return verdict
    return replace(verdict, events=check_events(verdict.certificate, _values(events)))


def judge(token: str, jwks: Path) -> Verdict:
    """Judge a certificate by its signature alone; CannotCheck where the keys cannot be read."""
    found = verify_certificate(token, public_keys(jwks))
    if isinstance(found, CertificateRefused):
        return Verdict(refusal=found.reason, key=signed_by(token))
    return Verdict(certificate=found)


def show_whole(verdict: Verdict, *, as_json: bool) -> None:
    """Print the verdict and, for people, each system, notice and date that the certificate names."""
    show_verdict(verdict, as_json=as_json)
    if as_json or verdict.certificate is None:
        return
    for line in _whole(verdict.certificate):
        typer.echo(line)


def _whole(one: Certificate) -> list[str]:
    dates = {
        "acknowledge by": one.acknowledge_by,
        "respond by": one.respond_by,
        "extended to": one.extended_to,
        "effective by": one.effective_by,
    }
    return [
        *(
            f"  {name:<16} {due.date} (late from {moment(due.late_from)})"
            for name, due in dates.items()
            if due
        ),
        *(f"  system {each.system:<18} {_outcome(each)}" for each in one.systems),
        *(
            f"  notice {each.kind:<18} {moment(each.handed_over_at)} by {each.channel}"
            for each in one.notices
        ),
    ]


def _outcome(one: SystemEvidence) -> str:
    return f"{one.outcome}, completed by a person, evidence {one.evidence}" if one.evidence else one.outcome


def show_verdict(verdict: Verdict, *, as_json: bool) -> None:
    """Print the verdict, as sentences or as one JSON object."""
    if as_json:
        typer.echo(json.dumps(_facts(verdict)))
        return
    for sentence in _sentences(verdict):
        typer.echo(sentence)


def _facts(verdict: Verdict) -> dict[str, object]:
    certificate = verdict.certificate.model_dump(mode="json") if verdict.certificate else None
    found = verdict.events
    events = found and {
        "missing": [str(one) for one in found.missing],
        "changed": [str(one) for one in found.changed],
    }
    return {
        "genuine": verdict.genuine,
        "refusal": verdict.refusal,
        "key": verdict.key or None,
        "events": events,
        "certificate": certificate,
    }


def _sentences(verdict: Verdict) -> list[str]:
    if verdict.certificate is None:
        return [SENTENCES[verdict.refusal or "malformed"].format(key=verdict.key)]
    one = verdict.certificate
    timely = "in time" if one.in_time else "late"
    return [
        f"The signature is genuine: request {one.request_id} ({one.right}, {one.business}, {one.regime}).",
        f"Received {moment(one.received_at)}, closed {moment(one.closed_at)} as {one.resolution}, answered {timely}.",
        f"{len(one.systems)} systems, {len(one.notices)} notices, {len(one.events)} events.",
        *_event_sentences(verdict.events),
    ]


def _event_sentences(found: EventFindings | None) -> list[str]:
    if found is None:
        return []
    if found.agree:
        return ["Every event is there, byte for byte."]
    missing = [f"Event {one} is missing." for one in found.missing]
    return [*missing, *(f"Event {one} was changed." for one in found.changed)]


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        raise CannotCheck(f"{file} cannot be read ({error.strerror}); name the certificate's file") from None
    except UnicodeDecodeError:
        raise CannotCheck(f"{file} is no text; a certificate is one line of text") from None


def public_keys(jwks: Path) -> PublicKeys:
    """The keys of a JSON Web Key Set; CannotCheck says what is wrong with the file."""
    try:
        keys = PublicKeys.from_document(read_trusted(jwks))
    except KeyFileRefused as error:
        raise CannotCheck(f"{error}, or name the public keys with --jwks") from None
    except (OSError, ValueError):
        raise CannotCheck(f"{jwks} is no JSON Web Key Set; ask the business for its public keys") from None
    if not len(keys):
        raise CannotCheck(f"{jwks} holds no Ed25519 key; ask the business for its public keys")
    return keys


def _values(events: Path) -> dict[UUID, bytes]:
    try:
        rows = [json.loads(line) for line in events.read_text("utf-8").splitlines() if line.strip()]
        return {UUID(row["id"]): b64decode(row["value"], validate=True) for row in rows}
    except OSError as error:
        raise CannotCheck(f"{events} cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise CannotCheck(f'{events} does not hold JSON lines of {{"id", "value" in base64}}') from None
