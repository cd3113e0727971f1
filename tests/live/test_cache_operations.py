"""The life cycle of kept answers: by a running sidecar, and in the folder that it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

QUESTION = "how do I reset my password"
FAQ = """
request: {model: small}
questions:
  - {question: where can I change my address, answer: In the settings., tenant: acme, intent: faq}
  - {question: tell me a joke, answer: No., tenant: acme}
"""


def costpol(*arguments: str, key: str | None = None) -> tuple[int, Any]:
    """Exit code and JSON of `costpol cache ...`."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | ({} if key is None else {"COSTPOL_KEY": key})
    ran = subprocess.run(
        [sys.executable, "-m", "costpol", "cache", *arguments, "--format=json"],
        capture_output=True, text=True, env=environment, timeout=60, check=False,
    )  # fmt: skip
    return ran.returncode, json.loads(ran.stdout)


def ask(sidecar: Any, question: str = QUESTION, tenant: str = "acme") -> tuple[str, str | None, str]:
    """Cache status, entry and answer."""
    body = json.dumps({"model": "small", "messages": [{"role": "user", "content": question}]}, separators=(",", ":"))
    status, headers, answer = sidecar.request("POST", "/v1/chat/completions", body.encode(), x_costpol_tenant=tenant)
    assert status == 200
    content = json.loads(answer)["choices"][0]["message"]["content"]
    return headers["x-costpol-cache"], headers.get("x-costpol-entry"), content


def test_a_hit_names_the_answer_that_a_miss_stored_and_its_report_withdraws_it(sidecar: Any) -> None:
    missed, stored, _ = ask(sidecar)
    hit, given, _ = ask(sidecar)
    assert (missed, hit) == ("miss", "hit")
    assert stored == given
    assert stored is not None
    at = f"--sidecar={sidecar.address}"
    code, withdrawn = costpol("report-wrong", stored, at)
    assert (code, withdrawn["intent"], withdrawn["verdicts"]) == (0, "faq", 0)
    assert ask(sidecar)[0] == "miss"
    unknown = costpol("report-wrong", "89700192-7bdb-fa1c-27ca-22990e688731", at)
    assert unknown == (1, {"error": "no answer of this id is kept"})


def test_answers_are_counted_and_taken_back_while_requests_flow(sidecar: Any) -> None:
    at = f"--sidecar={sidecar.address}"
    for tenant in ("acme", "initech"):
        ask(sidecar, tenant=tenant)
        ask(sidecar, tenant=tenant)
    _, (found,) = costpol("stats", at)
    assert (found["entries"], found["hits"], list(found["intents"])) == (2, 2, ["faq"])
    assert found["saved_usd"] > 0
    assert found["max_entries"] == 50_000
    assert costpol("purge", "--tenant=acme", "--dry-run", at) == (0, {"purged": 1, "dry_run": True})
    assert costpol("purge", "--tenant=acme", at) == (0, {"purged": 1, "dry_run": False})
    assert ask(sidecar)[0] == "miss"
    assert ask(sidecar, tenant="initech")[0] == "hit"
    code, refused = costpol("purge", at)
    assert code == 2
    assert "nothing says which" in json.dumps(refused)


def test_a_faq_warms_a_running_sidecar(sidecar: Any, tmp_path: Path) -> None:
    (tmp_path / "faq.yaml").write_text(FAQ)
    code, found = costpol("warm", str(tmp_path / "faq.yaml"), f"--sidecar={sidecar.address}")
    assert (code, found["stored"], found["skipped"]) == (0, 1, {"the cache is bypassed: off": 1})
    assert ask(sidecar, "where can I change my address")[::2] == ("hit", "In the settings.")
    assert ask(sidecar, "where can I change my address", tenant="initech")[0] == "miss"


def test_without_a_sidecar_the_folder_is_opened_and_with_one_it_is_not(
    start: Callable[..., Any], policies: Path, tmp_path: Path
) -> None:
    (tmp_path / "faq.yaml").write_text(FAQ)
    here = (f"--data={tmp_path / 'data'}",)
    assert costpol("warm", str(tmp_path / "faq.yaml"), f"--policies={policies}", *here)[1]["stored"] == 1
    sidecar = start()
    assert ask(sidecar, "where can I change my address")[0] == "hit"
    for arguments in (("stats",), ("purge", "--all"), ("warm", str(tmp_path / "faq.yaml"), f"--policies={policies}")):
        code, refused = costpol(*arguments, *here)
        assert code == 2
        assert "--sidecar" in json.dumps(refused)
    _, entry, _ = ask(sidecar)
    assert sidecar.stop() == 0
    _, (found,) = costpol("stats", *here)
    assert found["entries"] == 2
    assert entry is not None
    assert costpol("report-wrong", entry, *here)[0] == 0
    assert costpol("report-wrong", entry, *here) == (1, {"error": "no answer of this id is kept"})
    assert costpol("purge", "--intent=faq", *here)[1]["purged"] == 1


def test_only_administrators_may_keep_the_cache_of_others(start: Callable[..., Any], tmp_path: Path) -> None:
    entries = [("user-key", "acme", False), ("admin-key", "operations", True)]
    callers = [
        f"  - {{key_sha256: {sha256(key.encode()).hexdigest()}, tenant: {tenant}, admin: {str(admin).lower()}}}\n"
        for key, tenant, admin in entries
    ]
    (tmp_path / "callers.yaml").write_text("callers:\n" + "".join(callers))
    sidecar = start(f"--callers={tmp_path / 'callers.yaml'}")
    foreign = {"host": "cache.example"}  # neither from a page of this machine nor with an administrator's key
    status, _, _ = sidecar.request("GET", "/-/cache", None, authorization="Bearer user-key", **foreign)
    assert status == 403
    for headers in ({"authorization": "Bearer user-key"}, {"x_forwarded_for": "10.0.0.9"}):
        assert sidecar.request("POST", "/-/cache/purge", b'{"all": true}', **headers)[0] == 403
    status, _, _ = sidecar.request("GET", "/-/cache", None, authorization="Bearer admin-key", **foreign)
    assert status == 200
    assert costpol("stats", f"--sidecar={sidecar.address}", key="admin-key")[0] == 0


def test_what_is_no_operation_is_refused_in_words(common: tuple[Any, Any]) -> None:
    sidecar = common[0]
    for path, body, said in (
        ("purge", b"{", "the body is not JSON"),
        ("purge", b'{"intnet": "faq"}', "unknown field"),
        ("purge", b'{"all": true, "intent": "faq"}', "goes with nothing else"),
        ("warm", b'{"known": [{"request": {}, "answer": {}}]}', "model"),
        ("warm", b'{"known": [{"request": {}, "answer": {}, "time": -1e308}]}', "`$.known[0].time`"),
        ("report-wrong", b"{}", "id"),
    ):
        status, _, answer = sidecar.request("POST", f"/-/cache/{path}", body)
        assert status == 400, path
        assert said in json.loads(answer)["error"]["message"]
    assert sidecar.request("GET", "/-/cache/purge")[0] == 405
