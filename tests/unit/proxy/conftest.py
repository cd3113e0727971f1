from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import uvicorn

from costpol.proxy.simulated import SimulatedProvider


class Served:
    """An ASGI application on a port of its own, in a thread of its own."""

    def __init__(self, app: Any, protocol: Any = "httptools") -> None:
        self.app = app
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        config = uvicorn.Config(app, http=protocol, ws="none", lifespan="off", log_level="critical")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        while not self.server.started:
            pass

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def stop(self) -> None:
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(5)
        self.socket.close()

    def _run(self) -> None:
        asyncio.run(self.server.serve(sockets=[self.socket]))


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """`serve(app, protocol)` serves an application until the test ends."""
    with ExitStack() as running:

        def start(app: Any, protocol: Any) -> Served:
            served = Served(app, protocol)
            running.callback(served.stop)
            return served

        yield start


@pytest.fixture
def provider() -> Iterator[Served]:
    """A simulated provider; `provider.app` is the `SimulatedProvider`."""
    served = Served(SimulatedProvider())
    yield served
    served.stop()
