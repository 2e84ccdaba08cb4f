"""Records that nobody should send: valid ones broken in one place or several, and noise."""

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from shared.events.envelope import Raw
from shared.events.topics import read_by

CANARY = "Quokkafrost.zq7@example.com"
HOSTILE_TEXTS = (
    CANARY,
    "",
    "\x00",
    f"\x00{CANARY}",
    f"{CANARY}\r\nce_id: x",
    "\ud7ff\ufffe",
    "9" * 400,
    "\uff11\uff12",
    "\u0663",
    "-1",
    "1e999",
    "0",
    "999999999",
    "2147483648",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-03-02T12:00:00+00:00",
    "urn:uuid:00000000-0000-4000-8000-000000000001",
    "00000000-0000-0000-0000-000000000000",
    "upstream/",
    f"upstream/{CANARY}",
    "habeas/intake",
    "habeas/cli",
    "1.0",
    "🦘" * 50,
)
_SAMPLES = Path(__file__).parents[1] / "contracts" / "samples"

texts = st.one_of(st.sampled_from(HOSTILE_TEXTS), st.text(max_size=40))
noise = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"null",
            b"[]",
            b"{}",
            b"\xff\xfe\x00",
            b"\xef\xbb\xbf{}",
            b"[" * 5_000,
            b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
            b'"\\ud800"',
            b'{"claims":"\\ud800"}',
            b'{"claims":"\\u0000"}',
            b'{"claims":1e999}',
            b'{"claims":' + b"9" * 5_000 + b"}",
            json.dumps({CANARY: CANARY}).encode(),
            json.dumps({"claims": CANARY}).encode(),
            json.dumps({"claims": {"email": CANARY}}).encode(),
            json.dumps({"claims": json.dumps({"email": CANARY})}).encode(),
            json.dumps({"claims": "eyJhbGciOiJFUzI1NiJ9.eyJlbWFpbCI6MX0." + CANARY}).encode(),
            b'{"claims":"a","claims":"' + CANARY.encode() + b'"}',
            CANARY.encode() * 100,
        ]
    ),
)
json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(min_value=-(2**70), max_value=2**70),
        st.floats(allow_nan=False),
        texts,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", CANARY]), inner, max_size=2)
    ),
    max_leaves=5,
)


@dataclass(frozen=True)
class Sample:
    """A record that reads well."""

    topic: str
    key: str
    headers: dict[str, str]
    body: dict[str, Any]

    def raw(self) -> Raw:
        headers = tuple((name, value.encode()) for name, value in self.headers.items())
        return Raw(self.topic, 0, 0, self.key.encode(), headers, json.dumps(self.body).encode())


@cache
def samples(service: str) -> list[Sample]:
    """One of every type that a service reads."""
    topics = {topic.name for topic in read_by(service)}
    read = [json.loads(path.read_bytes()) for path in sorted(_SAMPLES.glob("*.json"))]
    return [
        Sample(one["topic"], one["key"], one["headers"], one["value"])
        for one in read
        if one["topic"] in topics
    ]


@st.composite
def broken_bodies(draw: st.DrawFn, body: dict[str, Any]) -> bytes:
    """A body with fields replaced, left out or added."""
    changed = dict(body)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([*body, CANARY, "unknown"]))
        if draw(st.booleans()):
            changed[name] = draw(json_values)
        else:
            changed.pop(name, None)
    value = json.dumps(changed).encode()
    return value[: draw(st.integers(0, len(value)))] if draw(st.integers(0, 9)) == 0 else value


@st.composite
def broken_headers(draw: st.DrawFn, headers: dict[str, str]) -> tuple[tuple[str, bytes], ...]:
    """Headers replaced, left out, doubled, or added."""
    changed = [(name, value.encode()) for name, value in headers.items()]
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*headers, "traceparent", "ce_sequence", "ce_business", CANARY]))
        kept = [pair for pair in changed if pair[0] != name]
        value = draw(st.one_of(texts.map(str.encode), st.binary(max_size=30), st.none()))
        changed = draw(st.sampled_from([kept, [*kept, (name, value)], [*changed, (name, value)]]))
    return tuple(changed)


@st.composite
def hostile(draw: st.DrawFn, service: str) -> Raw:
    """One record on one of a service's topics."""
    sample = draw(st.sampled_from(samples(service)))
    raw = replace(sample.raw(), offset=draw(st.integers(0, 2**40)))
    if draw(st.booleans()):
        raw = replace(raw, headers=draw(broken_headers(sample.headers)))
    if draw(st.integers(0, 3)) == 0:
        raw = replace(raw, key=draw(st.one_of(st.none(), texts.map(str.encode), st.binary(max_size=40))))
    return replace(raw, value=draw(st.one_of(broken_bodies(sample.body), noise, st.just(raw.value))))


@st.composite
def strange_envelopes(draw: st.DrawFn, service: str) -> Raw:
    """A record whose body is as it should be, and whose key or headers name somebody."""
    sample = draw(st.sampled_from(samples(service)))
    name = draw(st.sampled_from([*sample.headers, "traceparent", "ce_business", "ce_signature", "x-name"]))
    value = draw(st.sampled_from(["{}", "upstream/{}", "habeas/{}", "00-{}-01", "\x00{}"])).format(CANARY)
    raw = sample.raw()
    kept = tuple(header for header in raw.headers if header[0] != name)
    doubled = draw(st.booleans())
    return replace(raw, headers=(*(raw.headers if doubled else kept), (name, value.encode())))
