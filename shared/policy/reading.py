"""Reading policy YAML strictly: no tags, and no key twice, for the later one would silently win."""

from collections.abc import Hashable
from typing import Any

import yaml


class RepeatedKeyError(yaml.YAMLError):
    """A mapping holds the same key twice."""


# libyaml reads a regime ten times as fast, and every service reads several as it starts; not every build has it.
if yaml.__with_libyaml__:
    from yaml import CSafeLoader as SafeLoader
else:
    from yaml import SafeLoader  # type: ignore[assignment]


class _StrictLoader(SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - as inherited
        written = [key.value for key, _ in node.value]
        merged = super().construct_mapping(node, deep=deep)
        repeated = {key for key in written if written.count(key) > 1}
        if repeated:
            raise RepeatedKeyError(f"line {node.start_mark.line + 1}: {min(repeated)} stands there twice")
        return merged


def read_yaml(text: bytes) -> Any:
    """Give the document's plain values."""
    return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader underneath
