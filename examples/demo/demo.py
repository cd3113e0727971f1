"""The main job of costpol from end to end, in a minute: check a policy, replay a log, serve traffic, change the policy.

`make demo` runs it against a simulated provider on this machine. `make demo UPSTREAM=openai` sends the handful of
requests to the real one, with the key in `OPENAI_API_KEY`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import openai
import uvicorn

from costpol.proxy.simulated import SimulatedProvider

ROOT = Path(__file__).resolve().parents[2]
COSTPOL = [sys.executable, "-m", "costpol"]
QUESTIONS = [
    ("how do I reset a password", "ada"),
    ("How do I reset a password?", "ben"),
    ("where is my parcel", "ada"),
    ("I am very disappointed with your service", "cleo"),
    ("please compare the annual with the monthly plan for a team of twelve", "ben"),
    ("which payment methods are accepted", "cleo"),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", choices=["simulated", "openai"], default="simulated")
    upstream = parser.parse_args().upstream
    if upstream == "openai" and not os.environ.get("OPENAI_API_KEY"):
        print("make demo UPSTREAM=openai needs a key in OPENAI_API_KEY", file=sys.stderr)
        return 2

    heading("1. Check the policy", "costpol validate policies")
    subprocess.run([*COSTPOL, "validate", "policies"], cwd=ROOT, check=True)

    heading("2. What would it have saved?", "costpol dry-run examples/demo/support.jsonl --policies policies")
    log = "examples/demo/support.jsonl"
    subprocess.run([*COSTPOL, "dry-run", log, "--policies", "policies"], cwd=ROOT, check=True)

    with tempfile.TemporaryDirectory(prefix="costpol-demo-") as folder:
        bundle = Path(folder) / "policies"
        shutil.copytree(ROOT / "policies", bundle)
        with provider(upstream) as options, sidecar(bundle, Path(folder) / "data", options) as address:
            client = openai.OpenAI(base_url=f"{address}/v1", api_key="the-sidecar-has-the-real-one")
            heading("3. Ask through the sidecar", f"openai.OpenAI(base_url='{address}/v1')")
            for question, user in QUESTIONS:
                ask(client, question, user)
            stream(client, "how long does delivery usually take", "ada")
            heading("4. Change the policy while requests flow", "routing.yaml: complaints -> standard")
            change(client, bundle)
    print("\nThe sidecar has stopped. Nothing is left running.")
    return 0


def heading(title: str, command: str) -> None:
    print(f"\n\033[1m{title}\033[0m\n$ {command}" if sys.stdout.isatty() else f"\n{title}\n$ {command}", flush=True)


@contextlib.contextmanager
def provider(upstream: str) -> Iterator[list[str]]:
    """The options that point the sidecar to its provider; a simulated one runs for as long as they are used."""
    if upstream == "openai":
        yield []
        return
    os.environ["OPENAI_API_KEY"] = "not-a-key-the-provider-is-simulated"
    config = uvicorn.Config(SimulatedProvider(), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield ["--upstream", f"openai=http://127.0.0.1:{port}/v1"]
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def sidecar(bundle: Path, data: Path, options: list[str]) -> Iterator[str]:
    """A sidecar in front of the provider; its address."""
    command = [*COSTPOL, "serve", "--policies", str(bundle), "--port", "0", "--data", str(data), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        # Its first line says where it listens; an empty one, that it did not start.
        found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
        if found is None:
            raise SystemExit(f"the sidecar did not start: {' '.join(command)}")
        yield found.group()
    finally:
        process.terminate()
        process.wait(timeout=20)


def ask(client: openai.OpenAI, question: str, user: str) -> str:
    """One request as the application sends it; prints what was decided, and returns the model."""
    response = client.chat.completions.with_raw_response.create(
        model="gpt-4.1",
        messages=[{"role": "user", "content": question}],
        extra_headers={"x-costpol-tenant": "demo", "x-costpol-user": user},
    )
    head = response.headers
    model = head.get("x-costpol-model", "-")
    print(
        f"  {question[:58]:58}  {head['x-costpol-intent']:13} {head['x-costpol-route']:11} {model:13}"
        f" {head['x-costpol-cache']:24} ${head['x-costpol-cost-usd']}",
        flush=True,
    )
    return model


def stream(client: openai.OpenAI, question: str, user: str) -> None:
    """One streamed request."""
    headers = {"x-costpol-tenant": "demo", "x-costpol-user": user}
    chunks = 0
    text = ""
    with client.chat.completions.create(
        model="gpt-4.1", messages=[{"role": "user", "content": question}], stream=True, extra_headers=headers
    ) as events:
        for event in events:
            chunks += 1
            text += (event.choices[0].delta.content or "") if event.choices else ""
    print(f"  {question[:58]:58}  streamed: {chunks} events, {len(text)} characters", flush=True)


def change(client: openai.OpenAI, bundle: Path) -> None:
    """Edit the routing file under traffic, until the new policy answers."""
    routing = bundle / "routing.yaml"
    text = routing.read_text()
    routing.write_text(
        text.replace("when: {intent: complaint}\n    route: strong", "when: {intent: complaint}\n    route: standard")
    )
    seen: Counter[tuple[str, str]] = Counter()
    deadline = time.monotonic() + 20
    number = after = 0
    while time.monotonic() < deadline and after < 5:
        number += 1
        response = client.chat.completions.with_raw_response.create(
            model="gpt-4.1",
            messages=[{"role": "user", "content": f"I am very disappointed with your service ({number})"}],
            extra_headers={"x-costpol-tenant": "demo", "x-costpol-user": f"user-{number}"},
        )
        policy = response.headers["x-costpol-policy"]
        seen[policy, response.headers["x-costpol-model"]] += 1
        after += len({policy for policy, _ in seen}) > 1
        time.sleep(0.05)
    for (policy, model), count in seen.items():
        print(f"  policy {policy}: {count} complaints answered by {model}")
    if after == 0:
        raise SystemExit("the new policy did not take over")
    print(f"  {number} requests, none lost")


if __name__ == "__main__":
    raise SystemExit(main())
