"""Hits answered afresh behind their callers: nobody waits, it has a budget, and it is noticed where they differ."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from costpol.evaluate.corpus import Corpus
from costpol.evaluate.dry_run import dry_run
from costpol.ledger.sqlite import SqliteLedger
from costpol.policy.loader import read_bundle
from costpol.proxy.simulated import SimulatedProvider
from costpol.reporting.savings.figures import Savings

CACHE = """kind: cache
intents:
  faq: {{threshold: 0.9, ttl: 1h, scope: tenant, verify: 100%{more}}}
verification: {{limit: {limit}, per: day}}
...
"""
FIRST = "what are your opening hours"
ALIKE = ("what are your opening hours?", "What are your opening hours", "what are your opening hours please",
         "What are your opening hours?", "hi what are your opening hours")  # fmt: skip


class Agreeing(SimulatedProvider):
    """Answers every question the same."""

    def _text(self, asked: Any) -> tuple[str, str]:
        return "We open at nine and close at five, every day of the week.", "stop"


class Hanging(SimulatedProvider):
    """Never answers a question with a question mark."""

    async def _complete(self, body: bytes, wish: str, receive: Any, send: Any) -> None:
        if b"hours?" in body:
            await self._wait_until_left(receive)
        else:
            await SimulatedProvider._complete(self, body, wish, receive, send)


def ask(sidecar: Any, text: str, **options: Any) -> dict[str, str]:
    """The headers of one answer."""
    body = json.dumps({"model": "large", "messages": [{"role": "user", "content": text}], **options}).encode()
    status, headers, _ = sidecar.request("POST", "/v1/chat/completions", body, x_costpol_tenant="acme")
    assert status == 200
    return headers


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that happens by itself; the deadline only ends a test that has failed."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def verified(sidecar: Any) -> float:
    return sidecar.metric("costpol_cache_checked_total") + sidecar.metric("costpol_cache_unchecked_total")


def row(sidecar: Any) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [row for row in sidecar.get("/-/policy")["learned"] if row["intent"] == "faq"]
    return rows[0]


@pytest.fixture
def cache(policies: Path) -> Callable[..., None]:
    def write(limit: str = "5 USD", more: str = "") -> None:
        (policies / "cache.yaml").write_text(CACHE.format(limit=limit, more=more))

    return write


@pytest.fixture
def behind(start: Callable[..., Any], provider: Any) -> Iterator[Callable[[SimulatedProvider], Any]]:
    """A sidecar before another provider than the usual one."""
    started: list[Any] = []

    def begin(app: SimulatedProvider) -> Any:
        served = type(provider)(app)
        started.append(served)
        return start(f"--upstream=sim={served.url}")

    yield begin
    for served in started:
        served.stop()


def test_a_similar_hit_is_answered_afresh_and_its_cost_is_no_saving(
    start: Callable[..., Any], provider: Any, cache: Callable[..., None]
) -> None:
    cache()
    sidecar = start()
    ask(sidecar, FIRST)
    saved = sidecar.metric("costpol_saved_usd")
    headers = ask(sidecar, ALIKE[0], stream=True)
    assert headers["x-costpol-hit"] == "similar"
    until(lambda: verified(sidecar) == 1)
    assert sidecar.metric("costpol_cache_checked_total", intent="faq") == 1
    assert sidecar.metric("costpol_cache_diverged_total", intent="faq") == 1
    cost = sidecar.metric("costpol_cache_verification_cost_usd_total", intent="faq")
    assert 0 < cost < 0.01
    assert sidecar.metric("costpol_saved_usd", cache="verification") == pytest.approx(-cost)
    assert sidecar.metric("costpol_saved_usd") < saved + sidecar.metric("costpol_saved_usd", cache="hit_similar")
    body = json.loads(provider.app.seen[-1].body)
    assert "stream" not in body
    assert "authorization" not in provider.app.seen[-1].headers
    assert ask(sidecar, ALIKE[0])["x-costpol-hit"] == "exact", "the fresh answer is kept for its own question"


def test_a_replay_verifies_what_the_sidecar_did_at_the_same_cost(
    start: Callable[..., Any], provider: Any, cache: Callable[..., None], policies: Path, tmp_path: Path
) -> None:
    cache(more=", max_divergence: 50%")
    lines = [logged(provider, text) for text in (FIRST, *ALIKE[:2], FIRST)]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))

    async def replay() -> Savings:
        return await dry_run(Corpus([str(log)], sys.stdin.buffer), read_bundle(policies), clock=time.time)

    promised = asyncio.run(replay())
    sidecar = start()
    for text in (FIRST, *ALIKE[:2]):
        before = verified(sidecar)
        if ask(sidecar, text)["x-costpol-cache"] == "hit":
            until(lambda: verified(sidecar) > before)  # noqa: B023
    ask(sidecar, FIRST)
    own = next(lever.own_cost for lever in promised.levers if lever.name == "semantic-cache")
    assert own > 0
    assert sidecar.metric("costpol_cache_verification_cost_usd_total") == pytest.approx(own / 1e12)


def logged(provider: Any, text: str) -> dict[str, Any]:
    """A line of a log: what the provider answers, and what that takes."""
    body = {"model": "large", "messages": [{"role": "user", "content": text}]}
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=10)
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return {"time": 1_770_000_000, "tenant": "acme", "request": body, "response": answer}


def test_answers_that_agree_leave_the_cache_alone(behind: Callable[..., Any], cache: Callable[..., None]) -> None:
    cache()
    sidecar = behind(Agreeing())
    ask(sidecar, FIRST)
    for number, text in enumerate(ALIKE, 1):
        assert ask(sidecar, text)["x-costpol-hit"] == "similar"
        until(lambda: verified(sidecar) == number)  # noqa: B023 - it is awaited at once
    figures = row(sidecar)
    assert (figures["checked"], figures["diverged"], figures["tightened"]) == (len(ALIKE), 0, 0)
    assert figures["threshold_now"] == 0.9


def test_past_the_limit_the_threshold_rises_by_itself_and_says_so(
    start: Callable[..., Any], cache: Callable[..., None]
) -> None:
    cache(more=", max_divergence: 1%")
    sidecar = start()
    ask(sidecar, FIRST)
    for number, text in enumerate(ALIKE[:3], 1):
        assert ask(sidecar, text)["x-costpol-hit"] == "similar"
        until(lambda: verified(sidecar) == number)  # noqa: B023
    figures = row(sidecar)
    assert (figures["checked"], figures["diverged"], figures["tightened"]) == (3, 3, 1)
    assert figures["suspended"]
    assert ask(sidecar, ALIKE[3])["x-costpol-cache"] == "miss"
    assert sidecar.log.read_text().count("similar questions are no hits any more") == 1
    assert sidecar.stop() == 0
    again = start()
    ask(again, FIRST)
    assert ask(again, ALIKE[4])["x-costpol-cache"] == "miss", "a restart does not forget it"


def test_a_budget_that_is_used_up_verifies_nothing(start: Callable[..., Any], cache: Callable[..., None]) -> None:
    cache(limit="0.000001 USD")
    sidecar = start()
    ask(sidecar, FIRST)
    assert ask(sidecar, ALIKE[0])["x-costpol-hit"] == "similar"
    until(lambda: verified(sidecar) == 1)
    assert sidecar.metric("costpol_cache_unchecked_total", intent="faq", reason="budget_exceeded") == 1
    assert sidecar.metric("costpol_cache_verification_cost_usd_total") == 0


def test_nobody_waits_for_a_verification_and_stopping_settles_it(
    behind: Callable[..., Any], cache: Callable[..., None], tmp_path: Path, policies: Path
) -> None:
    cache()
    models = policies / "models.yaml"
    models.write_text(models.read_text().replace("timeout: 2s", "timeout: 10m"))
    app = Hanging()
    sidecar = behind(app)
    ask(sidecar, FIRST)
    assert ask(sidecar, ALIKE[0])["x-costpol-hit"] == "similar"
    until(lambda: len(app.seen) == 2)  # the verification has arrived, and gets no answer
    assert ask(sidecar, ALIKE[1])["x-costpol-hit"] == "similar"
    stopped = threading.Thread(target=lambda: sidecar.stop(signal.SIGTERM))
    stopped.start()
    stopped.join(15)
    assert sidecar.process.poll() == 0, "it stops in its usual time"
    ledger = SqliteLedger(tmp_path / "data" / "ledger.sqlite")
    rows = [row for row in ledger.usage_report(time.time()) if "verification" in row.account]
    ledger.close()
    assert [row.held for row in rows] == [0]
    assert rows[0].used > 0, "what the provider may bill counts as billed"
