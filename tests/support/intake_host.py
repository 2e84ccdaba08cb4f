"""Intake on its real database, broker and mail catcher; what it says is read from where others read it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import uvicorn

from deploy.serving import build_host, web_application
from shared.hosting import Host
from tests.support.eventually import eventually_async
from tests.support.installation import Installation

PUBLISHER = Path(__file__).parents[2] / "examples" / "upstream" / "publish.py"


@dataclass
class IntakeHost:
    """One running process of the service."""

    installation: Installation
    host: Host
    url: str

    async def ask(self, method: str, path: str, secret: str = "", **more: Any) -> httpx2.Response:
        shown = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with httpx2.AsyncClient(base_url=self.url, headers=shown, timeout=30) as client:
            return await client.request(method, path, **more)

    async def said(self, request_id: UUID | str, ce_type: str) -> list[dict[str, Any]]:
        """The bodies of one type that were published about a request."""
        rows = await self.host.resources.pool.fetch(
            "SELECT headers, value FROM outbox WHERE request_id = $1 AND published_at IS NOT NULL ORDER BY id",
            UUID(str(request_id)),
        )
        return [json.loads(row["value"]) for row in rows if json.loads(row["headers"])["ce_type"] == ce_type]

    async def told(self, request_id: UUID | str, ce_type: str) -> dict[str, Any]:
        """The first of them, once there is one."""
        return (await eventually_async(lambda: self.said(request_id, ce_type), within=20))[0]

    async def letters(self, reason: str) -> int:
        """How many dead letters there are for a reason."""
        query = "SELECT count(*) FROM dead_letters WHERE reason = $1"
        return int(await self.host.resources.pool.fetchval(query, reason))

    def mails(self, address: str) -> list[EmailMessage]:
        """What the mail catcher took for an address."""
        found = (path for path in Path(self.installation.stack.mail_dir).rglob("*") if path.is_file())
        read = (message_from_bytes(path.read_bytes(), policy=default) for path in found)
        return [mail for mail in read if mail["To"] == address]

    async def mail(self, address: str) -> EmailMessage:
        """The first of them, once it is there."""

        async def look() -> list[EmailMessage]:
            return self.mails(address)

        return (await eventually_async(look, within=20))[0]

    async def publish(
        self, submission: str, claims: dict[str, Any] | None, source: str = "upstream/call-center"
    ) -> str:
        """Run the example publisher as an upstream system would; without claims it withdraws."""
        settings = self.installation.settings
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(PUBLISHER), "--intake", self.url, "--kafka", settings.kafka_bootstrap,
            "--namespace", settings.namespace, "--source", source, "--submission", submission,
            *([] if claims else ["--withdraw"]),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        printed, _ = await process.communicate(json.dumps(claims).encode() if claims else b"")
        assert process.returncode == 0
        return printed.decode().strip()


@asynccontextmanager
async def intake_host(installation: Installation) -> AsyncIterator[IntakeHost]:
    """The service, started with everything around it and a socket of its own."""
    async with AsyncExitStack() as stack:
        host = await build_host(installation.settings, "intake", stack)
        await host.start()
        stack.push_async_callback(host.stop)
        server = _Server(uvicorn.Config(web_application(host), port=0, log_config=None, lifespan="off"))
        serving = asyncio.get_running_loop().create_task(server.serve())
        await server.listening.wait()
        yield IntakeHost(installation, host, f"http://127.0.0.1:{server.port}")
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.port = 0

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.port = self.servers[0].sockets[0].getsockname()[1]
        self.listening.set()

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()
