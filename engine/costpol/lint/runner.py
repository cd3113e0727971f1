"""Every rule over a bundle: what is found, less what the author accepts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from costpol.diagnostics import Diagnostic
from costpol.lint.facts import Facts
from costpol.lint.reach.survey import Survey, survey
from costpol.lint.registry import RULES, RuleModule
from costpol.lint.suppressions import accepted, suppressions
from costpol.policy.bundle import Bundle, UnreadKindError
from costpol.policy.codes import CATALOGUE
from costpol.policy.nodes.matcher import When
from costpol.policy.references import OTHERWISE, intent_names

_NOTHING = When(any=(When(output=("text",)),), not_=When(output=("text",)))
"""Holds for no request: stands for an intent that has only examples."""


MOST = 1000
"""How many findings are reported, the gravest of them: nobody reads more, and many make no other policy."""

_NAMES = frozenset(
    {name for rule in RULES for name in (rule.CODE, rule.NAME)}
    | {name for each in CATALOGUE for name in (each.code, each.name)}
)


def lint(bundle: Bundle, facts: Facts | None = None) -> list[Diagnostic]:
    """All findings about a bundle, by file and line. Suppressed ones are left out.

    Of a partial bundle, what can be told without the kinds that could not be read.
    """
    facts = replace(facts or Facts(), routing=_told(_routing, bundle), intents=_told(_intents, bundle), findings=())
    facts = replace(facts, partial=facts.partial or not isinstance(bundle, Bundle))
    first = [rule for rule in RULES if "findings" not in rule.NEEDS]
    last = [rule for rule in RULES if "findings" in rule.NEEDS]
    found = _run(first, bundle, facts)
    dropped = accepted(found, suppressions(bundle.files))
    kept = [finding for position, finding in enumerate(found) if position not in dropped]
    kept += _run(last, bundle, replace(facts, findings=tuple(found), names=_NAMES))
    if len(kept) > MOST:
        kept = sorted(kept, key=lambda finding: finding.severity.rank)[:MOST]
    return sorted(kept, key=lambda finding: finding.sort_key)


def _run(rules: list[RuleModule], bundle: Bundle, facts: Facts) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for rule in rules:
        if all(facts.has(need) for need in rule.NEEDS):
            with suppress(UnreadKindError):
                for finding in rule.check(bundle, facts):
                    found.append(finding)  # one by one: what comes before the error counts
    return found


def _told(survey: Callable[[Bundle], Survey], bundle: Bundle) -> Survey:
    """What is known of a list of matchers; nothing where its file could not be read."""
    with suppress(UnreadKindError):
        return survey(bundle)
    return Survey((), (), None)


def _routing(bundle: Bundle) -> Survey:
    rules = [rule.when for rule in bundle.routing.rules]
    try:
        otherwise = bundle.intents.otherwise if bundle.intents else OTHERWISE
        names = [*sorted(intent_names(bundle) - {otherwise}), otherwise]
    except UnreadKindError:
        return survey(rules, None)
    return survey(rules, names)


def _intents(bundle: Bundle) -> Survey:
    """Intents are matched before any is known, so their matchers cannot ask for one."""
    declared = bundle.intents.intents.values() if bundle.intents else ()
    return survey([intent.when or _NOTHING for intent in declared], None)
