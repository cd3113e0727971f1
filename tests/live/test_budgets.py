"""Money under trouble: whatever happens to a request, its reservation is settled once."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from costpol.ledger.sqlite import SqliteLedger

TIGHT = """kind: budgets
budgets:
  tenants: {calls: 3, per: month, each: tenant, time_zone: UTC}
...
"""


def ask(client: openai.OpenAI, text: str = "tell me a joke", model: str = "large", **options: Any) -> Any:
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **options)


def used(data: Path, account: str) -> tuple[int, int]:
    """What an account used and holds, summed over its buckets."""
    ledger = SqliteLedger(data / "ledger.sqlite")
    rows = [row for row in ledger.usage_report(time.time()) if row.account.startswith(account)]
    ledger.close()
    return sum(row.used for row in rows), sum(row.held for row in rows)


def settled(data: Path, account: str = "company/usd") -> int:
    """What an account used, once nothing is held any more. Bookings are written a moment after they are made."""
    for _ in range(200):
        time.sleep(0.1)
        spent, held = used(data, account)
        if not held:
            return spent
    raise AssertionError("something is still held")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_an_answer_is_charged_what_its_header_says(sidecar: Any, data: Path) -> None:
    raw = sidecar.client().chat.completions.with_raw_response.create(
        model="large", messages=[{"role": "user", "content": "tell me a joke"}]
    )
    assert settled(data) == round(float(raw.headers["x-costpol-cost-usd"]) * 1e12)


@pytest.mark.parametrize(("model", "billed"), [("silent", True), ("torn", True), ("busy", False)])
def test_a_failed_call_is_charged_what_its_header_says(sidecar: Any, data: Path, model: str, billed: bool) -> None:
    with pytest.raises(openai.APIStatusError) as error:
        ask(sidecar.client(), model=model)
    told = round(float(error.value.response.headers["x-costpol-cost-usd"]) * 1e12)
    assert settled(data) == told
    assert (told > 0) is billed


def test_a_used_up_budget_refuses_with_a_code_and_a_time(
    start: Callable[..., Any], policies: Path, provider: Any
) -> None:
    (policies / "budgets.yaml").write_text(TIGHT)
    sidecar = start()
    acme = sidecar.client(**{"x-costpol-tenant": "acme"})
    for _ in range(3):
        ask(acme)
    with pytest.raises(openai.RateLimitError) as error:
        ask(acme)
    assert error.value.code == "budget_exceeded"
    assert int(error.value.response.headers["retry-after"]) > 0
    assert error.value.response.headers["x-should-retry"] == "false"
    assert len(provider.app.seen) == 3
    ask(sidecar.client(**{"x-costpol-tenant": "other"}))


def test_a_dead_upstream_is_refunded(start: Callable[..., Any], data: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sidecar = start(f"--upstream=sim=http://127.0.0.1:{sock.getsockname()[1]}/v1")
        with pytest.raises(openai.InternalServerError) as error:
            ask(sidecar.client())
    assert error.value.status_code == 502
    assert settled(data) == 0


def test_a_refused_call_is_refunded(sidecar: Any, data: Path) -> None:
    with pytest.raises(openai.APIStatusError):
        ask(sidecar.client(), model="busy")
    assert settled(data) == 0


def test_a_client_that_leaves_a_stream_pays_for_what_came(sidecar: Any, provider: Any, data: Path) -> None:
    provider.app.pause = 0.05
    stream = ask(sidecar.client(), stream=True)
    for _ in range(4):
        next(stream)
    stream.close()
    charged = settled(data)
    provider.app.pause = 0
    ask(sidecar.client(), "tell me another joke")
    whole = settled(data) - charged
    assert 0 < charged < whole
    for _ in range(100):
        if provider.app.left:
            break
        time.sleep(0.02)
    assert provider.app.left == 1, "the upstream was not hung up on"
    assert sidecar.metric("costpol_clients_left_total") == 1


def test_a_client_that_leaves_early_pays_for_all_that_may_be_written(sidecar: Any, provider: Any, data: Path) -> None:
    provider.app.latency = 1.0
    with pytest.raises(openai.APITimeoutError):
        ask(sidecar.client().with_options(timeout=0.5))
    limit = 1000 * 4 * 10**6  # a thousand output tokens, four dollars per million
    assert limit < settled(data) < limit + 50 * 10**6, "and about ten tokens of input"
    assert sidecar.metric("costpol_requests_open") == 0


def test_spending_survives_a_killed_process(start: Callable[..., Any], data: Path, policies: Path) -> None:
    (policies / "budgets.yaml").write_text(TIGHT)
    sidecar = start()
    acme = {"x-costpol-tenant": "acme"}
    for _ in range(3):
        ask(sidecar.client(**acme))
    assert settled(data, "tenants/calls") == 3
    sidecar.stop(signal.SIGKILL)
    again = start()
    with pytest.raises(openai.RateLimitError):
        ask(again.client(**acme))


def test_the_cache_survives_a_killed_process(start: Callable[..., Any], provider: Any) -> None:
    acme = {"x-costpol-tenant": "acme"}
    sidecar = start()
    ask(sidecar.client(**acme), "what are your opening hours")
    sidecar.stop(signal.SIGKILL)
    ask(start().client(**acme), "what are your opening hours")
    assert len(provider.app.seen) == 1


def test_a_second_process_on_the_same_store_is_refused(sidecar: Any, start: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="in use by another process"):
        start()
    ask(sidecar.client())


def test_stopping_waits_for_the_answers_in_flight(sidecar: Any, provider: Any, data: Path) -> None:
    provider.app.pause = 0.03
    stream = ask(sidecar.client(), stream=True)
    next(stream)
    sidecar.process.send_signal(signal.SIGTERM)
    text = "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)
    assert text
    assert sidecar.stop() == 0
    assert settled(data) > 0


def test_stopping_does_not_wait_for_ever_and_settles_what_it_cuts_off(
    start: Callable[..., Any], provider: Any, data: Path
) -> None:
    provider.app.latency = 30
    sidecar = start("--grace=1s")
    with socket.create_connection(("127.0.0.1", int(sidecar.address.rpartition(":")[2]))) as connection:
        body = json.dumps({"model": "large", "messages": [{"role": "user", "content": "tell me a joke"}]}).encode()
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        for _ in range(200):
            if used(data, "company/usd")[1]:
                break
            time.sleep(0.02)
        assert provider.app.seen
        began = time.monotonic()
        assert sidecar.stop() == 0
        assert time.monotonic() - began < 20
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 503")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "service_stopping"
    assert "Traceback" not in sidecar.log.read_text()
    spent, held = used(data, "company/usd")
    assert spent > 0
    assert held == 0
