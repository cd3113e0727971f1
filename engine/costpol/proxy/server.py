"""The service of one process: stores, policy, application and HTTP server, started in this order and stopped in the
other.

Stopping drains: no new connection is taken, requests in flight end, what they owe is settled, files are flushed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import uvicorn

from costpol.errors import UsageError
from costpol.policy.loader import read_bundle
from costpol.proxy.access import Access, is_loopback_name
from costpol.proxy.app import App
from costpol.proxy.identity import Identities
from costpol.proxy.messages import DEFAULT_BODY_LIMIT
from costpol.proxy.metrics import Metrics
from costpol.proxy.protocol import Protocol
from costpol.proxy.recorder import DEFAULT_SIZE, Recorder
from costpol.proxy.upstream import Upstream, open_session
from costpol.runtime.health import Health
from costpol.runtime.provision import Provisioner
from costpol.runtime.reload import DEFAULT_INTERVAL, DEFAULT_SETTLE, Reloader, ReloadReport
from costpol.runtime.snapshot import Snapshot
from costpol.runtime.stores import open_stores
from costpol.runtime.watch import FolderHint

DEFAULT_GRACE = 30.0
_SWEEP_SECONDS = 5.0
_WRITE_SECONDS = 0.05
"""How long bookings wait to be written together: what a killed process may lose of them."""

_log = logging.getLogger("costpol.server")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to serve. `base_urls` take the place of providers' addresses; `worker` numbers one of several processes;
    `grace` is how many seconds requests in flight have when the service stops."""

    policies: Path
    data: Path
    identities: Identities = field(default_factory=Identities)
    base_urls: Mapping[str, str] = field(default_factory=dict)
    interval: float = DEFAULT_INTERVAL
    settle: float = DEFAULT_SETTLE
    body_limit: int = DEFAULT_BODY_LIMIT
    record: Path | None = None
    """A log of what is asked and answered; none without it."""
    record_size: int = DEFAULT_SIZE
    grace: float = DEFAULT_GRACE
    worker: int | None = None


class _Server(uvicorn.Server):
    """Leaves signals to its owner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(options: ServerOptions, listener: socket.socket, ready: Callable[[Snapshot], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called once requests are answered.

    Raises `UsageError`, `BundleError` and `ProvisionError` where the service cannot start.
    """
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as opened:
        stores = open_stores(options.data, options.worker, partial(loop.call_later, _WRITE_SECONDS))
        opened.callback(stores.close)
        opened.push_async_callback(stores.remote.close)
        session = await opened.enter_async_context(open_session())
        provisioner = Provisioner(
            stores, session, os.environ, options.base_urls, callers_have_keys=options.identities.known is not None
        )
        snapshot = await provisioner.provision(read_bundle(options.policies), 1)
        _check_base_urls(options.base_urls, snapshot)
        metrics = _count_for(snapshot)

        def observe(report: ReloadReport) -> None:
            metrics.count_reload(report)
            if report.result == "reloaded":
                metrics.serve(reloader.current, time.time())

        reloader = Reloader(
            snapshot, lambda: read_bundle(options.policies), provisioner.provision,
            interval=options.interval, settle=options.settle, observe=observe,
        )  # fmt: skip
        opened.callback(_retire_current, reloader)
        hint = FolderHint(options.policies, lambda: loop.call_soon_threadsafe(reloader.hint))
        hint.start()
        opened.callback(hint.stop)
        recorder = _open_recorder(options, stores.health)
        if recorder is not None:
            opened.callback(recorder.close)
        app = App(
            reloader, Upstream(session), stores.unsettled, Access(options.identities, options.identities.known is None),
            metrics, options.body_limit, troubles=stores.troubles, recorder=recorder,
        )  # fmt: skip
        opened.push_async_callback(app.verifier.close)
        server = _Server(_config(app, options))

        def stop() -> None:
            app.stopping = True
            server.should_exit = True

        _obey(loop, stop, reloader.ask)
        if options.worker is not None:
            _watch_parent(loop, stop)
        for finding in snapshot.findings:
            _log.warning("%s:%d: %s %s", finding.span.file, finding.span.line, finding.code, finding.message)

        async def upkeep() -> None:
            stores.sweep(time.time())
            hint.supervise()
            metrics.note_troubles(app.all_troubles())

        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(reloader.run()),
                tasks.create_task(_again_and_again(upkeep)),
                tasks.create_task(_again_and_again(lambda: stores.remote.keep_up(time.time()))),
            ]
            serving = tasks.create_task(server.serve(sockets=[listener]))
            while not server.started and not serving.done():
                await asyncio.sleep(0.005)
            _spare_collector()
            ready(snapshot)
            await serving
            for task in beside:
                task.cancel()
    _log.info("stopped")


def listen(host: str, port: int, identities: Identities) -> socket.socket:
    """A listening socket. Raises `UsageError`, also where strangers could connect without a key."""
    if identities.known is None and not is_loopback_name(host.encode()):
        raise UsageError(
            f"serving on `{host}` would let everybody who can reach it spend on the providers' keys",
            "declare who may ask with `--callers FILE`, or serve on 127.0.0.1",
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        raise UsageError(
            f"`{host}` port {port} cannot be listened on: {(error.strerror or str(error)).lower()}",
            "choose another with `--port`, or `--port 0` for any that is free",
        ) from error
    return listener


def run(options: ServerOptions, listener: socket.socket, ready: Callable[[Snapshot], None]) -> None:
    """`serve` on an event loop of its own, the fastest there is here."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        _log.info("uvloop is not there, asyncio's own loop is used")
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(options, listener, ready))


def log_to_stderr() -> None:
    """Log lines as JSON, one per line, for machines to read and people to grep."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("costpol").setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # what strangers send is answered, and no reason to warn


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


async def _again_and_again(upkeep: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            await upkeep()
        except Exception:  # noqa: BLE001
            # A defect in upkeep must not end the service; it shows in the log every time.
            _log.exception("upkeep failed because of a defect in costpol")


def _count_for(snapshot: Snapshot) -> Metrics:
    metrics = Metrics()
    metrics.serve(snapshot, time.time())
    return metrics


def _obey(loop: asyncio.AbstractEventLoop, stop: Callable[[], None], reload: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, reload)


def _open_recorder(options: ServerOptions, health: Health) -> Recorder | None:
    """The log of live traffic where one is asked for; one for each worker."""
    if options.record is None:
        return None
    path = options.record
    if options.worker is not None:
        path = path.with_name(f"{path.stem}-worker-{options.worker}{path.suffix}")
    return Recorder(path, health, options.record_size)


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Stop a worker when the process that started it has ended: its standard input ends then."""
    pipe = sys.stdin.fileno()

    def look() -> None:
        if not os.read(pipe, 1024):
            loop.remove_reader(pipe)
            _log.warning("the process that started this worker has ended, it stops")
            stop()

    loop.add_reader(pipe, look)


def _retire_current(reloader: Reloader) -> None:
    reloader.current.retire()


def _spare_collector() -> None:
    """Keep what was loaded at the start out of every later garbage collection, and collect less often: a request makes
    few cycles, and walking the same hundred thousand objects again and again took a tenth of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 50, 50)


def _config(app: App, options: ServerOptions) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(1, round(options.grace)),
    )


def _check_base_urls(base_urls: Mapping[str, str], snapshot: Snapshot) -> None:
    for name in base_urls:
        if name not in snapshot.bundle.models.providers:
            known = ", ".join(f"`{each}`" for each in snapshot.bundle.models.providers)
            raise UsageError(f"the policy declares no provider `{name}`", f"its providers are {known}")
