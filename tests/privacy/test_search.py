"""The search finds a value in every form in which a copy of it could lie somewhere, wherever it stands."""

import gzip
import hashlib
import io
import json
import tarfile
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote_plus
from zipfile import ZIP_DEFLATED, ZipFile

import cramjam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from pyarrow import ipc

from tests.support.canaries import ALGORITHMS, Canaries
from tests.support.contents import TooMuchPacked, everything_in, packed_in

NAME = "Zoë Quokka/Frost?"
PHONE = "+15307318200"
SEARCH = Canaries({"name": NAME, "phone": PHONE})


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", '{"name":"'])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_base64_is_found_wherever_in_a_text_the_value_began(
    before: str, encode: Callable[[bytes], bytes]
) -> None:
    for value in (NAME, NAME.lower(), NAME.upper(), PHONE):
        assert SEARCH.found_in(encode(f"{before}{value}, and more".encode()))


@pytest.mark.parametrize(
    "text",
    [
        NAME,
        NAME.upper(),
        json.dumps({"a": NAME}),
        quote_plus(NAME),
        NAME.encode().hex(),
        NAME.encode().hex().upper(),
        "tel:+1-530-731-8200",
        "(530) 731-8200",
        "530.731.8200",
    ],
)
def test_a_value_is_found_as_it_is_written(text: str) -> None:
    assert SEARCH.found_in(f"before {text} behind".encode())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("value", [NAME, NAME.lower(), PHONE, PHONE.removeprefix("+1")])
def test_a_hash_without_a_key_is_found_in_each_form(algorithm: str, value: str) -> None:
    digest = hashlib.new(algorithm, value.encode(), usedforsecurity=False).digest()

    for written in (digest, digest.hex().encode(), digest.hex().upper().encode(), b64encode(digest)):
        assert SEARCH.found_in(b"<" + written + b">")
        assert not SEARCH.found_in(b"<" + written + b">", hashes=False)


def test_nothing_is_found_where_nothing_is() -> None:
    assert SEARCH.found_in(b"a request of somebody else, +1 530 731 8201, zoe@example.com") == []


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("answer.json", content)
    return file.getvalue()


def tarred(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("log.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def in_parquet(content: bytes) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"note": [content.decode(), "x" * 99]}), file, compression="zstd")
    return file.getvalue()


def in_arrow(content: bytes) -> bytes:
    table, file = pa.table({"note": [content.decode()] * 99}), io.BytesIO()
    with ipc.new_file(file, table.schema, options=ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return file.getvalue()


def in_an_arrow_stream(content: bytes) -> bytes:
    table, file = pa.table({"note": [content] * 99}), io.BytesIO()
    with ipc.new_stream(file, table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return file.getvalue()


def in_a_log(codec: int) -> Callable[[bytes], bytes]:
    """A broker's segment: a plain batch, then a compressed one."""

    def batch(kind: int, content: bytes) -> bytes:
        builder = DefaultRecordBatchBuilder(
            magic=2, compression_type=kind, is_transactional=0, producer_id=-1, producer_epoch=-1,
            base_sequence=-1, batch_size=1_000_000,
        )  # fmt: skip
        builder.append(0, timestamp=0, key=None, value=content * 9, headers=[])
        return bytes(builder.build())

    return lambda content: batch(0, b"nobody") + batch(codec, content)


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda content: gzip.compress(tarred(content)),
    "gzip": gzip.compress,
    "lz4": lambda content: bytes(cramjam.lz4.compress(content * 9)),
    "zstd": lambda content: bytes(cramjam.zstd.compress(content * 9)),
    "Parquet": in_parquet,
    "Parquet in a zip": lambda content: zipped(in_parquet(content)),
    "zip in a column of Arrow": lambda content: in_an_arrow_stream(zipped(content)),
    "Arrow": in_arrow,
    "a broker's log, gzip": in_a_log(1),
    "a broker's log, snappy": in_a_log(2),
    "a broker's log, lz4": in_a_log(3),
    "a broker's log, zstd": in_a_log(4),
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_value_is_found_where_it_is_packed(kind: str) -> None:
    packed = PACKED[kind](f"one line about {NAME} of {PHONE}".encode() * 9)

    # Without the bytes themselves: what is packed lightly leaves some of its words readable in them.
    found = {what.partition(" ")[0] for part in packed_in(packed) for what in SEARCH.found_in(part)}

    assert found == {"name", "phone"}


@pytest.mark.parametrize("kind", PACKED)
def test_what_only_begins_like_an_archive_is_searched_as_it_is(kind: str) -> None:
    cut = PACKED[kind](b"of nobody " * 9)[:90]

    assert next(iter(everything_in(cut))) == cut


def test_a_search_that_would_leave_something_out_fails() -> None:
    with pytest.raises(TooMuchPacked):
        packed_in(zipped(bytes(1001)), most=1000)
    nested = b"a"
    for _ in range(7):
        nested = zipped(nested)
    with pytest.raises(TooMuchPacked):
        list(everything_in(nested))
