"""Systems that are told, with somebody at the other end who writes down what they heard."""

import asyncio
import base64
import hmac
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Protocol

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.fulfillment.adapters.email import open_adapter as open_email
from services.fulfillment.adapters.files import open_adapter as open_files
from services.fulfillment.adapters.opendsr import open_adapter as open_opendsr
from services.fulfillment.adapters.webhook import open_adapter as open_webhook
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter
from shared.clock import SystemClock
from shared.policy.reading import read_yaml
from shared.private_files import write_private
from tests.support.http_server import serving

DOMAIN = "processor.example"
WHSEC = "whsec_" + base64.b64encode(b"a key that both sides know").decode()
MAP = """
dataset:
  - fides_key: told
    collections:
      - name: people
        fields:
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
"""


class Clock:
    """The real time, moved on as a test says."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> datetime:
        return SystemClock().now() + self.passed


class World(Protocol):
    """One kind, and its other side."""

    clock: Clock

    async def open(self, home: Path) -> "World": ...

    async def close(self) -> None: ...

    def system(self, **more: Any) -> System: ...

    def adapter(self, system: System | None = None) -> Adapter: ...

    def orders(self) -> list[Any]:
        """What the other side was told, each order once."""
        ...

    def done(self) -> None:
        """The other side says that it did all that it was told."""
        ...

    def fail(self, *statuses: int) -> None:
        """The next calls are answered so."""
        ...


def told(home: Path, kind: str, address: str, secrets: dict[str, str]) -> System:
    """The system file, as read."""
    for name, text in {"url": address, **secrets}.items():
        write_private(home / f"told.{name}", text.encode())
    return System(
        system="told", kind=kind, business="shop", url=Secret(file=home / "told.url"),
        secrets={name: Secret(file=home / f"told.{name}") for name in secrets},
        dataset=Path("told.yaml"), limits=Limits(connect_seconds=2, statement_seconds=2),
        datamap=read_dataset(read_yaml(MAP.encode()), file="told.yaml"),
    )  # fmt: skip


class OverHttp:
    """An address that answers, and the ways in which it may not."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.trouble: list[int] = []
        self.heard: list[Request] = []
        self._stack = AsyncExitStack()
        self.address = ""
        self.home = Path()

    async def serve(self, home: Path, *routes: Route) -> None:
        self.home = home
        self.address = await self._stack.enter_async_context(serving(Starlette(routes=list(routes))))

    async def close(self) -> None:
        await self._stack.aclose()

    def fail(self, *statuses: int) -> None:
        self.trouble.extend(statuses)


class Webhook(OverHttp):
    """A receiver by the Standard Webhooks rules, which knows a message again by its id."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, Any] = {}

    async def open(self, home: Path) -> "Webhook":
        await self.serve(home, Route("/hook", self._hear, methods=["POST"]))
        return self

    def system(self, **more: Any) -> System:
        return System(
            **{**dict(told(self.home, "webhook", f"{self.address}/hook", {"signing": WHSEC})), **more}
        )

    def adapter(self, system: System | None = None) -> Adapter:
        return open_webhook(system or self.system(), self.clock)

    def orders(self) -> list[Any]:
        return list(self.messages.values())

    def done(self) -> None:
        """Its answer is all that it says."""

    async def _hear(self, request: Request) -> Response:
        if self.trouble:
            return Response("ada.canary@example.com", self.trouble.pop(0))
        raw, headers = await request.body(), request.headers
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + raw
        expected = hmac.new(b"a key that both sides know", signed, "sha256").digest()
        if headers["webhook-signature"] != f"v1,{base64.b64encode(expected).decode()}":
            return Response(status_code=400)
        self.messages[headers["webhook-id"]] = json.loads(raw)["data"]
        return Response(status_code=204)


class Folder:
    """A folder that somebody empties."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.home = Path()

    async def open(self, home: Path) -> "Folder":
        self.home = home
        (home / "orders").mkdir()
        return self

    async def close(self) -> None:
        """Nothing runs."""

    def system(self, **more: Any) -> System:
        return System(**{**dict(told(self.home, "files", str(self.home / "orders"), {})), **more})

    def adapter(self, system: System | None = None) -> Adapter:
        return open_files(system or self.system(), self.clock)

    def orders(self) -> list[Any]:
        return [json.loads(path.read_bytes()) for path in sorted((self.home / "orders").glob("*.json"))]

    def done(self) -> None:
        for path in (self.home / "orders").glob("*.json"):
            path.with_suffix(".done").write_text("")

    def fail(self, *statuses: int) -> None:
        """The folder is away."""
        (self.home / "orders").rename(self.home / "moved")


class Processor(OverHttp):
    """An OpenDSR processor: signs its answers, says 400 to an order that it has, spells states as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, Any] = {}
        self.state = "pending"
        self.signs = True
        self.serves = ["erasure"]
        self.copy: dict[str, Any] = {}
        self.copies: dict[str, bytes] = {}
        self.fetched: list[Request] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        """What happens between its answer to a look and that answer's arrival."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = certificate(self._key, DOMAIN)

    async def open(self, home: Path) -> "Processor":
        await self.serve(
            home,
            Route("/v2/discovery", self._discovery),
            Route("/v2/requests", self._take, methods=["POST"]),
            Route("/v2/requests/{order}", self._tell),
            Route("/v2/copies/{name}", self._copy),
        )
        return self

    def system(self, **more: Any) -> System:
        secrets = {"user": "us", "password": "made-up", "certificate": self.certificate}
        return System(**{**dict(told(self.home, "opendsr", f"{self.address}/v2", secrets)), **more})

    def adapter(self, system: System | None = None) -> Adapter:
        return open_opendsr(system or self.system(), self.clock)

    def orders(self) -> list[Any]:
        return list(self.given.values())

    def done(self) -> None:
        self.state = "completed"

    def signature(self, raw: bytes) -> str:
        return base64.b64encode(self._key.sign(raw, padding.PKCS1v15(), SHA256())).decode()

    async def _discovery(self, request: Request) -> Response:
        return JSONResponse({"api_version": "2.0", "supported_subject_request_types": self.serves})

    async def _take(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        if self.trouble:
            return Response("ada.canary@example.com", self.trouble.pop(0))
        if asked["subject_request_id"] in self.given:
            return JSONResponse({"error": {"code": 400, "message": "duplicate"}}, 400)
        self.given[asked["subject_request_id"]] = asked
        raw = json.dumps({"subject_request_id": asked["subject_request_id"]}).encode()
        signature = self.signature(raw if self.signs else b"something else")
        headers = {"X-OpenDSR-Processor-Domain": DOMAIN, "X-OpenDSR-Signature": signature}
        return Response(raw, 201, headers=headers)

    async def _tell(self, request: Request) -> Response:
        order = request.path_params["order"]
        if order not in self.given:
            return Response(status_code=404)
        said = self.copy if self.state == "completed" else {}
        answer = JSONResponse({"subject_request_id": order, "request_status": self.state, **said})
        if self.meanwhile is not None:
            await self.meanwhile()
        return answer

    async def _copy(self, request: Request) -> Response:
        self.fetched.append(request)
        if self.trouble:
            return Response(
                "ada.canary@example.com", self.trouble.pop(0), {"Location": f"{self.address}/v2/copies/a"}
            )
        return Response(self.copies[request.path_params["name"]])


def certificate(key: rsa.RSAPrivateKey, domain: str) -> str:
    """A certificate of this key for a domain, in PEM; by itself, which is enough where it is handed over."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2050, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


class Letterbox:
    """A company's mail server."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.home = Path()
        self.letters: dict[str, EmailMessage] = {}
        self.raw: list[bytes] = []
        self._trouble: list[int] = []
        self._server: Controller | None = None

    async def open(self, home: Path) -> "Letterbox":
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._server = Controller(self, hostname="127.0.0.1", port=port)
        await asyncio.to_thread(self._server.start)
        return self

    async def close(self) -> None:
        assert self._server is not None
        await asyncio.to_thread(self._server.stop)

    def system(self, **more: Any) -> System:
        assert self._server is not None
        settings = {"to": "privacy@company.example", "from": "us@shop.example", "acknowledged_by": "handover"}
        plain = told(self.home, "email", f"smtp://127.0.0.1:{self._server.port}", {})
        return System(**{**dict(plain), "settings": settings, **more})

    def adapter(self, system: System | None = None) -> Adapter:
        return open_email(system or self.system(), self.clock)

    def orders(self) -> list[Any]:
        found = (next(letter.iter_attachments()) for letter in self.letters.values())
        return [json.loads(each.get_content()) for each in found]

    def done(self) -> None:
        """Its answer is a person's to hear."""

    def fail(self, *statuses: int) -> None:
        self._trouble.extend(451 if status >= 500 else 550 for status in statuses)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self._trouble:
            return f"{self._trouble.pop(0)} ada.canary@example.com"
        self.raw.append(envelope.content)
        letter = message_from_bytes(envelope.content, policy=default)
        self.letters[str(letter["Message-ID"])] = letter
        return "250 well"
