"""Every kind of place for anchors: what was put is read back, what somebody did to it is named."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from deploy.chains.anchors import AnchorRefused, Signed, new_anchor, read_anchors, signed
from deploy.chains.placed import Expected, check_anchors
from deploy.chains.places import Bucket, Folder, Place
from deploy.chains.register import Registered
from deploy.chains.scratch import Scratch
from deploy.chains.stamps import Authority, NotStamped, stamped_at
from shared.audit import AuditHead
from shared.signing import KeyRing
from tests.support.object_store import ObjectStore, object_store
from tests.support.timestamping import TimeStamping, timestamping

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
ONE = UUID(int=1)
RING = KeyRing.generate()


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStamping]:
    with timestamping(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Folder(tmp_path / "anchors")
    store: ObjectStore = request.getfixturevalue("store")
    return Bucket(store.new_bucket(locks=True), "evidence/", 1_096, store.client)


def made(count: int, ring: KeyRing = RING, stamp: bytes | None = None) -> list[Signed]:
    """Anchors in a row, a day apart."""
    found: list[Signed] = []
    for number in range(1, count + 1):
        previous = found[-1].anchor.sha256 if found else None
        heads = [("intake", ONE, AuditHead(number, f"{number:064x}"))]
        found.append(signed(new_anchor(NOON + timedelta(days=number), previous, number, heads), ring, stamp))
    return found


def faults(place: Place, anchors: list[Signed], roots: bytes | None = None) -> list[str]:
    known = [
        Registered(one.anchor.number, one.anchor.name, one.anchor.sha256, one.anchor.at) for one in anchors
    ]
    scratch = Scratch()
    try:
        _, found = check_anchors([place], Expected(RING.public(), known, NOON, roots=roots), scratch)
    finally:
        scratch.close()
    return [one.what for one in found]


def test_what_was_put_is_read_back_in_order(place: Place) -> None:
    anchors = made(3)
    for one in anchors:
        one.put(place)

    found = list(read_anchors(place, RING.public()))

    assert [one.anchor for one in found] == [one.anchor for one in anchors]
    assert list(found[1].anchor.heads()) == [("intake", ONE, AuditHead(2, f"{2:064x}"))]
    assert faults(place, anchors) == []


def test_an_anchor_that_never_came_is_named(place: Place) -> None:
    *kept, lost = made(3)
    for one in kept:
        one.put(place)

    [fault] = faults(place, [*kept, lost])

    assert fault.startswith(f"{lost.anchor.name} was made and is not in")


def test_what_lies_there_stays_what_it_was(place: Place) -> None:
    first, other = made(1)[0], made(1, KeyRing.generate())[0]
    first.put(place)

    other.put(place)

    [found] = read_anchors(place, RING.public())
    assert found.signature == first.signature


def test_a_locked_object_outlives_whoever_removes_it_and_the_trial_is_named(store: ObjectStore) -> None:
    bucket = Bucket(store.new_bucket(locks=True), "evidence/", 1_096, store.client)
    anchors = made(2)
    for one in anchors:
        one.put(bucket)
    newest = anchors[-1].anchor.name

    store.client.delete_object(Bucket=bucket.bucket, Key=f"evidence/{newest}")
    store.client.put_object(Bucket=bucket.bucket, Key=f"evidence/{anchors[0].anchor.name}", Body=b"another")

    assert [one.anchor for one in read_anchors(bucket, RING.public())] == [one.anchor for one in anchors]
    assert faults(bucket, anchors) == [
        f"{newest} in {bucket} was marked as deleted by somebody",
        f"{anchors[0].anchor.name} in {bucket} was written over by somebody",
    ]
    kept = store.client.head_object(
        Bucket=bucket.bucket, Key=f"evidence/{newest.replace('.jsonl.gz', '.jws')}"
    )
    assert kept["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] == anchors[-1].anchor.at + timedelta(days=1_096)


def test_an_anchor_by_a_key_that_is_not_known_any_more_names_the_key(place: Place) -> None:
    gone = KeyRing.generate()
    made(1, gone)[0].put(place)

    with pytest.raises(AnchorRefused, match=gone.primary.kid):
        list(read_anchors(place, RING.public()))


def test_a_time_stamp_says_when_an_anchor_existed_and_nothing_of_another(authority: TimeStamping) -> None:
    content, roots = made(1)[0].anchor.content, authority.root.read_bytes()

    answer = Authority(authority.url).stamp(content)

    assert abs(
        stamped_at(answer, content, roots) - datetime.fromtimestamp(authority_time(authority), UTC)
    ) < timedelta(minutes=5)
    with pytest.raises(NotStamped, match="proves nothing"):
        stamped_at(answer, content + b" ", roots)


def test_a_stamp_that_proves_nothing_is_a_finding(
    authority: TimeStamping, tmp_path_factory: pytest.TempPathFactory
) -> None:
    roots, folder = authority.root.read_bytes(), tmp_path_factory.mktemp("anchors")
    stamp = Authority(authority.url).stamp(made(1)[0].anchor.content)
    good, bad = made(2, stamp=stamp)
    for one in (good, bad):
        one.put(Folder(folder))

    [fault] = faults(Folder(folder), [good, bad], roots)

    assert fault.startswith(f"{bad.anchor.name}: its time stamp proves nothing")


def test_an_authority_that_is_away_is_one_sentence() -> None:
    with pytest.raises(NotStamped, match="gave no time stamp"):
        Authority("http://127.0.0.1:9/").stamp(b"anything")


def authority_time(authority: TimeStamping) -> float:
    return (authority.root.parent / "reply.tsr").stat().st_mtime
