"""A table in a bucket: the library writes it, and what the bucket keeps of its old files is removed here.

A commit is a put that only the first of two writers can make (`If-None-Match`), so that no table of locks is needed.
"""

import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

from deltalake import DeltaTable

from services.fulfillment.buckets import Account, Meaning, client_of, translated
from services.fulfillment.rowwise.store import StoreFailure

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_LOG = "_delta_log/"
_AT_ONCE = 1000


class TableInBucket:
    """One below a bucket's prefix."""

    remote = True

    def __init__(self, account: Account, name: str) -> None:
        self._account = account
        self._prefix = f"{account.prefix}{name.strip('/')}/"

    def open(self) -> DeltaTable:
        with translated(_failure):
            # The library would tell neither a wrong key nor a bucket that is away from a table that is not there.
            self._client.list_objects_v2(Bucket=self._account.bucket, Prefix=self._prefix, MaxKeys=1)
        return DeltaTable(
            f"s3://{self._account.bucket}/{self._prefix}", storage_options=options(self._account)
        )

    def log(self) -> list[str]:
        below = self._prefix + _LOG
        return [each["Key"].removeprefix(below) for each in self._listed("Contents", below)]

    def remove_log(self, names: list[str]) -> None:
        self._remove([{"Key": f"{self._prefix}{_LOG}{name}"} for name in names])

    def replaced(self, names: list[str]) -> Iterator[BinaryIO]:
        there = {each["Key"] for each in self._listed("Contents", self._prefix)}
        for key in [self._prefix + name for name in names]:
            if key in there:
                yield from self._content({"Key": key})
        for each in self._past():
            if each["Key"].endswith(".parquet") and _LOG not in each["Key"] and "Size" in each:
                yield from self._content(_named(each))

    def forget_versions(self) -> None:
        self._remove([_named(each) for each in self._past()])

    @cached_property
    def _client(self) -> "S3Client":
        try:
            return client_of(self._account)
        except ModuleNotFoundError:
            raise StoreFailure("refused", "tables in a bucket need: pip install 'habeas[s3]'") from None

    def _past(self) -> Iterator[Any]:
        """Versions that were replaced, those of objects that are deleted, and the marks that say so."""
        for each in (*self._listed("Versions", self._prefix), *self._listed("DeleteMarkers", self._prefix)):
            if not each["IsLatest"] or "Size" not in each:
                yield each

    def _listed(self, what: str, prefix: str) -> list[Any]:
        asked: Any = "list_objects_v2" if what == "Contents" else "list_object_versions"
        with translated(_failure):
            pages = self._client.get_paginator(asked).paginate(Bucket=self._account.bucket, Prefix=prefix)
            return [each for page in pages for each in page.get(what, [])]

    def _remove(self, objects: list[Any]) -> None:
        for start in range(0, len(objects), _AT_ONCE):
            some: Any = {"Objects": objects[start : start + _AT_ONCE], "Quiet": True}
            with translated(_failure):
                answer = self._client.delete_objects(Bucket=self._account.bucket, Delete=some)
            if refused := sorted({str(each.get("Code", "")) for each in answer.get("Errors", [])}):
                raise StoreFailure("refused", f"the store keeps an old version ({', '.join(refused)})")

    def _content(self, named: Mapping[str, str]) -> Iterator[BinaryIO]:
        with tempfile.TemporaryFile() as file:
            with translated(_failure):
                answer: Any = self._client.get_object(Bucket=self._account.bucket, **named)  # type: ignore[arg-type]
                for part in answer["Body"].iter_chunks(1_000_000):
                    file.write(part)
            file.seek(0)
            yield file


def options(account: Account) -> dict[str, str]:
    """What the library is told; it never stands in an address, nor in an error of ours."""
    stated = {
        "AWS_ENDPOINT_URL": account.endpoint,
        "AWS_REGION": account.region,
        "AWS_ACCESS_KEY_ID": account.access_key,
        "AWS_SECRET_ACCESS_KEY": account.secret_key,
    }
    plain = (account.endpoint or "").startswith("http://")
    return {
        **{name: value for name, value in stated.items() if value},
        **({"AWS_ALLOW_HTTP": "true"} if plain else {}),
        "aws_conditional_put": "etag",
        "AWS_S3_ALLOW_UNSAFE_RENAME": "false",
        "connect_timeout": f"{account.connect_seconds}s",
        "timeout": f"{account.read_seconds}s",
        "max_retries": "2",
        "retry_timeout": f"{account.read_seconds}s",
    }


def _named(version: Any) -> dict[str, str]:
    return {"Key": version["Key"], "VersionId": version["VersionId"]}


def _failure(meaning: Meaning, reason: str) -> StoreFailure:
    """A table whose objects were changed is another writer's at the moment."""
    return StoreFailure("busy" if meaning == "moved" else meaning, reason)
