"""Where anchors lie: a folder elsewhere, or a bucket that keeps each object for as long as its lock says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from shared.private_files import create_private

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

BUCKET: Final = "s3://"


class PlaceAway(Exception):
    """A place cannot be read or written; the sentence says which and what to do."""


class Place(Protocol):
    """Somewhere that files are put once and never changed."""

    def names(self) -> list[str]:
        """The names of all files, sorted; what a lock kept although somebody removed it is among them."""
        ...

    def read(self, name: str) -> bytes:
        """A file as it was first put; FileNotFoundError where there is none."""
        ...

    def put(self, name: str, content: bytes, at: datetime) -> None:
        """Put a file that is not there yet; one that is there already stays as it is."""
        ...

    def touched(self) -> list[tuple[str, str]]:
        """Files that somebody tried to change or remove, with what was tried."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder; best on a machine where nobody who runs the database can write."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def names(self) -> list[str]:
        return sorted(one.name for one in self.path.iterdir()) if self.path.is_dir() else []

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def put(self, name: str, content: bytes, at: datetime) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private(self.path / name, content)

    def touched(self) -> list[tuple[str, str]]:
        return []


@dataclass(frozen=True)
class Bucket:
    """A bucket with object lock (mode COMPLIANCE): until then nobody removes a version, its owner neither."""

    bucket: str
    prefix: str
    lock_days: int
    client: "S3Client" = field(repr=False)

    def __str__(self) -> str:
        return f"{BUCKET}{self.bucket}/{self.prefix}"

    def names(self) -> list[str]:
        return sorted({key for key, _ in self._versions(self.prefix)})

    def read(self, name: str) -> bytes:
        # A store lists a key's versions from the newest to the oldest.
        known = [version for key, version in self._versions(self.prefix + name) if key == name]
        if not known:
            raise FileNotFoundError(name)
        with _reaching(self):
            found = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name, VersionId=known[-1])
            return found["Body"].read()

    def put(self, name: str, content: bytes, at: datetime) -> None:
        with _reaching(self):
            self.client.put_object(
                Bucket=self.bucket,
                Key=self.prefix + name,
                Body=content,
                ChecksumAlgorithm="SHA256",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=at + timedelta(days=self.lock_days),
            )

    def touched(self) -> list[tuple[str, str]]:
        with _reaching(self):
            pages = list(self._pages(self.prefix))
        removed = [
            (one["Key"], "marked as deleted") for page in pages for one in page.get("DeleteMarkers", [])
        ]
        keys = [one["Key"] for page in pages for one in page.get("Versions", [])]
        written = [(key, "written over") for key in sorted(set(keys)) if keys.count(key) > 1]
        return [(key.removeprefix(self.prefix), what) for key, what in (*removed, *written)]

    def _versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        with _reaching(self):
            for page in self._pages(prefix):
                for one in page.get("Versions", []):
                    yield one["Key"].removeprefix(self.prefix), one["VersionId"]

    def _pages(self, prefix: str) -> Iterator[Any]:
        paginator = self.client.get_paginator("list_object_versions")
        yield from paginator.paginate(Bucket=self.bucket, Prefix=prefix)


def place_of(text: str, lock_days: int) -> Place:
    """The place that a word names: `s3://bucket/prefix`, else a folder.

    A bucket's endpoint, region and credentials come as boto3 finds them (AWS_ENDPOINT_URL and so on).
    """
    if not text.startswith(BUCKET):
        return Folder(Path(text))
    import boto3

    bucket, _, prefix = text.removeprefix(BUCKET).partition("/")
    client: S3Client = boto3.client("s3")
    return Bucket(bucket, f"{prefix.rstrip('/')}/" if prefix else "", lock_days, client)


@contextmanager
def _reaching(place: Bucket) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise PlaceAway(f"{place} refuses ({code}); the bucket must exist and have object lock") from None
    except BotoCoreError as error:
        raise PlaceAway(f"{place} cannot be reached ({type(error).__name__}); see docs/evidence.md") from None
