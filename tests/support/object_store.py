"""An object store that speaks S3, in a process of its own: moto's server."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3

from tests.support.eventually import eventually

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class ObjectStore:
    """The running server, and its owner's client."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client: S3Client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1",
            aws_access_key_id="owner", aws_secret_access_key="owner",
        )  # fmt: skip

    def new_bucket(self, *, locks: bool = False, versions: bool = False) -> str:
        """An empty bucket; one with locks has versions too."""
        name = f"bucket-{uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locks)
        if versions:
            status: Any = {"Status": "Enabled"}
            self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration=status)
        return name


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Start one, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own interpreter
        try:
            eventually(lambda: _answers(port), within=30)
            yield ObjectStore(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0
