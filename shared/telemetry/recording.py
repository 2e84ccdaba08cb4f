"""Records spans and exports them by OTLP; imported only where an address for them is set.

The provider is ours alone and never the process's global one: no library can put a span of its own beside ours, with
attributes that nobody has looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace import Span as AnySpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.telemetry.spans import ERROR, REQUEST_ID, Attribute, Kind, Value

LOW_64_BITS = (1 << 64) - 1
NO_CONTEXT = Context()
Said = Mapping[Attribute, Value]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A span under way."""

    kind: Kind
    span: AnySpan

    def say(self, attribute: Attribute, value: Value) -> None:
        """Add an attribute; one that this kind does not declare is a bug, and is left out."""
        if attribute in self.kind.attributes:
            self.span.set_attribute(attribute.name, attribute.told(value))

    def failed(self, error: BaseException) -> None:
        """Tell what went wrong by its class: its text may repeat a person's data."""
        self.say(ERROR, type(error).__name__)
        self.span.set_status(Status(StatusCode.ERROR))


class Recorder:
    """The spans of one service."""

    def __init__(self, service: str, processor: SpanProcessor) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": f"habeas-{service}"}))
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("habeas")

    @classmethod
    def to(cls, endpoint: str, service: str) -> "Recorder":
        """Spans go to a collector, in batches, from a thread of their own."""
        return cls(service, BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))

    @contextmanager
    def during(
        self, kind: Kind, said: Said, *, request_id: UUID | None = None, caller: str = ""
    ) -> Iterator[Recorded]:
        """A span for as long as the block lasts, in the trace of the request, else in the caller's, else its own."""
        within = _trace_of(request_id) if request_id else _trace_named(caller)
        found = Recorded(kind, self._tracer.start_span(kind.name, within))
        for attribute, value in said.items():
            found.say(attribute, value)
        try:
            yield found
        except BaseException as error:
            found.failed(error)
            raise
        finally:
            found.span.end()

    def also(self, kind: Kind, said: Said, *, batch: Recorded, request_id: UUID, caller: str) -> None:
        """A span of one request for something that was done together with others: as long as the batch so far."""
        links = [Link(batch.span.get_span_context()), *_links(caller)]
        began = batch.span.start_time if isinstance(batch.span, Span) else None
        span = self._tracer.start_span(kind.name, _trace_of(request_id), links=links, start_time=began)
        found = Recorded(kind, span)
        for attribute, value in {REQUEST_ID: request_id, **said}.items():
            found.say(attribute, value)
        span.end()

    def close(self) -> None:
        """Send what is left; blocks until the collector answered, or gave no answer for long."""
        self._provider.shutdown()


def _trace_of(request_id: UUID) -> Context:
    """A request's trace is named by its id, so that it is found by it, and nothing has to carry it about."""
    parent = SpanContext(
        request_id.int,
        request_id.int & LOW_64_BITS,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return set_span_in_context(NonRecordingSpan(parent), NO_CONTEXT)


def _trace_named(traceparent: str) -> Context:
    if not traceparent:
        return NO_CONTEXT
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, NO_CONTEXT)


def _links(traceparent: str) -> Sequence[Link]:
    named = get_current_span(_trace_named(traceparent)).get_span_context()
    return [Link(named)] if named.is_valid else []
