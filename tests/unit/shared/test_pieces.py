"""A content that was sealed in pieces opens as it was, and not at all where a piece is missing, moved or cut off."""

import os
from functools import partial

import pytest

from shared.vault.errors import CannotUnseal
from shared.vault.pieces import PIECE, Sealing, opening
from shared.vault.vault import Vault
from tests.support.domain_driver import REQUEST
from tests.support.memory_vault import memory_vault

LONG = os.urandom(3 * PIECE + 17)


@pytest.fixture
async def vault() -> Vault:
    vault = memory_vault()
    await vault.create([REQUEST])
    return vault


def sealed(vault: Vault, *portions: bytes) -> list[bytes]:
    sealing = Sealing("package", partial(vault.seal, REQUEST, REQUEST))
    lines = b"".join(sealing.add(portion) for portion in portions) + sealing.end()
    return lines.splitlines(keepends=True)


def opened(vault: Vault, lines: list[bytes]) -> bytes:
    return b"".join(opening(lines, "package", partial(vault.open, REQUEST, REQUEST)))


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, len(LONG)])
async def test_a_content_of_any_length_opens_as_it_was(vault: Vault, size: int) -> None:
    content = LONG[:size]

    assert opened(vault, sealed(vault, content)) == content
    assert opened(vault, sealed(vault, content[:7], content[7:])) == content


async def test_a_short_content_is_one_seal_as_it_always_was(vault: Vault) -> None:
    [line] = sealed(vault, b"short")

    assert vault.open(REQUEST, REQUEST, "package", line.decode().strip()) == b"short"
    assert opened(vault, [vault.seal(REQUEST, REQUEST, "package", b"older").encode()]) == b"older"


@pytest.mark.parametrize(
    "tampered",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[1:],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: lines[:0],
        lambda lines: [lines[0][:-9], *lines[1:]],
    ],
    ids=["cut off", "beheaded", "swapped", "repeated", "one missing", "empty", "damaged"],
)
async def test_what_was_tampered_with_does_not_open(vault: Vault, tampered: object) -> None:
    lines = sealed(vault, LONG)
    assert len(lines) == 4

    with pytest.raises(CannotUnseal):
        opened(vault, tampered(lines))  # type: ignore[operator]
