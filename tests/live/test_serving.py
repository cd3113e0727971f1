"""How the service starts, whom it answers, how many processes it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import openai
import pytest

ENGINE = str(Path(__file__).parents[2] / "engine")


def costpol(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "costpol", *arguments],
        check=False, capture_output=True, text=True, timeout=30, env=os.environ | {"PYTHONPATH": ENGINE} | environment,
    )  # fmt: skip


def ask(client: openai.OpenAI, text: str = "tell me a joke") -> Any:
    return client.chat.completions.with_raw_response.create(model="large", messages=[{"role": "user", "content": text}])


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


@pytest.fixture
def callers(tmp_path: Path) -> Path:
    path = tmp_path / "callers.yaml"
    path.write_text(
        f"callers:\n  - {{key_sha256: {digest('acme-key')}, tenant: acme, may_name: [user]}}\n"
        f"  - {{key_sha256: {digest('root-key')}, tenant: operations, admin: true}}\n"
    )
    return path


def test_strangers_are_not_let_in_without_keys(policies: Path) -> None:
    result = costpol("serve", f"--policies={policies}", "--host=0.0.0.0", "--port=0")
    assert result.returncode == 2
    assert "--callers FILE" in result.stderr


def test_a_broken_policy_does_not_start(policies: Path, tmp_path: Path) -> None:
    (policies / "routing.yaml").write_text("kind: routing\ndefault: nobody\n...\n")
    result = costpol("serve", f"--policies={policies}", "--port=0", f"--data={tmp_path}/d")
    assert result.returncode == 1
    assert "routing.yaml:2:10" in result.stderr
    assert "^^^^^^" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--policies=nowhere"], "no folder `nowhere`"),
        (["--upstream=nobody=http://127.0.0.1:1/v1"], "no provider `nobody`"),
        (["--upstream=sim"], "names no provider and address"),
        (["--callers=nowhere.yaml"], "cannot be read"),
        (["--poll=5"], "a duration with its unit"),
    ],
)
def test_what_cannot_be_used_is_said_with_exit_code_2(
    policies: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    result = costpol("serve", f"--policies={policies}", "--port=0", f"--data={tmp_path}/d", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_missing_key_is_named(policies: Path, tmp_path: Path) -> None:
    models = policies / "models.yaml"
    models.write_text(models.read_text().replace("key: none", "key: $COSTPOL_TEST_NO_SUCH_KEY"))
    result = costpol("serve", f"--policies={policies}", "--port=0", f"--data={tmp_path}/d")
    assert result.returncode == 2
    assert "COSTPOL_TEST_NO_SUCH_KEY" in result.stderr


def test_a_port_in_use_is_said(sidecar: Any, policies: Path, tmp_path: Path) -> None:
    port = sidecar.address.rpartition(":")[2]
    result = costpol("serve", f"--policies={policies}", f"--port={port}", f"--data={tmp_path}/d")
    assert result.returncode == 2
    assert f"port {port}" in result.stderr


def test_keys_decide_who_asks_and_who_operates(start: Callable[..., Any], callers: Path, provider: Any) -> None:
    sidecar = start(f"--callers={callers}")
    with pytest.raises(openai.AuthenticationError) as error:
        ask(sidecar.client())
    assert error.value.code == "invalid_api_key"
    acme = sidecar.client().with_options(api_key="acme-key")
    acme_says_other = sidecar.client(**{"x-costpol-tenant": "other"}).with_options(api_key="acme-key")
    ask(acme, "what are your opening hours")
    hit = ask(acme_says_other, "what are your opening hours")
    assert hit.headers["x-costpol-cache"] == "hit", "a tenant cannot call itself another"
    assert "authorization" not in provider.app.seen[-1].headers
    assert sidecar.request("GET", "/v1/models")[0] == 401
    public = {"Host": "api.example"}
    assert sidecar.request("GET", "/-/healthy", **public)[0] == 200
    assert sidecar.request("GET", "/-/policy", **public)[0] == 403
    assert sidecar.request("GET", "/-/policy", Authorization="Bearer root-key", **public)[0] == 200


def test_a_provider_with_the_caller_s_key_gets_it(start: Callable[..., Any], policies: Path, provider: Any) -> None:
    models = policies / "models.yaml"
    models.write_text(models.read_text().replace("key: none", "key: caller"))
    ask(start().client(**{"OpenAI-Organization": "org-1"}))
    assert provider.app.seen[-1].headers["authorization"] == "Bearer caller-key"
    assert provider.app.seen[-1].headers["openai-organization"] == "org-1"


def test_workers_end_with_a_killed_parent(start: Callable[..., Any]) -> None:
    sidecar = start("--workers=2")
    children = Path(f"/proc/{sidecar.process.pid}/task/{sidecar.process.pid}/children").read_text().split()
    assert len(children) == 2
    sidecar.stop(signal.SIGKILL)
    for _ in range(500):
        if not any(Path(f"/proc/{pid}").exists() for pid in children):
            return
        time.sleep(0.02)
    pytest.fail("a worker outlived its parent")


def test_workers_share_the_ledger_and_come_back(
    start: Callable[..., Any], policies: Path, provider: Any, tmp_path: Path
) -> None:
    (policies / "budgets.yaml").write_text(
        "kind: budgets\nbudgets:\n  tenants: {calls: 40, per: month, each: tenant, time_zone: UTC}\n...\n"
    )
    sidecar = start("--workers=2")
    client = {"x-costpol-tenant": "acme"}

    def once(number: int) -> int:
        try:
            ask(sidecar.client(**client), f"tell me joke number {number}")
        except openai.RateLimitError:
            return 429
        return 200

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(once, range(60)))
    assert statuses.count(200) == 40
    assert len(provider.app.seen) == 40
    assert sidecar.metric("costpol_requests_total", outcome="answered") == 40

    workers = [
        int(pid) for pid in Path(f"/proc/{sidecar.process.pid}/task/{sidecar.process.pid}/children").read_text().split()
    ]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    time.sleep(0.3)
    assert sidecar.request("GET", "/-/healthy")[0] == 200
    assert sidecar.stop() == 0


def test_what_was_served_can_be_replayed(start: Callable[..., Any], policies: Path, tmp_path: Path) -> None:
    log = tmp_path / "traffic.jsonl"
    sidecar = start(f"--record={log}")
    client = sidecar.client(**{"x-costpol-tenant": "acme", "x-costpol-user": "ada"})
    for text in ("how do I reset my password?", "how do I reset my password?", "tell me a joke"):
        ask(client, text)
    list(client.chat.completions.create(model="large", messages=[{"role": "user", "content": "analyze"}], stream=True))
    assert sidecar.stop() == 0
    assert log.stat().st_mode & 0o777 == 0o600
    result = costpol("dry-run", str(log), f"--policies={policies}", "--format=json")
    report = json.loads(result.stdout)
    assert (report["requests"], report["skipped_lines"]["count"]) == (4, 0)
    assert report["cache"]["exact_hits"] == 1
    assert report["routes"] == {"small": 2, "large": 1}
    assert report["estimated"]["answers"] == 0


def test_a_worker_that_cannot_start_stops_all(policies: Path, tmp_path: Path) -> None:
    (policies / "routing.yaml").write_text("kind: routing\ndefault: nobody\n...\n")
    result = costpol("serve", f"--policies={policies}", "--port=0", f"--data={tmp_path}/d", "--workers=2")
    assert result.returncode == 1
    assert "routing.yaml:2:10" in result.stderr
