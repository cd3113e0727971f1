"""Does live traffic get the decisions that the dry-run promised?

Sends the requests of a slice of a log through a sidecar before a simulated provider, with the official `openai` client,
one after the other; replays the same requests as `costpol dry-run` does; and compares intent, rule, model and cache
status of each. Prints how many agree, and shows the first that do not.

The logs are made of public data under `--data` or `COSTPOL_BENCH_DATA`: Banking77 (PolyAI, CC BY 4.0) and tau-bench
(Sierra, MIT); or give one of your own with `--log`. Live traffic has other times than the log, so a slice must be
shorter than every TTL. Exit 0: all decisions agree, or skipped; 1: some differ.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import openai

sys.path.insert(0, str(Path(__file__).parent))
import banking77
import tau_bench

from costpol.evaluate.corpus import Corpus
from costpol.evaluate.record import Record
from costpol.evaluate.rehearsal import rehearse
from costpol.evaluate.replay import Replay
from costpol.pipeline.headers import decision_headers
from costpol.policy.loader import read_bundle

COSTPOL = [sys.executable, "-m", "costpol"]
IDENTITY = ("tenant", "user", "agent", "session", "stage")
COMPARED = ("x-costpol-intent", "x-costpol-route", "x-costpol-model", "x-costpol-cache", "x-costpol-hit")


def main() -> int:
    """Measure every log that is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("COSTPOL_BENCH_DATA"), help="the folder of the public data")
    parser.add_argument("--log", type=Path, help="a log of your own instead")
    parser.add_argument("--policies", default="policies", help="the policy (default: policies)")
    parser.add_argument("--limit", type=int, default=400, help="requests of each log (default: 400)")
    options = parser.parse_args()
    differing = 0
    with tempfile.TemporaryDirectory(prefix="costpol-live-") as folder:
        logs = [options.log] if options.log else list(public_logs(options.data, Path(folder)))
        if not logs:
            print("skipped: no banking77/ or tau-bench/ under --data or COSTPOL_BENCH_DATA")
        for log in logs:
            part = Path(folder) / f"slice-{log.name}"
            with log.open(encoding="utf-8") as lines:
                part.write_text("".join(unanswered(line) for line in islice(lines, options.limit)), encoding="utf-8")
            differing += asyncio.run(compare(part, log.name, options.policies, Path(folder) / f"data-{log.stem}"))
    return 1 if differing else 0


def unanswered(line: str) -> str:
    """The request alone: what the simulated provider answers is not what the log recorded, and the cache and budgets
    of the replay would go by that."""
    record = json.loads(line)
    record.pop("response", None)
    return json.dumps(record) + "\n"


def public_logs(data: str | None, folder: Path) -> Iterator[Path]:
    """The logs that can be made of the data that is there."""
    table = Path(data or "/nowhere") / "banking77" / "train.csv"
    if table.is_file():
        banking77.write_log(banking77.read_questions(table), banking77.SEEDS[0], folder / "banking77.jsonl")
        yield folder / "banking77.jsonl"
    recorded = Path(data or "/nowhere") / "tau-bench" / "gpt-4o-airline.json"
    if recorded.is_file():
        tau_bench.write_log(json.loads(recorded.read_bytes()), folder / "tau-bench.jsonl")
        yield folder / "tau-bench.jsonl"


async def compare(log: Path, name: str, policies: str, data: Path) -> int:
    """How many decisions differ between the sidecar and the replay."""
    records = list(Corpus([str(log)], sys.stdin.buffer))
    async with rehearse(read_bundle(Path(policies)), time.time) as rehearsal:
        replay = Replay(rehearsal)
        promised = [compared(dict(decision_headers((await replay.run(record)).outcome.decision))) for record in records]
        providers = list(rehearsal.snapshot.bundle.models.providers)
    with serving(policies, providers, data) as address:
        started = time.perf_counter()
        given = [headers async for headers in served(records, address)]
        seconds = time.perf_counter() - started
    differing = [i for i, (want, got) in enumerate(zip(promised, given, strict=True)) if want != got]
    print(
        f"{name}: {len(records) - len(differing)} of {len(records)} decisions agree; "
        f"{len(records) / seconds:,.0f} requests/s one after the other, "
        f"{dict(Counter(headers.get('x-costpol-cache', '').split(';')[0] for headers in given))}"
    )
    for i in differing[:5]:
        print(f"  {records[i].id}: promised {promised[i]}, given {given[i]}")
    return len(differing)


async def served(records: list[Record], address: str) -> AsyncIterator[dict[str, str]]:
    """What the sidecar decides, request by request."""
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        for record in records:
            body: dict[str, Any] = json.loads(record.arrival.request.raw)
            identity = {part: getattr(record.arrival.caller, part) for part in IDENTITY}
            headers = {f"x-costpol-{part}": value for part, value in identity.items() if value is not None}
            if record.arrival.deadline is not None:
                headers["x-costpol-deadline"] = str(record.arrival.deadline)
            try:
                response = await client.chat.completions.with_raw_response.create(**body, extra_headers=headers)
                answered = response.headers
            except openai.APIStatusError as error:
                answered = error.response.headers
            yield compared(answered)


def compared(headers: Mapping[str, str]) -> dict[str, str]:
    """What must be the same; the name of a kept answer, for one, is not known when the head of a stream leaves."""
    return {name: headers[name] for name in COMPARED if name in headers}


@contextlib.contextmanager
def serving(policies: str, providers: list[str], data: Path) -> Iterator[str]:
    """The address of a sidecar in front of a simulated provider, which stands for all that the policy names."""
    environment = {**os.environ, "OPENAI_API_KEY": "simulated"}
    with started([*COSTPOL, "simulate", "--port", "0"], environment) as upstream:
        options = ["--port", "0", "--data", str(data)]
        options += [word for name in providers for word in ("--upstream", f"{name}={upstream}/v1")]
        with started([*COSTPOL, "serve", "--policies", policies, *options], environment) as address:
            yield address


@contextlib.contextmanager
def started(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """The address that a server says in its first line; it is stopped at the end."""
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, env=environment) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://[\d.]+:\d+", line)
            if found is None:
                process.wait()
                said.seek(0)
                raise SystemExit(f"`{' '.join(command)}` did not start:\n{said.read()[-2000:]}")
            yield found.group()
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main())
