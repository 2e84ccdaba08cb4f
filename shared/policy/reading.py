"""Reading policy YAML strictly: no tags, and no key twice, for the later one would silently win."""

from collections.abc import Hashable
from typing import Any

import yaml


class RepeatedKeyError(yaml.YAMLError):
    """A mapping holds the same key twice."""


class CircleError(yaml.YAMLError):
    """Something holds itself."""


# libyaml reads a regime ten times as fast, and every service reads several as it starts; not every build has it.
if yaml.__with_libyaml__:
    from yaml import CSafeLoader as SafeLoader
else:
    from yaml import SafeLoader  # type: ignore[assignment]


class _StrictLoader(SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - as inherited
        written: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in written:
                raise RepeatedKeyError(f"line {key.start_mark.line + 1}: {key.value} stands there twice")
            written.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep=deep)


def read_yaml(text: bytes) -> Any:
    """Give the document's plain values.

    Raises:
        yaml.YAMLError: it is none, holds a key twice, or something of it holds itself.
    """
    found = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader underneath
    if b"*" in text:
        _refuse_circles(found, frozenset(), set())
    return found


def _refuse_circles(value: Any, above: frozenset[int], seen: set[int]) -> None:
    """An alias within what it stands for would be walked for ever; `seen` keeps repeated aliases from being so."""
    if id(value) in above:
        raise CircleError("an alias (*) stands within what it repeats: write it out")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if id(value) not in seen:
        seen.add(id(value))
        for each in inner:
            _refuse_circles(each, above | {id(value)}, seen)
