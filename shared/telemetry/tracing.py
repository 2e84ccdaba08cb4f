"""Puts spans around what a service does: batches, tasks, the relay, HTTP. Off, it hands everything back as it was.

Nothing in the kernel knows of spans: they are decorators, put around its parts where a service is built. So a
service that records none pays nothing, not even a question whether it should.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.events.envelope import Unreadable
from shared.machine.decision import C, Message
from shared.machine.shell import Parts, Result, Shell
from shared.outbox.producer import Producer, Sending, Verdict
from shared.settings import Settings
from shared.tasks.work import Again, Answer, Calling, Claimed, Handler
from shared.telemetry import spans

if TYPE_CHECKING:
    from shared.telemetry.recording import Recorder

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_inside: ContextVar[bool] = ContextVar("inside_a_recorded_batch", default=False)


class Tracing(Protocol):
    """What a host asks for its parts."""

    def shell(self, parts: Parts[C]) -> Shell[C]:
        """The shell of these parts."""
        ...

    def producer(self, producer: Producer) -> Producer:
        """The relay's producer."""
        ...

    def handlers(self, handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
        """The tasks' handlers."""
        ...

    def dress(self, app: FastAPI) -> None:
        """The web application."""
        ...

    async def close(self) -> None:
        """Send what is left."""
        ...


class Untraced:
    """Nobody asked for spans: everything stays as it is."""

    def shell(self, parts: Parts[C]) -> Shell[C]:
        return Shell(parts)

    def producer(self, producer: Producer) -> Producer:
        return producer

    def handlers(self, handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
        return handlers

    def dress(self, app: FastAPI) -> None:
        """No middleware."""

    async def close(self) -> None:
        """Nothing is left."""


class Traced:
    """Everything is recorded."""

    def __init__(self, recorder: "Recorder") -> None:
        self._recorder = recorder

    def shell(self, parts: Parts[C]) -> Shell[C]:
        return TracedShell(parts, self._recorder)

    def producer(self, producer: Producer) -> Producer:
        return TracedProducer(producer, self._recorder)

    def handlers(self, handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
        return {name: TracedHandler(one, self._recorder) for name, one in handlers.items()}

    def dress(self, app: FastAPI) -> None:
        app.add_middleware(TracedHttp, recorder=self._recorder)

    async def close(self) -> None:
        await asyncio.to_thread(self._recorder.close)


def tracing_of(settings: Settings, service: str) -> Tracing:
    """As the settings say; OpenTelemetry's SDK is not even imported where they say nothing."""
    if not settings.otlp_endpoint:
        return Untraced()
    from shared.telemetry.recording import Recorder

    return Traced(Recorder.to(settings.otlp_endpoint, service))


class TracedShell(Shell[C]):
    """A shell whose batches are recorded, and each message in the trace of its request."""

    def __init__(self, parts: Parts[C], recorder: "Recorder") -> None:
        super().__init__(parts)
        self._recorder = recorder

    async def handle(self, incoming: Sequence[Message | Unreadable]) -> list[Result]:
        """As the shell does; the halves of a batch that failed are not recorded apart from it."""
        if not incoming or _inside.get():
            return await super().handle(incoming)
        inside = _inside.set(True)
        try:
            with self._recorder.during(spans.BATCH, {spans.MESSAGES: len(incoming)}) as batch:
                results = await super().handle(incoming)
                for result in results:
                    if isinstance(message := result.message, Message):
                        said = {spans.CE_TYPE: message.ce_type, spans.STATUS: result.status}
                        self._recorder.also(
                            spans.MESSAGE,
                            said,
                            batch=batch,
                            request_id=message.request_id,
                            caller=message.traceparent,
                        )
                return results
        finally:
            _inside.reset(inside)


class TracedProducer:
    """A producer whose sending is recorded."""

    def __init__(self, producer: Producer, recorder: "Recorder") -> None:
        self._producer = producer
        self._recorder = recorder

    async def send(self, records: Sequence[Sending]) -> list[Verdict]:
        with self._recorder.during(spans.RELAY, {spans.MESSAGES: len(records)}) as sending:
            verdicts = await self._producer.send(records)
            sending.say(spans.LATER, sum(verdict.kind == "later" for verdict in verdicts))
            return verdicts

    async def close(self) -> None:
        await self._producer.close()


class TracedHandler:
    """A handler whose attempts are recorded in the trace of their request."""

    def __init__(self, handler: Handler, recorder: "Recorder") -> None:
        self._handler = handler
        self._recorder = recorder

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        said: dict[spans.Attribute, str | int | UUID] = {
            spans.REQUEST_ID: task.request_id,
            spans.HANDLER: task.handler,
            spans.PURPOSE: task.purpose,
            spans.ATTEMPT: task.attempts,
        }
        with self._recorder.during(spans.TASK, said, request_id=task.request_id) as attempt:
            answer = await self._handler.run(task, calling)
            attempt.say(spans.ANSWER, "again" if isinstance(answer, Again) else answer.status)
            return answer


class TracedHttp:
    """Around the whole application; says the pattern of a path, since paths, questions and headers are a stranger's."""

    def __init__(self, app: ASGIApp, recorder: "Recorder") -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        with self._recorder.during(spans.HTTP, {spans.METHOD: method}, caller=_traceparent(scope)) as request:

            async def tell(message: Any) -> None:
                if message["type"] == "http.response.start":
                    request.say(spans.CODE, message["status"])
                await send(message)

            try:
                await self._app(scope, receive, tell)
            finally:
                route = getattr(scope.get("route"), "path", None)
                if route is not None:
                    request.say(spans.ROUTE, route)


def _traceparent(scope: Scope) -> str:
    found = dict(scope["headers"]).get(b"traceparent", b"")
    return str(found.decode("ascii", "replace"))
