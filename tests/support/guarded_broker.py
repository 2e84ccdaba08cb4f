"""A broker of its own that denies by default: SCRAM over TLS for everybody, KRaft's own authorizer, one node.

Only the administrator is above the rules, and whoever comes by the inner doors, which nobody but the broker knows.
"""

import secrets
import signal
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.access import Grant, principals
from deploy.local import jars, java, kafka
from deploy.local.kafka_settings import LOGGING, SETTINGS
from deploy.local.processes import run, spawn, stop
from tests.support.eventually import eventually

ADMIN = "admin"
# One whose name begins another's: what the longer one may do is none of the shorter one's.
VENDORS = ("evergreen-mail", "meridian-audiences", "evergreen")
STRANGER = "stranger"
EVERYBODY = (*principals(VENDORS), STRANGER)
RESOURCES = {"topic": 2, "group": 3}
OPERATIONS = {"read": 3, "write": 4}
LITERAL, PREFIXED, ALLOW = 3, 4, 3
DENIED = {29, 30, 31}
"""The broker's words for: not this topic, not this group, not this cluster."""


@dataclass(frozen=True)
class GuardedBroker:
    """Where it listens, and how each principal logs in."""

    bootstrap: str
    authority: Path
    passwords: Mapping[str, str]

    def login(self, principal: str) -> dict[str, Any]:
        """What a client of aiokafka is given."""
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": principal,
            "sasl_plain_password": self.passwords[principal],
            "ssl_context": ssl.create_default_context(cafile=str(self.authority)),
        }

    async def grant(self, grants: Iterable[Grant], *, by: str = ADMIN) -> None:
        """Write the rules, as `kafka-acls.sh` would."""
        admin = AIOKafkaAdminClient(**self.login(by))
        await admin.start()
        try:
            for one in grants:
                request = CreateAclsRequest(
                    RESOURCES[one.resource],
                    one.name,
                    PREFIXED if one.prefixed else LITERAL,
                    f"User:{one.principal}",
                    "*",
                    OPERATIONS[one.operation],
                    ALLOW,
                )
                answer = await admin._send_request(request)  # noqa: SLF001 - aiokafka knows the request, and has no method
                assert answer.creation_responses[0][0] == 0, (one, answer)
        finally:
            await admin.close()


class Tries:
    """One principal's connection, on which it asks the broker for everything at once; answers are error codes."""

    def __init__(self, broker: GuardedBroker, principal: str) -> None:
        self._admin = AIOKafkaAdminClient(**broker.login(principal))

    async def __aenter__(self) -> Self:
        await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def write(self, topics: Iterable[str]) -> dict[str, int]:
        """One record to each topic."""
        wanted = [(topic, [(0, _batch())]) for topic in topics]
        answer = await self._ask(ProduceRequest(None, -1, 10_000, wanted))
        return {topic: partitions[0][1] for topic, partitions in answer.topics}

    async def read(self, topics: Iterable[str]) -> dict[str, int]:
        """The first record of each topic."""
        wanted = [(topic, [(0, 0, 1000)]) for topic in topics]
        answer = await self._ask(FetchRequest(0, 0, 100_000, 0, wanted))
        return {topic: partitions[0][1] for topic, partitions in answer.topics}

    async def join(self, groups: Iterable[str]) -> dict[str, int]:
        """A word of a member that no group has: who may be one is told so, others that they may not."""
        return {one: (await self._ask(HeartbeatRequest(one, 1, "nobody"))).error_code for one in groups}

    async def _ask(self, request: Any) -> Any:
        return await self._admin._send_request(request)  # noqa: SLF001 - raw, so that the broker's own answer is seen


def _batch() -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1000,
    )  # fmt: skip
    builder.append(0, timestamp=0, key=b"k", value=b"v", headers=[])
    return bytes(builder.build())


@contextmanager
def guarded_broker(folder: Path, principals: Iterable[str]) -> Iterator[GuardedBroker]:
    """Start one, and end it at once in the end: nobody reads what it kept."""
    port = _free_ports()
    programs = kafka.Programs(java.find(), jars.folder(lambda _: None))
    passwords = {name: secrets.token_urlsafe(16) for name in (*principals, ADMIN)}
    authority, identity = _certificates(folder)
    settings = folder / "server.properties"
    settings.write_text(_properties(port, identity))
    (folder / "log4j2.xml").write_text(LOGGING)
    _format(programs, settings, passwords)
    log = folder / "broker.log"
    flags = (f"-Dlog4j2.configurationFile={folder / 'log4j2.xml'}", f"-Dhabeas.log={log}")
    found = spawn([*programs.command(*kafka.HEAP, *flags), "kafka.Kafka", settings], log=log, folder=folder)
    try:
        eventually(lambda: _listens(port[0]), within=60)
        yield GuardedBroker(f"127.0.0.1:{port[0]}", authority, passwords)
    finally:
        stop(found, [(signal.SIGKILL, 10.0)])


def _properties(port: tuple[int, int, int], identity: str) -> str:
    client, controller, inner = port
    settings = {
        **SETTINGS,
        "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT,INNER:PLAINTEXT",
        "inter.broker.listener.name": "INNER",
        "listeners": f"CLIENT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller},INNER://127.0.0.1:{inner}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{client},INNER://127.0.0.1:{inner}",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN};User:ANONYMOUS",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.client.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": identity,
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "log.dirs": "data",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _format(programs: kafka.Programs, settings: Path, passwords: Mapping[str, str]) -> None:
    users = [f"--add-scram=SCRAM-SHA-512=[name={name},password={word}]" for name, word in passwords.items()]
    arguments = ["format", "--cluster-id", kafka.new_cluster(), "--config", str(settings), *users]
    command = programs.command("-Xmx64m", "-Dlog4j2.level=ERROR")
    done = run([*command, "kafka.tools.StorageTool", *arguments], timeout=120, folder=settings.parent)
    assert done.returncode == 0, done.stderr or done.stdout


def _certificates(folder: Path) -> tuple[Path, str]:
    """An authority of the tests' own, and the broker's key and certificate in one PEM file."""
    now = datetime.now(UTC)  # noqa: TID251 - a certificate is valid by the real clock
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")]),
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "authority.pem").write_bytes(pem)
    (folder / "broker.pem").write_bytes(private + pem)
    return folder / "authority.pem", str(folder / "broker.pem")


def _free_ports() -> tuple[int, int, int]:
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        held = (one, two, three)
        for each in held:
            each.bind(("127.0.0.1", 0))
        client, controller, inner = (int(each.getsockname()[1]) for each in held)
        return client, controller, inner


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
