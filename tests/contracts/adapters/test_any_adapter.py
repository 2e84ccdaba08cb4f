"""What every adapter must do, whatever it reaches."""

import logging
from dataclasses import replace

import pytest

from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    CheckReport,
    DatasetCount,
    Done,
    Export,
    Frozen,
    Gone,
    NeedsPerson,
    Nothing,
    Retained,
    Retry,
    StillPresent,
    Subject,
    Unknown,
)
from services.fulfillment.rowwise import orphans
from shared.privacy.claims import Correction
from tests.support.shop import (
    BEFORE,
    CANARIES,
    CARD,
    CUT_OFF,
    EMAIL,
    ERASED,
    FOUND,
    ORDER_1,
    SHARED,
    Shop,
    sha256,
    subject,
)

KEY = "0123456789abcdef"


async def found(shop: Shop) -> Frozen:
    frozen = await shop.adapter().find(subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return frozen


async def delete(shop: Shop, frozen: Frozen) -> Done:
    outcome = await shop.adapter().act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    assert isinstance(outcome, Done), outcome
    return outcome


async def test_it_finds_across_hops_by_every_seed_and_nobody_elses_rows(shop: Shop) -> None:
    frozen = await found(shop)

    assert {table: set(keys) for table, keys in frozen.rows.items()} == shop.expected(FOUND)
    assert {table: set(keys) for table, keys in frozen.shared.items()} == shop.expected(SHARED)


async def test_what_was_found_survives_storage_with_the_same_digest(shop: Shop) -> None:
    frozen = await found(shop)

    stored = Frozen.from_json(frozen.to_json())

    assert stored.digest() == frozen.digest()
    assert isinstance(await shop.adapter().prove("delete", stored, cut_off=CUT_OFF), StillPresent)


async def test_it_finds_nothing_on_a_stranger_and_says_so(shop: Shop) -> None:
    stranger = Subject({"email": "nobody@example.net", "phone": "not a number"})
    frozen = await shop.adapter().find(stranger, cut_off=CUT_OFF)

    assert isinstance(frozen, Frozen)
    assert frozen.is_empty
    assert isinstance(
        await shop.adapter().act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY), Nothing
    )


async def test_it_never_finds_what_came_after_the_cut_off(shop: Shop) -> None:
    await shop.re_register()

    frozen = await found(shop)

    assert {table: set(keys) for table, keys in frozen.rows.items()} == shop.expected(FOUND)


async def test_a_deletion_erases_deidentifies_and_retains_as_the_map_says(shop: Shop) -> None:
    receipt = (await delete(shop, await found(shop))).receipt

    counts = {count.dataset: count for count in receipt.datasets}
    assert {name: counts[name].erased for name in ERASED} == {name: len(FOUND[name]) for name in ERASED}
    assert counts["tickets"] == DatasetCount("tickets", deidentified=2)
    assert counts["invoices"] == DatasetCount("invoices", retained=(Retained("legal_obligation", 1),))
    shared = (Retained(RIGHTS_OF_OTHERS, 1),)
    assert counts["households"] == DatasetCount("households", erased=1, retained=shared)
    assert receipt.is_intact()
    assert not replace(receipt, system="another").is_intact()


async def test_rows_of_others_and_retained_rows_stay_as_they_were(shop: Shop) -> None:
    before = await shop.content()

    await delete(shop, await found(shop))

    after = await shop.content()
    assert after["products"] == before["products"]
    assert after["invoices"] == before["invoices"]
    assert [row[0] for row in after["customers"]] == ["3"]
    assert [row[0] for row in after["households"]] == ["10"]
    assert [row for row in before["customers"] if row[0] == "3"] == after["customers"]
    assert [row for row in before["tickets"] if row[0] == "202"] == [
        row for row in after["tickets"] if row[0] == "202"
    ]
    assert [row[0] for row in after["newsletter"]] == ["301"]


async def test_deidentified_rows_hold_nothing_of_the_person(shop: Shop) -> None:
    await delete(shop, await found(shop))

    left = str([row for row in (await shop.content())["tickets"] if row[0] != "202"])
    assert "hmac:" in left
    assert "removed" in left
    assert not [canary for canary in CANARIES if canary.lower() in left.lower()]


async def test_a_second_act_changes_nothing(shop: Shop) -> None:
    frozen = await found(shop)
    await delete(shop, frozen)
    between = await shop.content()

    again = (await delete(shop, frozen)).receipt

    assert await shop.content() == between
    assert all(not (count.erased or count.deidentified) for count in again.datasets)


async def test_rows_of_a_person_who_came_back_are_not_touched(shop: Shop) -> None:
    frozen = await found(shop)
    await shop.re_register()

    await delete(shop, frozen)

    after = await shop.content()
    assert {"3", "9"} == {row[0] for row in after["customers"]}
    assert "309" in {row[0] for row in after["newsletter"]}
    assert "109" in {row[0] for row in after["invoices"]}
    assert isinstance(await shop.adapter().prove("delete", frozen, cut_off=CUT_OFF), Gone)


async def test_a_reused_row_id_protects_the_newer_row(shop: Shop) -> None:
    frozen = await found(shop)
    await delete(shop, frozen)
    await shop.re_register()
    await shop.run("UPDATE newsletter SET id = 300 WHERE id = 309")

    again = (await delete(shop, frozen)).receipt

    assert all(not count.erased for count in again.datasets)
    assert "300" in {row[0] for row in (await shop.content())["newsletter"]}


async def test_the_proof_says_gone_only_when_it_is(shop: Shop) -> None:
    frozen = await found(shop)
    adapter = shop.adapter()

    pending = sum(len(keys) for table, keys in FOUND.items() if table != "invoices")
    assert await adapter.prove("delete", frozen, cut_off=CUT_OFF) == StillPresent(pending)
    await delete(shop, frozen)
    proof = await adapter.prove("delete", frozen, cut_off=CUT_OFF)
    assert isinstance(proof, Gone)
    assert sum(proof.checked.values()) == pending
    await shop.run("UPDATE tickets SET body = 'restored' WHERE id = 200")
    assert await adapter.prove("delete", frozen, cut_off=CUT_OFF) == StillPresent(1)


async def test_after_a_crash_between_act_and_answer_the_proof_settles_it(shop: Shop) -> None:
    frozen = await found(shop)
    stored = frozen.to_json()
    await delete(shop, frozen)  # and its answer is lost with the process

    proof = await shop.adapter().prove("delete", Frozen.from_json(stored), cut_off=CUT_OFF)

    assert isinstance(proof, Gone)


async def test_an_opt_out_sets_the_flag_once_and_is_proved(shop: Shop) -> None:
    frozen, adapter = await found(shop), shop.adapter()
    assert isinstance(await adapter.prove("opt_out", frozen, cut_off=CUT_OFF), StillPresent)

    first = await adapter.act("opt_out", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    second = await adapter.act("opt_out", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert {count.dataset: count.corrected for count in first.receipt.datasets} == {
        "customers": 2,
        "newsletter": 1,
    }
    assert not any(count.corrected for count in second.receipt.datasets)
    assert isinstance(await adapter.prove("opt_out", frozen, cut_off=CUT_OFF), Gone)


async def test_a_right_without_a_column_of_its_own_has_nothing_to_do(shop: Shop) -> None:
    outcome = await shop.adapter().act("limit", await found(shop), cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Nothing)


async def test_a_right_that_it_cannot_do_needs_a_person(shop: Shop) -> None:
    frozen, adapter = await found(shop), shop.adapter()

    outcome = await adapter.act("appeal", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, NeedsPerson)
    assert isinstance(await adapter.prove("know_specific", frozen, cut_off=CUT_OFF), Unknown)


async def test_a_correction_that_no_program_makes_is_a_persons_and_stays_so_when_it_is_tried_again(
    shop: Shop,
) -> None:
    wrong = (Correction(what="shoe size", should_be="44"),)
    frozen, adapter = replace(await found(shop), corrections=wrong), shop.adapter()

    outcome = await adapter.act("correct", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, NeedsPerson)
    assert "shoe" not in outcome.reason
    assert isinstance(await adapter.prove("correct", frozen, cut_off=CUT_OFF), StillPresent)


async def test_an_export_shows_the_rows_and_describes_what_may_not_be_shown(shop: Shop) -> None:
    export = await shop.adapter().export(await found(shop), cut_off=CUT_OFF)

    assert isinstance(export, Export)
    data = {dataset.dataset: dataset for dataset in export.datasets}
    assert {name: len(dataset.rows) for name, dataset in data.items()} == {
        n: len(keys) for n, keys in FOUND.items()
    }
    assert "password_hash" not in data["customers"].rows[0]
    assert [(w.column, w.kind, w.count) for w in data["invoices"].withheld] == [
        ("card_number", "financial_account_number", 1)
    ]
    assert CARD not in str([row for data in export.datasets for row in data.rows])
    assert ORDER_1 in str([row for data in export.datasets for row in data.rows])
    assert not [canary for canary in CANARIES if canary in repr(export)]


async def test_a_categories_answer_says_sources_purposes_and_recipients(shop: Shop) -> None:
    export = await shop.adapter().export(await found(shop), cut_off=CUT_OFF, specific=False)

    assert isinstance(export, Export)
    assert export.datasets == ()
    held = {category.category: category for category in export.categories}
    assert {"identifiers", "commercial", "sensitive"} <= held.keys()
    assert held["identifiers"].sources == ("directly from the person",)
    assert held["identifiers"].sold_or_shared_to == ("advertising networks",)


async def test_an_identity_that_matches_too_much_is_for_a_person(shop: Shop) -> None:
    narrow = shop.system(limits=Limits(max_rows=3, connect_seconds=2))

    answer = await shop.adapter(narrow).find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "unbounded"


async def test_a_changed_schema_is_seen_at_the_check_and_stops_every_verb(shop: Shop) -> None:
    frozen = await found(shop)
    await shop.run("ALTER TABLE newsletter RENAME COLUMN unsubscribed TO opted_out")
    await shop.run("ALTER TABLE orders ADD COLUMN delivery_phone TEXT")
    adapter = shop.adapter()

    report = await adapter.check()
    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert not report.ok
    assert {(drift.table, drift.column, drift.problem) for drift in report.drift} == {
        ("newsletter", "unsubscribed", "missing"),
        ("orders", "delivery_phone", "unmapped"),
    }
    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "schema"
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Unknown)


async def test_a_healthy_system_passes_its_check(shop: Shop) -> None:
    report = await shop.adapter().check()

    assert report == CheckReport(reachable=True, credentials=True, drift=(), notes=report.notes)
    assert report.ok


async def test_a_system_that_is_away_is_tried_again_later(shop: Shop) -> None:
    adapter = shop.adapter(shop.system(shop.absent_address))

    assert isinstance(await adapter.find(subject(), cut_off=CUT_OFF), Retry)
    assert isinstance(
        await adapter.act("delete", Frozen({"orders": ((ORDER_1,),)}), cut_off=CUT_OFF, idempotency_key=KEY),
        Retry,
    )
    assert not (await adapter.check()).reachable
    assert not (shop.home / "absent.sqlite").exists()


async def test_a_missing_secret_is_a_matter_of_credentials(shop: Shop) -> None:
    system = shop.system()
    ((system.url and system.url.file) or shop.home).unlink()
    adapter = shop.adapter(system)

    answer = await adapter.find(subject(), cut_off=CUT_OFF)
    report = await adapter.check()

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "credentials"
    assert (report.reachable, report.credentials) == (True, False)


async def test_an_error_that_quotes_the_person_reaches_nobody(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await shop.fail_on_delete("newsletter")
    before = await shop.content()
    frozen = await found(shop)

    outcome = await shop.adapter().act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "refused"
    heard = f"{outcome!r} {subject()!r} {caplog.text}"
    assert not [canary for canary in CANARIES if canary.lower() in heard.lower()]
    assert await shop.content() == before


@pytest.mark.parametrize("limit", ["max_matches", "max_rows"])
async def test_whoever_has_too_many_rows_is_a_person_s_to_look_at_who_is_told_which_limit_to_raise(
    shop: Shop, limit: str
) -> None:
    await shop.add("newsletter", id=310, email_sha256=sha256(EMAIL), created_at=BEFORE)
    narrow = shop.system().limits.model_copy(update={limit: 1})

    answer = await shop.adapter(shop.system(limits=narrow)).find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson), answer
    assert answer.kind == "unbounded"
    assert f"limits.{limit}" in answer.reason


async def test_however_many_rows_of_the_person_refer_to_what_goes_they_keep_nothing_from_going(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "MOST_OF_OTHERS", 0)

    receipt = (await delete(shop, await found(shop))).receipt

    counts = {count.dataset: count for count in receipt.datasets}
    assert {name: counts[name].erased for name in ERASED} == {name: len(FOUND[name]) for name in ERASED}


async def test_rows_that_newer_rows_refer_to_are_left_to_a_person_and_nothing_is_half_done(
    shop: Shop,
) -> None:
    frozen = await found(shop)
    await shop.order_on_old_account()
    before = await shop.content()

    outcome = await shop.adapter().act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "refused"
    assert await shop.content() == before
