"""CPU per request of the sidecar against a bare forwarder on the same server and client libraries.

    python benchmarks/sidecar.py [--rounds 3] [--seconds 4] [--connections 16] [--check 2.0]

The forwarder is uvicorn and aiohttp, bytes in and bytes out, which is the least that any proxy in this language does.
The sidecar decides by nine routing rules, asks, reserves and settles a budget in the ledger file, reads the usage of
every answer, and counts metrics. Both run in turn against the same simulated provider: the one measured alone on the
first core, provider and load on the second. CPU is user and system time of the process, from `/proc`. Load comes from
`wrk` where it is installed, else from a client here. With `--check` the exit is 1 where a ratio is higher.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

QUESTION = "Our second warehouse is moving next month and we have to decide what to do with the remaining stock. " * 16
BODY = {
    "model": "large",
    "messages": [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": QUESTION}],
    "temperature": 0.2,
}

POLICY = {
    "models.yaml": """kind: models
providers:
  sim: {type: openai, base_url: http://127.0.0.1:1/v1, key: none}
models:
  small: {provider: sim, price: {input: 0.10 USD, output: 0.40 USD}}
  large: {provider: sim, price: {input: 2.00 USD, output: 8.00 USD}}
tiers: {cheap: small, strong: large}
...
""",
    "routing.yaml": """kind: routing
default: cheap
rules:
  - {name: acknowledgements, when: {message: {max_chars: 20, any_of: ["yes", "no", "thanks", "ok"]}}, route: cheap}
  - {name: deep-work, when: {message: {words: [analyze, compare, strategy, research]}}, route: strong}
  - {name: code, when: {message: {words: [traceback, stacktrace, segfault, refactor]}}, route: strong}
  - {name: legal, when: {message: {words: [contract, liability, clause]}}, route: strong}
  - {name: drafts, when: {metadata: {kind: draft}}, route: cheap}
  - {name: long-talks, when: {turns: {min: 8}}, route: strong}
  - {name: trials, when: {tenant: "trial/*"}, route: cheap}
  - {name: json, when: {output: json}, route: strong}
  - {name: greetings, when: {message: {max_chars: 12, words: [hello, hi]}}, route: cheap}
...
""",
    "prompts.yaml": "kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n",
    "budgets.yaml": """kind: budgets
budgets:
  company: {limit: 100000 USD, per: month, time_zone: UTC}
ladder:
  - {at: 90%, warn: true}
...
""",
}

LUA = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[BODY]==]
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\nDONE %d %d\\n", summary.requests, e.status + e.read + e.write + e.timeout))
end
"""

FORWARDER = """
import sys, aiohttp, uvicorn
url, port = sys.argv[1], int(sys.argv[2])
session = None
async def app(scope, receive, send):
    global session
    if session is None:
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1000), auto_decompress=False)
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    async with session.post(url, data=body, headers={"content-type": "application/json"}) as answer:
        kind = answer.headers["content-type"].encode()
        if kind.startswith(b"text/event-stream"):
            await send({"type": "http.response.start", "status": answer.status, "headers": [(b"content-type", kind)]})
            async for chunk in answer.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        else:
            whole = await answer.read()
            head = [(b"content-type", kind), (b"content-length", str(len(whole)).encode())]
            await send({"type": "http.response.start", "status": answer.status, "headers": head})
            await send({"type": "http.response.body", "body": whole})
uvicorn.run(app, port=port, http="httptools", loop="uvloop", access_log=False, log_level="error", lifespan="off")
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--check", type=float)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows, ratios = measure(Path(folder), options)
    print(f"{'answer':<8}{'server':<12}{'CPU us/request':>16}{'requests/s':>12}")
    for kind, server, micros, rate in rows:
        print(f"{kind:<8}{server:<12}{micros:>16.0f}{rate:>12.0f}")
    for kind, ratio in ratios.items():
        print(f"{kind}: the sidecar takes {ratio:.2f} times the CPU of a bare forwarder")
    return int(options.check is not None and max(ratios.values()) > options.check)


def measure(folder: Path, options: argparse.Namespace) -> tuple[list[tuple[str, str, float, float]], dict[str, float]]:
    first, second = (os.sched_getaffinity(0) | {0}).pop(), max(os.sched_getaffinity(0))
    policies = folder / "policies"
    policies.mkdir()
    for name, text in POLICY.items():
        (policies / name).write_text(text)
    (folder / "forwarder.py").write_text(FORWARDER)
    provider, sidecar_port, forwarder_port = free_port(), free_port(), free_port()
    base = f"http://127.0.0.1:{provider}/v1"
    costpol = [sys.executable, "-m", "costpol"]
    commands = {
        "forwarder": [sys.executable, str(folder / "forwarder.py"), f"{base}/chat/completions", str(forwarder_port)],
        "sidecar": [
            *costpol, "serve", f"--policies={policies}", f"--port={sidecar_port}", f"--data={folder / 'data'}",
            f"--upstream=sim={base}",
        ],
    }  # fmt: skip
    ports = {"forwarder": forwarder_port, "sidecar": sidecar_port}
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    processes = {"provider": start([*costpol, "simulate", f"--port={provider}"], second)}
    try:
        wait_for(provider)
        for name, command in commands.items():
            processes[name] = start(command, first)
            wait_for(ports[name])
        for number in range(options.rounds + 1):
            for kind in ("JSON", "SSE"):
                for name in commands if number % 2 else reversed(commands):
                    sample = one_run(
                        processes[name].pid,
                        ports[name],
                        stream=kind == "SSE",
                        options=options,
                        core=second,
                        folder=folder,
                    )
                    if number:  # the first round warms up
                        results.setdefault((kind, name), []).append(sample)
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for process in processes.values():
            process.wait(timeout=20)
    rows = []
    for (kind, name), samples in sorted(results.items()):
        rows.append((kind, name, *(statistics.median(column) for column in zip(*samples, strict=True))))
    micros = {(kind, name): value for kind, name, value, _ in rows}
    return rows, {kind: micros[kind, "sidecar"] / micros[kind, "forwarder"] for kind in ("JSON", "SSE")}


def one_run(
    pid: int, port: int, *, stream: bool, options: argparse.Namespace, core: int, folder: Path
) -> tuple[float, float]:
    """Microseconds of CPU per request, and requests per second."""
    import json

    body = json.dumps(BODY | ({"stream": True} if stream else {}), separators=(",", ":"))  # as the official clients do
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    before, began = cpu_seconds(pid), time.monotonic()
    if shutil.which("wrk"):
        script = folder / "post.lua"
        script.write_text(LUA.replace("BODY", body))
        load = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "-s", str(script), url]
        output = subprocess.run(["taskset", "-c", str(core), *load], check=True, capture_output=True, text=True).stdout
        done = next(line for line in output.splitlines() if line.startswith("DONE"))
        requests, errors = map(int, done.split()[1:])
    else:
        requests, errors = asyncio.run(drive(url, body.encode(), options))
    if errors:
        raise SystemExit(f"{errors} of {requests} requests failed")
    seconds = time.monotonic() - began
    return (cpu_seconds(pid) - before) / requests * 1e6, requests / seconds


async def drive(url: str, body: bytes, options: argparse.Namespace) -> tuple[int, int]:
    """The load where `wrk` is not installed."""
    import aiohttp

    until, done, errors = time.monotonic() + options.seconds, 0, 0

    async def client(session: aiohttp.ClientSession) -> None:
        nonlocal done, errors
        while time.monotonic() < until:
            async with session.post(url, data=body, headers={"content-type": "application/json"}) as answer:
                await answer.read()
                done += 1
                errors += answer.status != 200

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(client(session) for _ in range(options.connections)))
    return done, errors


def start(command: list[str], core: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["taskset", "-c", str(core), *command], stdout=subprocess.DEVNULL)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
