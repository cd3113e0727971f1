"""What an operator asks a running service: is it well, which policy does it serve, take up the new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from costpol.diagnostics import Diagnostic
from costpol.proxy.messages import Send, send_error, send_json
from costpol.runtime.health import Part
from costpol.runtime.reload import Reloader, ReloadReport
from costpol.runtime.snapshot import Snapshot

_STATUS = {
    "reloaded": 200, "unchanged": 200, "valid": 200, "rejected": 422, "half-written": 422, "unsettled": 409,
    "unavailable": 503,
}  # fmt: skip


def all_troubles(reloader: Reloader, stores: Mapping[Part, str]) -> dict[Part, str]:
    """What is amiss with the service, by part: its stores, its embedder, the policy on the disk."""
    found = {**stores, **reloader.current.health.troubles}
    if reloader.error is not None:
        found["policy"] = f"the files on the disk are not in service: {reloader.error.report.message}"
    return found


def policy_state(reloader: Reloader, troubles: Mapping[Part, str]) -> dict[str, Any]:
    """The policy in service, and what keeps the files on the disk from being it."""
    snapshot, error = reloader.current, reloader.error
    return {
        "policy": snapshot.label,
        "generation": snapshot.generation,
        "digest": snapshot.digest,
        "files": sorted(snapshot.bundle.files),
        "loaded": _instant(snapshot.loaded),
        "warnings": [describe(finding) for finding in snapshot.findings],
        "prices": {"source": snapshot.prices, "valid_until": _instant(snapshot.prices_until)},
        "embedder": snapshot.embedder,
        "learned": snapshot.learned(),
        "models": sorted(snapshot.bundle.models.models),
        "tiers": list(snapshot.bundle.models.tiers),
        "requests_open": snapshot.requests,
        "last_success": _instant(reloader.last_success),
        "last_error": None if error is None else {"at": _instant(error.at), **reload_result(error.report)},
        "degraded": _told(troubles),
    }


def reload_result(report: ReloadReport) -> dict[str, Any]:
    """What became of one attempt to reload."""
    return {
        "result": report.result,
        "generation": report.generation,
        "digest": report.digest,
        "candidate": report.candidate,
        "message": report.message,
        "help": report.help,
        "findings": [describe(finding) for finding in report.findings],
    }


async def answer_reload(reloader: Reloader, headers: Mapping[bytes, bytes], query: bytes, send: Send) -> None:
    """`POST /-/reload`: with `If-Match` only if that digest is in service, with `?dry_run=1` without effect."""
    wanted = headers.get(b"if-match")
    current = reloader.current
    if wanted is not None and not _matches(wanted.decode("latin-1"), current):
        await send_error(
            send, 412, f"the policy in service is `{current.digest}`, not the one named in `If-Match`",
            "policy_changed", headers=[_etag(current)],
        )  # fmt: skip
        return
    wish = parse_qs(query.decode("latin-1")).get("dry_run", ["0"])[-1]
    report = await reloader.reload(dry_run=wish.lower() in ("1", "true", "yes"))
    await send_json(send, _STATUS[report.result], reload_result(report), [_etag(reloader.current)])


async def answer_policy(reloader: Reloader, troubles: Mapping[Part, str], send: Send) -> None:
    """`GET /-/policy`."""
    await send_json(send, 200, policy_state(reloader, troubles), [_etag(reloader.current)])


async def answer_ready(
    reloader: Reloader, draining: Callable[[], bool], troubles: Mapping[Part, str], send: Send
) -> None:
    """`GET /-/ready`: whether new requests shall come here. They shall while something is merely amiss: what can be
    answered without it is answered. They shall not while budgets refuse them for want of a ledger: it is this process's
    own, and another may have one that works."""
    current = reloader.current
    if draining():
        status = "stopping"
    elif "ledger" in troubles and current.pipeline.call.needs_ledger:
        status = "refusing"
    else:
        status = "degraded" if troubles else "ready"
    code = 503 if status in ("stopping", "refusing") else 200
    await send_json(send, code, {"status": status, "policy": current.label, "degraded": _told(troubles)})


def _told(troubles: Mapping[Part, str]) -> list[str]:
    return [f"{part}: {trouble}" for part, trouble in troubles.items()]


def describe(finding: Diagnostic) -> dict[str, Any]:
    """A finding as JSON, as `costpol validate --format json` has it."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "file": finding.span.file,
        "line": finding.span.line,
        "column": finding.span.column,
        "message": finding.message,
        "help": finding.help,
    }


def _matches(header: str, current: Snapshot) -> bool:
    names = {name.strip().removeprefix("W/").strip('"') for name in header.split(",")}
    return "*" in names or current.digest in names


def _etag(snapshot: Snapshot) -> tuple[bytes, bytes]:
    return (b"etag", b'"' + snapshot.digest.encode() + b'"')


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
