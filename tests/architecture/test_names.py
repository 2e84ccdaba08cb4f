"""A file's name says what is in it."""

from tests.support.sources import CODE, PROOF, ROOT, sources

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "base", "misc", "manager", "lib"}


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    found = [one.name for one in sources(*CODE, *PROOF) if EMPTY_NAMES & {*one.path.parts, one.path.stem}]

    assert found == []


def test_every_package_and_module_begins_with_a_sentence() -> None:
    silent = [one.name for one in sources(*CODE) if not _sentence(one.text)]

    assert silent == []


def test_every_service_has_the_same_rooms() -> None:
    services = [
        folder for folder in sorted((ROOT / "services").iterdir()) if (folder / "__init__.py").exists()
    ]

    for service in services:
        assert (service / "app.py").exists(), f"{service.name} has no app.py, the only place that constructs"
        assert (service / "domain").is_dir() or (service / "domain.py").exists(), (
            f"{service.name} has no domain"
        )


def _sentence(text: str) -> bool:
    return text.lstrip().startswith(('"""', 'r"""'))
