"""The rules that need a log, in the order of their codes, and all of them over a replayed one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from costpol.diagnostics import Diagnostic, Severity
from costpol.evaluate.log_rules import (
    dominant_template,
    exhausted_budget,
    oversized_budget,
    unfired_rule,
    unprofitable_cache,
    wrong_cache_hits,
)
from costpol.evaluate.seen import Seen
from costpol.lint.suppressions import accepted, suppressions
from costpol.policy.bundle import Bundle


class LogRuleModule(Protocol):
    """What a module of `log_rules` has. Its docstring is its page: a sentence, then `## Bad`, `## Good`, `## Why`."""

    CODE: str
    NAME: str
    SEVERITY: Severity

    def check(self, bundle: Bundle, seen: Seen) -> Iterator[Diagnostic]: ...


LOG_RULES: tuple[LogRuleModule, ...] = (
    unfired_rule,
    unprofitable_cache,
    wrong_cache_hits,
    oversized_budget,
    exhausted_budget,
    dominant_template,
)


def log_findings(bundle: Bundle, seen: Seen) -> tuple[Diagnostic, ...]:
    """What a log shows, by file and line. What the author accepts is left out."""
    found = [finding for rule in LOG_RULES for finding in rule.check(bundle, seen)]
    dropped = accepted(found, suppressions(bundle.files))
    kept = [finding for position, finding in enumerate(found) if position not in dropped]
    return tuple(sorted(kept, key=lambda finding: finding.sort_key))
