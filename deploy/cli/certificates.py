"""A closed request's certificate as the deadline service hands it out, and its events as Kafka holds them."""

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from uuid import UUID

import httpx2

from deploy.cli.evidence_views import CannotCheck

SECONDS = 30.0


def new_client(url: str) -> httpx2.Client:
    return httpx2.Client(base_url=url, timeout=SECONDS)


def fetch(request_id: UUID, url: str | None, home: Path) -> str:
    """The certificate as one line of text; CannotCheck says why there is none."""
    answer = _get(f"/certificates/{request_id}", url or _here(home))
    if answer.status_code == httpx2.codes.NOT_FOUND:
        raise CannotCheck("there is no certificate: the request is not closed yet, or the id is another's")
    if not answer.is_success:
        raise CannotCheck(f"the deadline service answered {answer.status_code}; ask again later")
    return answer.text.strip()


def fetch_addenda(request_id: UUID, url: str | None, home: Path) -> list[str]:
    """The addenda to a request's certificate, as the deadline service hands them out."""
    answer = _get(f"/certificates/{request_id}/addenda", url or _here(home))
    if not answer.is_success:
        raise CannotCheck(f"the deadline service answered {answer.status_code}; ask again later")
    return [str(token) for token in answer.json()["addenda"]]


def _get(path: str, address: str) -> httpx2.Response:
    try:
        with new_client(address) as client:
            return client.get(path)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        raise CannotCheck(f"the deadline service does not answer at {address}; name it with --url") from None


def events_of(request_id: UUID) -> str:
    """The request's events as `habeas evidence verify --events` reads them: JSON lines of id and raw value."""
    from deploy.event_history import history
    from deploy.settings import local_settings
    from shared.events.envelope import Record

    found = asyncio.run(history(local_settings(), request_id))
    lines = [
        json.dumps({"id": str(one.envelope.id), "value": b64encode(one.raw.value).decode()})
        for one in found
        if isinstance(one, Record)
    ]
    return "".join(f"{line}\n" for line in lines)


def _here(home: Path) -> str:
    try:
        return (home / "run" / "deadline.url").read_text().strip()
    except OSError:
        raise CannotCheck(
            "the deadline service does not run here; start it with: habeas serve deadline, or name it with --url"
        ) from None
