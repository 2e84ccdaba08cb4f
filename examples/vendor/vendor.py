"""A whole vendor: reads its directives, deletes or opts out, and answers. It needs aiokafka and joserfc, no more.

    python vendor.py --kafka HOST:9092 --name acme-mail --keys private.jwks.json --habeas habeas.jwks.json --people FILE

The two key sets come from `habeas vendors onboard`. The table `people` (email, opted_out) stands for your systems. What
comes again, after a restart or as a reminder, is answered again alike. `--login` names aiokafka's settings as JSON.
"""

import argparse
import asyncio
import json
import sqlite3
import ssl
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from signal import SIGTERM
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey


def opened(letter: str, ours: KeySet, habeas: KeySet, name: str) -> dict[str, Any] | None:
    """What the letter says, if it is from Habeas and to us."""
    try:
        signed = jwe.decrypt_compact(letter, ours, algorithms=["ECDH-ES+A256KW", "A256GCM"]).plaintext or b""
        found = jws.deserialize_compact(signed, habeas, algorithms=["EdDSA", "Ed25519"])
    except (JoseError, ValueError):
        return None
    said: dict[str, Any] = json.loads(found.payload)
    return said if found.protected.get("typ") == "habeas-directive+jws" and said["aud"] == name else None


def held(people: sqlite3.Connection, said: dict[str, Any]) -> bool:
    """Do once what is asked to everybody whom the identifiers name; whether we held anybody."""
    wanted = {one["value"] for one in said["identifiers"] if one["kind"] == "email"}
    change = "DELETE FROM people" if said["right"] == "delete" else "UPDATE people SET opted_out = 1"
    if known := people.execute("SELECT held FROM done WHERE directive = ?", (said["jti"],)).fetchone():
        return bool(known[0])
    emails = [email for (email,) in people.execute("SELECT email FROM people")]
    found = [(each,) for each in emails if {each, sha256(each.strip().lower().encode()).hexdigest()} & wanted]
    with people:
        people.executemany(f"{change} WHERE email = ?", found)
        people.execute("INSERT INTO done VALUES (?, ?)", (said["jti"], bool(found)))
    return bool(found)


def answer(kind: str, subject: str, name: str, key: OKPKey, **body: Any) -> dict[str, Any]:
    """A record for the topic of acknowledgements: CloudEvents headers, and a signature over what it is and says."""
    value, ce_type = json.dumps(body).encode(), f"dsar.acknowledgement.{kind}.v1"
    said = {"id": str(uuid4()), "source": f"vendor/{name}", "subject": subject, "type": ce_type}
    signed = {**said, "actor": "", "payload_sha256": sha256(value).hexdigest()}
    content = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
    head = {"alg": "Ed25519", "kid": key.thumbprint(), "typ": "habeas-command+jws"}
    first, _, last = jws.serialize_compact(head, content, key, algorithms=["Ed25519"]).split(".")
    headers = {"specversion": "1.0", "time": body[f"{kind}_at"], "signature": f"{first}..{last}", **said}
    named = [(f"ce_{field}", text.encode()) for field, text in headers.items()]
    return {"key": body["directive_id"].encode(), "value": value, "headers": named}


async def serve(given: argparse.Namespace) -> None:
    """Read for ever; an offset is committed once both answers are with the broker."""
    ours, habeas = KeySet.import_key_set(given.keys), KeySet.import_key_set(given.habeas)
    people = sqlite3.connect(given.people)
    people.execute("CREATE TABLE IF NOT EXISTS done (directive TEXT PRIMARY KEY, held INTEGER)")
    key = next(key for key in ours.keys if isinstance(key, OKPKey) and key.get("use") == "sig")
    about, group = (given.name, key), given.namespace + given.name
    topics = [f"{given.namespace}dsar.{what}.{given.name}" for what in ("directives", "acknowledgements")]
    at: dict[str, Any] = {"bootstrap_servers": given.kafka, **given.login}
    if "cafile" in at:
        at["ssl_context"] = ssl.create_default_context(cafile=at.pop("cafile"))
    reads: dict[str, Any] = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "group_id": group}
    asyncio.get_running_loop().add_signal_handler(SIGTERM, next(iter(asyncio.all_tasks())).cancel)  # us
    async with AIOKafkaConsumer(topics[0], **reads, **at) as reader, AIOKafkaProducer(**at) as writer:
        async for record in reader:
            subject = dict(record.headers)["ce_subject"].decode()
            said = opened(json.loads(record.value)["letter"], ours, habeas, given.name)
            if said is not None:
                now = datetime.now(UTC).isoformat()  # noqa: TID251 - a vendor has a clock of its own
                # What is wrong is said in words: a person corrects it, and answers then.
                done = {} if said["right"] == "correct" else {"completed": {"held": held(people, said)}}
                for kind, more in {"received": {}, **done}.items():
                    body = {"directive_id": said["jti"], f"{kind}_at": now, **more}
                    await writer.send_and_wait(topics[1], **answer(kind, subject, *about, **body))
            await reader.commit()
            print("done" if said else "not a letter to us", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A vendor that is told by Habeas.")
    for option, needed in {"kafka": True, "name": True, "people": True, "namespace": False}.items():
        parser.add_argument(f"--{option}", required=needed, default="")
    for option in ("keys", "habeas", "login"):
        parser.add_argument(f"--{option}", type=lambda file: json.loads(Path(file).read_text()), default={})
    asyncio.run(serve(parser.parse_args()))
