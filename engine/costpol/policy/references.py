"""Every name that stands for something declared elsewhere in the bundle, and whether it is declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain, islice

from costpol.diagnostics import Diagnostic, Related, Span
from costpol.policy import codes
from costpol.policy.bundle import Bundle
from costpol.policy.node import Node
from costpol.policy.nodes.matcher import When
from costpol.policy.nodes.tests import Case, Fixture, Kept, Recorded
from costpol.policy.source import MAX_FINDINGS
from costpol.policy.suggestion import did_you_mean
from costpol.policy.templates import placeholders

REQUESTED = "requested"
"""The target that leaves the choice of model to the caller."""
BUILT_IN_EMBEDDER = "static-en"
OTHERWISE = "other"
"""What no intent covers, where no `intents` file names it."""


def check_references(bundle: Bundle) -> list[Diagnostic]:
    """A finding for each name that nothing declares, or that two things claim; so many as anybody would read."""
    found = chain.from_iterable(check(bundle) for check in _CHECKS)
    return list(islice(found, MAX_FINDINGS))


def intent_names(bundle: Bundle) -> frozenset[str]:
    """The intents that a request can have, with the one that no matcher and no example claims."""
    if bundle.intents is None:
        return frozenset((OTHERWISE,))
    return frozenset((*bundle.intents.intents, bundle.intents.otherwise))


def targets(bundle: Bundle) -> frozenset[str]:
    """What a rule may route to: tiers, models, and what the caller asked for."""
    return frozenset((*bundle.models.tiers, *bundle.models.models, REQUESTED))


def conditions(when: When) -> Iterator[When]:
    """A matcher and every matcher nested in it."""
    yield when
    for nested in (*when.any, *when.all, *((when.not_,) if when.not_ is not None else ())):
        yield from conditions(nested)


def _models(bundle: Bundle) -> Iterator[Diagnostic]:
    models = bundle.models
    for model in models.models.values():
        yield from _undefined("provider", model.provider, models.providers, model.at("provider"))
    for tier, members in models.tiers.items():
        for i, member in enumerate(members):
            yield from _undefined("model", member, models.models, models.at("tiers", tier, i))


def _clashes(bundle: Bundle) -> Iterator[Diagnostic]:
    models = bundle.models
    for tier in models.tiers:
        if tier in models.models:
            related = Related(models.models[tier].span, "the model of this name")
            yield codes.NAME_CLASH.at(
                models.name_at("tiers", tier), f"`{tier}` is a tier and a model", "rename the tier", related=(related,)
            )
    for place in ("tiers", "models"):
        if REQUESTED in getattr(models, place):
            message = f"`{REQUESTED}` stands for the model that the caller asked for"
            yield codes.NAME_CLASH.at(models.name_at(place, REQUESTED), message, "choose another name")
    if BUILT_IN_EMBEDDER in models.embedders:
        span = models.embedders[BUILT_IN_EMBEDDER].span
        yield codes.NAME_CLASH.at(span, f"`{BUILT_IN_EMBEDDER}` is the built-in embedder", "choose another name")
    seen: dict[str, Span] = {}
    for rule in bundle.routing.rules:
        if rule.name in seen:
            yield codes.NAME_CLASH.at(
                rule.at("name"), f"two rules are called `{rule.name}`", "rename one of them",
                related=(Related(seen[rule.name], "the first rule of this name"),),
            )  # fmt: skip
        elif rule.name == "default":
            yield codes.NAME_CLASH.at(
                rule.at("name"), "`default` stands for what happens when no rule matches", "choose another name"
            )
        seen.setdefault(rule.name, rule.at("name"))


def _routing(bundle: Bundle) -> Iterator[Diagnostic]:
    known, intents = targets(bundle), intent_names(bundle)
    routing = bundle.routing
    yield from _undefined("tier or model", routing.default, known, routing.at("default"))
    for rule in routing.rules:
        yield from _undefined("tier or model", rule.route, known, rule.at("route"))
        yield from _when(rule.when, intents)
    for i, target in enumerate(routing.fallback.to):
        yield from _undefined("tier or model", target, known - {REQUESTED}, routing.fallback.at("to", i))


def _when(when: When, intents: Collection[str]) -> Iterator[Diagnostic]:
    for condition in conditions(when):
        for i, intent in enumerate(condition.intent):
            yield from _undefined("intent", intent, intents, condition.at("intent", i))


def _intents(bundle: Bundle) -> Iterator[Diagnostic]:
    for name, intent in bundle.intents.intents.items() if bundle.intents else ():
        for condition in conditions(intent.when) if intent.when else ():
            if condition.intent:
                yield codes.INTENT_WITHIN_INTENTS.at(
                    condition.at("intent"), f"`{name}` cannot depend on which intent was recognised",
                    "match the message, the tools or the caller instead",
                )  # fmt: skip


def _personalization(bundle: Bundle) -> Iterator[Diagnostic]:
    if bundle.personalization is None:
        return
    templates = bundle.prompts.templates.values() if bundle.prompts else ()
    variables = {name for template in templates for name in template.variables}
    intents = intent_names(bundle)
    for exclusion in bundle.personalization.exclusions:
        for i, intent in enumerate(exclusion.intents):
            yield from _undefined("intent", intent, intents, exclusion.at("intents", i))
        for i, variable in enumerate(exclusion.variables):
            yield from _undefined("template variable", variable, variables, exclusion.at("variables", i))


def _cache(bundle: Bundle) -> Iterator[Diagnostic]:
    cache = bundle.cache
    if cache is None:
        return
    yield from _undefined(
        "embedder", cache.embedder, {BUILT_IN_EMBEDDER, *bundle.models.embedders}, cache.at("embedder")
    )
    yield from _named("intent", cache, "intents", intent_names(bundle))


def _prompts(bundle: Bundle) -> Iterator[Diagnostic]:
    prompts = bundle.prompts
    if prompts is None:
        return
    yield from _named("intent", prompts, "intents", intent_names(bundle))
    for prompt in (*prompts.intents.values(), prompts.otherwise):
        if prompt.template is not None:
            yield from _undefined("template", prompt.template, prompts.templates, prompt.at("template"))
    for name, template in prompts.templates.items():
        used = placeholders(template.system)
        if used.stray is not None:
            yield codes.INVALID_VALUE.at(
                template.at("system"),
                f"template `{name}` has braces that hold no variable: `{used.stray}`",
                "write `{{ name }}`",
            )
        for variable in used.names:
            if variable not in template.variables:
                yield codes.UNDEFINED_TEMPLATE_VARIABLE.at(
                    template.at("system"), f"template `{name}` uses `{variable}`, which it does not declare",
                    did_you_mean(variable, template.variables) or f"declare `{variable}` under `variables:`",
                )  # fmt: skip


def _budgets(bundle: Bundle) -> Iterator[Diagnostic]:
    if bundle.budgets is None:
        return
    routes = targets(bundle)
    for rung in bundle.budgets.ladder:
        for i, budget in enumerate(rung.budgets):
            yield from _undefined("budget", budget, bundle.budgets.budgets, rung.at("budgets", i))
        if rung.route is not None:
            yield from _undefined("tier or model", rung.route, routes, rung.at("route"))


def _batch(bundle: Bundle) -> Iterator[Diagnostic]:
    if bundle.batch is None:
        return
    yield from _named("intent", bundle.batch, "intents", intent_names(bundle))
    for intent in bundle.batch.intents.values():
        yield from _undefined("provider", intent.provider, bundle.models.providers, intent.at("provider"))


def _tests(bundle: Bundle) -> Iterator[Diagnostic]:
    rules = {"default", *(rule.name for rule in bundle.routing.rules)}
    budgets = bundle.budgets.budgets if bundle.budgets else {}
    templates = bundle.prompts.templates if bundle.prompts else {}
    intents = intent_names(bundle)
    for tests in bundle.tests:
        settings: tuple[Case | Fixture, ...] = (*tests.fixtures.values(), *tests.tests)
        for setting in settings:
            yield from _named("budget", setting, "spent", budgets)
            recorded: tuple[Recorded | Kept, ...] = (setting.signals, *setting.kept)
            for node in recorded:
                if node.intent is not None:
                    yield from _undefined("intent", node.intent, intents, node.at("intent"))
        for case in tests.tests:
            if case.use is not None:
                yield from _undefined("fixture", case.use, tests.fixtures, case.at("use"))
            for key, what, known in (
                ("intent", "intent", intents),
                ("rule", "rule", rules),
                ("model", "model", bundle.models.models),
                ("template", "template", templates),
            ):
                name = getattr(case.expect, key)
                if name is not None:
                    yield from _undefined(what, name, known, case.expect.at(key))


_CHECKS = (_models, _clashes, _routing, _intents, _personalization, _cache, _prompts, _budgets, _batch, _tests)


def _named(what: str, node: Node, key: str, known: Collection[str]) -> Iterator[Diagnostic]:
    """The names that the keys of a mapping refer to."""
    for name in getattr(node, key):
        yield from _undefined(what, name, known, node.name_at(key, name))


def _undefined(what: str, name: str, known: Collection[str], span: Span) -> Iterator[Diagnostic]:
    if name not in known:
        listed = ", ".join(f"`{candidate}`" for candidate in sorted(known)[:8])
        help = did_you_mean(name, known) or (
            f"declared are {listed}" if listed else f"the bundle declares no {what}: add it"
        )
        yield codes.UNDEFINED_REFERENCE.at(span, f"no {what} is called `{name}`", help)
