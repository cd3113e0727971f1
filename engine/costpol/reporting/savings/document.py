"""The report as a JSON document. Money is in exact dollars: read its numbers as decimals, and they add up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import json

from costpol.reporting.findings.json import finding_data
from costpol.reporting.savings.assumptions import assumptions
from costpol.reporting.savings.figures import Against, BudgetFigures, CacheFigures, Group, Lever, Savings
from costpol.units import short_usd

_ENCODER = json.Encoder(decimal_format="number")


def render_json(savings: Savings) -> str:
    """The document of `to_document`, indented."""
    return json.format(_ENCODER.encode(to_document(savings)), indent=2).decode()


def to_document(savings: Savings) -> dict[str, Any]:
    """The report as plain data. Shares are between 0 and 1, `None` where nothing was measured."""
    document = _figures(savings)
    if savings.against is not None:
        document["against"] = _against(savings, savings.against)
    return document


def _figures(savings: Savings) -> dict[str, Any]:
    return {
        "requests": savings.requests,
        "unpriced": savings.unpriced,
        "refused": savings.refused,
        "baseline_usd": short_usd(savings.baseline),
        "policy_usd": short_usd(savings.cost),
        "saved_usd": short_usd(savings.saved),
        "saved_fraction": savings.saved_fraction,
        "refused_usd": short_usd(savings.avoided),
        "refused_because": savings.refusals,
        "levers": [_lever(lever) for lever in savings.levers],
        "cache": _cache(savings.cache),
        "routes": savings.routes,
        "rules": {name: _group(group) for name, group in savings.rules.items()},
        "intents": {name: _group(group) for name, group in savings.intents.items()},
        "budgets": {name: _budget(budget) for name, budget in savings.budgets.items()},
        "policy": savings.policy,
        "policy_errors": savings.errors,
        "baseline": savings.baseline_model,
        "prices": savings.prices,
        "period": {"first": _instant(savings.first), "last": _instant(savings.last)},
        "unpriced_models": savings.unpriced_models,
        "unpriced_policy_usd": short_usd(savings.unpriced_cost),
        "estimated": {
            "usage": savings.estimates.usage,
            "answers": savings.estimates.answers,
            "prompts": savings.estimates.prompts,
            "times": savings.estimates.times,
            "cold_prompt_caches": savings.estimates.cold,
        },
        "cut_off": savings.estimates.cut_off,
        "backwards": savings.estimates.backwards,
        "assumptions": assumptions(savings),
        "findings": [finding_data(finding) for finding in savings.findings],
        "skipped_lines": {"count": savings.skipped, "first": list(savings.skipped_first)},
    }


def _against(new: Savings, against: Against) -> dict[str, Any]:
    """The other policy, and what the new one makes different: new less other, so that a negative cost is a gain."""
    old = against.savings
    olds = {lever.name: lever.net for lever in old.levers}
    return {
        "policy": old.policy,
        "policy_errors": old.errors,
        "policy_usd": short_usd(old.cost),
        "unpriced_policy_usd": short_usd(old.unpriced_cost),
        "saved_usd": short_usd(old.saved),
        "saved_fraction": old.saved_fraction,
        "refused": old.refused,
        "changed": against.changed,
        "difference": {
            "policy_usd": short_usd(new.paid - old.paid),
            "saved_usd": short_usd(new.saved - old.saved),
            "refused": new.refused - old.refused,
            "wrong_hits": new.cache.wrong_hits - old.cache.wrong_hits,
            "hits": new.cache.hits - old.cache.hits,
            "levers": [
                {"lever": lever.name, "net_usd": short_usd(lever.net - olds.get(lever.name, 0))} for lever in new.levers
            ],
            "routes": route_changes(new.routes, old.routes),
        },
        "changes": [
            {
                "requests": change.requests,
                "cost_usd": short_usd(change.cost),
                "example": change.example,
                "fields": {name: list(pair) for name, pair in change.fields.items()},
            }
            for change in against.changes
        ],
    }


def route_changes(new: Mapping[str, int], old: Mapping[str, int]) -> dict[str, int]:
    """How many more requests each model gets; models that get as many as before are left out."""
    changes = {model: new.get(model, 0) - old.get(model, 0) for model in dict.fromkeys((*new, *old))}
    return {model: change for model, change in changes.items() if change}


def _lever(lever: Lever) -> dict[str, Any]:
    return {
        "lever": lever.name,
        "saved_usd": short_usd(lever.saved),
        "own_cost_usd": short_usd(lever.own_cost),
        "net_usd": short_usd(lever.net),
    }


def _cache(cache: CacheFigures) -> dict[str, Any]:
    return {
        "lookups": cache.lookups,
        "hits": cache.hits,
        "hit_rate": cache.hit_rate,
        "exact_hits": cache.exact,
        "similar_hits": cache.similar,
        "judged": cache.judged,
        "wrong_hits": cache.wrong_hits,
        "wrong_hit_rate": cache.wrong_hit_rate,
        "refused_by_guard": cache.refused_by_guard,
        "refused_by_guards": dict(sorted(cache.guards.items())),
        "bypassed": dict(sorted(cache.bypassed.items())),
        "saved_usd": short_usd(cache.saved),
        "own_cost_usd": short_usd(cache.own_cost),
        "net_usd": short_usd(cache.net),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "requests": group.requests,
        "refused": group.refused,
        "hits": group.cache.hits,
        "baseline_usd": short_usd(group.baseline),
        "policy_usd": short_usd(group.policy),
        "saved_usd": short_usd(group.saved),
        "cache": _cache(group.cache),
    }


def _budget(budget: BudgetFigures) -> dict[str, Any]:
    return {
        "per": budget.per,
        "each": budget.each,
        "peak_share": budget.peak,
        "subjects": budget.subjects,
        "refused": budget.refused,
        "rungs": budget.rungs,
    }


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
