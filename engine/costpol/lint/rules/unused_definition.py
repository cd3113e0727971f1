"""Something is declared that nothing in the policy uses.

## Bad

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  small-model: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}}
  large-model: {provider: openai, price: {input: 2 USD, output: 8 USD}}
  forgotten-model: {provider: openai, price: {input: 1 USD, output: 4 USD}}
tiers: {small: small-model, strong: large-model}
```

## Good

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  small-model: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}}
  large-model: {provider: openai, price: {input: 2 USD, output: 8 USD}}
tiers: {small: small-model, strong: large-model}
```

## Why

What nobody uses is not kept in step: its price goes stale, its text goes wrong, and the next reader takes it for what
is in force. Reported are providers, models, tiers, embedders, templates and their variables. Intents are not: one that
no rule names still shows in every report, and keeps its requests from being taken for another's. Where callers choose
the model themselves (`requested`), every model may be meant.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.lint.facts import Facts
from costpol.lint.targets import first_price, ladder_prices, leaves_choice, routes
from costpol.policy.bundle import Bundle
from costpol.policy.templates import placeholders

CODE, NAME, SEVERITY = "CP103", "unused-definition", Severity.WARNING
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    yield from _targets(bundle, facts)
    yield from _providers(bundle)
    yield from _embedders(bundle)
    yield from _templates(bundle)


def _targets(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    models = bundle.models
    rungs = bundle.budgets.ladder if bundle.budgets else ()
    used = {
        *(route.target for route in routes(bundle)),
        *bundle.routing.fallback.to,
        *(rung.route for rung in rungs if rung.route),
    }
    unused = [tier for tier in models.tiers if tier not in used]
    if len(unused) == len(models.tiers) - 1 or leaves_choice(bundle) or _dearest_default(bundle, facts):
        unused = []  # where all goes to one tier, or what no rule takes to the dearest, that is the finding
    for tier in unused:
        yield _finding(models.at("tiers", tier), "tier", tier)
    if leaves_choice(bundle):
        return
    used |= {member for members in models.tiers.values() for member in members}
    for name, model in models.models.items():
        if name not in used:
            yield _finding(model.span, "model", name)


def _dearest_default(bundle: Bundle, facts: Facts) -> bool:
    prices = ladder_prices(bundle, facts)
    return len(prices) > 1 and first_price(bundle, facts, bundle.routing.default) == prices[-1]


def _providers(bundle: Bundle) -> Iterator[Diagnostic]:
    used = {model.provider for model in bundle.models.models.values()}
    if bundle.batch is not None:
        used |= {intent.provider for intent in bundle.batch.intents.values()}
    for name, provider in bundle.models.providers.items():
        if name not in used:
            yield _finding(provider.span, "provider", name)


def _embedders(bundle: Bundle) -> Iterator[Diagnostic]:
    for name, embedder in bundle.models.embedders.items():
        if bundle.cache is None or bundle.cache.embedder != name:
            yield _finding(embedder.span, "embedder", name)


def _templates(bundle: Bundle) -> Iterator[Diagnostic]:
    prompts = bundle.prompts
    if prompts is None:
        return
    used = {prompt.template for prompt in (*prompts.intents.values(), prompts.otherwise)}
    for name, template in prompts.templates.items():
        if name not in used:
            yield _finding(template.span, "template", name)
            continue
        written = placeholders(template.system).names
        for variable, node in template.variables.items():
            if variable not in written:
                yield _finding(node.span, "variable", variable)


def _finding(span: Span, kind: str, name: str) -> Diagnostic:
    return Diagnostic(
        CODE, NAME, SEVERITY, span, f"nothing uses the {kind} `{name}`",
        help="use it, or delete it",
        why="what nobody uses is not kept in step, and is taken for what is in force",
        label="unused",
    )  # fmt: skip
