"""From a policy's nodes to the pipeline that decides: everything that does not depend on a request is worked out here.

The order of the stages, and the reason for each place:

| stage       | why there                                                                      |
| ----------- | ------------------------------------------------------------------------------ |
| classify    | everything after it may depend on the intent                                   |
| prompt      | personalization and lookup must know what a template puts into the prompt      |
| personalize | decides whose answer it is, before any answer is looked up                     |
| route       | answers belong to a model class                                                |
| lookup      | a hit costs nothing, so no budget is asked                                     |
| step-down   | a budget near its end changes the target and the length of the call            |
| call        | reserve, call, settle                                                          |
| store       | only what was answered whole is kept                                           |
| verify      | behind a hit: its caller does not wait                                         |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from costpol.errors import ProvisionError
from costpol.inference.prices import Price
from costpol.inference.tokens import TokenCounter, estimate_tokens
from costpol.pipeline.accounts import Unit, WindowBudget
from costpol.pipeline.caching import CachePlan
from costpol.pipeline.flow import Pipeline
from costpol.pipeline.keywords import KeywordCollector
from costpol.pipeline.matching import compile_when
from costpol.pipeline.stages.call import CallStage, RequestLimit
from costpol.pipeline.stages.classify import ClassifyStage
from costpol.pipeline.stages.lookup import LookupStage
from costpol.pipeline.stages.personalize import PersonalizeStage, PersonalSignals
from costpol.pipeline.stages.prompt import CompiledTemplate, PromptPlan, PromptStage, TemplateVariable
from costpol.pipeline.stages.route import REQUESTED, CompiledRule, RouteStage
from costpol.pipeline.stages.step_down import CompiledRung, StepDownStage
from costpol.pipeline.stages.store import StoreStage
from costpol.pipeline.target import Target
from costpol.pipeline.verification import BUDGET, Verification
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.budgets import Budget, Budgets, Rung
from costpol.policy.nodes.cache import IntentCache
from costpol.policy.nodes.models import Models
from costpol.policy.nodes.prompts import IntentPrompt, Prompts, Template
from costpol.policy.templates import template_parts
from costpol.units import picodollars, plain


@dataclass(frozen=True, slots=True)
class Provided:
    """What provisioning adds to a policy's text.

    `prices` has every model of the policy. `floor` is the embedder's least similarity for an intent, `embedding_rate`
    its picodollars per token. `baseline` prices any model by the name a caller may ask for.
    """

    prices: Mapping[str, Price]
    embedder: str
    floor: float
    baseline: Callable[[str], Price | None]
    embedding_rate: int = 0
    count: TokenCounter = estimate_tokens


def compile_bundle(bundle: Bundle, provided: Provided) -> Pipeline:
    """The pipeline of a bundle that has no errors. Raises `ProvisionError` for what only compiling can tell."""
    keywords = KeywordCollector()
    routes = _routes(bundle.models, provided.prices)
    targets = {model: routes[model][0] for model in bundle.models.models}
    budgets = tuple(_window_budgets(bundle.budgets)) if bundle.budgets else ()
    route = _route(bundle, routes, keywords)
    stages = {
        "classify": _classify(bundle, provided, keywords),
        "prompt": _prompt(bundle.prompts),
        "personalize": _personalize(bundle, keywords),
        "route": route,
        "lookup": _lookup(bundle, provided),
        "step_down": _step_down(bundle.budgets, budgets, route),
        "call": _call(bundle, budgets),
        "verification": _verification(bundle, budgets),
    }
    return Pipeline(
        digest=bundle.digest,
        keywords=keywords.compile(),
        count=provided.count,
        store=StoreStage(),
        targets=MappingProxyType(targets),
        baseline=provided.baseline,
        **stages,  # type: ignore[arg-type]
    )


def _routes(models: Models, prices: Mapping[str, Price]) -> dict[str, tuple[Target, ...]]:
    """The targets of every model and of every tier, by name."""

    def target(name: str, model_class: str) -> Target:
        model = models.models[name]
        return Target(
            model=name,
            model_class=model_class,
            provider=model.provider,
            upstream_name=model.name or name,
            price=prices[name],
            timeout=models.providers[model.provider].timeout,
            context=model.context,
            max_output=model.max_output,
            lacks=frozenset(model.lacks),
        )

    routes: dict[str, tuple[Target, ...]] = {name: (target(name, name),) for name in models.models}
    routes |= {tier: tuple(target(name, tier) for name in names) for tier, names in models.tiers.items()}
    return routes


def _classify(bundle: Bundle, provided: Provided, keywords: KeywordCollector) -> ClassifyStage:
    if bundle.intents is None:
        return ClassifyStage((), MappingProxyType({}), None)
    intents = bundle.intents.intents
    matchers = tuple((name, compile_when(i.when, keywords)) for name, i in intents.items() if i.when is not None)
    floors = {
        name: provided.floor if intent.min_similarity is None else float(intent.min_similarity)
        for name, intent in intents.items()
        if intent.examples
    }
    return ClassifyStage(matchers, MappingProxyType(floors), bundle.intents.otherwise, provided.embedding_rate)


def _prompt(prompts: Prompts | None) -> PromptStage:
    if prompts is None:
        return PromptStage(MappingProxyType({}), PromptPlan())
    templates = {name: _template(name, template) for name, template in prompts.templates.items()}

    def plan(node: IntentPrompt) -> PromptPlan:
        tools = None if node.tools is None else frozenset(() if node.tools == "none" else node.tools)
        template = None if node.template is None else templates[node.template]
        return PromptPlan(template, tools, node.max_output_tokens, node.output == "json")

    plans = {name: plan(node) for name, node in prompts.intents.items()}
    return PromptStage(MappingProxyType(plans), plan(prompts.otherwise))


def _template(name: str, template: Template) -> CompiledTemplate:
    variables = {}
    for variable_name, node in template.variables.items():
        room, _, field = node.source.partition(".")
        variables[variable_name] = TemplateVariable(
            variable_name, room, field, node.default, node.personal, node.volatile
        )
    parts = tuple(
        text if variable is None else variables[variable] for text, variable in template_parts(template.system)
    )
    used = {part.name: part for part in parts if isinstance(part, TemplateVariable)}
    return CompiledTemplate(f"{name}@{template.version}", parts, tuple(used.values()))


def _personalize(bundle: Bundle, keywords: KeywordCollector) -> PersonalizeStage:
    intents = bundle.intents.intents if bundle.intents else {}
    personal = frozenset(name for name, intent in intents.items() if intent.personal)
    nodes = bundle.personalization.exclusions if bundle.personalization else ()
    exclusions = tuple(
        PersonalSignals(
            position=position,
            keywords=keywords.words(node.phrases)
            | (frozenset({keywords.pattern(node.pattern)}) if node.pattern is not None else frozenset()),
            variables=frozenset(node.variables),
            tools=frozenset(node.tools),
            metadata=frozenset(node.metadata),
            intents=frozenset(node.intents),
        )
        for position, node in enumerate(nodes)
    )
    return PersonalizeStage(exclusions, personal, PersonalSignals.together(exclusions))


def _route(bundle: Bundle, routes: Mapping[str, tuple[Target, ...]], keywords: KeywordCollector) -> RouteStage:
    routing, models = bundle.routing, bundle.models.models
    rules = tuple(
        CompiledRule(rule.name, compile_when(rule.when, keywords), rule.route, rule.max_output_tokens)
        for rule in routing.rules
    )
    fallback = tuple(target for name in routing.fallback.to for target in routes[name])
    with_fallback = {name: _once((*targets, *fallback)) for name, targets in routes.items()}
    by_upstream_name = {model.name: with_fallback[name] for name, model in models.items() if model.name is not None}
    return RouteStage(
        rules=rules,
        default=CompiledRule("default", lambda signals: True, routing.default),
        routes=MappingProxyType(with_fallback),
        requested=MappingProxyType(by_upstream_name | {name: with_fallback[name] for name in models}),
        attempts=routing.fallback.attempts,
    )


def _once(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Each model once, at its first place."""
    first: dict[str, Target] = {}
    for target in targets:
        first.setdefault(target.model, target)
    return tuple(first.values())


def _lookup(bundle: Bundle, provided: Provided) -> LookupStage:
    within = bundle.personalization.within if bundle.personalization else "user"
    if bundle.cache is None:
        return LookupStage(MappingProxyType({}), None, within, provided.embedder)
    plans = {intent: _cache_plan(intent, node) for intent, node in bundle.cache.intents.items()}
    otherwise = _cache_plan("", bundle.cache.otherwise)
    unpaid = frozenset(name for name, each in bundle.models.providers.items() if each.key_source == "caller")
    return LookupStage(MappingProxyType(plans), otherwise, within, provided.embedder, provided.embedding_rate, unpaid)


def _cache_plan(intent: str, node: IntentCache | Literal["off"]) -> CachePlan | None:
    # The linter refuses a cache without TTL or scope; what it let through by a suppression stays off.
    if isinstance(node, str) or node.ttl is None or node.scope is None:
        return None
    return CachePlan(
        intent=intent,
        threshold=None if node.threshold is None else float(node.threshold),
        ttl=node.ttl,
        scope=node.scope,
        guards=frozenset(node.guards),
        multi_turn=node.multi_turn,
        tools=node.tools,
        max_wrong_hits=None if node.max_wrong_hits is None else float(node.max_wrong_hits),
        tags=node.tags,
        verify=float(_VERIFY[node.max_wrong_hits is not None] if node.verify is None else node.verify),
        confidence=_CONFIDENCE if node.confidence is None else float(node.confidence),
        max_divergence=_MAX_DIVERGENCE if node.max_divergence is None else float(node.max_divergence),
    )


_CONFIDENCE = 0.9
_VERIFY = (0.01, 0.04)
"""The share of hits that is answered afresh, under a threshold and under a limit of wrong hits. It is also the share of
its savings that the cache gives up for it."""
_MAX_DIVERGENCE = 0.1
"""Beside wrong hits it has room for questions that have several right answers, and for models that word them anew."""


def _window_budgets(budgets: Budgets) -> Iterator[WindowBudget]:
    for name, budget in budgets.budgets.items():
        if budget.per == "request":
            continue
        zone = ZoneInfo(budget.time_zone or "UTC")
        for unit, limit in _limits(budget):
            yield WindowBudget(name, unit, limit, budget.per, budget.window == "rolling", zone, budget.each)


def _limits(budget: Budget) -> Iterator[tuple[Unit, int]]:
    if budget.limit is not None:
        yield "usd", picodollars(budget.limit)
    if budget.tokens is not None:
        yield "tokens", budget.tokens
    if budget.calls is not None:
        yield "calls", budget.calls


def _step_down(budgets: Budgets | None, windows: tuple[WindowBudget, ...], route: RouteStage) -> StepDownStage:
    if budgets is None:
        return StepDownStage((), ())
    names = tuple(dict.fromkeys(window.name for window in windows))
    rungs = tuple(_rung(rung, names, route.routes) for rung in sorted(budgets.ladder, key=lambda rung: rung.share))
    return StepDownStage(rungs, windows, route.attempts)


def _rung(rung: Rung, names: tuple[str, ...], routes: Mapping[str, tuple[Target, ...]]) -> CompiledRung:
    if rung.route == REQUESTED:
        raise ProvisionError(
            f"a rung of the ladder cannot route to `{REQUESTED}`: what the caller asked for may be dearer",
            help="name a tier or a model",
        )
    return CompiledRung(
        at=int(rung.share * 1_000_000),
        label=f"{plain(rung.share * 100)}%",
        budgets=tuple(name for name in names if not rung.budgets or name in rung.budgets),
        targets=None if rung.route is None else routes[rung.route],
        max_output_tokens=rung.max_output_tokens,
        refuse=rung.refuse,
    )


def _verification(bundle: Bundle, windows: tuple[WindowBudget, ...]) -> Verification:
    budgets = tuple(window for window in windows if window.each is None)  # a tenant does not pay for the cache's doubts
    if bundle.cache is not None:
        node = bundle.cache.verification
        budgets += (WindowBudget(BUDGET, "usd", picodollars(node.limit), node.per, False, ZoneInfo("UTC"), None),)
    output = 1000 if bundle.budgets is None else bundle.budgets.assume_output_tokens
    return Verification(CallStage(budgets, (), output, "refuse", frozenset()), StoreStage())


def _call(bundle: Bundle, windows: tuple[WindowBudget, ...]) -> CallStage:
    retry_on = frozenset(bundle.routing.fallback.on)
    if bundle.budgets is None:
        return CallStage((), (), 1000, "refuse", retry_on)
    limits = tuple(
        RequestLimit(name, unit, limit)
        for name, budget in bundle.budgets.budgets.items()
        if budget.per == "request"
        for unit, limit in _limits(budget)
    )
    return CallStage(windows, limits, bundle.budgets.assume_output_tokens, bundle.budgets.ledger_down, retry_on)
