"""A person who asks, as a web form or an upstream system lets them, and what they are told and given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2

from deploy.demo.cascadia.people import Person
from deploy.demo.plan import Ask, Proof, Via
from deploy.demo.story import claims_of
from shared.events.deadline import RequestClosed
from tests.support.archives import document_of
from tests.support.eventually import eventually_async
from tests.support.running import Running

CHANGES = {"delete", "opt_out"}


@dataclass(frozen=True)
class Requester:
    """One person with one request; `secret` is what HTTP gave them for it."""

    running: Running
    person: Person
    right: str
    via: Via
    key: str
    request_id: UUID
    secret: str | None = None

    async def prove(self) -> None:
        """Type the code from the mail into the form."""
        mail = await self.running.mailbox.wait(self.request_id, "verification_code")
        secret = self.secret or mail.access_key
        answer = await self._post("verification", secret, {"code": mail.code})
        assert answer.status_code == httpx2.codes.ACCEPTED, answer.text

    async def withdraw(self) -> None:
        """Take it back the way it came."""
        if self.secret is None:
            await self.running.upstream.withdraw(self.key)
            return
        answer = await self._post("withdrawal", self.secret, None)
        assert answer.status_code == httpx2.codes.OK, answer.text

    async def status(self) -> dict[str, Any]:
        """What the requester sees of the request."""
        answer = await self._get("", self.secret)
        assert answer.status_code == httpx2.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def shown(self, state: str) -> dict[str, Any]:
        """What the requester sees once it says `state`: intake hears of an event after its topic has it."""

        async def told() -> dict[str, Any] | None:
            status = await self.status()
            return status if status["state"] == state else None

        found = await eventually_async(told)
        assert found is not None
        return found

    async def package(self) -> dict[str, Any]:
        """The answer, opened with the secret or with the access key that the mail brought."""
        return document_of(await self.package_bytes())

    async def package_bytes(self) -> bytes:
        secret = self.secret
        if secret is None:
            secret = (await self.running.mailbox.wait(self.request_id, "answer")).access_key
        assertion = self.running.accounts.assertion(self.person.email, subject=self.person.customer_id)
        given = await self._post("package/link", secret, {"assertion": assertion})
        assert given.status_code == httpx2.codes.CREATED, given.text
        answer = await self.running.http.get(f"{self.running.intake}{given.json()['link']}")
        assert answer.status_code == httpx2.codes.OK, answer.text
        return answer.content

    async def post(self, what: str, body: Any = None) -> httpx2.Response:
        """Send something about the request, as its holder."""
        assert self.secret is not None
        return await self._post(what, self.secret, body)

    async def get(self, what: str) -> httpx2.Response:
        """Fetch something about the request, as its holder."""
        return await self._get(f"/{what}", self.secret)

    async def closed(self, *, within: float = 60) -> RequestClosed:
        """How and when the request was closed."""
        return await self.running.tape.wait(self.request_id, RequestClosed, within=within)

    async def _post(self, what: str, secret: str, body: Any) -> httpx2.Response:
        return await self.running.http.post(self._url(f"/{what}"), json=body, headers=_bearer(secret))

    async def _get(self, what: str, secret: str | None) -> httpx2.Response:
        return await self.running.http.get(self._url(what), headers=_bearer(secret))

    def _url(self, what: str) -> str:
        return f"{self.running.intake}/requests/{self.request_id}{what}"


@dataclass(frozen=True)
class Form:
    """What somebody has filled in; sent twice, it is the same form."""

    person: Person
    right: str
    via: Via
    key: str
    claims: Mapping[str, Any]


async def ask(
    running: Running,
    person: Person,
    right: str,
    *,
    via: Via = "http",
    proof: Proof = "assertion",
    **more: Any,
) -> Requester:
    """Submit a request; `more` are further fields of the form, and `key` what tells a repetition."""
    return await send(running, fill_in(running, person, right, via=via, proof=proof, **more))


async def read_answer(requester: Requester, kind: str = "answer") -> str:
    """What the person reads in the mail that ends their request, its lines joined."""
    mail = await requester.running.mailbox.wait(requester.request_id, kind)
    return " ".join(mail.text.split())


def fill_in(
    running: Running,
    person: Person,
    right: str,
    *,
    via: Via = "http",
    proof: Proof = "assertion",
    **more: Any,
) -> Form:
    """A form that has not been sent."""
    # Two requests of one person for one right differ in their key, as two visits to the form do.
    key = more.pop("key", f"{person.customer_id}-{right}-{len(running.asked)}".ljust(16, "-"))
    return Form(
        person, right, via, key, {**claims_of(Ask(person, right, via, proof), running.accounts), **more}
    )


async def send(running: Running, form: Form) -> Requester:
    """Submit a form; again if nobody knows whether it arrived."""
    secret = None
    if form.via == "kafka":
        request_id = await running.upstream.submit(form.claims, key=form.key)
    else:
        answer = await submit_http(running, form.claims, form.key)
        request_id, secret = UUID(answer["request_id"]), answer["secret"]
    if form.right in CHANGES:
        running.town.changed.append(form.person)
    requester = Requester(running, form.person, form.right, form.via, form.key, request_id, secret)
    running.asked[request_id] = requester
    return requester


async def submit_http(running: Running, claims: Any, key: str) -> dict[str, Any]:
    """The web form's request; its answer."""
    headers = {"Idempotency-Key": key}
    answer = await running.http.post(f"{running.intake}/requests", json=claims, headers=headers)
    assert answer.status_code == httpx2.codes.CREATED, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _bearer(secret: str | None) -> dict[str, str]:
    return {} if secret is None else {"Authorization": f"Bearer {secret}"}
