"""Pass a privacy request on to Habeas from a system of your own, over Kafka.

It needs two libraries, aiokafka and joserfc, and nothing of Habeas. The steps:

1. fetch intake's public keys from /.well-known/jwks.json;
2. encrypt the claims to the first key meant for encryption, as a compact JWE (claims in clear are refused);
3. publish the body {"claims": JWE} to `dsar.submissions` with CloudEvents headers, under a key of your own.

Sending the same key from the same source again is the same request: repeat until the broker has acknowledged it.
What became of it stands on `dsar.journal.intake` and `dsar.received` under the request id that is printed.

    python publish.py --intake http://127.0.0.1:8080 --kafka 127.0.0.1:9092 \
        --source upstream/call-center --submission call-2026-000123 < claims.json

claims.json, for example:

    {"right": "delete", "residency": "US-CA", "channel": "phone",
     "received_at": "2026-11-21T10:00:00-08:00", "email": "name@example.com", "customer_id": "C-1042"}

To take a request back, publish its withdrawal under the same source and key: `--withdraw`.
"""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen
from uuid import UUID, uuid4, uuid5

from aiokafka import AIOKafkaProducer
from joserfc import jwe
from joserfc.jwk import import_key

REQUESTS = UUID("6f9c1f0e-6f0b-5f43-9a52-6a1d2f6f9d11")
REQUEST = "dsar.submission.request.v1"
WITHDRAWAL = "dsar.submission.withdrawal.v1"
ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


def encryption_key(intake: str) -> dict[str, Any]:
    """The key to encrypt to: the first one whose use is encryption."""
    with urlopen(f"{intake}/.well-known/jwks.json", timeout=10) as answer:  # noqa: S310 - your own address
        keys = json.load(answer)["keys"]
    found: dict[str, Any] = next(key for key in keys if key.get("use") == "enc")
    return found


def encrypted(claims: bytes, key: dict[str, Any]) -> str:
    """The claims as a compact JWE."""
    header = {"alg": ALGORITHMS[0], "enc": ALGORITHMS[1], "kid": key["kid"]}
    public = import_key({name: key[name] for name in ("kty", "crv", "x", "y") if name in key})
    return jwe.encrypt_compact(header, claims, public, algorithms=ALGORITHMS)


def headers(ce_type: str, source: str, business: str) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0 in Kafka's binary mode."""
    named = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_source": source,
        "ce_type": ce_type,
        "ce_time": datetime.now(UTC).isoformat(),  # noqa: TID251 - an upstream system has a clock of its own
        "ce_business": business,
        "content-type": "application/json",
    }
    return [(name, text.encode()) for name, text in named.items() if text]


def request_id(source: str, submission: str) -> UUID:
    """The id under which Habeas speaks of this submission."""
    return uuid5(uuid5(REQUESTS, source), submission)


async def publish(given: argparse.Namespace, ce_type: str, body: dict[str, str]) -> None:
    """Send one record and wait until every replica that counts has it."""
    producer = AIOKafkaProducer(bootstrap_servers=given.kafka, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(
            given.namespace + "dsar.submissions",
            json.dumps(body).encode(),
            key=given.submission.encode(),
            headers=headers(ce_type, given.source, given.business),
        )
    finally:
        await producer.stop()


def main() -> None:
    """Read the claims from standard input and pass them on."""
    parser = argparse.ArgumentParser(description="Pass a privacy request on to Habeas over Kafka.")
    parser.add_argument("--intake", required=True, help="where intake answers")
    parser.add_argument("--kafka", required=True, help="the brokers, host:port by comma")
    parser.add_argument("--source", default="upstream/call-center", help="your system's name")
    parser.add_argument("--submission", required=True, help="your own id of this submission")
    parser.add_argument("--business", default="", help="the business that is asked, where there are several")
    parser.add_argument("--namespace", default="", help="the prefix of the installation's topics")
    parser.add_argument("--withdraw", action="store_true", help="take the request back instead")
    given = parser.parse_args()
    if given.withdraw:
        at = datetime.now(UTC).isoformat()  # noqa: TID251 - an upstream system has a clock of its own
        asyncio.run(publish(given, WITHDRAWAL, {"withdrawn_at": at}))
    else:
        claims = encrypted(sys.stdin.buffer.read(), encryption_key(given.intake))
        asyncio.run(publish(given, REQUEST, {"claims": claims}))
    print(request_id(given.source, given.submission))


if __name__ == "__main__":
    main()
