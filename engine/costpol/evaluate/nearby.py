"""What would change an outcome: nearby requests, budgets and cache rules, each tried on the flow itself.

Nothing here is guessed. A change is made (two more turns, a lower threshold, a budget at 90%), the changed request runs
through the compiled policy, and the change is told only where the outcome is another one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from msgspec import structs

from costpol.commands import Command, Hit, LookupSimilar, NearestIntents, Neighbour
from costpol.evaluate.explain import Explainer, Explanation
from costpol.evaluate.variation import vary, without
from costpol.pipeline import guards
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.caching import CachePlan
from costpol.pipeline.flow import Pipeline
from costpol.runtime.live import Inline

_SOMEBODY = "somebody"
_NO_INTENT = "otherwise"
_TRIED = 50
"""Rules for which a way is looked for: a policy may have thousands."""

Replies = Mapping[type[Command], Inline]


@dataclass(frozen=True, slots=True)
class Nearby:
    """A change, in words, and what is decided then. `about` says what is changed: the request, its caller, a budget or
    the policy."""

    about: str
    change: str
    then: Explanation


@dataclass(frozen=True, slots=True)
class Situation:
    """What was explained: the request, how far budgets are spent, and what answers in place of the cache."""

    arrival: Arrival
    spent: Mapping[str, Decimal]
    replies: Replies


async def nearby(explainer: Explainer, situation: Situation, explained: Explanation) -> tuple[Nearby, ...]:
    """The changes that lead elsewhere, those of the request first."""
    found = [each async for each in _earlier_matchers(explainer, situation, explained)]
    found += [each async for each in _impersonal(explainer, situation, explained)]
    found += [each async for each in _callers(explainer, situation, explained)]
    found += [each async for each in _farther_examples(explainer, situation, explained)]
    found += [each async for each in _cache_rules(explainer, situation, explained)]
    found += [each async for each in _spendings(explainer, situation, explained)]
    return tuple(found)


async def _earlier_matchers(explainer: Explainer, at: Situation, explained: Explanation) -> AsyncIterator[Nearby]:
    """What takes the request to an intent or a rule that was asked before the one that holds."""
    for field, matchers in (("intent", explained.intents), ("rule", explained.rules)):
        for matcher in matchers[:_TRIED]:
            if matcher.matched:
                break
            intent = explained.decision.intent if field == "rule" else None
            changed = vary(at.arrival, matcher.missing, intent, explainer.pipeline.count)
            if changed is None:
                continue
            change, arrival = changed
            then = await explainer.explain(arrival, at.spent, at.replies)
            if getattr(then.decision, field) == matcher.name:
                yield Nearby("request", change, then)


async def _impersonal(explainer: Explainer, at: Situation, explained: Explanation) -> AsyncIterator[Nearby]:
    """The message without the phrases that make it one person's own, where nothing else does."""
    phrases = [signal.phrase for signal in explained.personal if signal.phrase is not None]
    if not phrases or len(phrases) < len(explained.personal):
        return
    arrival = without(at.arrival, phrases)
    if arrival is None:
        return
    then = await explainer.explain(arrival, at.spent, at.replies)
    if not then.decision.personal and then.decision.cache != explained.decision.cache:
        told = " and ".join(f"`{phrase}`" for phrase in phrases)
        yield Nearby("request", f"the message without {told}", then)


async def _farther_examples(explainer: Explainer, at: Situation, explained: Explanation) -> AsyncIterator[Nearby]:
    """How far an example may be, where the nearest one is farther."""
    if not any(note.what == "nearest example too far" for note in explained.trace):
        return
    seen: list[Neighbour] = []
    nearest = explainer.handlers(at.spent, at.replies).inline[NearestIntents]

    def look(command: NearestIntents) -> Any:
        found = nearest(command)
        seen.extend(found if isinstance(found, tuple) else ())
        return found

    await explainer.explain(at.arrival, at.spent, {**at.replies, NearestIntents: look})
    if not seen or seen[0].similarity <= 0:
        return
    intent, lower = seen[0].intent, _rounded_down(seen[0].similarity)
    pipeline = explainer.pipeline
    floors = {**pipeline.classify.floors, intent: float(lower)}
    changed = replace(pipeline, classify=replace(pipeline.classify, floors=floors))
    then = await explainer.explain(at.arrival, at.spent, at.replies, changed)
    if then.decision.intent == intent:
        yield Nearby("policy", f"`min_similarity: {lower:f}` for `{intent}`", then)


async def _callers(explainer: Explainer, at: Situation, explained: Explanation) -> AsyncIterator[Nearby]:
    """What the cache does once it knows who asks."""
    unknown = [part for part in ("tenant", "user") if getattr(at.arrival.caller, part) is None]
    if not explained.decision.cache.startswith("bypass") or not unknown:
        return
    for names in ([unknown[0]], unknown)[: len(unknown)]:
        caller = replace(at.arrival.caller, **dict.fromkeys(names, _SOMEBODY))
        then = await explainer.explain(structs.replace(at.arrival, caller=caller), at.spent, at.replies)
        if not then.decision.cache.startswith("bypass"):
            yield Nearby("caller", f"a {' and a '.join(names)} named", then)
            return


async def _cache_rules(explainer: Explainer, at: Situation, explained: Explanation) -> AsyncIterator[Nearby]:
    """The threshold, the guard or the switch that keeps a kept answer from being given."""
    plan = _plan(explainer.pipeline, explained)
    if plan is None or explained.decision.cache != "miss":
        return
    told = {note.what: note.facts for note in explained.trace if note.stage == "lookup"}
    reason = told.get("only exact repeats", {}).get("reason")
    changes: list[str] = []
    if reason == "tools":
        plan, changes = replace(plan, tools=True), ["`tools: true`"]
    elif reason == "multi-turn":
        plan, changes = replace(plan, multi_turn=True), ["`multi_turn: true`"]
    hits = await _hits(explainer, at, explained, plan)
    question = _normalised(at.arrival, explainer)
    for hit in hits[:1]:
        guard = guards.refusing(plan.guards, question, hit.entry.text)
        if guard is not None:
            plan = replace(plan, guards=plan.guards - {guard})
            changes.append(f"no guard `{guard}`")
        if plan.threshold is not None and hit.similarity < plan.threshold:
            lower = _rounded_down(hit.similarity)
            plan = replace(plan, threshold=float(lower))
            changes.append(f"a threshold of {lower:f}")
    then = await explainer.explain(at.arrival, at.spent, at.replies, _with_plan(explainer.pipeline, explained, plan))
    if changes and then.kind == "hit":
        yield Nearby("policy", f"{' and '.join(changes)} for `{explained.decision.intent or _NO_INTENT}`", then)


async def _hits(explainer: Explainer, at: Situation, explained: Explanation, plan: CachePlan) -> tuple[Hit, ...]:
    """The kept answers that the lookup looks at, nearest first."""
    seen: list[Hit] = []
    lookup = explainer.handlers(at.spent, at.replies).inline[LookupSimilar]

    def look(command: LookupSimilar) -> Any:
        found = lookup(command)
        seen.extend(found if isinstance(found, tuple) else ())
        return found

    replies: dict[type[Command], Inline] = {**at.replies, LookupSimilar: look}
    await explainer.explain(at.arrival, at.spent, replies, _with_plan(explainer.pipeline, explained, plan))
    return tuple(seen)


async def _spendings(explainer: Explainer, at: Situation, explained: Explanation) -> AsyncIterator[Nearby]:
    """The first rung of each budget that does more than warn."""
    if explained.kind == "hit":
        return
    for name in dict.fromkeys(budget.name for budget in explained.budgets):
        for rung in explainer.pipeline.step_down.rungs:
            share = Decimal(rung.at) / 1_000_000
            if name not in rung.budgets or share <= at.spent.get(name, 0):
                continue
            then = await explainer.explain(at.arrival, {**at.spent, name: share}, at.replies)
            if _decided(then) != _decided(explained):
                yield Nearby("budget", f"`{name}` at {rung.label}", then)
                break


def _rounded_down(similarity: float) -> Decimal:
    """To four digits, so that the similarity itself is not below."""
    return Decimal(similarity).quantize(Decimal("0.0001"), ROUND_FLOOR)


def _decided(explained: Explanation) -> tuple[Any, ...]:
    decision = explained.decision
    return explained.kind, decision.model, decision.max_output_tokens


def _plan(pipeline: Pipeline, explained: Explanation) -> CachePlan | None:
    return pipeline.lookup.plans.get(explained.decision.intent or "", pipeline.lookup.otherwise)


def _with_plan(pipeline: Pipeline, explained: Explanation, plan: CachePlan) -> Pipeline:
    """The compiled policy with another cache rule for the request's intent."""
    plans = {**pipeline.lookup.plans, explained.decision.intent or "": plan}
    return replace(pipeline, lookup=replace(pipeline.lookup, plans=plans))


def _normalised(arrival: Arrival, explainer: Explainer) -> str:
    from costpol.pipeline.signals import Signals

    return Signals(arrival, explainer.pipeline.keywords, explainer.pipeline.count).question
