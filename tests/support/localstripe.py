"""localstripe in a process of its own: a double of Stripe that others maintain, under the GPL.

It is never imported and no dependency of ours: `make connectors` puts it into an environment that holds nothing else.
"""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.support.eventually import eventually

PROGRAM = "HABEAS_TEST_LOCALSTRIPE"
KEY = "sk_test_made_up"
_SEARCH = "/v1/customers/search"
_KEPT = Path("/tmp/localstripe.pickle")  # noqa: S108 - where it writes, whatever it is told


@contextmanager
def localstripe(home: Path) -> Iterator[str]:
    """Start one without anybody in it, give its address, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [os.environ[PROGRAM], "--port", str(port), "--from-scratch"]
    with (
        (home / "localstripe.log").open("wb") as log,
        subprocess.Popen(program, stdout=log, stderr=log) as process,  # noqa: S603 - named by whoever runs the tests
    ):
        try:
            eventually(lambda: _answers(port), within=60)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            _KEPT.unlink(missing_ok=True)


def version() -> str:
    """Which one it is, as its own environment says."""
    python = Path(os.environ[PROGRAM]).with_name("python")
    asked = "from importlib.metadata import version; print(version('localstripe'))"
    return subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - its own python


class Searched(httpx2.AsyncBaseTransport):
    """localstripe, and the one thing that it lacks: customers by e-mail, from its own list of all of them.

    Compared without regard to case, as Stripe's page on its search language says.
    """

    def __init__(self) -> None:
        self._real = httpx2.AsyncHTTPTransport()
        self.searched = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a search; everything else is localstripe's to answer."""
        if request.url.path != _SEARCH:
            return await self._real.handle_async_request(request)
        self.searched += 1
        wanted = request.url.params["query"].removeprefix('email:"').removesuffix('"').lower()
        rows = [row async for row in self._everybody(request) if (row["email"] or "").lower() == wanted]
        found = {"object": "search_result", "data": rows, "has_more": False, "next_page": None}
        return httpx2.Response(200, json=found)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._real.aclose()

    async def _everybody(self, request: httpx2.Request) -> Any:
        after: dict[str, str] = {}
        while page := await self._page(request, after):
            for row in page:
                yield row
            after = {"starting_after": page[-1]["id"]}

    async def _page(self, request: httpx2.Request, after: Mapping[str, str]) -> list[dict[str, Any]]:
        address = request.url.copy_with(path="/v1/customers", params={"limit": "10", **after})
        headers = {"Authorization": request.headers["Authorization"], "Host": request.headers["Host"]}
        asked = httpx2.Request("GET", address, headers=headers)
        answer = await self._real.handle_async_request(asked)
        return list(httpx2.Response(answer.status_code, content=await answer.aread()).json()["data"])


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0
