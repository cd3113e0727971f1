from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costpol.evaluate.cases import Results, run_cases
from costpol.evaluate.explain import Explainer
from costpol.evaluate.rehearsal import rehearse

BUDGETS = """kind: budgets
budgets: {daily: {limit: 10 USD, per: day, time_zone: UTC}}
ladder: [{at: 100%, refuse: enough}]
...
"""


def results(files: Mapping[str, bytes]) -> Results:
    async def run() -> Results:
        async with rehearse(files, lambda: 1_770_000_000.0) as rehearsal:
            return await run_cases(Explainer(rehearsal))

    return asyncio.run(run())


def written_cases(*cases: str) -> str:
    return "kind: tests\nnow: 2026-01-15T12:00:00Z\ntests:\n" + "".join(f"  - {case}\n" for case in cases) + "...\n"


def test_only_what_is_written_is_compared(policy: Any) -> None:
    written = written_cases(
        "{name: a, message: analyze this, expect: {rule: deep-work, model: large, refused: false}}",
        "{name: b, message: hello, expect: {}}",
    )
    found = results(policy(tests=written))
    assert [case.passed for case in found.cases] == [True, True]
    assert found.failed == 0


def test_a_difference_has_its_place(policy: Any) -> None:
    found = results(policy(tests=written_cases("{name: a, message: hello, expect: {rule: default, model: large}}")))
    (case,) = found.cases
    (difference,) = case.differences
    assert found.failed == 1
    assert (difference.field, difference.expected, difference.actual) == ("model", "large", "small")
    assert (difference.span.file, difference.span.line) == ("p/tests.yaml", 4)


def test_budgets_can_be_spent(policy: Any) -> None:
    written = written_cases(
        "{name: a, message: hello, spent: {daily: 100%}, expect: {refused: true}}",
        "{name: b, message: hello, spent: {daily: 99%}, expect: {refused: false}}",
    )
    found = results(policy(tests=written, budgets=BUDGETS))
    assert found.failed == 0
    assert found.coverage["rungs"].reached == ("100%",)


def test_a_whole_request_may_be_given(policy: Any) -> None:
    request = "{messages: [{role: user, content: hello}], max_tokens: 50, temperature: 0.5}"
    written = written_cases(f"{{name: a, request: {request}, expect: {{max_output_tokens: 50, model: small}}}}")
    assert results(policy(tests=written)).failed == 0


def test_a_request_that_cannot_be_read_is_a_failure_not_an_end(policy: Any) -> None:
    written = written_cases("{name: a, request: [1], expect: {}}", "{name: b, message: hello, expect: {}}")
    first, second = results(policy(tests=written)).cases
    assert first.problem is not None
    assert not first.passed
    assert second.passed


def test_a_template_goes_by_its_name(policy: Any) -> None:
    prompts = """kind: prompts
templates: {short: {version: 3, system: "Be brief."}}
otherwise: {template: short, max_output_tokens: 100}
...
"""
    written = written_cases("{name: a, message: hello, expect: {template: short}}")
    assert results(policy(tests=written, prompts=prompts)).failed == 0


def test_coverage_says_which_rules_and_exclusions_no_case_reaches(policy: Any) -> None:
    exclusions = "kind: personalization\nexclusions:\n  - {phrases: [my order]}\n  - {phrases: [my name]}\n...\n"
    written = written_cases("{name: a, message: where is my order, expect: {personal: true}}")
    found = results(policy(tests=written, personalization=exclusions))
    assert found.coverage["rules"].reached == ("default",)
    assert found.coverage["rules"].missed == ("deep-work",)
    assert found.coverage["exclusions"].reached == ("1",)
    assert found.coverage["exclusions"].missed == ("2",)
    assert found.covered == Decimal("0.5")


def test_a_policy_without_tests_has_no_cases(policy: Any) -> None:
    assert results(policy()).cases == ()
