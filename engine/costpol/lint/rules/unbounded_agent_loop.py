"""Agents are at work, and nothing stops a session that goes round in circles.

## Bad

```yaml
kind: routing
default: small
rules:
  - {name: planning, when: {agent: "research/*", stage: plan}, route: strong}
---
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
```

## Good

```yaml
kind: routing
default: small
rules:
  - {name: planning, when: {agent: "research/*", stage: plan}, route: strong}
---
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
  sessions: {limit: 2 USD, calls: 60, per: day, time_zone: UTC, each: session}
```

## Why

An agent that does not get on re-sends its whole history with every step, so a loop costs more with every turn. A limit
per session ends it after dollars; a limit for the whole company ends it after the month's budget, and takes everybody
else down with it. Agents count as being at work where the policy speaks of an agent, a stage, or tools that are
offered.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.policy.references import conditions

CODE, NAME, SEVERITY = "CP608", "unbounded-agent-loop", Severity.WARNING
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    budgets = bundle.budgets.budgets.values() if bundle.budgets else ()
    if any(budget.each == "session" for budget in budgets):
        return
    sign = next(_signs(bundle), None)
    if sign is not None:
        span, label = sign
        yield Diagnostic(
            CODE, NAME, SEVERITY, span, "agents are at work, and no budget stops a session that goes round in circles",
            help="add `sessions: {limit: 2 USD, calls: 60, per: day, time_zone: UTC, each: session}` to the budgets",
            why="every step of an agent sends its whole history again: a loop costs more with every turn",
            label=label,
        )  # fmt: skip


def _signs(bundle: Bundle) -> Iterator[tuple[Span, str]]:
    """Where the policy speaks of agents or of tools that are offered."""
    for rule in bundle.routing.rules:
        for when in conditions(rule.when):
            if when.agent:
                yield when.at("agent"), "an agent"
            if when.stage:
                yield when.at("stage"), "a stage of an agent's work"
            if when.tools is not None and when.tools != "none" and when is rule.when:
                yield when.at("tools"), "requests that offer tools"
    for budget in bundle.budgets.budgets.values() if bundle.budgets else ():
        if budget.each == "agent":
            yield budget.at("each"), "agents"
    for prompt in bundle.prompts.intents.values() if bundle.prompts else ():
        if isinstance(prompt.tools, tuple) and prompt.tools:
            yield prompt.at("tools"), "tools that are kept"
