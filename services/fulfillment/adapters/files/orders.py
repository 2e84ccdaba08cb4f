"""What is written into the folder about one order."""

from collections.abc import Mapping, Sequence


def content(order: str, right: str, subjects: Sequence[Mapping[str, str]], until: str) -> dict[str, object]:
    """The file `ORDER.json`, for a program of the other side's."""
    return {"order": order, "right": right, "subjects": list(subjects), "collected_until": until}
