"""Warming a cache: by a running sidecar, or in a data folder that nobody uses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from costpol.cli.sidecar import Sidecar
from costpol.errors import UsageError
from costpol.evaluate.known_answers import KnownAnswer
from costpol.pipeline.arrival import Arrival
from costpol.policy.loader import read_bundle
from costpol.providers.openai import decode_request, decode_response

if TYPE_CHECKING:
    from costpol.runtime.snapshot import Snapshot

_LINES, _BYTES = 200, 2**20
"""How much is sent at a time: a sidecar takes bodies of 10 MiB, and callers wait behind none of it."""
_KEPT = ("stored", "replaced", "renewed", "known")


@dataclass(slots=True)
class Counts:
    """What became of the lines, in all, per reason and per intent."""

    results: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    intents: dict[str, int] = field(default_factory=dict)

    def add(self, result: str, intent: str | None, reason: str | None) -> None:
        """Count one line."""
        self.results[result] = self.results.get(result, 0) + 1
        if reason is not None:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
        else:
            name = intent or "otherwise"
            self.intents[name] = self.intents.get(name, 0) + 1

    def document(self, unread: dict[str, int]) -> dict[str, Any]:
        """The counts as plain data. `unread` are lines that held no known answer, by reason."""
        counts = {result: self.results.get(result, 0) for result in _KEPT}
        reasons = {**self.reasons}
        for reason, lines in unread.items():
            reasons[reason] = reasons.get(reason, 0) + lines
        kept, skipped = sum(counts.values()), sum(reasons.values())
        ordered = dict(sorted(reasons.items(), key=lambda item: -item[1]))
        return {"lines": kept + skipped, "kept": kept, **counts, "skipped": ordered, "intents": self.intents}


def send(known: Iterable[KnownAnswer], sidecar: Sidecar, counts: Counts) -> None:
    """Have a running sidecar keep the answers. Raises `UsageError` where it does not answer or refuses."""
    batch: list[dict[str, Any]] = []
    size = 0
    for each in known:
        batch.append(_line(each))
        size += len(each.request) + len(each.answer)
        if len(batch) >= _LINES or size >= _BYTES:
            _send(batch, sidecar, counts)
            batch, size = [], 0
    if batch:
        _send(batch, sidecar, counts)


def _send(batch: list[dict[str, Any]], sidecar: Sidecar, counts: Counts) -> None:
    for result in sidecar.ask("POST", "/-/cache/warm", {"known": batch})["results"]:
        counts.add(result["result"], result["intent"], result["reason"])


def _line(known: KnownAnswer) -> dict[str, Any]:
    caller = known.caller
    named = {
        "tenant": caller.tenant, "user": caller.user, "agent": caller.agent, "session": caller.session,
        "stage": caller.stage, "time": known.time, "answer_id": known.answer_id, "intent": known.intent,
    }  # fmt: skip
    given = {name: value for name, value in named.items() if value is not None}
    return {"request": Raw(known.request), "answer": Raw(known.answer), **given}


async def warm_here(
    known: Iterable[KnownAnswer], policies: Path, data: Path, counts: Counts, clock: Callable[[], float]
) -> None:
    """Keep the answers in the cache of a data folder.

    Raises `BundleError` and `ProvisionError` for a policy that cannot be served, `StoreLockedError` where another
    process uses the folder, `UsageError` where the policy keeps its answers elsewhere.
    """
    import aiohttp

    from costpol.runtime.provision import Provisioner
    from costpol.runtime.stores import open_stores
    from costpol.runtime.warming import Known, warm

    files = read_bundle(policies)
    stores = open_stores(data)
    try:
        async with aiohttp.ClientSession() as session:
            snapshot = await Provisioner(stores, session, os.environ, calls=False, clock=clock).provision(files, 1)
            try:
                _require_embedded(snapshot)
                for each in known:
                    now = clock()
                    given = now if each.time is None else min(each.time, now)
                    arrival = Arrival(decode_request(each.request), each.caller, given, answer_id=each.answer_id)
                    result = await warm(Known(arrival, decode_response(each.answer), each.intent), snapshot, now)
                    counts.add(result.result, result.intent, result.reason)
            finally:
                snapshot.retire()
    finally:
        stores.close()


def _require_embedded(snapshot: Snapshot) -> None:
    cache = snapshot.bundle.cache
    if cache is None:
        raise UsageError("the policy has no cache", "declare one, with an intent's `ttl` and `scope`")
    if cache.store.type != "embedded":
        raise UsageError(
            "the policy keeps its answers on a server, not in a data folder",
            "warm it through a sidecar: `--sidecar URL`",
        )
