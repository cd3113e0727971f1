"""A value that changes with every call stands in a system prompt.

## Bad

```yaml
kind: prompts
templates:
  support:
    version: 1
    system: "Answer shortly. The time is {{ now }}."
    variables:
      now: {source: clock.time}
intents:
  faq: {template: support, max_output_tokens: 300}
otherwise: {max_output_tokens: 1k}
```

## Good

```yaml
kind: prompts
templates:
  support:
    version: 1
    system: "Answer shortly. Today is {{ today }}."
    variables:
      today: {source: clock.date}
intents:
  faq: {template: support, max_output_tokens: 300}
otherwise: {max_output_tokens: 1k}
```

## Why

The system prompt stands in front of everything else, so a clock, a random id or a request id in it makes every request
a new one: the provider's prompt cache never hits, from there to the end of the history, and an answer is never cached.
The date is enough for most purposes; what the time decides can be said in the question.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Related, Severity
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.policy.templates import placeholders

CODE, NAME, SEVERITY = "CP702", "volatile-template-variable", Severity.WARNING
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for name, template in bundle.prompts.templates.items() if bundle.prompts else ():
        for variable in placeholders(template.system).names:
            declared = template.variables.get(variable)
            if declared is None or not (declared.volatile or declared.source == "clock.time"):
                continue
            clock = declared.source == "clock.time"
            yield Diagnostic(
                CODE, NAME, SEVERITY, declared.at("source" if clock else "volatile"),
                f"template `{name}` changes with every call because of `{variable}`",
                help="write `source: clock.date`, or leave it out" if clock else "leave it out of the system prompt",
                why="neither the provider's prompt cache nor the answer cache can ever hit",
                label="another value in every call",
                related=(Related(template.at("system"), "the prompt that it stands in"),),
            )  # fmt: skip
