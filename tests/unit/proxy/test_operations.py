from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.proxy.operations import all_troubles, answer_ready, answer_reload
from costpol.runtime.health import Health, Part
from costpol.runtime.reload import ReloadError, ReloadReport

FINDING = Diagnostic("CP1", "sin", Severity.ERROR, Span("routing.yaml", 3, 4, 3, 9), "this is wrong", "write that")


class Reloads:
    """Answers as a reloader whose next attempt ends with `result`."""

    def __init__(self, result: Any = "reloaded") -> None:
        self.result = result
        self.error: object | None = None
        self.current = SimpleNamespace(
            digest="d" * 64, label="g1-dddddddddddd", generation=1, health=Health(),
            pipeline=SimpleNamespace(call=SimpleNamespace(needs_ledger=True)),
        )  # fmt: skip
        self.asked: list[bool] = []

    async def reload(self, *, dry_run: bool) -> ReloadReport:
        self.asked.append(dry_run)
        findings = (FINDING,) if self.result == "rejected" else ()
        return ReloadReport(self.result, 1, "d" * 64, "e" * 64, findings=findings)


def answered(action: Any) -> tuple[int, dict[bytes, bytes], Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(action(send))
    return sent[0]["status"], dict(sent[0]["headers"]), msgspec.json.decode(sent[1]["body"])


def reload(reloads: Reloads, query: bytes = b"", **headers: bytes) -> tuple[int, dict[bytes, bytes], Any]:
    given = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return answered(lambda send: answer_reload(reloads, given, query, send))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("result", "status"),
    [("reloaded", 200), ("unchanged", 200), ("rejected", 422), ("half-written", 422), ("unavailable", 503)],
)
def test_the_status_tells_what_became_of_a_reload(result: str, status: int) -> None:
    assert reload(Reloads(result))[0] == status


def test_findings_come_as_validate_prints_them() -> None:
    _, _, body = reload(Reloads("rejected"))
    assert body["findings"] == [
        {
            "code": "CP1", "name": "sin", "severity": "error", "file": "routing.yaml", "line": 3, "column": 4,
            "message": "this is wrong", "help": "write that",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "dry"), [(b"", False), (b"dry_run=1", True), (b"dry_run=true", True), (b"dry_run=0", False)]
)
def test_a_dry_run_is_asked_for_in_the_query(query: bytes, dry: bool) -> None:
    reloads = Reloads()
    reload(reloads, query)
    assert reloads.asked == [dry]


@pytest.mark.parametrize("tag", [b'"' + b"d" * 64 + b'"', b"*", b'W/"' + b"d" * 64 + b'", "x"'])
def test_a_reload_goes_on_where_the_named_policy_is_in_service(tag: bytes) -> None:
    assert reload(Reloads(), if_match=tag)[0] == 200


def test_a_reload_stops_where_another_policy_is_in_service() -> None:
    reloads = Reloads()
    status, headers, body = reload(reloads, if_match=b'"other"')
    assert (status, body["error"]["code"], reloads.asked) == (412, "policy_changed", [])
    assert headers[b"etag"] == b'"' + b"d" * 64 + b'"'


def test_readiness_outlives_a_failed_reload_and_ends_with_the_service() -> None:
    reloads = Reloads()
    troubles: dict[Part, str] = {}

    def ready(stopping: bool) -> tuple[int, str, list[str]]:
        found = all_troubles(reloads, troubles)  # type: ignore[arg-type]
        status, _, body = answered(lambda send: answer_ready(reloads, lambda: stopping, found, send))  # type: ignore[arg-type]
        return status, body["status"], body["degraded"]

    assert ready(False) == (200, "ready", [])
    reloads.error = ReloadError(1.0, ReloadReport("rejected", 1, "d" * 64, message="it is wrong"))
    policy = "policy: the files on the disk are not in service: it is wrong"
    assert ready(False) == (200, "degraded", [policy])
    troubles["disk"] = "it is full"
    reloads.current.health.note("embedder", "it is away")
    assert ready(False) == (200, "degraded", ["disk: it is full", "embedder: it is away", policy])
    assert ready(True)[0] == 503


@pytest.mark.parametrize(("needed", "wanted"), [(True, (503, "refusing")), (False, (200, "degraded"))])
def test_a_ledger_that_fails_ends_readiness_where_budgets_refuse_without_it(
    needed: bool, wanted: tuple[int, str]
) -> None:
    reloads = Reloads()
    reloads.current.pipeline.call.needs_ledger = needed
    found = all_troubles(reloads, {"ledger": "it is full"})  # type: ignore[arg-type]
    status, _, body = answered(lambda send: answer_ready(reloads, lambda: False, found, send))  # type: ignore[arg-type]
    assert (status, body["status"]) == wanted
    assert body["degraded"] == ["ledger: it is full"]
