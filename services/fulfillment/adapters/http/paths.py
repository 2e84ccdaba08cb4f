"""Paths into answers: JMESPath, compiled once."""

from collections.abc import Callable
from typing import Any, TypeAlias

import jmespath
from jmespath.exceptions import JMESPathError

from services.fulfillment.adapters.http.failures import Failure

Path: TypeAlias = Callable[[Any], Any]


def path(expression: str) -> Path:
    """Make a function that gives what stands at the path, or None.

    Raises:
        JMESPathError: it is not JMESPath.
    """
    compiled: Any = jmespath.compile(expression)

    def at(data: Any) -> Any:
        try:
            return compiled.search(data)
        except JMESPathError:
            # A function of the path met a value of a type that it does not take: not the answer that was described.
            raise Failure("schema", f"an answer does not fit the path {expression}") from None

    return at


def wrong(expression: str) -> str | None:
    """What is wrong with a path, or None."""
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        return f"not a JMESPath expression: {str(error).splitlines()[0]}"
    return None
