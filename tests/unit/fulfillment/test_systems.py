"""Reading system files: a secret never stands in one, and every mistake is named by file and place."""

from pathlib import Path

import pytest

from services.fulfillment.datamap.folder import load_systems
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import Secret, SecretMissingError, load_system

DATASET = """
dataset:
  - fides_key: shop
    collections:
      - name: people
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
"""
SYSTEM = """
system: shop
kind: sql
business: cascadia
url: {file: shop.url}
dataset: shop-map.yml
"""


def a_system(folder: Path, text: str = SYSTEM, name: str = "shop.yaml") -> Path:
    (folder / "shop-map.yml").write_text(DATASET)
    (folder / name).write_text(text)
    return folder / name


def problems(file: Path) -> tuple[str, ...]:
    with pytest.raises(MapError) as caught:
        load_system(file, home=file.parent)
    return caught.value.problems


def test_a_system_is_loaded_with_its_map_and_its_secrets_place(tmp_path: Path) -> None:
    system = load_system(a_system(tmp_path), home=tmp_path / "home")

    assert system.url is not None
    assert system.url.file == tmp_path / "home" / "shop.url"
    assert list(system.datamap.collections) == ["people"]


def test_a_title_without_another_in_spanish_is_warned_of(tmp_path: Path) -> None:
    titled = f"{SYSTEM}title: Web shop\n"

    plain = load_system(a_system(tmp_path, titled), home=tmp_path)
    spoken = load_system(a_system(tmp_path, f"{titled}titles: {{es: Tienda en línea}}\n"), home=tmp_path)

    [warning] = plain.datamap.warnings
    assert warning.endswith("shop.yaml: titles.es: no title; answers show 'Web shop' as it is")
    assert spoken.datamap.warnings == ()
    assert spoken.words() == {"es": {"Web shop": "Tienda en línea"}}


def test_a_secret_is_read_anew_at_every_use(tmp_path: Path) -> None:
    secret = Secret(file=tmp_path / "url")
    (tmp_path / "url").write_text("first\n")
    assert secret.read() == "first"

    (tmp_path / "url").write_text("second\n")

    assert secret.read() == "second"
    assert Secret(env="SHOP_URL").read({"SHOP_URL": "third"}) == "third"


def test_a_missing_secret_is_said_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(SecretMissingError, match="url is not there"):
        Secret(file=tmp_path / "url").read()
    with pytest.raises(SecretMissingError, match="SHOP_URL is not set"):
        Secret(env="SHOP_URL").read({})


def test_a_secret_that_is_there_and_cannot_be_read_is_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"hush\xff")

    for name, why in (("folder", "IsADirectoryError"), ("bytes", "UnicodeDecodeError")):
        with pytest.raises(SecretMissingError) as caught:
            Secret(file=tmp_path / name).read()

        assert f"{tmp_path / name} cannot be read ({why})" in str(caught.value)
        assert "hush" not in str(caught.value)


def test_an_address_in_the_file_itself_is_refused_and_not_repeated(tmp_path: Path) -> None:
    (only,) = problems(
        a_system(tmp_path, SYSTEM.replace("{file: shop.url}", "postgresql://me:hunter2@db/shop"))
    )

    assert only.endswith(
        "shop.yaml: url: name where it is kept, {file: ...} or {env: ...}, and never the secret itself"
    )
    assert "hunter2" not in only


@pytest.mark.parametrize("url", ["{}", "{file: a, env: B}"])
def test_a_secret_has_exactly_one_place(tmp_path: Path, url: str) -> None:
    (only,) = problems(a_system(tmp_path, SYSTEM.replace("{file: shop.url}", url)))

    assert only.endswith("name either a file or an env variable, and never the secret itself")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("tittle: Shop", "shop.yaml: tittle: unknown key; did you mean title?"),
        (
            "limits: {connections: 0}",
            "shop.yaml: limits.connections: Input should be greater than or equal to 1",
        ),
        ("limits: {conections: 1}", "shop.yaml: limits.conections: unknown key; did you mean connections?"),
        ("backups: {speed: 1, kept_days: 1}", "shop.yaml: backups.speed: unknown key; known here: kept_days"),
        ("secrets: {token: {fiel: a}}", "shop.yaml: secrets.token.fiel: unknown key; did you mean file?"),
        (
            "party: friend",
            "shop.yaml: party: Input should be 'own', 'service_provider', 'contractor' or 'third_party'",
        ),
    ],
)
def test_a_wrong_key_or_value_is_said_by_its_place(tmp_path: Path, more: str, said: str) -> None:
    (only,) = problems(a_system(tmp_path, SYSTEM + more))

    assert only.endswith(said)


def test_a_reference_into_a_map_that_is_there_must_arrive_and_one_that_is_not_is_warned_of(
    tmp_path: Path,
) -> None:
    other = DATASET.replace("shop", "desk").replace(
        "fides_meta: {identity: email}", "fides_meta: {references: [{dataset: shop, field: people.emial}]}"
    )
    system = SYSTEM.replace("system: shop", "system: desk").replace("shop-map.yml", "desk-map.yml")
    a_system(tmp_path)
    a_system(tmp_path, system, name="desk.yaml")
    (tmp_path / "desk-map.yml").write_text(other)

    with pytest.raises(MapError) as caught:
        load_systems(tmp_path, home=tmp_path)
    (tmp_path / "desk-map.yml").write_text(other.replace("dataset: shop", "dataset: shops"))
    (desk, _) = load_systems(tmp_path, home=tmp_path)

    place = "collections.people.fields.email: refers to"
    assert caught.value.problems == (
        f"desk: {place} people.emial, which the map shop lacks; did you mean people.email?",
    )
    (warning,) = desk.datamap.warnings
    assert warning.startswith(
        f"desk-map.yml: {place} shops.people.emial, and no connected system's map is called"
    )
    assert warning.endswith("nothing is found by it; did you mean shop?")


def test_a_setting_of_another_form_is_one_problem(tmp_path: Path) -> None:
    (said,) = problems(a_system(tmp_path, f"{SYSTEM}settings: {{rights: [delete]}}\n"))

    assert "settings.rights: one word, number or true or false" in said


def test_a_connector_is_refused_where_nothing_reads_it(tmp_path: Path) -> None:
    (said,) = problems(a_system(tmp_path, f"{SYSTEM}connector: shop.yml\n"))

    assert said.endswith("connector: only systems of the kind http have one")


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (only,) = problems(a_system(tmp_path, SYSTEM.replace("kind: sql", "kind: cobol")))

    assert "kind: there is no adapter 'cobol'; known: " in only
    assert "sql" in only.rpartition("known: ")[2]
    (near,) = problems(a_system(tmp_path, SYSTEM.replace("kind: sql", "kind: sequel")))
    assert near.endswith("kind: there is no adapter 'sequel'; did you mean sql?")


def test_only_a_database_is_given_more_rows_of_a_person_than_can_be_held_at_once(tmp_path: Path) -> None:
    million = SYSTEM + "limits: {max_rows: 1000000}"
    (only,) = problems(a_system(tmp_path, million.replace("kind: sql", "kind: objects"), "files.yaml"))

    assert only.endswith(
        "files.yaml: limits.max_rows: at most 100000 for objects, which holds all rows of a person at once"
    )
    assert load_system(a_system(tmp_path, million), home=tmp_path).limits.max_rows == 1_000_000


def test_a_keyed_hash_needs_a_key(tmp_path: Path) -> None:
    file = a_system(tmp_path)
    hashed = DATASET.replace("identity: email", "identity: email, habeas: {deidentify: keyed_hash}")
    (tmp_path / "shop-map.yml").write_text(hashed)

    (only,) = problems(file)

    assert only.endswith("shop.yaml: hash_key: people.email is to be hashed, which needs a key")
    file.write_text(SYSTEM + "hash_key: {env: SHOP_HASH_KEY}\n")
    assert load_system(file, home=tmp_path).hash_key == Secret(env="SHOP_HASH_KEY")


def test_a_missing_dataset_and_broken_yaml_are_said_by_file(tmp_path: Path) -> None:
    absent = problems(a_system(tmp_path, SYSTEM.replace("shop-map.yml", "absent.yml")))
    broken = problems(a_system(tmp_path, "system: [", name="broken.yaml"))
    twice = problems(a_system(tmp_path, SYSTEM + "kind: http\n", name="twice.yaml"))
    itself = problems(a_system(tmp_path, "system: &a [*a]", name="itself.yaml"))

    assert absent[0].endswith("absent.yml is not there; the path begins at the system file's folder")
    assert "shop.yaml: dataset: " in absent[0]
    assert "broken.yaml: not readable as YAML: line " in broken[0]
    assert twice[0].endswith(f"line {len(SYSTEM.splitlines()) + 1}: kind stands there twice")
    assert itself[0].endswith("an alias (*) stands within what it repeats: write it out")


def test_all_that_is_wrong_in_a_folder_is_said_at_once(tmp_path: Path) -> None:
    a_system(tmp_path, SYSTEM + "conector: c.yaml", name="one.yaml")
    a_system(tmp_path, SYSTEM, name="two.yaml")
    a_system(tmp_path, SYSTEM, name="three.yaml")

    with pytest.raises(MapError) as caught:
        load_systems(tmp_path, home=tmp_path)

    assert [problem.rpartition(": ")[2] for problem in caught.value.problems] == [
        "unknown key; did you mean connector?",
        "the system shop is there twice",
    ]


def test_systems_come_in_their_order(tmp_path: Path) -> None:
    a_system(tmp_path, SYSTEM.replace("shop", "b-shop", 1) + "order: 1", name="z.yaml")
    a_system(tmp_path, SYSTEM.replace("shop", "a-shop", 1), name="a.yaml")

    assert [system.system for system in load_systems(tmp_path, home=tmp_path)] == ["b-shop", "a-shop"]
