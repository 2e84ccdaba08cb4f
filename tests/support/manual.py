"""A cabinet of paper as a connected system, with or without a folder for copies."""

from pathlib import Path

from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Secret, System
from shared.policy.reading import read_yaml
from shared.private_files import write_private

WORDS = "Look through the cabinet in the parts office"
MAP = """
dataset:
  - fides_key: cabinet
    collections:
      - name: repairs
        fields:
          - {name: day}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: note, data_categories: [user.content]}
          - {name: licence, data_categories: [user.government_id]}
"""


def cabinet(home: Path, *, folder: bool = True, business: str = "shop", **settings: str | int) -> System:
    """The system, with or without a folder for copies."""
    (home / "copies").mkdir(exist_ok=True)
    for name, text in {"url": str(home / "copies"), "hash_key": "a made-up key"}.items():
        write_private(home / name, text.encode())
    more = {"url": Secret(file=home / "url"), "hash_key": Secret(file=home / "hash_key")} if folder else {}
    return System(
        system="cabinet",
        kind="manual",
        business=business,
        settings={"instructions": WORDS, **settings},
        dataset=Path("cabinet.yaml"),
        datamap=read_dataset(read_yaml(MAP.encode()), file="cabinet.yaml"),
        **more,
    )
