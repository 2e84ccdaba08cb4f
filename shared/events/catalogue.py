"""The whole catalogue: importing this module registers every type, and it is the one place that decodes."""

from shared.events import commands, deadline, fulfillment, intake, journal, recurring, vendors, verification
from shared.events.message import CATALOGUE, Body, Declaration

OWNERS = (intake, verification, fulfillment, deadline, journal, commands, recurring, vendors)


class UnknownType(ValueError):
    """A `ce_type` that this version does not know: a newer version's, or nobody's."""


def declaration(ce_type: str) -> Declaration:
    """What is declared under a `ce_type`.

    Raises:
        UnknownType: nothing is.
    """
    try:
        return CATALOGUE[ce_type]
    except KeyError:
        raise UnknownType(ce_type) from None


def decode(ce_type: str, value: bytes) -> Body:
    """Read a body of any version that we know; whoever reads it meets only the newest.

    Raises:
        UnknownType: the type is not declared.
        pydantic.ValidationError: the body is not what its type says; the error holds no input.
    """
    body: Body = declaration(ce_type).model.model_validate_json(value)
    while (newer := body.upcast()) is not body:
        body = newer
    return body
