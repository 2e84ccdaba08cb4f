"""How a store that speaks S3 is reached, and what its errors mean; for every adapter that keeps something in one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from services.fulfillment.datamap.systems import System
from services.fulfillment.reached import not_reached

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

Meaning: TypeAlias = Literal["away", "moved", "credentials", "refused"]

SECRETS = frozenset({"access_key", "secret_key"})
SETTINGS = frozenset({"endpoint", "region"})
NO_PLACE = "the secret holds no address such as /folder or s3://bucket/below"
SECRETS_WANTED = "secrets: name access_key and secret_key, or neither where the machine has a role of its own"

_AWAY = frozenset(
    {
        "NoSuchBucket",
        "500",
        "502",
        "503",
        "504",
        "InternalError",
        "ServiceUnavailable",
        "SlowDown",
        "RequestTimeout",
    }
)
_DENIED = frozenset(
    {
        "401",
        "403",
        "AccessDenied",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "InvalidToken",
    }
)
_GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion"})
_CHANGED = frozenset({"412", "409", "PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """How a bucket is reached; without keys, as the machine's own role is."""

    bucket: str
    prefix: str
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    connections: int = 4


def place_of(address: str) -> Path | SplitResult | None:
    """The folder that an address means, or what it says of a bucket; None for what means neither."""
    try:
        stated = urlsplit(address)
    except ValueError:
        return None
    if stated.scheme in {"", "file"} and stated.path.startswith("/"):
        return Path(stated.path)
    return stated if stated.scheme == "s3" and stated.netloc else None


def account_of(system: System, stated: SplitResult) -> Account:
    """The bucket of an address such as s3://bucket/below, its keys read anew.

    Raises:
        SecretMissingError: a secret is not there.
    """
    secrets = {name: secret.read() for name, secret in system.secrets.items()}
    below = stated.path.strip("/")
    return Account(
        bucket=stated.netloc,
        prefix=f"{below}/" if below else "",
        endpoint=str(system.settings["endpoint"]) if "endpoint" in system.settings else None,
        region=str(system.settings["region"]) if "region" in system.settings else None,
        access_key=secrets.get("access_key"),
        secret_key=secrets.get("secret_key"),
        connect_seconds=system.limits.connect_seconds,
        read_seconds=system.limits.statement_seconds,
        connections=system.limits.connections,
    )


def client_of(account: Account) -> "S3Client":
    """One for each endpoint and key, whatever the bucket: to make one is dear, and any thread may use it."""
    return _connected(replace(account, bucket="", prefix=""))


def explained(error: Exception) -> tuple[Meaning, str] | None:
    """What a client's error means, by its code alone: its text quotes names. None for what is none."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError):
        return _meant(str(error.response.get("Error", {}).get("Code", "")))
    if not isinstance(error, BotoCoreError):
        return None
    kind = type(error).__name__
    if kind in {"NoCredentialsError", "PartialCredentialsError"}:
        return "credentials", f"there are no keys: name access_key and secret_key under secrets ({kind})"
    return "away", not_reached("the store", error)


@contextmanager
def translated(failing: Callable[[Meaning, str], Exception]) -> Iterator[None]:
    """Raise a client's error as one of the caller's own, with what it means; any other error goes on as it is."""
    try:
        yield
    except Exception as error:
        told = explained(error)
        if told is None:
            raise
        raise failing(*told) from None


def _meant(code: str) -> tuple[Meaning, str]:
    if code in _DENIED:
        return "credentials", f"the store does not let us in, or not do this ({code})"
    if code in _GONE | _CHANGED:
        return "moved", "an object was changed while it was looked at"
    if code in _AWAY:
        return "away", f"the store is away or busy ({code})"
    return "refused", f"the store refused ({code or 'it does not say why'})"


@lru_cache(maxsize=32)
def _connected(account: Account) -> "S3Client":
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=account.connect_seconds,
        read_timeout=account.read_seconds,
        max_pool_connections=account.connections,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"} if account.endpoint else {},
    )
    session = boto3.session.Session()
    return session.client(
        "s3",
        config=config,
        endpoint_url=account.endpoint,
        region_name=account.region or session.region_name or "us-east-1",
        aws_access_key_id=account.access_key,
        aws_secret_access_key=account.secret_key,
    )
