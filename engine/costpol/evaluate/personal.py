"""What makes a request one person's own: every signal that it shows, where the flow stops at the first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from costpol.diagnostics import Span
from costpol.inference.tokens import TokenCounter
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Decision
from costpol.pipeline.keywords import KeywordCollector
from costpol.pipeline.signals import Signals
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.personalization import Exclusion
from costpol.policy.nodes.prompts import Variable
from costpol.policy.templates import template_parts


@dataclass(frozen=True, slots=True)
class PersonalSignal:
    """One sign, in words (`the phrase `my order``), and where the policy names it."""

    text: str
    span: Span
    phrase: str | None = None
    """The phrase itself, where it is one."""


def personal_signals(
    bundle: Bundle, decision: Decision, arrival: Arrival, count: TokenCounter
) -> Iterator[PersonalSignal]:
    """All signs of a decided request, in the order in which the flow would look for them."""
    variables = _variables(bundle, decision.template)
    for name, variable in variables.items():
        if variable.personal:
            yield PersonalSignal(f"the template's variable `{name}`", variable.span)
    intent = None if bundle.intents is None else bundle.intents.intents.get(decision.intent or "")
    if intent is not None and intent.personal:
        yield PersonalSignal(f"the intent `{decision.intent}`", intent.at("personal"))
    exclusions = bundle.personalization.exclusions if bundle.personalization is not None else ()
    for exclusion in exclusions:
        yield from _signals(exclusion, decision, arrival, frozenset(variables), count)


def _signals(
    exclusion: Exclusion, decision: Decision, arrival: Arrival, variables: frozenset[str], count: TokenCounter
) -> Iterator[PersonalSignal]:
    request = arrival.request
    if decision.intent in exclusion.intents:
        yield PersonalSignal(f"the intent `{decision.intent}`", exclusion.at("intents"))
    collector = KeywordCollector()
    phrases = {phrase: collector.words([phrase]) for phrase in exclusion.phrases}
    pattern = None if exclusion.pattern is None else collector.pattern(exclusion.pattern)
    signals = Signals(arrival, collector.compile(), count)
    for phrase, numbers in phrases.items():
        if not numbers.isdisjoint(signals.matched_anywhere):
            yield PersonalSignal(f"the phrase `{phrase}`", exclusion.at("phrases"), phrase)
    if pattern is not None and pattern in signals.matched_anywhere:
        yield PersonalSignal(f"the pattern `{exclusion.pattern}`", exclusion.at("pattern"))
    shown = {
        "variables": ("the template's variable", variables),
        "metadata": ("the metadata", frozenset(request.metadata)),
        "tools": ("the tool", signals.called_tools | frozenset(request.tools)),
    }
    for key, (kind, found) in shown.items():
        for name in getattr(exclusion, key):
            if name in found:
                yield PersonalSignal(f"{kind} `{name}`", exclusion.at(key))


def _variables(bundle: Bundle, template: str | None) -> dict[str, Variable]:
    """The variables that stand in the template that was applied (`name@version`)."""
    if template is None or bundle.prompts is None:
        return {}
    node = bundle.prompts.templates[template.rpartition("@")[0]]
    used = {variable for _, variable in template_parts(node.system) if variable is not None}
    return {name: variable for name, variable in node.variables.items() if name in used}
