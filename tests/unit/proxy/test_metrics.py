from __future__ import annotations

from msgspec.structs import replace

from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.decision import Decision, Note, Outcome, Verified
from costpol.proxy.metrics import Metrics
from costpol.runtime.reload import ReloadReport

ANSWERED = Outcome(
    "answered", Decision("d", rule="lookups", model="small", cache="miss"), (),
    response=Response("hi", "stop", Usage(10, 5)), usage=Usage(10, 5), cost=2_000_000_000_000, saved=1_000_000_000_000,
)  # fmt: skip


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    metrics.carry()
    return metrics.registry.get_sample_value(name, labels)


def test_an_answer_is_counted_with_its_cost_its_tokens_and_its_time() -> None:
    metrics = Metrics()
    metrics.count(ANSWERED, 0.2)
    labels = {"route": "lookups", "model": "small", "cache": "miss", "outcome": "answered"}
    assert value(metrics, "costpol_requests_total", **labels) == 1
    assert value(metrics, "costpol_cost_usd_total", route="lookups", model="small") == 2
    assert value(metrics, "costpol_saved_usd", route="lookups", cache="miss") == 1
    assert value(metrics, "costpol_tokens_total", model="small", kind="input") == 10
    assert value(metrics, "costpol_request_seconds_count", cache="miss") == 1


def test_what_was_carried_over_is_not_counted_again() -> None:
    metrics = Metrics()
    metrics.count(ANSWERED, 0.2)
    metrics.carry()
    metrics.count(ANSWERED, 0.2)
    assert value(metrics, "costpol_cost_usd_total", route="lookups", model="small") == 4


def test_a_call_that_cost_more_than_asked_for_lowers_what_was_saved() -> None:
    metrics = Metrics()
    metrics.count(replace(ANSWERED, saved=-3_000_000_000_000), 0.2)
    assert value(metrics, "costpol_saved_usd", route="lookups", cache="miss") == -3


def test_a_reason_for_a_bypass_is_no_label() -> None:
    metrics = Metrics()
    for reason in ("tenant unknown", "personal", "anything at all"):
        metrics.count(replace(ANSWERED, decision=Decision("d", cache=f"bypass; {reason}")), 0.1)
    assert value(metrics, "costpol_request_seconds_count", cache="bypass") == 3


def test_guards_are_counted_by_their_names() -> None:
    metrics = Metrics()
    refused = Note("lookup", "refused by guard", {"guard": "numbers", "similarity": 0.97})
    metrics.count(replace(ANSWERED, trace=(refused, refused)), 0.1)
    metrics.count(ANSWERED, 0.1)
    assert value(metrics, "costpol_cache_refused_by_guard_total", guard="numbers") == 2


def test_an_answer_that_broke_off_is_told_apart() -> None:
    metrics = Metrics()
    metrics.count(replace(ANSWERED, response=Response("h", None, Usage(), complete=False)), 0.1)
    labels = {"route": "lookups", "model": "small", "cache": "miss", "outcome": "incomplete"}
    assert value(metrics, "costpol_requests_total", **labels) == 1


def test_the_number_of_series_is_bounded() -> None:
    metrics = Metrics()
    for number in range(3000):
        metrics.count(replace(ANSWERED, decision=Decision("d", rule=f"rule-{number}", model="m", cache="miss")), 0.1)
    labels = {"route": "other", "model": "other", "cache": "miss", "outcome": "answered"}
    assert value(metrics, "costpol_requests_total", **labels) == 1000


def test_a_failed_reload_shows_until_one_succeeds() -> None:
    metrics = Metrics()
    metrics.count_reload(ReloadReport("rejected", 1, "d"))
    assert value(metrics, "costpol_reload_last_successful") == 0
    metrics.count_reload(ReloadReport("reloaded", 2, "e"))
    assert value(metrics, "costpol_reload_last_successful") == 1
    assert value(metrics, "costpol_reloads_total", result="rejected") == 1


def test_the_text_format_has_every_name() -> None:
    metrics = Metrics()
    metrics.count(ANSWERED, 0.1)
    metrics.count_denied(401)
    text = metrics.render().decode()
    assert 'costpol_denied_total{status="401"} 1.0' in text
    assert "_created" not in text


def test_what_is_amiss_shows_by_part() -> None:
    metrics = Metrics()
    assert value(metrics, "costpol_degraded", part="disk") == 0
    metrics.note_troubles({"disk": "it is full"})
    assert value(metrics, "costpol_degraded", part="disk") == 1
    assert value(metrics, "costpol_degraded", part="cache") == 0
    metrics.note_troubles({})
    assert value(metrics, "costpol_degraded", part="disk") == 0


def test_a_verification_is_a_cost_and_no_saving() -> None:
    metrics = Metrics()
    metrics.count_verified(Verified("same", "faq", "lookups", "small", usage=Usage(10, 5), cost=10**12))
    metrics.count_verified(Verified("different", "faq", "lookups", "small", usage=Usage(10, 5), cost=10**12))
    metrics.count_verified(Verified("unclear", "faq", "lookups", "small", usage=Usage(10, 5), cost=10**12))
    metrics.count_verified(Verified("none", "faq", "lookups", "small", "budget_exceeded"))
    assert value(metrics, "costpol_cache_checked_total", intent="faq") == 2
    assert value(metrics, "costpol_cache_diverged_total", intent="faq") == 1
    assert value(metrics, "costpol_cache_unchecked_total", intent="faq", reason="unclear") == 1
    assert value(metrics, "costpol_cache_unchecked_total", intent="faq", reason="budget_exceeded") == 1
    assert value(metrics, "costpol_cache_verification_cost_usd_total", intent="faq") == 3
    assert value(metrics, "costpol_cost_usd_total", route="lookups", model="small") == 3
    assert value(metrics, "costpol_saved_usd", route="lookups", cache="verification") == -3
    assert value(metrics, "costpol_tokens_total", model="small", kind="output") == 15
