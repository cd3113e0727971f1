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
        "{name: b, message: hello, expect: {refused: false}}",
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
    written = written_cases(
        "{name: a, request: [1], expect: {refused: false}}", "{name: b, message: hello, expect: {refused: false}}"
    )
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


def test_a_rule_is_covered_where_it_decides_and_where_it_is_passed_over(policy: Any) -> None:
    found = results(policy(tests=written_cases("{name: a, message: analyze this, expect: {refused: false}}")))
    assert found.coverage["passed over"].reached == ("default",)
    assert found.coverage["passed over"].missed == ("deep-work",)


KEPT = "{message: how do I reset a password, caller: {tenant: acme, user: bob}"
ASKED = "message: how do I reset the password, caller: {tenant: acme, user: ada}"


def only(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What differs in the one case of a policy."""
    (case,) = results(files).cases
    assert case.problem is None
    return {each.field: each.actual for each in case.differences}


def cached_case(cached: dict[str, bytes], case: str, fixtures: str = "") -> dict[str, Any]:
    text = f"kind: tests\nfixtures: {{{fixtures}}}\ntests:\n  - {case}\n...\n"
    return only({**cached, "p/tests.yaml": text.encode()})


def test_a_kept_answer_is_found_by_likeness(cached: Any) -> None:
    case = f"{{name: a, {ASKED}, kept: [{KEPT}, similarity: 0.97}}], expect: {{hit: similar, guard: none}}}}"
    assert cached_case(cached, case) == {}


def test_a_kept_answer_that_is_not_alike_enough_is_not_given(cached: Any) -> None:
    case = f"{{name: a, {ASKED}, kept: [{KEPT}, similarity: 0.94}}], expect: {{hit: similar}}}}"
    assert cached_case(cached, case) == {"hit": "none"}


def test_an_exact_repeat_hits_without_likeness_and_not_after_its_time(cached: Any) -> None:
    asked = "message: how do I reset a password, caller: {tenant: acme, user: ada}"
    assert cached_case(cached, f"{{name: a, {asked}, kept: [{KEPT}}}], expect: {{hit: exact}}}}") == {}
    late = f"{{name: a, {asked}, kept: [{KEPT}, age: 2h}}], expect: {{hit: exact}}}}"
    assert cached_case(cached, late) == {"hit": "none"}


def test_the_guard_that_refuses_is_told(cached: Any) -> None:
    asked = "message: how do I disable the alarm, caller: {tenant: acme}"
    kept = "{message: how do I enable the alarm, similarity: 0.99}"
    case = f"{{name: a, {asked}, kept: [{kept}], expect: {{hit: none, guard: negation}}}}"
    assert cached_case(cached, case) == {}


def test_what_another_tenant_asked_is_not_given(cached: Any) -> None:
    asked = "message: how do I reset a password, caller: {tenant: globex, user: bob}"
    case = f"{{name: a, {asked}, kept: [{KEPT}}}], expect: {{hit: exact, cache: lookup}}}}"
    assert cached_case(cached, case) == {"hit": "none"}


def test_a_fixture_is_what_a_case_starts_from(cached: Any) -> None:
    fixture = f"asked: {{caller: {{tenant: acme, user: bob}}, kept: [{KEPT}}}]}}"
    case = "{name: a, use: asked, message: how do I reset a password, caller: {user: ada}, expect: {hit: exact}}"
    assert cached_case(cached, case, fixture) == {}
    changed = case.replace("{user: ada}", "{user: ada, tenant: other}")
    assert cached_case(cached, changed, fixture) == {"hit": "none"}


def test_a_message_goes_on_top_of_a_fixtures_conversation(policy: Any) -> None:
    said = "[{role: user, content: analyze this}, {role: assistant, content: done}]"
    text = (
        f"kind: tests\nfixtures: {{talk: {{request: {{messages: {said}, max_tokens: 7}}}}}}\n"
        "tests: [{name: a, use: talk, message: thanks, expect: {rule: default, max_output_tokens: 7}},\n"
        "  {name: b, use: talk, request: {max_tokens: 9}, expect: {rule: deep-work, max_output_tokens: 9}}]\n...\n"
    )
    assert results(policy(tests=text)).failed == 0


INTENTS = """kind: intents
intents:
  a: {examples: [red apples]}
  b: {when: {message: {words: [bananas]}}}
...
"""


def test_a_recorded_intent_stands_for_the_embedder(policy: Any) -> None:
    written = written_cases(
        "{name: x, message: tax returns, signals: {intent: a}, expect: {intent: a}}",
        "{name: y, message: red apples, signals: {intent: other}, expect: {intent: other}}",
    )
    assert results(policy(tests=written, intents=INTENTS)).failed == 0


def test_a_recorded_intent_that_a_matcher_overrules_is_a_problem(policy: Any) -> None:
    written = written_cases("{name: x, message: bananas, signals: {intent: a}, expect: {intent: b}}")
    (case,) = results(policy(tests=written, intents=INTENTS)).cases
    assert case.problem is not None
    assert "`a` was not asked for" in case.problem


def test_each_of_several_messages_is_a_case(policy: Any) -> None:
    written = written_cases("{name: x, messages: [analyze this, hello], expect: {model: large}}")
    found = results(policy(tests=written))
    assert [(case.name, case.passed) for case in found.cases] == [("x (analyze this)", True), ("x (hello)", False)]


def test_a_case_has_its_own_clock(policy: Any) -> None:
    prompts = """kind: prompts
templates:
  dated: {version: 1, system: "Today is {{ day }}.", variables: {day: {source: clock.date}}}
otherwise: {template: dated, max_output_tokens: 100}
...
"""
    written = written_cases("{name: x, message: hi, now: 2027-03-01T00:00:00Z, expect: {template: dated}}")
    assert results(policy(tests=written, prompts=prompts)).failed == 0
