"""A database that cannot be used says which of its troubles it is, and never its address or a password."""

import asyncio
import socket
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.fulfillment.adapters.sql.connect import make_engine
from services.fulfillment.adapters.sql.drafting import CannotDescribeError, describe
from services.fulfillment.adapters.sql.failures import EXPECTED, BadAddressError, Failure, classify
from services.fulfillment.datamap.systems import Limits

CLOSED = "127.0.0.1:1"


async def trouble(address: str | sa.URL, *, within: float = 30) -> Failure:
    """What is said of an attempt to connect that must fail."""
    text = address if isinstance(address, str) else address.render_as_string(hide_password=False)
    engine = make_engine(text, Limits(connect_seconds=within))
    try:
        async with engine.connect():
            raise AssertionError("it was let in")
    except EXPECTED as error:
        return classify(error)
    finally:
        await engine.dispose()


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.parametrize(
    ("host", "words"),
    [("nowhere.invalid", "the name of its host is not known here"), (CLOSED, "nothing listens at its host")],
)
async def test_a_host_that_is_not_there_is_told_from_a_port_that_is_closed(
    kind: str, host: str, words: str
) -> None:
    said = await trouble(f"{kind}://role:hush@{host}/shop")

    assert said.meaning == "away"
    assert words in said.reason
    assert not any(secret in said.reason for secret in ("role", "hush", host))


async def test_a_server_that_says_nothing_did_not_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = await trouble(f"postgresql://role:hush@127.0.0.1:{silent.getsockname()[1]}/shop", within=0.5)

    assert (said.meaning, "no answer in time" in said.reason) == ("away", True)


async def test_a_server_without_tls_says_so_where_the_address_asks_for_it() -> None:
    async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"N")
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(no_tls, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        said = await trouble(f"postgresql://role:hush@127.0.0.1:{port}/shop?sslmode=require")

    assert said.reason == "the database cannot be reached: it does not speak TLS"


async def test_a_server_that_lets_nobody_in_says_why(postgresql: sa.URL) -> None:
    absent = await trouble(postgresql.set(database="nope"))
    stranger = await trouble(postgresql.set(username="nobody-of-ours", password="hush"))

    assert absent.reason.endswith("it has no database of this name (3D000)")
    assert "(28" in stranger.reason
    assert {absent.meaning, stranger.meaning} == {"credentials"}
    assert not any(secret in absent.reason + stranger.reason for secret in ("nope", "nobody-of-ours", "hush"))


async def test_a_file_that_is_not_there_is_named_as_such(tmp_path: Path) -> None:
    said = await trouble(f"sqlite:///{tmp_path / 'shop.sqlite'}")

    assert "its file is not there, or not for this account" in said.reason


def test_a_parameter_that_the_driver_does_not_know_is_named_before_anything_is_asked() -> None:
    with pytest.raises(BadAddressError, match="not understood: channel_binding"):
        make_engine("postgresql://role:hush@127.0.0.1/shop?sslmode=require&channel_binding=require", Limits())


async def test_a_schema_that_is_not_there_is_named_beside_those_that_are(postgresql: sa.URL) -> None:
    address = postgresql.render_as_string(hide_password=False)

    with pytest.raises(CannotDescribeError, match=r"has no nope; it has .*public"):
        await describe(address, "nope")


async def test_a_draft_says_the_cause_as_a_check_does() -> None:
    with pytest.raises(CannotDescribeError, match="nothing listens at its host and port"):
        await describe(f"postgresql://role:hush@{CLOSED}/shop", None)
    with pytest.raises(CannotDescribeError, match="holds no address of a database"):
        await describe("nonsense", None)
