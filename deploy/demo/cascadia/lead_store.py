"""The object store of the lead lists: a server that speaks S3, asks for signed requests and keeps every version.

It is moto's, in a process of its own, where moto and boto3 are installed; otherwise the lists lie in a folder.
"""

import json
import select
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from deploy.demo.processes import ServiceFailed

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

REGION = "us-east-1"
START_SECONDS, STOP_SECONDS = 30.0, 10.0
NEEDED = ("boto3", "flask", "flask_cors", "moto")
RIGHTS = (
    "s3:ListBucket", "s3:ListBucketVersions", "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging",
    "s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObjectVersion",
)  # fmt: skip
"""What docs/plug-in-files.md says that the role needs; the store refuses everything else."""

_SERVER = "deploy.demo.cascadia.lead_store_server"


def lacking() -> tuple[str, ...]:
    """The packages that a store needs and that are not installed."""
    return tuple(name for name in NEEDED if find_spec(name) is None)


@dataclass(frozen=True, slots=True)
class Keys:
    """How somebody reaches the store."""

    endpoint: str
    access_key: str
    secret_key: str

    def client(self) -> "S3Client":
        """Who asks with these keys."""
        client: S3Client = _client("s3", self)
        return client

    def written(self) -> bytes:
        """As they are kept in a file."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, file: Path) -> "Keys":
        """From that file."""
        return cls(**json.loads(file.read_text()))


class LeadStore:
    """The server's process; `folder` gets its log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> tuple[Keys, Keys]:
        """Serve, and give the keys of the lists' owner and those of Habeas, made for this run.

        Raises:
            ServiceFailed: it did not come up; the sentence names its log.
        """
        anybody = Keys(self._serve(), "anybody", "anybody")
        owner = _keys_of(anybody, "owner", ("s3:*",))
        habeas = _keys_of(anybody, "habeas", RIGHTS)
        _let_nobody_else_in(anybody.endpoint)
        return owner, habeas

    def stop(self) -> None:
        """End the server, and wait for its end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._process = None

    def _serve(self) -> str:
        file = self._folder / "lead-store.log"
        file.touch(mode=0o600)
        with file.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", _SERVER, str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C reaches only the demo, which then ends its children in order.
                start_new_session=True,
            )
        self._process = process
        said = cast("IO[bytes]", process.stdout)
        up, _, _ = select.select([said], [], [], START_SECONDS)
        address = said.readline().decode().strip() if up else ""
        if not address:
            self.stop()
            raise ServiceFailed(f"the object store of the lead lists did not start; see {file}")
        return address


def _keys_of(anybody: Keys, name: str, rights: Sequence[str]) -> Keys:
    """A user with these rights and no others."""
    allowed = {"Effect": "Allow", "Action": list(rights), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    users = _client("iam", anybody)
    users.create_user(UserName=name)
    users.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
    made = users.create_access_key(UserName=name)["AccessKey"]
    return Keys(anybody.endpoint, made["AccessKeyId"], made["SecretAccessKey"])


def _let_nobody_else_in(endpoint: str) -> None:
    """From now on the server looks at signatures and rights: until then it does what anybody says."""
    order = urllib.request.Request(  # noqa: S310 - our own server, over HTTP
        f"{endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
    )
    with urllib.request.urlopen(order, timeout=START_SECONDS):  # noqa: S310 - the same
        pass


def _client(service: Any, keys: Keys) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=keys.endpoint,
        region_name=REGION,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
    )
