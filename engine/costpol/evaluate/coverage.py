"""What the tests of a policy reach of it, counted, never rounded up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from costpol.evaluate.explain import Explanation
from costpol.pipeline.decision import Decision
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.matcher import When
from costpol.policy.templates import placeholders
from costpol.units import plain

Reached = tuple[str, str]
"""A kind of thing, and which one."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the cases reached of one kind of thing in the policy, and what not."""

    reached: tuple[str, ...]
    missed: tuple[str, ...]

    @property
    def total(self) -> int:
        return len(self.reached) + len(self.missed)


def counts(coverage: Mapping[str, Coverage]) -> tuple[int, int]:
    """How much of everything was reached, and how much there is."""
    return sum(len(each.reached) for each in coverage.values()), sum(each.total for each in coverage.values())


def falls_short(coverage: Mapping[str, Coverage], percent: Decimal) -> bool:
    """Whether less than so many percent are reached, by the counts themselves."""
    reached, total = counts(coverage)
    return reached * 100 < percent * total


def reached_by(explanation: Explanation, bundle: Bundle) -> Iterator[Reached]:
    """What one decision reaches. A rule is passed over where another one decides."""
    decision = explanation.decision
    if decision.rule is not None:
        yield "rules", decision.rule
        yield from (("passed over", name) for name in _rules(bundle) if name != decision.rule)
    for rung in decision.rungs:
        yield "rungs", rung.rpartition(" ")[2]
    for note in explanation.trace:
        if note.stage == "personalize" and "exclusion" in note.facts:
            yield "exclusions", str(note.facts["exclusion"] + 1)
    yield from (("exclusions", str(number)) for number in _said_already(decision, bundle))


def coverage_of(bundle: Bundle, reached: set[Reached]) -> dict[str, Coverage]:
    """Per kind what was reached and what was not. Exclusions go by their number, rungs by their share."""
    exclusions = bundle.personalization.exclusions if bundle.personalization is not None else ()
    ladder = bundle.budgets.ladder if bundle.budgets is not None else ()
    rules = _rules(bundle)
    declared = {
        "rules": rules,
        "passed over": rules if len(rules) > 1 else [],
        "exclusions": [str(number) for number in range(1, len(exclusions) + 1)],
        "rungs": list(dict.fromkeys(f"{plain(rung.share * 100)}%" for rung in ladder)),
    }
    return {
        kind: Coverage(
            tuple(name for name in names if (kind, name) in reached),
            tuple(name for name in names if (kind, name) not in reached),
        )
        for kind, names in declared.items()
    }


def _said_already(decision: Decision, bundle: Bundle) -> Iterator[int]:
    """The exclusions by whose intent or variable a request is personal, though its declaration has said so before."""
    templates = bundle.prompts.templates if bundle.prompts is not None else {}
    template = templates.get((decision.template or "").rpartition("@")[0])
    used = frozenset[str]() if template is None else frozenset(placeholders(template.system).names)
    if decision.personal and bundle.personalization is not None:
        for number, exclusion in enumerate(bundle.personalization.exclusions, start=1):
            if decision.intent in exclusion.intents or not used.isdisjoint(exclusion.variables):
                yield number


def _rules(bundle: Bundle) -> list[str]:
    """The rules, and the default unless a rule takes whatever is left."""
    rules = bundle.routing.rules
    names = [rule.name for rule in rules]
    return names if any(rule.when == When() for rule in rules) else [*names, "default"]
