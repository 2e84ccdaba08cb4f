"""What a walk through every path leaves behind, and the ways in which a person or an operator takes a step."""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.cascadia.people import Person
from tests.support.canaries import Canaries
from tests.support.identities import MARK, values_of, values_of_rows
from tests.support.requester import Requester, ask
from tests.support.running import Running, environment

ACCEPTED = 202
CLEAR = f"{MARK}.clear.zyl@quokkamail.example"
WRONG_SECRET = f"1.{MARK}WrongSecretThatOpensNothingAtAll0123456789"


@dataclass
class Walked:
    """What was done: who asked, what tells who they are, and which records an outsider wrote in clear."""

    running: Running
    values: dict[str, str] = field(default_factory=lambda: {"clear": CLEAR, "wrong secret": WRONG_SECRET})
    planted: set[tuple[str, int, int]] = field(default_factory=set)
    closing: list[Requester] = field(default_factory=list)
    shown: list[bytes] = field(default_factory=list)
    spans: list[bytes] = field(default_factory=list)

    @property
    def canaries(self) -> Canaries:
        return Canaries(self.values)

    @property
    def partitions(self) -> set[str]:
        """The folders of the broker in which planted records lie."""
        namespace = self.running.settings.namespace
        return {f"{namespace}{topic}-{partition}" for topic, partition, _ in self.planted}

    async def knows(self, person: Person) -> Person:
        """From now on this person's details are looked for."""
        self.values |= values_of(person)
        self.values |= dict(values_of_rows(await self.running.town.rows_of(person)))
        return person


async def asks(walked: Walked, person: Person, right: str, **how: Any) -> Requester:
    requester = await ask(walked.running, person, right, **how)
    walked.closing.append(requester)
    if requester.secret:
        walked.values[f"{person.number} secret"] = requester.secret
    return requester


async def posted(walked: Walked, path: str, body: Any, secret: str = "") -> None:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    answer = await walked.running.http.post(walked.running.intake + path, json=body, headers=headers)
    assert answer.is_client_error or answer.status_code == ACCEPTED, answer.text or path
    walked.shown.append(answer.content)


async def commanded(walked: Walked, arguments: list[str], given: str) -> bytes:
    """One command, its arguments read where everybody can read them while it waits for its input."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.cli.main",
        *arguments,
        env={**os.environ, **environment(walked.running.installation)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    walked.shown += [(Path(f"/proc/{process.pid}") / name).read_bytes() for name in ("cmdline", "environ")]
    out, err = await process.communicate(given.encode())
    walked.shown += [out, err]
    return out
