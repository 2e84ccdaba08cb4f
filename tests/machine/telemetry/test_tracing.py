"""Spans stand around what a service does, in the trace of each request, and say nothing that a stranger wrote."""

from collections.abc import Mapping, Sequence

import httpx2
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.machine.shell import Shell
from shared.outbox.producer import SENT, Producer, Sending, Verdict
from shared.settings import Settings
from shared.tasks.work import Again, Answer, Claimed, Finished, Handler
from shared.telemetry import spans
from shared.telemetry.recording import Recorder
from shared.telemetry.tracing import Traced, Untraced, tracing_of
from tests.support.machine import NOON, Machine, Upstream, request, with_header
from tests.support.script_handler import ScriptHandler

SENT_BY = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SOMEBODY = "zoe@quokka.example"


class Lit:
    """Tracing whose spans can be read."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracing = Traced(Recorder("intake", SimpleSpanProcessor(self._exporter)))

    def of(self, kind: spans.Kind) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.name == kind.name]

    def said(self, kind: spans.Kind) -> list[dict[str, object]]:
        return [dict(span.attributes or {}) for span in self.of(kind)]


@pytest.fixture
def lit() -> Lit:
    return Lit()


@pytest.fixture
def machine(lit: Lit) -> Machine:
    made = Machine()
    made.shell = lit.tracing.shell(made.shell.parts)
    return made


class Broker:
    """Takes everything but the last."""

    async def send(self, records: Sequence[Sending]) -> list[Verdict]:
        return [SENT] * (len(records) - 1) + [Verdict("later", SOMEBODY)]

    async def close(self) -> None:
        """Nothing is open."""


async def test_each_message_of_a_batch_lies_in_the_trace_of_its_request(lit: Lit, machine: Machine) -> None:
    upstream = Upstream()
    told = with_header(upstream.event(request(1)), "traceparent", SENT_BY.encode())

    await machine.hear(told, upstream.event(request(2)))

    (batch,) = lit.of(spans.BATCH)
    assert dict(batch.attributes or {}) == {"messaging.batch.message_count": 2}
    first, second = lit.of(spans.MESSAGE)
    assert [span.context.trace_id for span in (first, second)] == [request(1).int, request(2).int]
    assert dict(first.attributes or {})["habeas.status"] == "applied"
    assert [f"{link.context.trace_id:032x}" for link in first.links] == [
        f"{batch.context.trace_id:032x}",
        SENT_BY.split("-")[1],
    ]
    assert len(second.links) == 1
    assert first.start_time == batch.start_time


async def test_a_batch_that_is_halved_is_recorded_once(lit: Lit, machine: Machine) -> None:
    upstream = Upstream()

    await machine.hear(upstream.event(request(1), "poison"), upstream.event(request(2)))

    assert len(lit.of(spans.BATCH)) == 1
    assert sorted(str(said["habeas.status"]) for said in lit.said(spans.MESSAGE)) == ["applied", "dead"]


@pytest.mark.parametrize(
    ("answer", "word"), [(Finished("done"), "done"), (Again(NOON - NOON, SOMEBODY), "again")]
)
async def test_an_attempt_lies_in_the_trace_of_its_request(lit: Lit, answer: Answer, word: str) -> None:
    async def act(_task: Claimed) -> Answer:
        return answer

    handler = lit.tracing.handlers({"erase": ScriptHandler(act)})["erase"]

    await handler.run(a_task(), let_through)

    (span,) = lit.of(spans.TASK)
    assert span.context.trace_id == request(1).int
    assert dict(span.attributes or {}) == {
        "habeas.request_id": str(request(1)),
        "habeas.task.handler": "erase",
        "habeas.task.purpose": "act",
        "habeas.task.attempt": 3,
        "habeas.task.answer": word,
    }


async def test_of_an_error_only_its_class_is_told(lit: Lit) -> None:
    async def act(_task: Claimed) -> Answer:
        raise LookupError(SOMEBODY)

    handler = lit.tracing.handlers({"erase": ScriptHandler(act)})["erase"]

    with pytest.raises(LookupError):
        await handler.run(a_task(), let_through)

    (span,) = lit.of(spans.TASK)
    assert dict(span.attributes or {})["error.type"] == "LookupError"
    assert SOMEBODY not in span.to_json()


async def test_the_relay_tells_how_many_it_sent_and_how_many_wait(lit: Lit) -> None:
    producer = lit.tracing.producer(Broker())

    await producer.send([Sending("t", SOMEBODY, "{}", SOMEBODY.encode())] * 3)

    assert lit.said(spans.RELAY) == [{"messaging.batch.message_count": 3, "habeas.outbox.later": 1}]


async def test_of_an_http_request_the_pattern_of_its_path_is_told(lit: Lit) -> None:
    app = FastAPI()

    @app.get("/requests/{request_id}")
    async def show(request_id: str) -> str:
        return request_id

    lit.tracing.dress(app)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://intake") as http:
        await http.get(f"/requests/{SOMEBODY}?q={SOMEBODY}", headers={"traceparent": SENT_BY})
        await http.request(
            SOMEBODY.upper().partition("@")[0], f"/{SOMEBODY}", headers={"traceparent": SOMEBODY}
        )

    known, unknown = lit.said(spans.HTTP)
    assert known == {
        "http.request.method": "GET",
        "http.route": "/requests/{request_id}",
        "http.response.status_code": 200,
    }
    assert unknown == {"http.request.method": "_OTHER", "http.response.status_code": 404}
    assert f"{lit.of(spans.HTTP)[0].context.trace_id:032x}" == SENT_BY.split("-")[1]


@pytest.mark.parametrize("kind", spans.KINDS)
def test_what_is_no_count_id_or_word_of_ours_is_told_as_other(kind: spans.Kind) -> None:
    assert {one.told(SOMEBODY) for one in kind.attributes} == {spans.OTHER}


def test_an_attribute_that_a_kind_does_not_declare_is_left_out() -> None:
    tracing = Recorder("intake", SimpleSpanProcessor(exporter := InMemorySpanExporter()))

    with tracing.during(spans.BATCH, {spans.ROUTE: "/requests"}):
        pass

    assert [dict(span.attributes or {}) for span in exporter.get_finished_spans()] == [{}]


async def test_without_an_address_every_part_is_the_one_that_was_given() -> None:
    tracing = tracing_of(Settings(), "intake")
    handlers: Mapping[str, Handler] = {"erase": ScriptHandler()}
    producer: Producer = Broker()
    app = FastAPI()

    tracing.dress(app)

    assert isinstance(tracing, Untraced)
    assert type(tracing.shell(Machine().shell.parts)) is Shell
    assert tracing.producer(producer) is producer
    assert tracing.handlers(handlers) is handlers
    assert app.user_middleware == []


def a_task() -> Claimed:
    return Claimed(
        task_id=request(9),
        request_id=request(1),
        key="act:crm",
        handler="erase",
        purpose="act",
        body={},
        epoch=1,
        attempts=3,
        settle=False,
        urgency=NOON,
    )


async def let_through(**_bound: object) -> bool:
    return True
