"""The tests that a policy brings along, run through the explaining driver, and what they reach of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from costpol.diagnostics import Span
from costpol.errors import UsageError, WireError
from costpol.evaluate.coverage import Coverage, Reached, counts, coverage_of, reached_by
from costpol.evaluate.explain import Explainer, Explanation
from costpol.evaluate.kept import Memory
from costpol.evaluate.situation import Situation, situations
from costpol.policy.nodes.tests import Expect
from costpol.reporting.savings.figures import share


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not as the case expects."""

    field: str
    expected: Any
    actual: Any
    span: Span


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case. `problem` says why it could not be run at all."""

    name: str
    span: Span
    differences: tuple[Difference, ...] = ()
    problem: str | None = None

    @property
    def passed(self) -> bool:
        return not self.differences and self.problem is None


@dataclass(frozen=True, slots=True)
class Results:
    """All cases of a bundle."""

    cases: tuple[CaseResult, ...]
    coverage: Mapping[str, Coverage]

    @property
    def failed(self) -> int:
        return sum(not case.passed for case in self.cases)

    @property
    def covered(self) -> Decimal | None:
        """The share of rules, exclusions and rungs that any case reached; `None` where the policy has none."""
        return share(*counts(self.coverage))


async def run_cases(explainer: Explainer) -> Results:
    """Run every case of the bundle, each with its own clock, and nothing carried over from one to the next."""
    bundle = explainer.bundle
    cases: list[CaseResult] = []
    reached: set[Reached] = set()
    for tests in bundle.tests:
        for case in tests.tests:
            try:
                for situation in situations(case, tests, bundle):
                    explanation = await _decide(situation, explainer)
                    reached.update(reached_by(explanation, bundle))
                    differences = tuple(_differences(case.expect, explanation))
                    problem = _unheard(situation, explanation)
                    cases.append(CaseResult(situation.name, case.span, differences, problem))
            except (WireError, UsageError) as error:
                cases.append(CaseResult(case.name, case.span, problem=error.message))
    return Results(tuple(cases), coverage_of(bundle, reached))


async def _decide(situation: Situation, explainer: Explainer) -> Explanation:
    memory = Memory()
    for before in situation.before:
        await memory.keep(explainer, before.arrival, before.intent, before.similarity)
    replies = memory.replies(explainer, situation.intent)
    return await explainer.explain(situation.arrival, situation.spent, replies)


def _unheard(situation: Situation, explanation: Explanation) -> str | None:
    """A recorded intent that nobody asked for proves nothing."""
    recorded, found = situation.intent, explanation.decision.intent
    if recorded is None or recorded == found:
        return None
    return f"the recorded intent `{recorded}` was not asked for: a matcher told the intent `{found}` before"


def _differences(expect: Expect, explanation: Explanation) -> Iterator[Difference]:
    """The fields that were written and are otherwise."""
    decision = explanation.decision
    guards = (str(note.facts["guard"]) for note in explanation.trace if note.what == "refused by guard")
    actual = {
        "intent": decision.intent,
        "rule": decision.rule,
        "model": decision.attempts[0] if decision.attempts else decision.model,
        "personal": decision.personal,
        "cache": "bypass" if decision.cache.startswith("bypass") else "lookup",
        "hit": decision.cache.removeprefix("hit; ") if decision.cache.startswith("hit") else "none",
        "guard": next(guards, "none"),
        "scope": decision.scope,
        "template": None if decision.template is None else decision.template.rpartition("@")[0],
        "refused": explanation.kind == "refused",
        "max_output_tokens": decision.max_output_tokens,
    }
    for field, found in actual.items():
        wanted = getattr(expect, field)
        if expect.written(field) and wanted != found:
            yield Difference(field, wanted, found, expect.at(field))
