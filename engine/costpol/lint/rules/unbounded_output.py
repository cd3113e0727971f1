"""Nothing limits how long an answer may get.

## Bad

```yaml
kind: prompts
intents:
  faq: {max_output_tokens: 300}
```

## Good

```yaml
kind: prompts
intents:
  faq: {max_output_tokens: 300}
otherwise: {max_output_tokens: 1k}
```

## Why

Output costs four to eight times what input costs, and a model that runs on costs all it can write. Without a limit,
where the caller sets none either, the worst case of a request cannot be told beforehand: a budget then sets
`assume_output_tokens` aside for the answer (1,000, unless `budgets` says otherwise), and one that gets longer is booked
in full, but only afterwards, so that calls under way at the same time may take the budget past its limit.

A limit can stand in `prompts` per intent and in `otherwise`, and in a routing rule; each path of a request needs one of
them.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.targets import routes
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.matcher import When

CODE, NAME, SEVERITY = "CP601", "unbounded-output", Severity.WARNING
NEEDS: tuple[str, ...] = ()

_WHY = "an answer may get as long as the model can write, and output is the dearest part of the bill"


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    prompts = bundle.prompts
    why = _WHY
    if bundle.budgets is not None:
        held = f"{bundle.budgets.assume_output_tokens:,}"
        why = f"a budget sets {held} tokens aside for it, and a longer one takes the budget past its limit"
    if prompts is None or prompts.otherwise.max_output_tokens is None:
        free = [route.label for route in routes(bundle) if route.rule is None or route.rule.max_output_tokens is None]
        yield Diagnostic(
            CODE, NAME, SEVERITY, bundle.routing.at("default"), "nothing limits how long answers may get",
            help="write `otherwise: {max_output_tokens: 1k}` in a file with `kind: prompts`",
            why=why,
            label=_listed(free),
        )  # fmt: skip
        return
    for name, prompt in prompts.intents.items():
        if prompt.max_output_tokens is None and not _limited_by_rule(bundle, name):
            yield Diagnostic(
                CODE, NAME, SEVERITY, prompt.span, f"nothing limits how long answers to `{name}` may get",
                help="add `max_output_tokens: 300`; `otherwise` is for intents that are not named",
                why=why,
                label="no `max_output_tokens`",
            )  # fmt: skip


def _limited_by_rule(bundle: Bundle, intent: str) -> bool:
    """Whether all requests of the intent come to rules that limit the answer, as far as that is plain to see."""
    for rule in bundle.routing.rules:
        if rule.max_output_tokens is None and (not rule.when.intent or intent in rule.when.intent):
            return False
        if intent in rule.when.intent and rule.when == When(intent=rule.when.intent):
            return True
    return False


def _listed(routes: list[str], most: int = 3) -> str:
    shown = ", ".join(routes[-most:][::-1])
    return f"{shown} and {len(routes) - most} more" if len(routes) > most else shown
