"""A policy that changes while requests run."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest


def ask(client: openai.OpenAI, text: str = "tell me a joke", **options: Any) -> Any:
    return client.chat.completions.with_raw_response.create(
        model="large", messages=[{"role": "user", "content": text}], **options
    )


def until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def reroute(policies: Path, default: str) -> None:
    path = policies / "routing.yaml"
    lines = [f"default: {default}" if line.startswith("default:") else line for line in path.read_text().splitlines()]
    temporary = path.with_suffix(".tmp")
    temporary.write_text("\n".join(lines) + "\n")
    temporary.rename(path)


def test_a_saved_policy_is_served_without_a_restart(sidecar: Any, policies: Path) -> None:
    assert ask(sidecar.client()).headers["x-costpol-model"] == "small"
    reroute(policies, "strong")
    until(lambda: sidecar.get("/-/policy")["generation"] == 2)
    headers = ask(sidecar.client()).headers
    assert headers["x-costpol-model"] == "large"
    assert headers["x-costpol-policy"].startswith("g2-")


def test_a_broken_policy_changes_nothing_and_is_told_about(sidecar: Any, policies: Path) -> None:
    good = (policies / "routing.yaml").read_text()
    (policies / "routing.yaml").write_text(good.replace("route: strong", "route: storng"))
    error = until(lambda: sidecar.get("/-/policy")["last_error"])
    assert error["result"] == "rejected"
    (finding,) = error["findings"]
    assert finding["file"].endswith("routing.yaml")
    assert finding["line"] > 1
    assert "storng" in finding["message"]
    assert sidecar.get("/-/ready")["status"] == "degraded"
    assert sidecar.metric("costpol_reload_last_successful") == 0
    assert ask(sidecar.client()).headers["x-costpol-policy"].startswith("g1-")
    (policies / "routing.yaml").write_text(good)
    until(lambda: sidecar.get("/-/policy")["last_error"] is None)
    assert sidecar.get("/-/policy")["generation"] == 1
    assert "storng" in sidecar.log.read_text()


def test_a_stream_ends_on_the_policy_it_began_on(sidecar: Any, policies: Path, provider: Any) -> None:
    provider.app.pause = 0.04
    raw = ask(sidecar.client(), stream=True)
    stream = raw.parse()
    next(stream)
    reroute(policies, "strong")
    until(lambda: sidecar.get("/-/policy")["generation"] == 2)
    assert list(stream)[-1].choices[0].finish_reason == "stop"
    assert raw.headers["x-costpol-policy"].startswith("g1-")
    provider.app.pause = 0


def test_signal_and_request_take_up_the_policy_at_once(start: Callable[..., Any], policies: Path) -> None:
    sidecar = start("--poll=60s")
    before = sidecar.get("/-/policy")["digest"]
    reroute(policies, "strong")
    sidecar.process.send_signal(signal.SIGHUP)
    until(lambda: sidecar.get("/-/policy")["generation"] == 2)
    reroute(policies, "large")
    status, headers, body = sidecar.request("POST", "/-/reload?dry_run=1")
    assert (status, json.loads(body)["result"], json.loads(body)["generation"]) == (200, "valid", 2)
    status, _, body = sidecar.request("POST", "/-/reload", If_Match=f'"{before}"')
    assert (status, json.loads(body)["error"]["code"]) == (412, "policy_changed")
    status, headers, body = sidecar.request("POST", "/-/reload", If_Match=headers["etag"])
    assert (status, json.loads(body)["generation"]) == (200, 3)
    assert headers["etag"].strip('"') == json.loads(body)["digest"]
    assert json.loads(sidecar.request("POST", "/-/reload")[2])["result"] == "unchanged"


def test_a_rejected_reload_answers_with_the_findings(start: Callable[..., Any], policies: Path) -> None:
    sidecar = start("--poll=60s")
    (policies / "budgets.yaml").write_text("kind: budgets\nbudgets: {company: {limit: 12, per: month}}\n...\n")
    status, _, body = sidecar.request("POST", "/-/reload")
    assert status == 422
    assert "its currency" in json.loads(body)["findings"][0]["message"]


def test_lowering_a_limit_keeps_what_was_spent(sidecar: Any, policies: Path) -> None:
    client = sidecar.client(**{"x-costpol-tenant": "acme"})
    for _ in range(3):
        ask(client)
    budgets = policies / "budgets.yaml"
    budgets.write_text(budgets.read_text().replace("calls: 100000", "calls: 3"))
    until(lambda: sidecar.get("/-/policy")["generation"] == 2)
    with pytest.raises(openai.RateLimitError):
        ask(client)


def test_no_request_is_lost_and_none_sees_two_policies_while_it_changes(
    sidecar: Any, policies: Path, provider: Any
) -> None:
    provider.app.latency = 0.02
    clients = [sidecar.client() for _ in range(16)]

    def change() -> None:
        good = (policies / "prompts.yaml").read_text()
        for generation, default in enumerate(("strong", "cheap", "strong"), 2):
            reroute(policies, default)
            until(lambda generation=generation: sidecar.get("/-/policy")["generation"] == generation, 20)
            (policies / "prompts.yaml").write_text("kind: prompts\nnonsense: true\n...\n")
            until(lambda: sidecar.get("/-/policy")["last_error"], 20)
            (policies / "prompts.yaml").write_text(good)
            until(lambda: sidecar.get("/-/policy")["last_error"] is None, 20)

    def once(number: int) -> tuple[str, str]:
        client = clients[number % len(clients)]
        if number % 3:
            headers = ask(client, f"tell me joke number {number}").headers
        else:
            raw = ask(client, f"tell me joke number {number}", stream=True)
            assert list(raw.parse())[-1].choices[0].finish_reason
            headers = raw.headers
        return headers["x-costpol-policy"], headers["x-costpol-model"]

    with ThreadPoolExecutor(17) as pool:
        changing = pool.submit(change)
        seen: list[tuple[str, str]] = []
        while not changing.done() or len(seen) < 300:
            seen += pool.map(once, range(len(seen), len(seen) + 60))
        changing.result()
    models: dict[str, set[str]] = {}
    for label, model in seen:
        models.setdefault(label, set()).add(model)
    assert len(models) == 4, "every policy answered some requests"
    assert all(len(chosen) == 1 for chosen in models.values())
    assert sidecar.metric("costpol_requests_total") == len(seen)


def test_starting_with_a_broken_policy_shows_the_place(start: Callable[..., Any], policies: Path) -> None:
    (policies / "routing.yaml").write_text("kind: routing\ndefault: nobody\n...\n")
    with pytest.raises(RuntimeError, match=r"routing\.yaml:2:10"):
        start()
