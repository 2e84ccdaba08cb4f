"""Runs services as processes: opens what they need, serves HTTP, and ends within a deadline whatever hangs."""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from shared.amnesia import LostMemory
from shared.events.topics import SERVICES
from shared.hosting import Build, Host, open_resources
from shared.private_files import KeyFileRefused, write_private
from shared.settings import Settings
from shared.telemetry.logs import configure_logs

log = structlog.get_logger("serving")
HARD_EXIT_SECONDS = 110.0
# New objects before the collector looks at them. A batch is some ten thousand objects that all live until its commit:
# at Python's 700, walking them again and again costs a seventh of a service's time.
COLLECT_AFTER = 20_000


def production(service: str) -> Build:
    """How a service is put together: its own `app.build`."""
    build: Build = import_module(f"services.{service}.app").build
    return build


def run(settings: Settings, service: str, build_of: Callable[[str], Build] = production) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    configure_logs(service, settings.log_level)
    names = SERVICES if service == "all" else (service,)
    code = 0
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve(settings, names, build_of))
    except* (KeyFileRefused, LostMemory) as refused:
        for error in refused.exceptions:
            log.error("service.refused", reason=str(error))  # noqa: TRY400 - a sentence, not a traceback
        code = 1
    return code


def new_loop() -> asyncio.AbstractEventLoop:
    """The loop that services run on."""
    import uvloop

    return uvloop.new_event_loop()


async def _serve(settings: Settings, names: tuple[str, ...], build_of: Callable[[str], Build]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for name in names:
            own = settings if name == names[0] else settings.model_copy(update={"port": 0})
            building = build_host(own, name, stack, build_of(name))
            group.create_task(_one(building, stopping))
        group.create_task(_hard_exit(stopping, loop))


async def _one(building: Awaitable[Host], stopping: asyncio.Event) -> None:
    host = await building
    server = _server(host, web_application(host), stopping)
    serving = asyncio.get_running_loop().create_task(server.serve())
    try:
        started = asyncio.get_running_loop().create_task(host.start())
        await _first(started, stopping)
        leave_alone_what_stays()
        await stopping.wait()
    finally:
        stopping.set()
        server.should_exit = True
        await host.stop()
        await serving


def leave_alone_what_stays() -> None:
    """Modules, rules and connections live as long as the process: no collection need walk over them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


async def _first(started: "asyncio.Task[None]", stopping: asyncio.Event) -> None:
    """Wait for the start, or for the wish to stop, whichever comes first; a failed start is raised."""
    stop = asyncio.get_running_loop().create_task(stopping.wait())
    await asyncio.wait({started, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if started.done():
        started.result()
    else:
        started.cancel()


async def build_host(
    settings: Settings, service: str, stack: AsyncExitStack, build: Build | None = None
) -> Host:
    """A host with its service inside, not yet started; built as in production unless told how."""
    from shared.dead_letter_seal import DeadLetterSeal

    resources = await open_resources(settings, service, stack)
    return Host(resources, await (build or production(service))(resources), DeadLetterSeal(resources.vault))


def web_application(host: Host) -> FastAPI:
    """The service's own routes beside `/live`, `/ready` and `/metrics`."""
    app = FastAPI(title=f"Habeas {host.resources.service}", docs_url=None, redoc_url=None)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.include_router(host.health.routes())
    if host.parts.routes is not None:
        found = host.parts.routes(host.batcher)
        for router in [found] if isinstance(found, APIRouter) else found:
            app.include_router(router)
    if host.parts.dress is not None:
        host.parts.dress(app)
    host.tracing.dress(app)
    return app


def _invalid(_request: Request, error: Exception) -> Response:
    """Where it is wrong, and never what was sent, which the framework's own answer repeats."""
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    fields = ", ".join(sorted({str(one["loc"][-1]) for one in found if one["loc"][0] in {"path", "query"}}))
    problem = {
        "type": "about:blank",
        "title": "What was sent cannot be used",
        "status": 422,
        "detail": f"Give {fields or 'it'} in the form that the API describes.",
    }
    return JSONResponse(problem, status_code=422, media_type="application/problem+json")


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers, telling where it listens once it does."""

    def __init__(self, config: uvicorn.Config, host: Host, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._host = host
        self._stopping = stopping

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        settings = self._host.resources.settings
        port = self.servers[0].sockets[0].getsockname()[1]
        folder = settings.home / "run"
        folder.mkdir(mode=0o700, exist_ok=True)
        write_private(
            folder / f"{self._host.resources.service}.url", f"http://{settings.host}:{port}".encode()
        )
        log.info("http.listening", service=self._host.resources.service, port=port)

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn's own loop wakes ten times a second to ask whether it has come."""
        await self.on_tick(0)
        await self._stopping.wait()

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()


def _server(host: Host, app: FastAPI, stopping: asyncio.Event) -> _Server:
    settings = host.resources.settings
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
        limit_concurrency=500,
        h11_max_incomplete_event_size=65_536,
    )
    return _Server(config, host, stopping)


async def _hard_exit(stopping: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    """Graceful paths hang when brokers are down; after the limit the process ends, and kill -9 must be safe too."""
    await stopping.wait()
    loop.call_later(HARD_EXIT_SECONDS, os._exit, 3)
