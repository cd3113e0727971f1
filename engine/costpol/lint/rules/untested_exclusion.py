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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.reach import text
from costpol.lint.reach.vocabulary import WordIndex, words_in
from costpol.lint.reach.work import TooManyError, Work
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.personalization import Exclusion
from costpol.policy.nodes.tests import Case, Fixture
from costpol.policy.templates import placeholders

CODE, NAME, SEVERITY = "CP803", "untested-exclusion", Severity.WARNING
NEEDS: tuple[str, ...] = ("whole",)

WORK = 100_000
"""What is left unlooked at beyond is not reported."""
_SEARCH = 4


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the cases that are about privacy put before the policy."""

    texts: tuple[str, ...]
    words: frozenset[str]
    """Words and phrases of the exclusions that occur in a text."""
    names: frozenset[str]
    """Whatever requests name: tools among it."""
    metadata: frozenset[str]
    intents: frozenset[str | None]
    """`None` where a case does not say."""
    variables: frozenset[str]
    """The variables that their prompts may use."""


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    if bundle.personalization is None or not any(tests.tests for tests in bundle.tests):
        return
    work = Work(WORK)
    try:
        shown = _shown(bundle, bundle.personalization.exclusions, work)
        for exclusion in bundle.personalization.exclusions:
            if not _shows(shown, exclusion, work):
                yield Diagnostic(
                    CODE, NAME, SEVERITY, exclusion.span, "no test shows what this exclusion excludes",
                    help="add a case with one of its signals and `expect: {personal: true}` to the tests",
                    why="if it were lost, one customer's answer would go to another and nothing would notice",
                    label="untested",
                )  # fmt: skip
    except TooManyError:
        return


def _shows(shown: _Shown, exclusion: Exclusion, work: Work) -> bool:
    return (
        not shown.words.isdisjoint(words_in(exclusion.phrases))
        or _matches(exclusion.pattern, shown.texts, work)
        or not shown.names.isdisjoint(exclusion.tools)
        or not shown.metadata.isdisjoint(exclusion.metadata)
        or (bool(exclusion.intents) and not shown.intents.isdisjoint((None, *exclusion.intents)))
        or not shown.variables.isdisjoint(exclusion.variables)
    )


def _matches(pattern: str | None, texts: Sequence[str], work: Work) -> bool:
    if pattern is None:
        return False
    for each in texts:
        work.take(_SEARCH)
        if text.found(pattern, each):
            return True
    return False


def _shown(bundle: Bundle, exclusions: Sequence[Exclusion], work: Work) -> _Shown:
    cases = [
        (case, tests.fixtures.get(case.use or "", Fixture()))
        for tests in bundle.tests
        for case in tests.tests
        if case.expect.personal
        or case.expect.cache == "bypass"
        or case.expect.scope == "user"
        or case.expect.hit == "none"
    ]
    index = WordIndex(words_in(phrase for exclusion in exclusions for phrase in exclusion.phrases), work)
    found = {each: None for case, fixture in cases for each in _texts(case, fixture)}
    texts = tuple(map(text.normalise, found))
    labels = {each for case, fixture in cases for each in (*case.metadata, *fixture.metadata)}
    labels |= {each for case, fixture in cases for node in (case, fixture) for each in _labels(node.request)}
    intents = frozenset(case.expect.intent or case.signals.intent or fixture.signals.intent for case, fixture in cases)
    words = frozenset[str]().union(*(index.inside(each, work) for each in texts))
    variables = frozenset(name for intent in intents for name in _used(intent, bundle))
    return _Shown(texts, words, frozenset(found), frozenset(labels), intents, variables)


def _used(intent: str | None, bundle: Bundle) -> Iterator[str]:
    """The variables in the prompt of a case, as far as its intent is known."""
    prompts = bundle.prompts
    if prompts is None:
        return
    plans = prompts.intents.values() if intent is None else [prompts.intents.get(intent, prompts.otherwise)]
    for name in {plan.template for plan in (*plans, prompts.otherwise)}:
        template = prompts.templates.get(name or "")
        yield from placeholders(template.system).names if template is not None else ()


def _texts(case: Case, fixture: Fixture) -> list[str]:
    found = [*case.messages, *([] if case.message is None else [case.message])]
    return [*found, *_strings(case.request), *_strings(fixture.request)]


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
