"""What `habeas systems plan --statements` tells of stores without SQL: their own words, and nobody's values."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from services.fulfillment.adapters.delta.telling import statements_of as of_delta
from services.fulfillment.adapters.mongodb.telling import statements_of as of_mongodb
from services.fulfillment.adapters.objects.telling import statements_of as of_objects
from services.fulfillment.adapters.redis.telling import statements_of as of_redis
from services.fulfillment.adapters.search.telling import statements_of as of_search
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Secret, System
from shared.policy.reading import read_yaml
from tests.support.nested_worlds import MAP, RECORDS, InPlace
from tests.support.shop_in_mongodb import InMongoDB

SHOP = MAP.with_name("shop.yaml")
BOUND = '"if_seq_no": ":as_read", "if_primary_term": ":as_read"'


def system(kind: str, settings: Mapping[str, str] | None = None, *, file: Path = MAP) -> System:
    datamap = read_dataset(read_yaml(file.read_bytes()), file=file.name, nested=True)
    return System(
        system="town",
        kind=kind,
        url=Secret(env="TOWN_URL"),
        business="town",
        dataset=file,
        settings=settings or {},
        datamap=datamap,
    )


def told(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.startswith("  ")]


async def test_the_filters_that_are_told_of_a_mongodb_find_the_person(mongodb: str, tmp_path: Path) -> None:
    place = InMongoDB(mongodb)
    world = await InPlace(tmp_path, place).open()
    found: dict[str, set[int]] = {}
    for line in told(of_mongodb(system("mongodb"), {"email", "phone"})):
        if asked := re.fullmatch(r"db\.(\w+)\.find\((.*)\)", line):
            said = (
                asked[2].replace(":email", "ada\\\\.canary@example\\\\.com").replace(":phone", "5305550142")
            )
            rows = place.database[asked[1]].find(
                json.loads(said.replace("5305550142", r"530\\D*555\\D*0142"))
            )
            found.setdefault(asked[1], set()).update([row["id"] async for row in rows])
    await world.close()

    assert {name: ids for name, ids in found.items() if ids} == {"people": {1, 2}, "alerts": {50, 51}}


def test_what_is_put_into_a_mongodb_is_told_and_bound_to_what_was_read() -> None:
    said = told(of_mongodb(system("mongodb"), {"email"}))

    assert 'db.alerts.deleteOne({"_id": ":_id"})' in said
    letters = 'db.letters.updateOne({"_id": ":_id", "data": ":as_read"}, {"$set": {"data": ":data"}})'
    moved = 'db.households.updateOne({"_id": ":_id", "data": ":as_read"}, {"$set": {"data": ":data"}})'
    assert f"{moved}, with data.street = :data.street" in said
    assert f'{letters}, with data.readers = null, data.body = "removed", data.signed.name = null' in said


def test_an_index_is_told_of_by_its_queries_and_orders() -> None:
    shop = system("search", {"index.customers": "people-*"}, file=SHOP)

    said = told(of_search(shop, {"email", "phone"}))

    lower = '{"email": {"value": ":email", "case_insensitive": true}}'
    assert f'POST /people-*/_search {{"query": {{"term": {lower}}}}}' in said
    digits = '{"phone": {"value": "[^0-9]*(:phone)[^0-9]*", "flags": "NONE"}}'
    assert f'POST /people-*/_search {{"query": {{"regexp": {digits}}}}}' in said
    assert f'POST /_bulk {{"delete": {{"_index": "orders", "_id": ":_id", {BOUND}}}}}' in said
    assert any(":sha256_of_email" in line for line in said)


def test_a_redis_is_told_of_by_its_keys_and_commands() -> None:
    keys = {f"keys.{name}": f"{name}:{{id}}" for name in RECORDS if name != "alerts"}
    said = told(of_redis(system("redis", {**keys, "members.alerts": "alert:{id}"}), {"email"}))

    assert "TYPE households:{value}; HGETALL|GET|SMEMBERS|ZRANGE|LRANGE households:{value}" in said
    assert any(
        line.startswith("SCAN 0 MATCH people:*;") and line.endswith("profile.email is :email (lower)")
        for line in said
    )
    assert "WATCH people:{id}; MULTI; UNLINK people:{id}; EXEC" in said
    assert "WATCH alert:{id}; MULTI; SREM|ZREM|HDEL|LREM alert:{id} :member; EXEC" in said


def test_files_are_told_of_by_their_names_and_the_condition_on_their_rows() -> None:
    said = told(of_objects(system("objects", {"files.tickets": "in/*.jsonl"}), {"email"}))

    assert "read people.*, people/* where lower(profile.email) = :email" in said
    assert "read in/*.jsonl where data.owner.id in (:data.owner.id, ...)" in said
    assert "write people.*, people/* without the rows where id in (:id, ...)" in said
    assert (
        "write households.*, households/* with data.street = :data.street in the rows where id in (:id, ...)"
        in said
    )


def test_a_delta_table_is_told_of_by_its_folder_and_the_commits_to_it() -> None:
    said = told(of_delta(system("delta", {"table.customers": "crm/people"}, file=SHOP), {"email"}))

    assert (
        "read crm/people where lower(trim(email)) = :email and created_at is no later than :cut_off" in said
    )
    assert "delete from crm/people where id in (:id, ...) and created_at is :as_read" in said
    renamed = (
        "merge into crm/people where id in (:id, ...) and created_at is :as_read set full_name = :full_name"
    )
    assert renamed in said
    assert any(line.startswith("delete from order_lines where (line_no, order_id) in") for line in said)


@pytest.mark.parametrize("of", [of_mongodb, of_search, of_objects])
def test_a_name_with_digits_is_told_as_it_is(of: type) -> None:
    written = MAP.read_text().replace("people", "people_2027")
    datamap = read_dataset(read_yaml(written.encode()), file="town.yaml", nested=True)

    text = str(of(system("x").model_copy(update={"datamap": datamap}), {"phone"}))

    assert "people_2027" in text
    assert ":phone" in text


def test_the_command_tells_them_by_an_identity_that_it_never_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", "deploy/systems")

    answer = CliRunner().invoke(
        app,
        ["systems", "plan", "cascadia-leads", "--identity", "-", "--statements"],
        input="ada.canary@example.com\n",
    )

    assert answer.exit_code == 0, answer.output
    assert re.search(r"read \S+.* where lower\(\S+\) = :email", answer.output)
    assert "canary" not in answer.output
