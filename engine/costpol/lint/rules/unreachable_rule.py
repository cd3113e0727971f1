"""A rule, or an intent, that no request ever comes to, because earlier ones take every request it could take.

## Bad

```yaml
kind: routing
default: small
rules:
  - name: short
    when: {tokens: {max: 1000}}
    route: small
  - name: long
    when: {tokens: {min: 1001}}
    route: strong
  - name: medium
    when: {tokens: {min: 500, max: 2000}}
    route: small
```

## Good

```yaml
kind: routing
default: small
rules:
  - name: medium
    when: {tokens: {min: 500, max: 2000}, tools: none}
    route: small
  - name: long
    when: {tokens: {min: 1001}}
    route: strong
```

## Why

The first rule that matches decides. What a dead rule promises, a saving or a better answer, never happens, and nobody
notices. The check is exact over the conditions of the language, also where only several earlier rules together leave
nothing; the finding names those rules. A rule with more cases than are looked at is left alone.

An intent is dead when it has no examples and earlier matchers take all that its own matcher takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from costpol.diagnostics import Diagnostic, Related, Severity, Span
from costpol.lint.facts import Facts
from costpol.lint.reach.survey import Shadowed
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP201", "unreachable-rule", Severity.ERROR
NEEDS: tuple[str, ...] = ("routing", "intents")


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    assert facts.routing is not None  # noqa: S101 - `NEEDS` says so
    assert facts.intents is not None  # noqa: S101
    rules = bundle.routing.rules
    for rule, verdict in zip(rules, facts.routing.verdicts, strict=True):
        if isinstance(verdict, Shadowed):
            by = [(rules[i].name, rules[i].at("name")) for i in verdict.by]
            yield _finding(
                rule.at("name"), f"rule `{rule.name}` can never match", by,
                f"move it above `{by[0][0]}`, or narrow that rule, or delete this one",
            )  # fmt: skip
    intents = list(bundle.intents.intents.items()) if bundle.intents else []
    for (name, intent), verdict in zip(intents, facts.intents.verdicts, strict=True):
        if isinstance(verdict, Shadowed) and not intent.examples:
            by = [(intents[i][0], intents[i][1].span) for i in verdict.by]
            yield _finding(
                intent.span, f"intent `{name}` can never be recognised", by,
                f"move it above `{by[0][0]}`, or narrow that matcher, or add `examples:`",
            )  # fmt: skip


def _finding(span: Span, message: str, by: Sequence[tuple[str, Span]], help: str) -> Diagnostic:
    names = " and ".join(f"`{name}` (line {place.line})" for name, place in by)
    together = " together" if len(by) > 1 else ""
    takes = "takes some of its requests" if together else "takes all of its requests"
    return Diagnostic(
        CODE, NAME, SEVERITY, span, message, help,
        why="every request that it could take is taken earlier: the first match decides",
        label=f"shadowed by {names}{together}",
        related=tuple(Related(place, takes) for _, place in by),
    )  # fmt: skip
