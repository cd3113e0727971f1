"""Every name that stands for something declared elsewhere in the bundle, and whether it is declared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from itertools import chain, islice

from costpol.diagnostics import Diagnostic, Edit, Fix, Related, Span
from costpol.policy import codes
from costpol.policy.bundle import Bundle, UnreadKindError
from costpol.policy.node import Node
from costpol.policy.nodes.matcher import When
from costpol.policy.nodes.tests import Case, Fixture, Kept, Recorded
from costpol.policy.source import MAX_FINDINGS
from costpol.policy.suggestion import did_you_mean, nearest
from costpol.policy.templates import placeholders
from costpol.policy.tree import written

REQUESTED = "requested"
"""The target that leaves the choice of model to the caller."""
BUILT_IN_EMBEDDER = "static-en"
OTHERWISE = "other"
"""What no intent covers, where no `intents` file names it."""


def check_references(bundle: Bundle) -> list[Diagnostic]:
    """A finding for each name that nothing declares, or that two things claim; so many as anybody would read. Of a
    partial bundle, what can be told without the kinds that could not be read."""
    found = chain.from_iterable(_until_unread(check, bundle) for check in _CHECKS)
    return list(islice(found, MAX_FINDINGS))


def _until_unread(check: Callable[[Bundle], Iterator[Diagnostic]], bundle: Bundle) -> Iterator[Diagnostic]:
    with suppress(UnreadKindError):
        yield from check(bundle)


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


def _rule_names(bundle: Bundle) -> Iterator[Diagnostic]:
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


def _routes(bundle: Bundle) -> Iterator[Diagnostic]:
    known, routing = targets(bundle), bundle.routing
    yield from _undefined("tier or model", routing.default, known, routing.at("default"))
    for rule in routing.rules:
        yield from _undefined("tier or model", rule.route, known, rule.at("route"))
    for i, target in enumerate(routing.fallback.to):
        yield from _fixed(target, known, routing.fallback.at("to", i))


def _rule_intents(bundle: Bundle) -> Iterator[Diagnostic]:
    intents = intent_names(bundle)
    for rule in bundle.routing.rules:
        yield from _when(rule.when, intents)


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


def _exclusion_intents(bundle: Bundle) -> Iterator[Diagnostic]:
    intents = intent_names(bundle)
    for exclusion in bundle.personalization.exclusions if bundle.personalization else ():
        for i, intent in enumerate(exclusion.intents):
            yield from _undefined("intent", intent, intents, exclusion.at("intents", i))


def _exclusion_variables(bundle: Bundle) -> Iterator[Diagnostic]:
    templates = bundle.prompts.templates.values() if bundle.prompts else ()
    variables = {name for template in templates for name in template.variables}
    for exclusion in bundle.personalization.exclusions if bundle.personalization else ():
        for i, variable in enumerate(exclusion.variables):
            yield from _undefined("template variable", variable, variables, exclusion.at("variables", i))


def _embedder(bundle: Bundle) -> Iterator[Diagnostic]:
    if bundle.cache is not None:
        known = {BUILT_IN_EMBEDDER, *bundle.models.embedders}
        yield from _undefined("embedder", bundle.cache.embedder, known, bundle.cache.at("embedder"))


def _cache(bundle: Bundle) -> Iterator[Diagnostic]:
    if bundle.cache is not None:
        yield from _named("intent", bundle.cache, "intents", intent_names(bundle))


def _prompts(bundle: Bundle) -> Iterator[Diagnostic]:
    if bundle.prompts is not None:
        yield from _named("intent", bundle.prompts, "intents", intent_names(bundle))


def _templates(bundle: Bundle) -> Iterator[Diagnostic]:
    prompts = bundle.prompts
    if prompts is None:
        return
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


def _ladder(bundle: Bundle) -> Iterator[Diagnostic]:
    budgets = bundle.budgets
    for rung in budgets.ladder if budgets else ():
        for i, budget in enumerate(rung.budgets):
            yield from _undefined("budget", budget, budgets.budgets if budgets else (), rung.at("budgets", i))


def _ladder_routes(bundle: Bundle) -> Iterator[Diagnostic]:
    for rung in bundle.budgets.ladder if bundle.budgets else ():
        if rung.route is not None:
            yield from _fixed(rung.route, targets(bundle), rung.at("route"))


def _batch(bundle: Bundle) -> Iterator[Diagnostic]:
    if bundle.batch is not None:
        yield from _named("intent", bundle.batch, "intents", intent_names(bundle))


def _batch_providers(bundle: Bundle) -> Iterator[Diagnostic]:
    for intent in bundle.batch.intents.values() if bundle.batch else ():
        yield from _undefined("provider", intent.provider, bundle.models.providers, intent.at("provider"))


def _fixtures(bundle: Bundle) -> Iterator[Diagnostic]:
    for tests in bundle.tests:
        for case in tests.tests:
            if case.use is not None:
                yield from _undefined("fixture", case.use, tests.fixtures, case.at("use"))


def _spent(bundle: Bundle) -> Iterator[Diagnostic]:
    budgets = bundle.budgets.budgets if bundle.budgets else {}
    for tests in bundle.tests:
        settings: tuple[Case | Fixture, ...] = (*tests.fixtures.values(), *tests.tests)
        for setting in settings:
            yield from _named("budget", setting, "spent", budgets)


def _recorded_intents(bundle: Bundle) -> Iterator[Diagnostic]:
    intents = intent_names(bundle)
    for tests in bundle.tests:
        settings: tuple[Case | Fixture, ...] = (*tests.fixtures.values(), *tests.tests)
        for setting in settings:
            recorded: tuple[Recorded | Kept, ...] = (setting.signals, *setting.kept)
            for node in recorded:
                if node.intent is not None:
                    yield from _undefined("intent", node.intent, intents, node.at("intent"))
    yield from _expected(bundle, "intent", intents)


def _expected_rules(bundle: Bundle) -> Iterator[Diagnostic]:
    yield from _expected(bundle, "rule", {"default", *(rule.name for rule in bundle.routing.rules)})


def _expected_models(bundle: Bundle) -> Iterator[Diagnostic]:
    yield from _expected(bundle, "model", bundle.models.models)


def _expected_templates(bundle: Bundle) -> Iterator[Diagnostic]:
    yield from _expected(bundle, "template", bundle.prompts.templates if bundle.prompts else {})


# Each asks for as few kinds as it can: where one of them could not be read, the others still count.
_CHECKS = (
    _models, _clashes, _rule_names, _routes, _rule_intents, _intents, _exclusion_intents, _exclusion_variables,
    _embedder, _cache, _prompts, _templates, _ladder, _ladder_routes, _batch, _batch_providers,
    _fixtures, _spent, _recorded_intents, _expected_rules, _expected_models, _expected_templates,
)  # fmt: skip


def _expected(bundle: Bundle, key: str, known: Collection[str]) -> Iterator[Diagnostic]:
    """What the cases of tests expect by name."""
    for tests in bundle.tests:
        for case in tests.tests:
            name = getattr(case.expect, key)
            if name is not None:
                yield from _undefined(key, name, known, case.expect.at(key))


def _fixed(target: str, known: Collection[str], span: Span) -> Iterator[Diagnostic]:
    """A target that has to be known beforehand."""
    if target == REQUESTED:
        yield codes.UNDEFINED_REFERENCE.at(
            span, f"no tier or model is called `{REQUESTED}`",
            "write a tier or a model: what the caller asked for cannot step in for itself",
        )  # fmt: skip
    else:
        yield from _undefined("tier or model", target, known, span)


def _named(what: str, node: Node, key: str, known: Collection[str]) -> Iterator[Diagnostic]:
    """The names that the keys of a mapping refer to."""
    for name in getattr(node, key):
        yield from _undefined(what, name, known, node.name_at(key, name))


def _undefined(what: str, name: str, known: Collection[str], span: Span) -> Iterator[Diagnostic]:
    if name not in known:
        listed = ", ".join(f"`{candidate}`" for candidate in sorted(known)[:8])
        guess = nearest(name, known)
        otherwise = f"declared are {listed}" if listed else f"the bundle declares no {what}: add it"
        help = f"did you mean `{guess}`?" if guess else otherwise
        fix = Fix(f"write `{guess}`", (Edit(span, written(guess)),), safe=False) if guess else None
        yield codes.UNDEFINED_REFERENCE.at(span, f"no {what} is called `{name}`", help, fix=fix)
