"""The policy has tests, and none of them shows what this exclusion excludes.

## Bad

```yaml
kind: personalization
exclusions:
  - phrases: [my order, my invoice]
---
kind: tests
tests:
  - name: analysis goes to the strong tier
    message: analyze last month's sales
    expect: {rule: deep-work}
```

## Good

```yaml
kind: personalization
exclusions:
  - phrases: [my order, my invoice]
---
kind: tests
tests:
  - name: analysis goes to the strong tier
    message: analyze last month's sales
    expect: {rule: deep-work}
  - name: a question about one's own order is personal
    message: where is my order
    expect: {personal: true}
```

## Why

An exclusion that is lost or mistyped gives one customer's answer to another, and nothing else notices. It counts as
tested where a case that expects a request to be personal, or its answer not to be shared, shows one of its signals.
Left alone are policies without any tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.reach import text
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.personalization import Exclusion
from costpol.policy.nodes.tests import Case, Fixture
from costpol.policy.templates import placeholders

CODE, NAME, SEVERITY = "CP803", "untested-exclusion", Severity.WARNING
NEEDS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a case that is about privacy puts before the policy."""

    words: tuple[str, ...]
    metadata: frozenset[str]
    names: frozenset[str]
    """Whatever its requests name: tools among it."""
    intent: str | None


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    if bundle.personalization is None or not any(tests.tests for tests in bundle.tests):
        return
    shown = [
        _shown(case, tests.fixtures.get(case.use or "", Fixture()))
        for tests in bundle.tests
        for case in tests.tests
        if case.expect.personal
        or case.expect.cache == "bypass"
        or case.expect.scope == "user"
        or case.expect.hit == "none"
    ]
    for exclusion in bundle.personalization.exclusions:
        if not any(_shows(each, exclusion, bundle) for each in shown):
            yield Diagnostic(
                CODE, NAME, SEVERITY, exclusion.span, "no test shows what this exclusion excludes",
                help="add a case with one of its signals and `expect: {personal: true}` to the tests",
                why="if it were lost, one customer's answer would go to another and nothing would notice",
                label="untested",
            )  # fmt: skip


def _shows(shown: _Shown, exclusion: Exclusion, bundle: Bundle) -> bool:
    pattern = exclusion.pattern
    return (
        any(text.occurs(phrase, each) for phrase in exclusion.phrases for each in shown.words)
        or (pattern is not None and any(text.found(pattern, each) for each in shown.words))
        or not shown.names.isdisjoint(exclusion.tools)
        or not shown.metadata.isdisjoint(exclusion.metadata)
        or (bool(exclusion.intents) and (shown.intent is None or shown.intent in exclusion.intents))
        or _may_use(exclusion, shown.intent, bundle)
    )


def _may_use(exclusion: Exclusion, intent: str | None, bundle: Bundle) -> bool:
    """Whether the prompt of a case uses a variable of the exclusion, as far as its intent is known."""
    if not exclusion.variables or bundle.prompts is None:
        return False
    prompts = bundle.prompts
    plans = prompts.intents.values() if intent is None else [prompts.intents.get(intent, prompts.otherwise)]
    templates = [prompts.templates.get(plan.template or "") for plan in (*plans, prompts.otherwise)]
    used = {name for each in templates if each is not None for name in placeholders(each.system).names}
    return not used.isdisjoint(exclusion.variables)


def _shown(case: Case, fixture: Fixture) -> _Shown:
    found = [*case.messages, *([] if case.message is None else [case.message])]
    found += [*_strings(case.request), *_strings(fixture.request)]
    labels = {*case.metadata, *fixture.metadata, *_labels(case.request), *_labels(fixture.request)}
    intent = case.expect.intent or case.signals.intent or fixture.signals.intent
    return _Shown(tuple(map(text.normalise, found)), frozenset(labels), frozenset(found), intent)


def _labels(request: Any) -> Iterator[str]:
    metadata = request.get("metadata") if isinstance(request, Mapping) else None
    yield from metadata if isinstance(metadata, Mapping) else ()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
