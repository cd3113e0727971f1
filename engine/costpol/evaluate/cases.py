"""The tests that a policy brings along, run through the explaining driver, and which of its rules they reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from costpol.diagnostics import Span
from costpol.errors import UsageError, WireError
from costpol.evaluate.explain import Explainer, Explanation, message_body, request_body
from costpol.evaluate.record import FIRST_INSTANT
from costpol.inference.caller import Caller
from costpol.pipeline.arrival import Arrival
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.tests import Case
from costpol.providers.openai import decode_request
from costpol.reporting.savings.figures import share
from costpol.units import plain


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
class Coverage:
    """What the cases reached of one kind of thing in the policy (rules, exclusions, rungs)."""

    reached: tuple[str, ...]
    missed: tuple[str, ...]


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
        reached = sum(len(each.reached) for each in self.coverage.values())
        return share(reached, reached + sum(len(each.missed) for each in self.coverage.values()))


async def run_cases(explainer: Explainer) -> Results:
    """Run every case of the bundle, each with the clock of its file, and nothing carried over from one to the next."""
    bundle = explainer.bundle
    cases: list[CaseResult] = []
    reached: set[tuple[str, str]] = set()
    for tests in bundle.tests:
        now = FIRST_INSTANT if tests.now is None else tests.now
        for case in tests.tests:
            try:
                explanation = await explainer.explain(_arrival(case, bundle, now), case.spent)
            except (WireError, UsageError) as error:
                cases.append(CaseResult(case.name, case.span, problem=error.message))
                continue
            reached.update(_reached(explanation))
            cases.append(CaseResult(case.name, case.span, tuple(_differences(case, explanation))))
    return Results(tuple(cases), _coverage(bundle, reached))


def _arrival(case: Case, bundle: Bundle, now: float) -> Arrival:
    if case.message is not None:
        body = message_body(bundle, case.message, case.metadata)
    else:
        body = request_body(bundle, case.request, case.metadata)
    who = case.caller
    caller = Caller(who.tenant, who.user, who.agent, who.session, who.stage)
    return Arrival(decode_request(body), caller, now, case.deadline)


def _differences(case: Case, explanation: Explanation) -> Iterator[Difference]:
    """The fields that were written and are otherwise."""
    expect, decision = case.expect, explanation.decision
    actual = {
        "intent": decision.intent,
        "rule": decision.rule,
        "model": decision.attempts[0] if decision.attempts else None,
        "personal": decision.personal,
        "cache": "bypass" if decision.cache.startswith("bypass") else "lookup",
        "scope": decision.scope,
        "template": None if decision.template is None else decision.template.rpartition("@")[0],
        "refused": explanation.kind == "refused",
        "max_output_tokens": decision.max_output_tokens,
    }
    for field, found in actual.items():
        wanted = getattr(expect, field)
        if expect.written(field) and wanted != found:
            yield Difference(field, wanted, found, expect.at(field))


def _reached(explanation: Explanation) -> Iterator[tuple[str, str]]:
    decision = explanation.decision
    if decision.rule is not None:
        yield "rules", decision.rule
    for rung in decision.rungs:
        yield "rungs", rung.rpartition(" ")[2]
    for note in explanation.trace:
        if note.stage == "personalize" and "exclusion" in note.facts:
            yield "exclusions", str(note.facts["exclusion"] + 1)


def _coverage(bundle: Bundle, reached: set[tuple[str, str]]) -> dict[str, Coverage]:
    """Per kind what was reached and what was not. Exclusions go by their number, rungs by their share."""
    exclusions = bundle.personalization.exclusions if bundle.personalization is not None else ()
    ladder = bundle.budgets.ladder if bundle.budgets is not None else ()
    declared = {
        "rules": [*(rule.name for rule in bundle.routing.rules), "default"],
        "exclusions": [str(number) for number in range(1, len(exclusions) + 1)],
        "rungs": [f"{plain(rung.share * 100)}%" for rung in ladder],
    }
    return {
        kind: Coverage(
            tuple(name for name in names if (kind, name) in reached),
            tuple(name for name in names if (kind, name) not in reached),
        )
        for kind, names in declared.items()
    }
