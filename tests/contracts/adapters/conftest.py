"""The shop on everything that an adapter is tested on."""

import gc
import os
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.mongo_server import mongo_server
from tests.support.mysql_servers import mysql_server
from tests.support.object_store import ObjectStore, object_store
from tests.support.opensearch import InOpenSearch, opensearch
from tests.support.own_postgres import own_postgres
from tests.support.redis_server import redis_server
from tests.support.shop import Shop, sqlite_shop
from tests.support.shop_in_delta import InDelta
from tests.support.shop_in_documents import DocumentShop, Place
from tests.support.shop_in_files import FileShop, InBucket, InFolder
from tests.support.shop_in_mongodb import InMongoDB
from tests.support.shop_in_redis import InRedis
from tests.support.shop_in_search import InSearch
from tests.support.shop_over_http import HttpShop

_MYSQL = os.environ.get("HABEAS_TEST_MYSQL", "")
_NAME = f"shop_{uuid4().hex[:12]}"
_PASSWORD = "made-up-for-tests"
_EMPTY = (
    "DROP SCHEMA public CASCADE",
    "CREATE SCHEMA public",
    f"GRANT USAGE ON SCHEMA public TO {_NAME}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, UPDATE, DELETE ON TABLES TO {_NAME}",
)


@pytest.fixture(autouse=True)
def litter_of_the_mongodb_client(request: pytest.FixtureRequest) -> Iterator[None]:
    """PyMongo 4.20 drops a socket unclosed when it is closed while it connects to a server that is away.

    Python closes it when it collects the rest, and warns; that must not happen in the middle of another test, which
    would fail for it, nor may the warning be ignored where a socket of ours could be the cause.
    """
    yield
    if "mongodb" in request.node.nodeid:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """The administrator's address of a real PostgreSQL."""
    with own_postgres(tmp_path_factory.mktemp("stack")) as address:
        yield sa.make_url(address).set(drivername="postgresql+asyncpg")


@pytest.fixture(scope="session")
def s3() -> Iterator[ObjectStore]:
    """An object store in a process of its own."""
    with object_store() as store:
        yield store


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that speaks MongoDB's protocol."""
    with mongo_server(tmp_path_factory.mktemp("mongodb")) as address:
        yield address


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real Redis."""
    with redis_server(tmp_path_factory.mktemp("redis")) as port:
        yield port


@pytest.fixture(scope="session")
def search_place(
    tmp_path_factory: pytest.TempPathFactory, record_testsuite_property: Callable[[str, object], None]
) -> Iterator[Callable[[], Place]]:
    """A double of a search store for each shop, or the real one where `make stores` asks for it."""
    if os.environ.get("HABEAS_TEST_SEARCH") != "opensearch":
        yield InSearch
        return
    with opensearch(tmp_path_factory.mktemp("opensearch")) as address:
        record_testsuite_property("version", httpx2.get(address).json()["version"]["number"])
        yield lambda: InOpenSearch(address)


@pytest.fixture(scope="session")
def mysql_owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """The owner's address of a real MariaDB or MySQL, which only `make stores` starts."""
    if not _MYSQL:
        pytest.skip("`make stores` starts MariaDB and MySQL")
    with mysql_server(_MYSQL, tmp_path_factory.mktemp("mysql")) as address:
        yield address


_KINDS: dict[str, Callable[[pytest.FixtureRequest, Path], Shop]] = {
    "sqlite": lambda _request, home: sqlite_shop(home),
    "http": lambda _request, home: HttpShop(home),
    "csv": lambda _request, home: FileShop(home, InFolder(home), "csv"),
    "jsonl": lambda _request, home: FileShop(home, InFolder(home), "jsonl"),
    "parquet": lambda _request, home: FileShop(home, InFolder(home), "parquet"),
    "s3": lambda request, home: FileShop(home, InBucket(request.getfixturevalue("s3")), "parquet"),
    "mongodb": lambda request, home: DocumentShop(home, InMongoDB(request.getfixturevalue("mongodb"))),
    "redis": lambda request, home: DocumentShop(home, InRedis(request.getfixturevalue("redis"))),
    "delta": lambda _request, home: DocumentShop(home, InDelta(home)),
    "search": lambda request, home: DocumentShop(home, request.getfixturevalue("search_place")()),
}


_SERVERS = [pytest.param("postgresql", marks=pytest.mark.connected)]
if _MYSQL:
    _SERVERS.append(pytest.param("mysql"))
if os.environ.get("HABEAS_TEST_DELTA") == "s3":
    _KINDS["lake"] = lambda request, home: DocumentShop(home, InDelta(home, request.getfixturevalue("s3")))


@pytest.fixture(params=[*_KINDS, *_SERVERS])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    """A filled shop, fresh for each test."""
    if request.param == "mysql":
        opened = await mysql_shop(request.getfixturevalue("mysql_owner"), tmp_path)
    elif request.param == "postgresql":
        opened = await postgresql_shop(request.getfixturevalue("postgresql"), tmp_path)
    else:
        opened = _KINDS[request.param](request, tmp_path)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def postgresql_only(postgresql: sa.URL, tmp_path: Path) -> AsyncIterator[Shop]:
    """The shop for what only a server has: roles, connections, timeouts."""
    opened = await (await postgresql_shop(postgresql, tmp_path)).open()
    yield opened
    await opened.close()


@pytest.fixture
async def mysql_only(mysql_owner: sa.URL, tmp_path: Path) -> AsyncIterator[Shop]:
    """The shop for what MySQL and MariaDB alone do."""
    opened = await (await mysql_shop(mysql_owner, tmp_path)).open()
    yield opened
    await opened.close()


async def mysql_shop(administrator: sa.URL, home: Path) -> Shop:
    """An empty database whose texts ignore case and accents; the adapter's role owns nothing."""
    engine = create_async_engine(administrator)
    role = f"{_NAME}@'127.0.0.1'"
    async with engine.begin() as connection:
        for statement in (
            f"DROP DATABASE IF EXISTS {_NAME}",
            f"CREATE DATABASE {_NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
            f"DROP USER IF EXISTS {role}",
            f"CREATE USER {role} IDENTIFIED BY '{_PASSWORD}'",
            f"GRANT SELECT, SHOW VIEW, UPDATE, DELETE ON {_NAME}.* TO {role}",
        ):
            await connection.execute(sa.text(statement))
    await engine.dispose()
    owner = administrator.set(database=_NAME)
    adapter = owner.set(username=_NAME, password=_PASSWORD, drivername="mysql")
    return Shop(
        owner.render_as_string(hide_password=False), adapter.render_as_string(hide_password=False), home
    )


async def postgresql_shop(administrator: sa.URL, home: Path) -> Shop:
    """An empty database; the adapter's role may read, change and delete, and owns nothing."""
    await _make_once(administrator)
    owner = administrator.set(database=_NAME)
    engine = create_async_engine(owner)
    async with engine.begin() as connection:
        for statement in _EMPTY:
            await connection.execute(sa.text(statement))
    await engine.dispose()
    adapter = owner.set(username=_NAME, password=_PASSWORD, drivername="postgresql")
    return Shop(
        owner.render_as_string(hide_password=False), adapter.render_as_string(hide_password=False), home
    )


async def _make_once(administrator: sa.URL) -> None:
    engine = create_async_engine(administrator, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        there = sa.text("SELECT count(*) FROM pg_database WHERE datname = :name")
        if not (await connection.execute(there, {"name": _NAME})).scalar_one():
            await connection.execute(sa.text(f"CREATE DATABASE {_NAME}"))
            await connection.execute(sa.text(f"CREATE ROLE {_NAME} LOGIN PASSWORD '{_PASSWORD}'"))
    await engine.dispose()
