from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import uvicorn

from costpol.proxy.simulated import SimulatedProvider

POLICY = {
    "models.yaml": """kind: models
providers:
  sim: {type: openai, base_url: "http://127.0.0.1:1/v1", key: none, timeout: 2s}
models:
  small: {provider: sim, price: {input: 1 USD, output: 4 USD}}
  large: {provider: sim, price: {input: 10 USD, output: 40 USD}}
  down: {provider: sim, name: "m:fail-503", price: {input: 1 USD, output: 1 USD}}
  missing: {provider: sim, name: "m:fail-404", price: {input: 1 USD, output: 1 USD}}
  busy: {provider: sim, name: "m:fail-429", price: {input: 1 USD, output: 1 USD}}
  silent: {provider: sim, name: "m:fail-hang", price: {input: 1 USD, output: 1 USD}}
  garbled: {provider: sim, name: "m:fail-garbage", price: {input: 1 USD, output: 1 USD}}
  torn: {provider: sim, name: "m:fail-cut", price: {input: 1 USD, output: 1 USD}}
  stalled: {provider: sim, name: "m:fail-stall", price: {input: 1 USD, output: 1 USD}}
tiers: {cheap: small, strong: large, shaky: [down, small]}
...
""",
    "intents.yaml": """kind: intents
intents:
  faq:
    examples: [how do I reset my password, what are your opening hours, where can I change my address]
  chat:
    examples: [tell me a joke, good morning, write a poem about the sea]
...
""",
    "routing.yaml": """kind: routing
default: cheap
rules:
  - name: by-name
    when: {model: [down, missing, busy, silent, garbled, torn, stalled]}
    route: requested
  - {name: shaky, when: {model: shaky}, route: shaky}
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
fallback: {on: [5xx, unreachable, timeout], to: []}
...
""",
    "personalization.yaml": """kind: personalization
exclusions:
  - {phrases: ["my invoice"]}
...
""",
    "cache.yaml": """kind: cache
intents:
  faq: {threshold: 0.9, ttl: 1h, scope: tenant}
...
""",
    "prompts.yaml": "kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n",
    "budgets.yaml": """kind: budgets
budgets:
  company: {limit: 1000 USD, per: month, time_zone: UTC}
  tenants: {calls: 100000, per: day, each: tenant, time_zone: UTC}
  trial: {limit: 100 USD, per: hour}
...
""",
}


class Served:
    """A simulated provider on a port of its own, in a thread of its own."""

    def __init__(self, app: SimulatedProvider, port: int = 0) -> None:
        self.app = app
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.port: int = self.socket.getsockname()[1]
        config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_level="critical")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self.server.serve(sockets=[self.socket])), daemon=True
        )
        self.thread.start()
        while not self.server.started:
            time.sleep(0.005)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def stop(self) -> None:
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(5)
        self.socket.close()


class Sidecar:
    """`costpol serve` in a process of its own."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "costpol", "serve", "--port=0", *arguments],
            stdout=subprocess.PIPE,
            stderr=log.open("ab"),
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "engine")},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        if "listens on" not in line:
            self.process.wait(10)
            raise RuntimeError(f"exit {self.process.returncode}: {log.read_text()}")
        self.address = line.split()[3]

    def client(self, **headers: str) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=f"{self.address}/v1", api_key="caller-key", max_retries=0, timeout=10, default_headers=headers
        )

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one plain HTTP request."""
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=10)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        return json.loads(self.request("GET", path)[2])

    def metric(self, name: str, **labels: str) -> float:
        total = 0.0
        for line in self.request("GET", "/metrics")[2].decode().splitlines():
            if line.startswith((name + "{", name + " ")) and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rpartition(" ")[2])
        return total

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def provider() -> Iterator[Served]:
    served = Served(SimulatedProvider())
    yield served
    served.stop()


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sidecar, Served]]:
    """One sidecar and its provider for all tests of a module that change neither."""
    folder, served = tmp_path_factory.mktemp("common"), Served(SimulatedProvider())
    arguments = [f"--policies={write_policies(folder)}", f"--data={folder / 'data'}", f"--upstream=sim={served.url}"]
    sidecar = Sidecar(arguments, folder / "log")
    yield sidecar, served
    sidecar.stop(signal.SIGKILL)
    served.stop()


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return write_policies(tmp_path)


def write_policies(parent: Path) -> Path:
    folder = parent / "policies"
    folder.mkdir()
    for name, text in POLICY.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def start(tmp_path: Path, policies: Path, provider: Served) -> Iterator[Callable[..., Sidecar]]:
    """Starts sidecars on the test's policies, data folder and provider."""
    started: list[Sidecar] = []

    def start(*arguments: str) -> Sidecar:
        common = [
            f"--policies={policies}",
            f"--data={tmp_path / 'data'}",
            f"--upstream=sim={provider.url}",
            "--poll=100ms",
        ]
        started.append(Sidecar([*common, *arguments], tmp_path / "log"))
        return started[-1]

    yield start
    for sidecar in started:
        sidecar.stop(signal.SIGKILL)


@pytest.fixture
def sidecar(start: Callable[..., Sidecar]) -> Sidecar:
    return start()
