"""The rules, in the order of their codes: the one list of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.rules import (
    ambiguous_budget_window,
    budget_fails_open,
    cache_without_scope,
    cache_without_ttl,
    capability_mismatch,
    context_overflow,
    costlier_fallback,
    dearest_default,
    dynamic_before_static,
    floating_model_alias,
    frontier_classification,
    idle_rung,
    impossible_condition,
    incomplete_price,
    low_threshold,
    missing_budget,
    missing_exclusions,
    overlapping_rules,
    personal_intent_cached,
    polarity_unguarded,
    redundant_rule,
    retry_amplification,
    score_scale_mismatch,
    single_cheap_model,
    stale_price_table,
    suppression_without_reason,
    template_bloat,
    tool_call_cached,
    ttl_exceeds_freshness,
    unbounded_agent_loop,
    unbounded_output,
    unpriced_model,
    unreachable_rule,
    untested_exclusion,
    untested_rule,
    unused_definition,
    unused_suppression,
    volatile_template_variable,
)
from costpol.policy.bundle import Bundle


class Documented(Protocol):
    """Whatever has a page of its own: its docstring is a sentence, then `## Bad`, `## Good`, `## Why`."""

    CODE: str
    NAME: str
    SEVERITY: Severity


class RuleModule(Protocol):
    """What a module of `rules` has. Its docstring is its page: a sentence, then `## Bad`, `## Good`, `## Why`."""

    CODE: str
    NAME: str
    SEVERITY: Severity
    """The usual severity; a finding that is worse may say so."""
    NEEDS: tuple[str, ...]
    """What must be at hand beyond the text; see `Facts`."""

    def check(self, bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]: ...


RULES: tuple[RuleModule, ...] = (
    unused_definition,
    score_scale_mismatch,
    unreachable_rule,
    impossible_condition,
    redundant_rule,
    overlapping_rules,
    cache_without_scope,
    personal_intent_cached,
    tool_call_cached,
    missing_exclusions,
    low_threshold,
    polarity_unguarded,
    cache_without_ttl,
    ttl_exceeds_freshness,
    unpriced_model,
    stale_price_table,
    incomplete_price,
    single_cheap_model,
    dearest_default,
    costlier_fallback,
    context_overflow,
    floating_model_alias,
    capability_mismatch,
    frontier_classification,
    unbounded_output,
    missing_budget,
    ambiguous_budget_window,
    budget_fails_open,
    retry_amplification,
    unbounded_agent_loop,
    idle_rung,
    dynamic_before_static,
    volatile_template_variable,
    template_bloat,
    untested_rule,
    untested_exclusion,
    unused_suppression,
    suppression_without_reason,
)
