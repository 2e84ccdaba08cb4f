"""The shop on everything that an adapter is tested on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.mongo_server import mongo_server
from tests.support.object_store import ObjectStore, object_store
from tests.support.own_postgres import own_postgres
from tests.support.redis_server import redis_server
from tests.support.shop import Shop, sqlite_shop
from tests.support.shop_in_documents import DocumentShop
from tests.support.shop_in_files import FileShop, InBucket, InFolder
from tests.support.shop_in_mongodb import InMongoDB
from tests.support.shop_in_redis import InRedis
from tests.support.shop_over_http import HttpShop

_NAME = f"shop_{uuid4().hex[:12]}"
_PASSWORD = "made-up-for-tests"
_EMPTY = (
    "DROP SCHEMA public CASCADE",
    "CREATE SCHEMA public",
    f"GRANT USAGE ON SCHEMA public TO {_NAME}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, UPDATE, DELETE ON TABLES TO {_NAME}",
)


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


@pytest.fixture(
    params=[
        "sqlite",
        "http",
        "csv",
        "jsonl",
        "parquet",
        "s3",
        "mongodb",
        "redis",
        pytest.param("postgresql", marks=pytest.mark.connected),
    ]
)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    """A filled shop, fresh for each test."""
    opened: Shop
    if request.param == "sqlite":
        opened = sqlite_shop(tmp_path)
    elif request.param == "http":
        opened = HttpShop(tmp_path)
    elif request.param == "s3":
        opened = FileShop(tmp_path, InBucket(request.getfixturevalue("s3")), "parquet")
    elif request.param == "mongodb":
        opened = DocumentShop(tmp_path, InMongoDB(request.getfixturevalue("mongodb")))
    elif request.param == "redis":
        opened = DocumentShop(tmp_path, InRedis(request.getfixturevalue("redis")))
    elif request.param in {"csv", "jsonl", "parquet"}:
        opened = FileShop(tmp_path, InFolder(tmp_path), request.param)
    else:
        opened = await postgresql_shop(request.getfixturevalue("postgresql"), tmp_path)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def postgresql_only(postgresql: sa.URL, tmp_path: Path) -> AsyncIterator[Shop]:
    """The shop for what only a server has: roles, connections, timeouts."""
    opened = await (await postgresql_shop(postgresql, tmp_path)).open()
    yield opened
    await opened.close()


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
