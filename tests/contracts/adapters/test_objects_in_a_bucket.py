"""What only an object store can do to the objects adapter: keep every version, lock objects, be changed by others."""

from pathlib import Path

import pytest

from services.fulfillment.adapters.objects.bucket import Bucket
from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.buckets import Account
from services.fulfillment.ports import Adapter, Gone, NeedsPerson, Retry, StillPresent, Subject
from tests.support.lists import ADA, BOB, CUT_OFF, EMAIL, act, adapter_of, csv, delete, found, lists
from tests.support.object_store import ObjectStore

REUSED = "L1,zoe@example.com,Zoe New,false,2026-02-01"


class Lists:
    """A bucket with lists below a prefix."""

    def __init__(self, store: ObjectStore, home: Path, bucket: str) -> None:
        self.client, self.bucket, self._home, self._store = store.client, bucket, home, store

    def adapter(self) -> Adapter:
        settings = {"endpoint": self._store.endpoint, "region": "us-east-1"}
        keys = {"access_key": "made-up", "secret_key": "made-up"}
        return adapter_of(lists(self._home, f"s3://{self.bucket}/lists", settings, keys))

    def put(self, *records: str, name: str = "list.csv", **more: str) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"lists/{name}", Body=csv(*records), **more)  # type: ignore[arg-type]

    def versions(self, name: str = "list.csv") -> list[bytes]:
        """Every version that can still be read, the newest first."""
        listed = self.client.list_object_versions(Bucket=self.bucket, Prefix=f"lists/{name}")
        return [
            self.client.get_object(Bucket=self.bucket, Key=each["Key"], VersionId=each["VersionId"])[
                "Body"
            ].read()
            for each in listed.get("Versions", [])
        ]


@pytest.fixture
def versioned(s3: ObjectStore, tmp_path: Path) -> Lists:
    return Lists(s3, tmp_path, s3.new_bucket(versions=True))


@pytest.fixture
def plain(s3: ObjectStore, tmp_path: Path) -> Lists:
    return Lists(s3, tmp_path, s3.new_bucket())


async def test_no_version_keeps_the_person_and_one_that_never_held_them_stays(versioned: Lists) -> None:
    versioned.put(BOB)
    versioned.put(ADA, BOB)
    versioned.put(ADA)

    assert await delete(versioned.adapter()) == 1

    assert versioned.versions() == [csv(), csv(BOB)]


async def test_an_object_that_was_deleted_is_searched_too(versioned: Lists) -> None:
    versioned.put(BOB)
    versioned.put(ADA, name="gone.csv")
    versioned.client.delete_object(Bucket=versioned.bucket, Key="lists/gone.csv")

    assert await delete(versioned.adapter()) == 1

    assert versioned.versions("gone.csv") == []


async def test_somebody_new_under_the_person_s_old_key_is_not_touched(versioned: Lists) -> None:
    versioned.put(ADA, BOB)
    versioned.put(REUSED, BOB)

    assert await delete(versioned.adapter()) == 1

    assert versioned.versions() == [csv(REUSED, BOB)]


async def test_what_an_attempt_that_died_has_left_is_finished_by_the_next(versioned: Lists) -> None:
    versioned.put(ADA, BOB)
    adapter = versioned.adapter()
    frozen = await found(adapter)
    versioned.put(BOB)  # written anew, and then it died: the version before is still there

    left = await adapter.prove("delete", frozen, cut_off=CUT_OFF)
    await act(adapter, frozen)

    assert left == StillPresent(1)
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    assert versioned.versions() == [csv(BOB)]


async def test_a_bucket_without_versions_needs_none(plain: Lists) -> None:
    plain.put(ADA, BOB)

    assert await delete(plain.adapter()) == 1

    assert plain.versions() == [csv(BOB)]


async def test_an_object_keeps_what_it_carries(plain: Lists) -> None:
    plain.put(ADA, BOB, ContentType="text/csv", Tagging="keep=90-days&class=lists")

    await delete(plain.adapter())

    where = {"Bucket": plain.bucket, "Key": "lists/list.csv"}
    assert plain.client.head_object(Bucket=where["Bucket"], Key=where["Key"])["ContentType"] == "text/csv"
    tags = plain.client.get_object_tagging(Bucket=where["Bucket"], Key=where["Key"])["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"keep": "90-days", "class": "lists"}


async def test_an_object_that_others_changed_meanwhile_is_not_replaced(plain: Lists, s3: ObjectStore) -> None:
    plain.put(ADA)
    bucket = Bucket(Account(plain.bucket, "lists/", s3.endpoint, "us-east-1", "made-up", "made-up"))
    (stored,) = bucket.states()

    with bucket.changing() as changes:
        with changes.stage(stored) as out:
            out.write(csv())
        plain.put(ADA, BOB)
        with pytest.raises(Failure) as failed:
            changes.commit()

    assert failed.value.meaning == "moved"
    assert plain.versions() == [csv(ADA, BOB)]


async def test_a_bucket_that_is_not_there_or_not_reached_is_tried_later(
    s3: ObjectStore, tmp_path: Path
) -> None:
    ada = Subject({"email": EMAIL})
    keys = {"access_key": "made-up", "secret_key": "made-up"}
    for endpoint in (s3.endpoint, "http://127.0.0.1:1"):
        adapter = adapter_of(lists(tmp_path, "s3://no-such-bucket/lists", {"endpoint": endpoint}, keys))
        assert isinstance(await adapter.find(ada, cut_off=CUT_OFF), Retry)


async def test_a_prefix_without_objects_is_for_a_person(plain: Lists) -> None:
    answer = await plain.adapter().find(Subject({"email": EMAIL}), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "schema"
