"""What a name stands for, in a few lines of Markdown: a model with its price, an intent with its cache, a budget."""

from __future__ import annotations

from collections.abc import Iterator

from costpol.editor.names import BUILT_IN, Occurrence
from costpol.editor.project import Project
from costpol.inference.prices import Price
from costpol.policy.nodes.budgets import Budgets, Rung
from costpol.policy.nodes.cache import Cache, IntentCache
from costpol.policy.nodes.intents import Intents
from costpol.policy.nodes.models import Model, Models
from costpol.policy.nodes.prompts import Prompts, Variable
from costpol.policy.nodes.routing import Routing
from costpol.runtime.prices import find_embedding_price, find_model_price
from costpol.units import USD_PER_PICODOLLAR, format_duration, plain

_MILLION = 10**6


def summarise(project: Project, what: str, name: str, now: float, template: str | None = None) -> str:
    """The lines about a name; `now` is the instant of its price, `template` the one that a variable belongs to."""
    built_in = BUILT_IN.get(what, {}).get(name)
    lines = list(_LINES[what](project, name, now) if what in _LINES else _variable(project, name, template))
    if not lines and built_in is not None:
        lines = [f"{built_in[0].upper()}{built_in[1:]}."]
    return "\n".join([f"**{what} `{name}`**", "", *(lines or ["Nothing in the bundle declares it."])])


def price_line(price: Price | None) -> str:
    """The rates per million tokens, and where they come from."""
    if price is None:
        return "Price: not known"
    rates = price.rates
    parts = [f"{_per_million(rates.input)} input"]
    if rates.output is not None:
        parts.append(f"{_per_million(rates.output)} output")
    if rates.cache_read is not None:
        parts.append(f"{_per_million(rates.cache_read)} cached input")
    more = f"; more above {price.tiers[0].over:,} input tokens" if price.tiers else ""
    source = f" ({price.source})" if price.source else ""
    return f"Price per million tokens: {', '.join(parts)}{more}{source}"


def _per_million(rate: int) -> str:
    amount = plain(rate * _MILLION * USD_PER_PICODOLLAR)
    whole, _, fraction = amount.partition(".")
    return f"${whole}.{fraction:0<2}"


def _model(project: Project, name: str, now: float) -> Iterator[str]:
    models = project.node(Models)
    model = models.models.get(name) if models else None
    if models is None or model is None:
        return
    called = f", called `{model.name}` there" if model.name else ""
    yield f"- Provider: `{model.provider}`{called}"
    yield f"- {price_line(find_model_price(name, model, now))}"
    limits = [
        f"{count:,} tokens of {what}"
        for count, what in ((model.context, "context"), (model.max_output, "output"))
        if count
    ]
    if limits:
        yield f"- At most {' and '.join(limits)}"
    if model.lacks:
        yield f"- Lacks {', '.join(model.lacks)}"
    tiers = [f"`{tier}`" for tier, members in models.tiers.items() if name in members]
    if tiers:
        yield f"- In the tier {', '.join(tiers)}"


def _tier(project: Project, name: str, now: float) -> Iterator[str]:
    models = project.node(Models)
    for member in models.tiers.get(name, ()) if models else ():
        model = models.models.get(member) if models else None
        yield f"- `{member}`{f': {_short_price(member, model, now)}' if model else ''}"


def _short_price(name: str, model: Model, now: float) -> str:
    return price_line(find_model_price(name, model, now)).partition(" (")[0].removeprefix("Price ")


def _provider(project: Project, name: str, now: float) -> Iterator[str]:
    models = project.node(Models)
    provider = models.providers.get(name) if models else None
    if provider is not None:
        yield f"- {provider.base_url} ({provider.type} API)"
        yield f"- Key: `{provider.key_source}`, timeout {format_duration(provider.timeout)}"


def _embedder(project: Project, name: str, now: float) -> Iterator[str]:
    models = project.node(Models)
    embedder = models.embedders.get(name) if models else None
    if embedder is not None:
        if not embedder.remote:
            yield f"- `{embedder.model}`, run on this machine by {embedder.type}"
            return
        yield f"- `{embedder.model}` at {embedder.base_url or embedder.type}, {embedder.dimension} dimensions"
        yield f"- {price_line(find_embedding_price(embedder, now))}"


def _intent(project: Project, name: str, now: float) -> Iterator[str]:
    intents, cache = project.node(Intents), project.node(Cache)
    intent = intents.intents.get(name) if intents else None
    if intent is None and not (intents and intents.otherwise == name):
        return
    if intent is None:
        yield "What no intent covers."
    elif intent.description:
        yield intent.description
        yield ""
    if intent is not None:
        yield f"- Answers are {intent.volatility}{' and personal' if intent.personal else ''}"
        if intent.examples:
            more = f", and {len(intent.examples) - 3} more" if len(intent.examples) > 3 else ""
            yield f"- Such as {', '.join(map(_quoted, intent.examples[:3]))}{more}"
    if cache is not None:
        yield f"- Cache: {_cached(cache.intents.get(name, cache.otherwise))}"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _cached(cache: IntentCache | str) -> str:
    if not isinstance(cache, IntentCache):
        return "off"
    alike = "exact repeats only" if cache.threshold is None else f"from {plain(cache.threshold)} alike"
    ttl = f", for {format_duration(cache.ttl)}" if cache.ttl is not None else ""
    scope = f", per {cache.scope}" if cache.scope not in (None, "global") else f", {cache.scope}" if cache.scope else ""
    return alike + ttl + scope


def _template(project: Project, name: str, now: float) -> Iterator[str]:
    prompts = project.node(Prompts)
    template = prompts.templates.get(name) if prompts else None
    if template is None:
        return
    used = ", ".join(f"`{variable}`" for variable in template.variables)
    yield f"- Version {template.version}{f', variables {used}' if used else ''}"
    first = " ".join(template.system.split())
    yield f"- {_quoted(first[:160] + ('...' if len(first) > 160 else ''))}"


def _variable(project: Project, name: str, template: str | None) -> Iterator[str]:
    prompts = project.node(Prompts)
    for title, each in prompts.templates.items() if prompts else ():
        if name in each.variables and template in (None, title):
            yield f"- In the template `{title}`: from `{each.variables[name].source}`{_qualities(each.variables[name])}"


def _qualities(variable: Variable) -> str:
    return "".join(f", {word}" for word in ("personal", "volatile") if getattr(variable, word))


def _budget(project: Project, name: str, now: float) -> Iterator[str]:
    budgets = project.node(Budgets)
    budget = budgets.budgets.get(name) if budgets else None
    if budgets is None or budget is None:
        return
    limits = [f"${plain(budget.limit)}"] if budget.limit is not None else []
    limits += [f"{budget.tokens:,} tokens"] if budget.tokens is not None else []
    limits += [f"{budget.calls:,} calls"] if budget.calls is not None else []
    window = "" if budget.per == "request" else f" ({budget.window})"
    each = f", for each {budget.each}" if budget.each else ""
    yield f"- {' and '.join(limits)} per {budget.per}{window}{each}"
    for rung in budgets.ladder:
        if not rung.budgets or name in rung.budgets:
            yield f"- At {plain(rung.share * 100)}%: {_rung(rung)}"


def _rung(rung: Rung) -> str:
    does = ["warn"] if rung.warn else []
    does += [f"route to `{rung.route}`"] if rung.route else []
    does += [f"at most {rung.max_output_tokens} output tokens"] if rung.max_output_tokens else []
    does += ["refuse"] if rung.refuse else []
    return ", ".join(does)


def _rule(project: Project, name: str, now: float) -> Iterator[str]:
    routing = project.node(Routing)
    for position, rule in enumerate(routing.rules if routing else (), 1):
        if rule.name == name and routing is not None:
            yield f"- Rule {position} of {len(routing.rules)}: to `{rule.route}`"


_LINES = {
    "model": _model,
    "tier": _tier,
    "provider": _provider,
    "embedder": _embedder,
    "intent": _intent,
    "template": _template,
    "budget": _budget,
    "rule": _rule,
}


def declared_as(project: Project, occurrence: Occurrence) -> str:
    """What a name is declared as: of a tier or model, the one it is; what it stands for where nothing declares it."""
    return project.known(occurrence.meaning).get(occurrence.name, occurrence.meaning.kinds[0])
