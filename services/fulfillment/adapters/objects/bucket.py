"""An object store that speaks S3: every version of every object is looked at, and none of the person's stays.

A current object is replaced only if it is still the one that was read (`If-Match`). A version, unlike a file, cannot
be changed: one that still holds what must go is deleted whole.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlencode

from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.adapters.objects.store import Stored, refuse_stopped
from services.fulfillment.buckets import Account, client_of, translated

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

REMEMBERED_BYTES = 64_000_000
_KEPT = (
    "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Metadata",
    "StorageClass", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled",
)  # fmt: skip


class Bucket:
    """The objects below one prefix. What was read is remembered for one look, as far as memory is meant for it."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._client = client_of(account)
        self._read: dict[Stored, bytes] = {}

    def states(self) -> list[Stored]:
        """Every version, the current ones first; in a bucket without versions these are all."""
        with translated(Failure):
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._account.bucket, Prefix=self._account.prefix
            )
            found = [
                _stored(each, self._account.prefix) for page in pages for each in page.get("Versions", [])
            ]
        meant = [each for each in found if each.name and not each.name.endswith("/")]
        return sorted(meant, key=lambda each: (not each.current, each.name, each.version))

    @contextmanager
    def open(self, stored: Stored) -> Iterator[BinaryIO]:
        if stored in self._read:
            yield BytesIO(self._read[stored])
            return
        with tempfile.TemporaryFile() as file:
            with translated(Failure):
                answer = self._client.get_object(**self._named(stored))
                for part in answer["Body"].iter_chunks(1_000_000):
                    file.write(part)
            if sum(map(len, self._read.values())) + file.tell() <= REMEMBERED_BYTES:
                file.seek(0)
                self._read[stored] = file.read()
            file.seek(0)
            yield file

    def leftovers(self) -> int:
        """A put is whole or not at all."""
        return 0

    @contextmanager
    def changing(self) -> "Iterator[BucketChanges]":
        changes = BucketChanges(self._client, self._account)
        try:
            yield changes
        finally:
            changes.give_up()

    def close(self) -> None:
        self._read.clear()

    def _named(self, stored: Stored) -> Any:
        return named(self._account, stored)


@dataclass
class BucketChanges:
    """New objects over the old ones, then the old versions away."""

    client: "S3Client"
    account: Account
    begun: bool = False
    stopped: bool = False
    _staged: list[tuple[Stored, Any]] = field(default_factory=list)
    _removed: list[Stored] = field(default_factory=list)

    @contextmanager
    def stage(self, stored: Stored) -> Iterator[BinaryIO]:
        refuse_stopped(self)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `give_up`
        self._staged.append((stored, file))
        yield file

    def remove(self, stored: Stored) -> None:
        self._removed.append(stored)

    def commit(self) -> None:
        refuse_stopped(self)
        with translated(Failure):
            goes = [stored for stored, _ in self._staged if stored.version != "null"] + self._removed
            carried = {stored: self._carried(stored) for stored, _ in self._staged}
            for stored in self._removed:
                self._carried(stored)
            for stored, file in self._staged:
                self._put(stored, file, carried[stored])
            for stored in goes:
                self.begun = True
                self.client.delete_object(**named(self.account, stored))

    def give_up(self) -> None:
        for _, file in self._staged:
            file.close()

    def _put(self, stored: Stored, file: Any, carried: Any) -> None:
        where: Any = {"Bucket": self.account.bucket, "Key": self.account.prefix + stored.name}
        tags = self.client.get_object_tagging(**where)["TagSet"]
        if tags:
            carried["Tagging"] = urlencode({tag["Key"]: tag["Value"] for tag in tags})
        file.seek(0)
        self.begun = True
        self.client.put_object(**where, Body=file, IfMatch=stored.etag, **carried)

    def _carried(self, stored: Stored) -> dict[str, Any]:
        """What an object carries beside its content; one that is locked is not begun with."""
        head: Mapping[str, Any] = self.client.head_object(**named(self.account, stored))
        if head.get("ObjectLockLegalHoldStatus") == "ON" or head.get("ObjectLockRetainUntilDate"):
            raise Failure("refused", "an object is locked in its bucket, by a legal hold or for a time")
        return {name: head[name] for name in _KEPT if name in head}


def named(account: Account, stored: Stored) -> Any:
    """The object's version as a request names it; what has no version must at least be what was listed."""
    if stored.current and stored.version == "null":
        return {"Bucket": account.bucket, "Key": account.prefix + stored.name, "IfMatch": stored.etag}
    return {"Bucket": account.bucket, "Key": account.prefix + stored.name, "VersionId": stored.version}


def _stored(version: Any, prefix: str) -> Stored:
    name = str(version["Key"]).removeprefix(prefix)
    return Stored(name, str(version["VersionId"]), bool(version["IsLatest"]), str(version["ETag"]))
