"""What only Redis has: keys called by columns, members beside other people's, and keys that end by themselves."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.fulfillment.adapters.redis import open_adapter
from services.fulfillment.adapters.redis.opening import keys_of
from services.fulfillment.adapters.redis.patterns import Pattern
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter, Done, Export, Frozen, Gone, NeedsPerson, Subject
from shared.policy.reading import read_yaml
from tests.support.shop import CUT_OFF, EMAIL, sha256
from tests.support.shop_in_redis import InRedis

KEY = "0123456789abcdef"
SETTINGS = {
    "keys.profiles": "profile:{id}",
    "keys.devices": "profile:{id}:devices",
    "keys.sessions": "session:{token}",
    "members.mailing": "mailing:{list}",
    "members.hashed": "hashed:{list}",
}
MAP = """
dataset:
  - fides_key: cache
    name: Cache
    collections:
      - name: profiles
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: city, data_categories: [user.contact.address.city]}
      - name: devices
        fields:
          - name: id
            fides_meta: {primary_key: true, references: [{dataset: cache, field: profiles.id, direction: from}]}
          - {name: members, data_categories: [user.device]}
      - name: sessions
        fields:
          - {name: token, fides_meta: {primary_key: true}}
          - name: user
            fields:
              - name: id
                fides_meta:
                  references: [{dataset: cache, field: profiles.id, direction: from}]
                  habeas: {deidentify: set_null}
              - {name: name, data_categories: [user.name], fides_meta: {habeas: {deidentify: set_null}}}
          - {name: basket}
      - name: mailing
        fides_meta: {habeas: {created_at: {field: score, format: epoch_seconds}}}
        fields:
          - {name: list, fides_meta: {primary_key: true}}
          - name: member
            data_categories: [user.contact.email]
            fides_meta: {primary_key: true, identity: email}
          - {name: score}
      - name: hashed
        fields:
          - {name: list, fides_meta: {primary_key: true}}
          - name: member
            data_categories: [user.contact.email]
            fides_meta: {primary_key: true, identity: email, habeas: {match: sha256}}
"""


@pytest.fixture
async def cache(redis: int) -> AsyncIterator[InRedis]:
    """A server with Ada in a hash, a set, a session that ends by itself, and lists of many people."""
    place = InRedis(redis)
    await place.open()
    ada: dict[Any, Any] = {"email": EMAIL, "city": "Davis"}
    await place.client.hset("profile:1", mapping=ada)
    await place.client.hset("profile:2", mapping={"email": "bob@example.com"})
    await place.client.sadd("profile:1:devices", "phone-1", "tablet-1")
    session = {"user": {"id": 1, "name": "Ada"}, "basket": ["lamp"]}
    await place.client.set("session:aa", json.dumps(session), ex=1000)
    before, after = CUT_OFF.timestamp() - 60, CUT_OFF.timestamp() + 60
    members = {"bob@example.com": before, EMAIL.upper(): before}
    await place.client.zadd("mailing:weekly", members)
    await place.client.zadd("mailing:daily", {EMAIL: after})
    await place.client.lpush("hashed:partner", sha256(EMAIL), sha256("bob@example.com"), sha256(EMAIL))
    yield place
    await place.close()


def system(cache: InRedis | None, home: Path, **more: Any) -> System:
    address = home / "address"
    address.write_text(cache.address if cache else "")
    stated: dict[str, Any] = {
        "system": "cache", "kind": "redis", "business": "shop", "url": Secret(file=address), "settings": SETTINGS,
        "dataset": Path("cache.yaml"), "limits": Limits(connect_seconds=0.3, statement_seconds=2),
        "datamap": read_dataset(read_yaml(MAP.encode()), file="cache.yaml", nested=True),
    }  # fmt: skip
    return System(**{**stated, **more})


@pytest.fixture
async def adapter(cache: InRedis, tmp_path: Path) -> AsyncIterator[Adapter]:
    opened = open_adapter(system(cache, tmp_path))
    yield opened
    await opened.close()


async def found(adapter: Adapter) -> Frozen:
    frozen = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    return frozen


async def test_it_finds_keys_by_what_they_hold_and_members_by_what_they_are(adapter: Adapter) -> None:
    frozen = await found(adapter)

    assert frozen.rows == {
        "profiles": (("1",),),
        "devices": (("1",),),
        "sessions": (("aa",),),
        "mailing": (("weekly", EMAIL.upper()),),
        "hashed": (("partner", sha256(EMAIL)),),
    }


async def test_a_deletion_leaves_other_peoples_members_and_newer_ones(
    adapter: Adapter, cache: InRedis
) -> None:
    frozen = await found(adapter)

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Done), outcome
    assert await cache.client.zrange("mailing:weekly", 0, -1) == ["bob@example.com"]
    assert await cache.client.zrange("mailing:daily", 0, -1) == [EMAIL]
    assert await cache.client.lrange("hashed:partner", 0, -1) == [sha256("bob@example.com")]
    assert sorted(map(str, await cache.client.keys("profile*"))) == ["profile:2"]
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)


async def test_a_key_that_is_changed_still_ends_when_it_would_have(adapter: Adapter, cache: InRedis) -> None:
    await adapter.act("delete", await found(adapter), cut_off=CUT_OFF, idempotency_key=KEY)

    session = json.loads(str(await cache.client.get("session:aa")))
    assert session == {"user": {"id": None, "name": None}, "basket": ["lamp"]}
    assert 900 < await cache.client.ttl("session:aa") <= 1000


async def test_a_member_that_was_added_again_meanwhile_is_not_erased(
    adapter: Adapter, cache: InRedis
) -> None:
    frozen = await found(adapter)
    await cache.client.zadd("mailing:weekly", {EMAIL.upper(): CUT_OFF.timestamp() + 60})

    await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert EMAIL.upper() in await cache.client.zrange("mailing:weekly", 0, -1)


async def test_an_export_shows_the_values_of_a_set(adapter: Adapter) -> None:
    export = await adapter.export(await found(adapter), cut_off=CUT_OFF)

    assert isinstance(export, Export)
    devices = next(each for each in export.datasets if each.dataset == "devices")
    assert devices.rows == ({"id": "1", "members": ["phone-1", "tablet-1"]},)


async def test_a_wrong_password_is_a_matter_of_credentials(cache: InRedis, tmp_path: Path) -> None:
    opened = open_adapter(system(cache, tmp_path))
    (tmp_path / "address").write_text(cache.address.replace("made-up", "another"))

    answer, report = await opened.find(Subject({"email": EMAIL}), cut_off=CUT_OFF), await opened.check()

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "credentials"
    assert (report.reachable, report.credentials) == (True, False)
    await opened.close()


async def test_a_field_that_looks_personal_and_is_not_in_the_map_is_an_alarm(
    adapter: Adapter, cache: InRedis
) -> None:
    await cache.client.hset("profile:2", "birthday", "1980-01-01")

    report = await adapter.check()

    assert [(drift.table, drift.column) for drift in report.drift] == [("profiles", "birthday")]


def test_a_pattern_reads_a_key_and_tames_what_the_server_would_take_for_a_wildcard() -> None:
    pattern = Pattern("a*b:{id}:{line}")

    assert pattern.read("a*b:1:2") == {"id": "1", "line": "2"}
    assert pattern.read("a*b:1:2:3") is None
    assert pattern.key({"id": "1", "line": "2"}) == "a*b:1:2"
    assert pattern.glob({"line": "[2]"}) == r"a\*b:*:\[2\]"


def test_a_map_that_does_not_fit_its_keys_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    settings = {**SETTINGS, "keys.profiles": "profile:{name}", "keys.nothing": "x:{id}"}
    del settings["members.hashed"]

    with pytest.raises(MapError) as refused:
        open_adapter(system(None, tmp_path, settings=settings))

    text = str(refused.value)
    assert "settings.keys.nothing: unknown" in text
    assert "collections.profiles: its primary_key must be name" in text
    assert "name either keys.hashed or members.hashed" in text


def test_the_plan_says_which_keys_are_looked_through(tmp_path: Path) -> None:
    assert "  mailing: each member of mailing:{list}\n" in keys_of(system(None, tmp_path))


def test_without_its_client_the_kind_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "services.fulfillment.adapters.redis.store", raising=False)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)

    with pytest.raises(MapError, match=r"pip install 'habeas\[redis\]'"):
        open_adapter(system(None, tmp_path))
