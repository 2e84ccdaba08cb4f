"""A system over HTTP that cannot be reached says what is in the way."""

import asyncio

import httpx2
import pytest

from services.fulfillment.adapters.http.failures import of_transport


@pytest.mark.parametrize(
    ("scheme", "words"),
    [("http", "nothing listens at its host and port"), ("https", "TLS could not be agreed on")],
)
async def test_what_is_in_the_way_of_a_connection_is_said(scheme: str, words: str) -> None:
    async with await asyncio.start_server(_speaks_first, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1] if scheme == "https" else 1
        async with httpx2.AsyncClient() as http:
            with pytest.raises(httpx2.ConnectError) as failed:
                await http.get(f"{scheme}://127.0.0.1:{port}/")

    said = of_transport(failed.value, where="check", changes=False)
    assert said.reason == f"check: the system cannot be reached: {words} (ConnectError)"


async def _speaks_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()
    writer.close()
    await writer.wait_closed()
