"""docs/reference/spans.md: what a service records of its own work, and all that it may say there."""

from deploy.generation.contracts import NOTE
from shared.telemetry.spans import ATTRIBUTES, KINDS, Attribute, Kind

HEAD = f"""\
{NOTE}
# Spans

A service with `HABEAS_OTLP_ENDPOINT` set sends OpenTelemetry spans there, over HTTP. Without it none are made, and
OpenTelemetry's SDK is not even loaded.

A request's trace is named by its id: look for the trace id that is the request's id without its dashes. What arrived
with a `traceparent` is linked with the trace that it names ([why](../adr/0022-a-requests-trace-is-its-id.md)).

## Kinds

| span | trace | attributes | meaning |
|---|---|---|---|
"""
BETWEEN = """
## Attributes

Nothing else can be said: an attribute holds a count, an id of ours or a word of ours, and whatever is not of its kind
is recorded as `other`.

| attribute | kind | meaning |
|---|---|---|
"""


def render() -> str:
    """The page."""
    return HEAD + "".join(map(_kind, KINDS)) + BETWEEN + "".join(map(_attribute, ATTRIBUTES))


def _kind(kind: Kind) -> str:
    attributes = ", ".join(f"`{one.name}`" for one in kind.attributes)
    trace = "the request's" if kind.in_request else "its own"
    return f"| `{kind.name}` | {trace} | {attributes} | {kind.meaning} |\n"


def _attribute(one: Attribute) -> str:
    return f"| `{one.name}` | {one.kind} | {one.meaning} |\n"
