"""The promise of the dry-run: live traffic gets the decisions that the replay of the same traffic makes."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from costpol.evaluate.corpus import Corpus
from costpol.evaluate.record import Record
from costpol.evaluate.rehearsal import rehearse
from costpol.evaluate.replay import Replay
from costpol.pipeline.headers import decision_headers
from costpol.policy.loader import read_bundle

ROOT = Path(__file__).parents[2]
COSTPOL = [sys.executable, "-m", "costpol"]
REQUESTS = 120
DECIDED = ("x-costpol-intent", "x-costpol-route", "x-costpol-model", "x-costpol-cache", "x-costpol-hit")


@contextmanager
def started(*arguments: str) -> Iterator[str]:
    """The address of one of our servers."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "engine"), "OPENAI_API_KEY": "simulated"}
    with subprocess.Popen(
        [*COSTPOL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
            assert found is not None, "the server did not start"
            yield found.group()
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """The demo's requests without its answers, which are not those of the simulated provider."""
    log = tmp_path_factory.mktemp("log") / "requests.jsonl"
    with (ROOT / "examples/demo/support.jsonl").open() as lines:
        recorded = [json.loads(line) for _, line in zip(range(REQUESTS), lines, strict=False)]
    log.write_text("".join(json.dumps({**record, "response": None}) + "\n" for record in recorded))
    return list(Corpus([str(log)], sys.stdin.buffer))


def replayed(records: list[Record]) -> list[dict[str, str]]:
    async def run() -> list[dict[str, str]]:
        async with rehearse(read_bundle(ROOT / "policies"), time.time) as rehearsal:
            replay = Replay(rehearsal)
            outcomes = [(await replay.run(record)).outcome for record in records]
        headers = [dict(decision_headers(outcome.decision)) for outcome in outcomes]
        return [{name: value for name, value in each.items() if name in DECIDED} for each in headers]

    return asyncio.run(run())


def served(records: list[Record], address: str, *, stream: bool) -> list[dict[str, str]]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        return [_ask(client, record, stream=stream) for record in records]


def _ask(client: openai.OpenAI, record: Record, *, stream: bool) -> dict[str, str]:
    body: dict[str, Any] = json.loads(record.arrival.request.raw)
    caller = record.arrival.caller
    identity = {"tenant": caller.tenant, "user": caller.user, "agent": caller.agent}
    headers = {f"x-costpol-{part}": value for part, value in identity.items() if value}
    response = client.chat.completions.with_raw_response.create(**body, stream=stream, extra_headers=headers)
    if stream:
        assert "".join(event.choices[0].delta.content or "" for event in response.parse() if event.choices)
    return {name: response.headers[name] for name in DECIDED if name in response.headers}


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
def test_live_and_replayed_decisions_are_equal(records: list[Record], tmp_path: Path, stream: bool) -> None:
    with (
        started("simulate", "--port", "0") as upstream,
        started(
            "serve", "--policies", str(ROOT / "policies"), "--port", "0", "--data", str(tmp_path / "data"),
            "--upstream", f"openai={upstream}/v1",
        ) as address,
    ):  # fmt: skip
        given = served(records, address, stream=stream)
    promised = replayed(records)
    assert given == promised
    assert len({decision["x-costpol-cache"].split(";")[0] for decision in given}) == 3, "hits, misses and bypasses"
