"""Runs one service: its subscriber, relay, timers, tasks and HTTP, and the order in which they start and end.

A service's `app.build` says what it is made of (`ServiceParts`); everything around it is the same for all.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic

import asyncpg
import structlog
from fastapi import APIRouter, FastAPI

from shared.background import Loop, Wakeup
from shared.broker import broker_of
from shared.clock import AdvancingClock, Clock, SystemClock
from shared.database import open_pool, until_back
from shared.dead_letter_seal import DeadLetterSeal
from shared.events.message import CATALOGUE
from shared.events.topics import Topic, read_by
from shared.ids import new_id
from shared.keyfiles import KeyFiles
from shared.lookout import LOOK_SECONDS, Lookout
from shared.machine.admission import Admission, signature_check
from shared.machine.batcher import Batcher
from shared.machine.decision import C, Domain
from shared.machine.shell import Beside, Facts, Parts, Prepare, Result, Shell, Wrote
from shared.machine.storage import PostgresStore
from shared.messaging import Intake, Subscription
from shared.outbox.producer import KafkaProducer, Producer
from shared.outbox.relay import RENEW_SECONDS, Relay
from shared.outbox.storage import PostgresOutbox
from shared.private_files import read_private
from shared.settings import Settings
from shared.tasks.ports import NO_LANES, Lanes
from shared.tasks.runner import Runner
from shared.tasks.store import Standing, TaskStore
from shared.tasks.work import Handler
from shared.telemetry import metrics
from shared.telemetry.health import Health
from shared.telemetry.metrics import Meters
from shared.telemetry.tracing import tracing_of
from shared.vault.postgres import PostgresKeys
from shared.vault.vault import Vault

log = structlog.get_logger("hosting")
DRAIN_SECONDS = 50.0
CLOSE_SECONDS = 10.0
# Who is woken when there is work looks for it by itself only now and then, should the lookout ever miss something.
UNWOKEN_SECONDS = 30.0
KEPT_AFTER_CLOSING = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Resources:
    """What every service is given to build itself from."""

    settings: Settings
    service: str
    clock: Clock
    pool: asyncpg.Pool
    vault: Vault
    keys: KeyFiles


@dataclass(frozen=True, slots=True)
class ServiceParts(Generic[C]):
    """What a service is made of.

    `facts` runs inside the transaction before the rules, `beside` after them, to write into the service's own tables;
    `standing` is asked in the transaction before each call outside, and its answer is the rules' to judge; `routes`
    are mounted beside the health pages; `dress` may change the web application (error pages, middlewares) before it
    serves; `chores` are housekeeping for once an hour; `lanes` keep tasks that wait for different systems apart;
    `topics` are read beside those that every installation has.
    """

    domain: Domain[C]
    prepare: Prepare
    facts: Facts | None = None
    beside: Beside | None = None
    standing: Standing | None = None
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    routes: Callable[[Batcher], APIRouter | Sequence[APIRouter]] | None = None
    dress: Callable[[FastAPI], None] | None = None
    chores: Sequence[Callable[[datetime], Awaitable[None]]] = ()
    closers: Sequence[Callable[[], Awaitable[None]]] = ()
    lanes: Lanes = NO_LANES
    topics: Sequence[Topic] = ()


Build = Callable[[Resources], Awaitable[ServiceParts[Any]]]


class Host:
    """One running service."""

    def __init__(self, resources: Resources, parts: ServiceParts[Any], dead_letters: DeadLetterSeal) -> None:
        self.resources = resources
        self.parts = parts
        self.meters = Meters()
        settings, pool = resources.settings, resources.pool
        self.broker = broker_of(settings, resources.service)
        self.tracing = tracing_of(settings, resources.service)
        self.store = PostgresStore(pool)
        self.shell = self._shell(dead_letters)
        self.batcher = Batcher(self.shell)
        self.producer = self._producer()
        self.relay = Relay(
            PostgresOutbox(pool),
            self.producer,
            owner=f"{resources.service}-{new_id()}",
            monotonic=time.monotonic,
        )
        self.tasks: TaskStore[Any] = TaskStore(pool, parts.domain, resources.clock, standing=parts.standing)
        self.runner = self._runner(settings.task_width)
        self.subscription = Subscription(
            self.broker,
            service=resources.service,
            topics=(*read_by(resources.service), *parts.topics),
            namespace=settings.namespace,
        )
        self.loops = self._loops()
        self.health = Health(self)

    def committed(self, results: Sequence[Result], wrote: Wrote) -> None:
        """After each commit: count, and wake who has work now."""
        for result in results:
            self.meters.count(metrics.MESSAGES, status=result.status)
            if result.refusal is not None:
                self.meters.count(metrics.REFUSALS, reason=result.refusal)
        for ce_type, number in wrote.facts.items():
            self.meters.count(metrics.FACTS, number, ce_type=ce_type)
        if wrote.records:
            self.meters.count(metrics.RECORDS, wrote.records)
            self.loops["relay"].wakeup.set()
        if wrote.tasks:
            self.loops["tasks"].wakeup.set()

    def _count_from_zero(self) -> None:
        """A counter that begins with its first event shows no increase to whoever alerts on one."""
        self.meters.count(metrics.MESSAGES, 0, status="dead")
        for one in CATALOGUE.values():
            if self.resources.service in one.topic.writers:
                self.meters.count(metrics.FACTS, 0, ce_type=one.ce_type)

    async def start(self) -> None:
        """Start everything; the subscriber last, so that what it brings finds its relay and tasks running.

        Waits for ever for a broker that is away: a service that was started early must not need a second start.
        """
        self._count_from_zero()
        await self._refuse_amnesia()
        for loop in self.loops.values():
            loop.start()
        self.subscription.feed(
            Intake(self.shell, self._batch_took, namespace=self.resources.settings.namespace)
        )
        await until_back(self.subscription.start, what="kafka")
        log.info("service.started", service=self.resources.service)

    async def stop(self) -> None:
        """Stop taking in, drain what runs, give the shards back; every step has a deadline."""
        await _within(CLOSE_SECONDS * 2, self.subscription.stop())
        await self.loops["tasks"].stop(within=1.0)
        await self.runner.drain(within=DRAIN_SECONDS)
        for name in ("lookout", "timers", "parked", "gauges", "chores", "relay"):
            await self.loops[name].stop(within=CLOSE_SECONDS)
        await _within(CLOSE_SECONDS, self.relay.release())
        await _within(CLOSE_SECONDS, self.producer.close())
        for close in self.parts.closers:
            await _within(CLOSE_SECONDS, close())
        await _within(CLOSE_SECONDS, self.tracing.close())
        log.info("service.stopped", service=self.resources.service)

    def _shell(self, dead_letters: DeadLetterSeal) -> Shell[Any]:
        return self.tracing.shell(
            Parts(
                domain=self.parts.domain,
                store=self.store,
                clock=self.resources.clock,
                sealer=self.resources.vault,
                dead_letters=dead_letters,
                prepare=self.parts.prepare,
                admit=Admission(signature_check(self.resources.keys)),
                observer=self,
                facts=self.parts.facts,
                beside=self.parts.beside,
            )
        )

    def _producer(self) -> Producer:
        settings, client_id = self.resources.settings, f"habeas-{self.resources.service}-relay"
        broker = {**self.broker.client(), "client_id": client_id}
        return self.tracing.producer(KafkaProducer(broker, namespace=settings.namespace))

    def _runner(self, width: int) -> Runner:
        handlers = self.tracing.handlers(self.parts.handlers)
        runner = Runner(self.tasks, handlers, self.batcher, self.resources.clock, width=width)
        runner.lanes = self.parts.lanes
        return runner

    def _loops(self) -> dict[str, Loop]:
        wakeups = {name: Wakeup() for name in ("relay", "tasks", "timers", "parked")}
        lookout = Lookout(
            self.resources.pool,
            self.resources.clock,
            handlers=list(self.parts.handlers),
            shards=lambda: self.relay.shards,
            wakeups=wakeups,
        )
        turns = {"tasks": self.runner.turn, "timers": self._timers, "parked": self._parked}
        return {
            # Often enough that its leases are renewed in time, whatever there is to publish.
            "relay": Loop("relay", self.relay.turn, poll_seconds=RENEW_SECONDS / 2, wakeup=wakeups["relay"]),
            **{
                name: Loop(name, turn, poll_seconds=UNWOKEN_SECONDS, wakeup=wakeups[name])
                for name, turn in turns.items()
            },
            "lookout": Loop("lookout", lookout.turn, poll_seconds=LOOK_SECONDS),
            "gauges": Loop("gauges", self._gauges, poll_seconds=5.0),
            "chores": Loop("chores", self._chores, poll_seconds=3600.0),
        }

    async def _timers(self) -> bool:
        return await self.shell.wake_due() > 0

    async def _parked(self) -> bool:
        await self.shell.drain_parked()
        return False

    async def _gauges(self) -> bool:
        self.resources.vault.forget_expired()
        await self.health.measure()
        return False

    async def _chores(self) -> bool:
        """Housekeeping: what the service brings, and the outbox's months that nobody can ask for any more."""
        now = self.resources.clock.now()
        for chore in self.parts.chores:
            await chore(now)
        dropped = await self.resources.pool.fetchval("SELECT forget_outbox($1)", now - KEPT_AFTER_CLOSING)
        if dropped:
            log.info("outbox.forgot", count=dropped)
        return False

    def _batch_took(self, seconds: float) -> None:
        self.meters.observe(metrics.BATCH_SECONDS, seconds)

    async def _refuse_amnesia(self) -> None:
        """A service whose database is empty while its own topics hold records was restored wrongly: stop."""
        from shared.amnesia import refuse_amnesia

        await until_back(lambda: refuse_amnesia(self.resources), what="kafka")


async def open_resources(settings: Settings, service: str, stack: AsyncExitStack) -> Resources:
    """Open what a service needs; waits for ever for databases that are away.

    Raises:
        shared.private_files.KeyFileRefused: a key or URL file is missing, or open to others.
    """
    url = read_private(settings.database_url_file(service)).decode()
    vault_url = read_private(settings.vault_url_file(service)).decode()
    keys = KeyFiles(settings.keys)
    name = f"habeas-{service}"
    pool = await until_back(
        lambda: open_pool(url, application=name, size=settings.database_pool), what="database"
    )
    stack.push_async_callback(_close_pool, pool)
    vault_pool = await until_back(lambda: open_pool(vault_url, application=name, size=2), what="vault")
    stack.push_async_callback(_close_pool, vault_pool)
    vault = Vault(PostgresKeys(vault_pool), keys.kek(), monotonic=time.monotonic)
    return Resources(settings, service, clock_of(settings), pool, vault, keys)


def clock_of(settings: Settings) -> Clock:
    """The clock that the settings ask for."""
    return AdvancingClock(settings.clock_file) if settings.clock == "advance" else SystemClock()


async def _close_pool(pool: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
    except TimeoutError:
        pool.terminate()


async def _within(seconds: float, work: Awaitable[Any]) -> None:
    try:
        await asyncio.wait_for(work, seconds)
    except Exception as error:  # noqa: BLE001 - a failed step of the shutdown must not keep the next from being taken
        log.warning("stop.step_failed", error_type=type(error).__name__)
