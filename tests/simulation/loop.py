"""An event loop without a world: time stands still, and whenever nothing can go on by itself the scheduler is asked.

`asyncio.sleep`, `asyncio.timeout` and tasks are the real ones, so that production code runs as it is; threads and
sockets are not there.
"""

import asyncio
import hashlib
import random
import selectors
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, NoReturn
from unittest import mock
from uuid import UUID

import structlog

from shared.vault import WrappedKey
from shared.vault.data_key import UnsealError

Quiet = Callable[[float | None], None]
SILENT = structlog.make_filtering_bound_logger(50)


class _Nobody(selectors.BaseSelector):
    """A selector that hears of nothing: it is asked when every task waits, and passes the question on."""

    def __init__(self, quiet: Quiet) -> None:
        self._quiet = quiet

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, -1, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, -1, 0, None)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self._quiet(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}

    def get_key(self, fileobj: Any) -> NoReturn:
        raise KeyError(fileobj)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`quiet` is called with the seconds until the next timer, or None; `seconds` is what time it is."""

    def __init__(self, quiet: Quiet) -> None:
        self.seconds = 0.0
        super().__init__(_Nobody(quiet))

    def time(self) -> float:
        return self.seconds


class PlainKey:
    """Binds to its associated data like a real key, hides nothing, and costs nothing."""

    def __init__(self, serialised: bytes) -> None:
        self._serialised = serialised

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        return self._seal(associated_data) + plaintext

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        if ciphertext[:16] != self._seal(associated_data):
            raise UnsealError("sealed under another key, or for something else")
        return ciphertext[16:]

    def _seal(self, associated_data: bytes) -> bytes:
        return hashlib.sha256(self._serialised + associated_data).digest()[:16]


class PlainKek:
    """A KeyEncryptionKey that only names its context."""

    version = "1"

    async def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        return WrappedKey(context + key, self.version)

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        return wrapped.blob.removeprefix(context)


def _no_thread(*_: Any) -> NoReturn:
    raise AssertionError("a thread outside of the ports would make a seed unrepeatable")


def _new_key(chance: random.Random) -> tuple[PlainKey, bytes]:
    serialised = chance.randbytes(16)
    return PlainKey(serialised), serialised


@contextmanager
def determined(seed: str) -> Iterator[random.Random]:
    """Every id, secret and jitter follows from the seed, and nothing is logged."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    configuration = structlog.get_config()
    numbers = _numbers(chance)
    with (
        mock.patch("shared.ids.uuid7", numbers.__next__),
        mock.patch("shared.machine.run.secrets", SimpleNamespace(token_bytes=chance.randbytes)),
        mock.patch("shared.vault.vault.new_data_key", partial(_new_key, chance)),
        mock.patch("shared.vault.vault.load_data_key", PlainKey),
        mock.patch("asyncio.base_events.BaseEventLoop.run_in_executor", _no_thread),
        mock.patch("shared.database.random", chance),
        mock.patch("shared.messaging.random", chance),
    ):
        structlog.configure(wrapper_class=SILENT)
        try:
            yield chance
        finally:
            structlog.configure(**configuration)


def _numbers(chance: random.Random) -> Iterator[UUID]:
    """Ids as of version 7: later ones sort after earlier ones."""
    count = 0
    while True:
        count += 1
        yield UUID(int=(count << 80) | (7 << 76) | (2 << 62) | chance.getrandbits(62))
