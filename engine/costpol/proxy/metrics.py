"""What the service counts, for Prometheus. The cardinality is bounded: labels come from the policy, never from callers.

Money leaves the exact world here and nowhere else: a counter is a float by its format, and nobody is billed by one.
"""

from __future__ import annotations

import os
from collections.abc import Container
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from costpol.diagnostics import Severity
from costpol.pipeline.decision import Outcome, Verified
from costpol.runtime.health import PARTS, Part
from costpol.runtime.reload import ReloadReport
from costpol.runtime.snapshot import Snapshot

CONTENT_TYPE = CONTENT_TYPE_LATEST.encode()
_MAX_SERIES = 2000
"""Combinations of route, model, cache and outcome that are told apart; policies with fresh names reloaded for years
would else fill the memory."""
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_PICODOLLARS = 1e-12
_MOST_HELD = 512
"""Requests of one series that are carried over together: half a millisecond."""


class _Series:
    """What one combination of labels has come to since it was last carried over to its counters.

    Adding up whole numbers costs a tenth of what as many calls of locked counters do; the counters are read once in a
    while only.
    """

    __slots__ = ("_counters", "_latency", "cost", "input_tokens", "output_tokens", "requests", "saved", "seconds")

    def __init__(self, metrics: Metrics, labels: tuple[str, str, str, str]) -> None:
        route, model, cache, _ = labels
        self._counters: tuple[Any, ...] = (
            metrics.requests.labels(*labels),
            metrics.cost.labels(route, model),
            metrics.saved.labels(route, cache),
            metrics.tokens.labels(model, "input"),
            metrics.tokens.labels(model, "output"),
        )
        self._latency = metrics.latency.labels(cache).observe
        self.seconds: list[float] = []
        """How long each request took."""
        self.requests = self.cost = self.saved = self.input_tokens = self.output_tokens = 0

    def carry(self) -> None:
        """Add everything to the counters."""
        money = (self.cost * _PICODOLLARS, self.saved * _PICODOLLARS)
        amounts = (self.requests, *money, self.input_tokens, self.output_tokens)
        for counter, amount in zip(self._counters, amounts, strict=True):
            if amount:
                counter.inc(amount)
        self.requests = self.cost = self.saved = self.input_tokens = self.output_tokens = 0
        for seconds in self.seconds:
            self._latency(seconds)
        self.seconds.clear()


class Metrics:
    """All metrics of one process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter that nothing here reads
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "costpol_requests", "Requests by routing rule, model, cache status and outcome.",
            ("route", "model", "cache", "outcome"), registry=registry,
        )  # fmt: skip
        self.cost = Counter("costpol_cost_usd", "Dollars paid for model calls.", ("route", "model"), registry=registry)
        self.saved = Gauge(
            "costpol_saved_usd", "Dollars saved against the models that callers asked for; falls where one cost more.",
            ("route", "cache"), registry=registry, multiprocess_mode="sum",
        )  # fmt: skip
        self.tokens = Counter("costpol_tokens", "Tokens billed by models.", ("model", "kind"), registry=registry)
        self.latency = Histogram(
            "costpol_request_seconds", "Seconds from a request's arrival to the end of its answer.",
            ("cache",), buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self.denied = Counter(
            "costpol_denied", "Requests turned away before any policy saw them.", ("status",), registry=registry
        )
        self.rungs = Counter(
            "costpol_budget_rungs",
            "Requests by the rung of a budget's ladder that they met.",
            ("rung",),
            registry=registry,
        )
        self.left = Counter(
            "costpol_clients_left", "Clients that went away before their answer ended.", registry=registry
        )
        self.defects = Counter("costpol_defects", "Requests lost to a defect in costpol.", registry=registry)
        self.checked = Counter(
            "costpol_cache_checked", "Similar hits answered afresh in the background and compared.", ("intent",),
            registry=registry,
        )  # fmt: skip
        self.diverged = Counter(
            "costpol_cache_diverged", "Checked hits whose fresh answer said something else.", ("intent",),
            registry=registry,
        )  # fmt: skip
        self.refused = Counter(
            "costpol_cache_refused_by_guard", "Lookups in which a guard refused a kept answer.", ("guard",),
            registry=registry,
        )  # fmt: skip
        self.verification_cost = Counter(
            "costpol_cache_verification_cost_usd", "Dollars paid to check hits: the cache's own cost.", ("intent",),
            registry=registry,
        )  # fmt: skip
        self.unchecked = Counter(
            "costpol_cache_unchecked", "Hits picked for a check that came to no verdict, by the reason why.",
            ("intent", "reason"), registry=registry,
        )  # fmt: skip
        self.open = Gauge(
            "costpol_requests_open", "Requests being answered.", registry=registry, multiprocess_mode="livesum"
        )
        self.unsettled = Gauge(
            "costpol_unsettled", "Settlements that wait for the ledger.", registry=registry, multiprocess_mode="livesum"
        )
        self.reloads = Counter("costpol_reloads", "Attempts to reload the policy.", ("result",), registry=registry)
        self.reload_ok = Gauge(
            "costpol_reload_last_successful", "1 while the files on the disk are the policy in service.",
            registry=registry, multiprocess_mode="livemin",
        )  # fmt: skip
        self.reload_time = Gauge(
            "costpol_reload_last_success_timestamp_seconds", "When a policy last came into service.",
            registry=registry, multiprocess_mode="livemin",
        )  # fmt: skip
        self.generation = Gauge(
            "costpol_policy_generation", "How many policies this process has served.",
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self.policy = Gauge(
            "costpol_policy_info", "1 for the policy in service, by its digest.", ("digest",),
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self.findings = Gauge(
            "costpol_policy_warnings",
            "Warnings of the policy in service.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.degraded = Gauge(
            "costpol_degraded", "1 while a part of the service is amiss.", ("part",),
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self.note_troubles({})
        self._shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        """Whether another worker may be asked for the counters of this one."""
        self._series: dict[tuple[str, str, str, str], _Series] = {}
        self._denied: dict[int, Any] = {}
        self._served: str | None = None

    def count(self, outcome: Outcome, seconds: float) -> None:
        """One request has ended."""
        decision = outcome.decision
        kind = "incomplete" if outcome.response is not None and not outcome.response.complete else outcome.kind
        labels = (decision.rule or "", decision.model or "", _status(decision.cache), kind)
        series = self._series.get(labels)
        if series is None:
            series = self._new_series(labels)
        series.seconds.append(seconds)
        series.requests += 1
        series.cost += outcome.cost
        series.saved += outcome.saved or 0
        usage = outcome.usage
        if usage is not None:
            series.input_tokens += usage.input_tokens or 0
            series.output_tokens += usage.output_tokens or 0
        for note in outcome.trace:
            if note.what == "refused by guard":
                self.refused.labels(note.facts["guard"]).inc()
        if self._shared or len(series.seconds) >= _MOST_HELD:
            series.carry()

    def carry(self) -> None:
        """Bring the counters up to date, for whoever reads them."""
        for series in self._series.values():
            series.carry()

    def count_verified(self, verified: Verified) -> None:
        """One hit was answered afresh behind its caller, or could not be. Its cost is no saving."""
        intent, route = verified.intent, verified.rule or ""
        if verified.kind in ("same", "different"):
            self.checked.labels(intent).inc()
            self.diverged.labels(intent).inc(verified.kind == "different")
        else:
            self.unchecked.labels(intent, verified.reason or verified.kind).inc()
        if verified.cost:
            dollars = verified.cost * _PICODOLLARS
            self.verification_cost.labels(intent).inc(dollars)
            self.cost.labels(route, verified.model).inc(dollars)
            self.saved.labels(route, "verification").dec(dollars)
        if verified.usage is not None:
            self.tokens.labels(verified.model, "input").inc(verified.usage.input_tokens or 0)
            self.tokens.labels(verified.model, "output").inc(verified.usage.output_tokens or 0)

    def count_rung(self, rung: str) -> None:
        """One request met a rung of a budget's ladder."""
        self.rungs.labels(rung).inc()

    def count_denied(self, status: int) -> None:
        """One request was turned away."""
        child = self._denied.get(status)
        if child is None:
            child = self._denied[status] = self.denied.labels(str(status))
        child.inc()

    def count_reload(self, report: ReloadReport) -> None:
        """One attempt to reload has ended."""
        self.reloads.labels(report.result).inc()
        self.reload_ok.set(0 if report.failed else 1)

    def note_troubles(self, troubles: Container[Part]) -> None:
        """Which parts are amiss now."""
        for part in PARTS:
            self.degraded.labels(part).set(int(part in troubles))

    def serve(self, snapshot: Snapshot, now: float) -> None:
        """A policy has come into service."""
        if self._served is not None:
            self.policy.labels(self._served).set(0)
        self._served = snapshot.digest[:12]
        self.policy.labels(snapshot.digest[:12]).set(1)
        self.generation.set(snapshot.generation)
        self.findings.set(sum(finding.severity is Severity.WARNING for finding in snapshot.findings))
        self.reload_ok.set(1)
        self.reload_time.set(now)

    def render(self) -> bytes:
        """Everything in the text format; of all workers where there are several."""
        self.carry()
        if self._shared:
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(self.registry)

    def _new_series(self, labels: tuple[str, str, str, str]) -> _Series:
        if len(self._series) >= _MAX_SERIES:
            labels = ("other", "other", labels[2], labels[3])
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = _Series(self, labels)
        return series


def _status(cache: str) -> str:
    """`hit_exact`, `hit_similar`, `miss` or `bypass`: without the reason, which may name things."""
    kind, _, detail = cache.partition("; ")
    return f"hit_{detail}" if kind == "hit" else kind
