"""What a change of a policy does: whether it widens who gets an answer or what may be spent, narrows it, or moves cost.

Only what is certain from the values is said; the rest is `other`. Where a change can go both ways (another time zone,
another endpoint, another pattern) it counts as a widening, because somebody should look at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from costpol.evaluate.meaning import MeaningChange
from costpol.lint.facts import Facts
from costpol.lint.targets import first_price, members, price_of
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.budgets import Rung
from costpol.policy.nodes.cache import Cache, IntentCache
from costpol.policy.nodes.intents import Intent
from costpol.policy.nodes.personalization import Exclusion

Kind = Literal["widens", "narrows", "costs more", "costs less", "other"]
KINDS: tuple[Kind, ...] = ("widens", "costs more", "narrows", "costs less", "other")


@dataclass(frozen=True, slots=True)
class Effect:
    """What one change does, and why. `widening` asks for somebody's attention."""

    kind: Kind
    why: str | None = None
    loud: bool = False

    @property
    def widening(self) -> bool:
        return self.loud or self.kind == "widens"


OTHER = Effect("other")


@dataclass(frozen=True, slots=True)
class Policies:
    """The two policies of a comparison, and what their models cost."""

    old: Bundle
    new: Bundle
    facts: Facts

    def dearer(self, before: str | None, after: str | None) -> int | None:
        """How the price of the first model of a target changes: its sign; `None` where one is not known."""
        left = None if before is None else first_price(self.old, self.facts, before)
        right = None if after is None else first_price(self.new, self.facts, after)
        return None if left is None or right is None else _sign(left, right)

    def stand_ins(self, before: Iterable[str], after: Iterable[str]) -> int | None:
        """How what comes after a failure changes: by the dearest model of the targets, then by how many there are."""
        left, right = (
            [price_of(bundle, self.facts, name) for target in targets for name in members(bundle, target)]
            for bundle, targets in ((self.old, before), (self.new, after))
        )
        if None in left or None in right:
            return None
        dearest = (max((price or 0 for price in prices), default=0) for prices in (left, right))
        return _sign(*dearest) or _sign(len(left), len(right))


def effect_of(change: MeaningChange, policies: Policies) -> Effect:
    """The effect of one change."""
    reader = _READERS.get(change.steps[0])
    return OTHER if reader is None else reader(change, policies)


# Cache and personalization


def _cache(change: MeaningChange, policies: Policies) -> Effect:
    match change.steps:
        case ("cache",):
            return _switched(change, "answers are kept that were not")
        case ("cache", "intents", name):
            return _caching(_caches(policies.old.cache, name), _caches(policies.new.cache, name))
        case ("cache", "otherwise"):
            return _caching(_on(change.before), _on(change.after))
        case ("cache", "intents", name, key):
            judged = _judged_otherwise(_caches(policies.old.cache, name), _caches(policies.new.cache, name))
            return judged if judged and key in _JUDGES else _caching_key(key, change.before, change.after)
        case ("cache", "otherwise", key):
            judged = _judged_otherwise(
                *(_on(c.otherwise) if c else None for c in (policies.old.cache, policies.new.cache))
            )
            return judged if judged and key in _JUDGES else _caching_key(key, change.before, change.after)
        case ("cache", "embedder"):
            return Effect("other", "another embedder is another cache, and a threshold means something else in it")
    return OTHER


def _caching(before: IntentCache | None, after: IntentCache | None) -> Effect:
    if before is None or after is None:
        if before is after:
            return OTHER
        return Effect("widens", "answers are kept that were not") if before is None else Effect("narrows")
    keys = ("threshold", "max_wrong_hits", "confidence", "ttl", "scope", "guards", "multi_turn", "tools",
            "max_divergence", "verify")  # fmt: skip
    effects = [_caching_key(key, getattr(before, key), getattr(after, key)) for key in keys]
    return _judged_otherwise(before, after) or _strongest(effects)


_CONFIDENCE = Decimal("0.9")
_MAX_DIVERGENCE = Decimal("0.1")
"""What holds where a policy states none."""
_JUDGES = ("threshold", "max_wrong_hits")
"""What decides whether two questions are alike; a policy has one of them, or none."""


def _judged_otherwise(before: IntentCache | None, after: IntentCache | None) -> Effect | None:
    """Whether a threshold has become a limit of wrong hits, or the other way round."""
    if before is None or after is None or not (before.alike and after.alike):
        return None
    switched = (before.threshold is None) != (after.threshold is None)
    return Effect("widens", "whether questions are alike is judged in another way") if switched else None


def _caching_key(key: str, before: Any, after: Any) -> Effect:
    if before == after:
        return OTHER
    match key:
        case "threshold":
            return _ordered(_alike(before), _alike(after), "questions that are less alike share an answer")
        case "max_wrong_hits":
            return _ordered(before or 0, after or 0, "more wrong answers are accepted")
        case "confidence":
            why = "the limit of wrong hits is kept less surely"
            return _ordered(-(before or _CONFIDENCE), -(after or _CONFIDENCE), why)
        case "max_divergence":
            why = "more of the verified hits may differ before the threshold rises"
            return _ordered(before or _MAX_DIVERGENCE, after or _MAX_DIVERGENCE, why)
        case "verify":
            return _ordered(before == 0, after == 0, "no hit is verified any more")
        case "ttl":
            return _ordered(_endless(before), _endless(after), "answers are given longer")
        case "scope":
            return _ordered(_reach(before), _reach(after), "more people share an answer")
        case "guards":
            lost = [guard for guard in before if guard not in after]
            return Effect("widens", f"nothing looks at {_listed(lost)} any more") if lost else Effect("narrows")
        case "multi_turn" | "tools":
            return _ordered(bool(before), bool(after), "more questions are answered by likeness")
    return OTHER


def _personalization(change: MeaningChange, policies: Policies) -> Effect:
    match change.steps:
        case ("personalization",):
            return _flipped(_switched(change, ""), "nothing is excluded from sharing any more")
        case ("personalization", "within"):
            return _ordered(change.before == "user", change.after == "user", "personal answers are kept for their user")
        case ("personalization", "exclusions"):
            lost = _signals(change.before) - _all_signals(policies.new)
            if change.what == "removed":
                return (
                    Effect("widens", f"{_listed(sorted(lost))} makes no request personal any more") if lost else OTHER
                )
            return Effect("narrows") if _signals(change.after) - _all_signals(policies.old) else OTHER
    return OTHER


def _intents(change: MeaningChange, policies: Policies) -> Effect:
    match change.steps:
        case ("intents", "intents", name) if isinstance(change.before, Intent) and change.before.personal:
            return Effect("widens", f"`{name}` makes no request personal any more")
        case ("intents", "intents", name) if isinstance(change.after, Intent):
            caching = _caches(policies.new.cache, name)
            told = f"the answers of `{name}` are kept, whatever they were taken for before"
            return Effect("widens", told) if caching is not None and not change.after.personal else OTHER
        case ("intents", "intents", name, "personal"):
            return _ordered(not change.before, not change.after, f"`{name}` makes no request personal any more")
        case ("intents", "intents", name, "when" | "examples" | "min_similarity", *_) if _personal(policies, name):
            return _recognised(change, name)
        case ("intents",) if change.before is not None and any(i.personal for i in change.before.intents.values()):
            return Effect("widens", "no intent makes a request personal any more")
    return OTHER


def _personal(policies: Policies, intent: str) -> bool:
    """Whether an intent makes requests personal, before as after."""
    return all(
        (bundle.intents is not None and intent in bundle.intents.intents and bundle.intents.intents[intent].personal)
        or f"intent `{intent}`" in _all_signals(bundle)
        for bundle in (policies.old, policies.new)
    )


def _recognised(change: MeaningChange, intent: str) -> Effect:
    """What is recognised as a personal intent: surely no less with more words or examples, else perhaps."""
    before, after = change.before, change.after
    match change.steps[3:]:
        case ("when",) if before is None:
            return Effect("narrows")
        case ("examples",) if set(before or ()) <= set(after or ()):
            return Effect("narrows")
        case ("when", "message", "words" | "any_of") if before and after and set(before) <= set(after):
            return Effect("narrows")
    return Effect("widens", f"other requests than before are `{intent}`, which is personal")


# Money


def _budgets(change: MeaningChange, policies: Policies) -> Effect:
    match change.steps:
        case ("budgets",):
            return _flipped(_switched(change, ""), "nothing limits the cost any more")
        case ("budgets", "budgets", name):
            return _flipped(_switched(change, ""), f"the limit `{name}` is gone")
        case ("budgets", "budgets", _, "limit" | "tokens" | "calls" as unit):
            return _ordered(_endless(change.before), _endless(change.after), f"more {_UNITS[unit]} may be spent")
        case ("budgets", "budgets", _, "each"):
            told = "each of them has the limit for itself"
            return Effect("narrows") if change.after is None else Effect("widens", told)
        case ("budgets", "budgets", _, "per" | "window" | "time_zone"):
            return Effect("widens", "the limit holds for another stretch of time")
        case ("budgets", "ladder"):
            return _ladder(change, policies)
        case ("budgets", "ledger_down"):
            return _ordered(
                change.before == "allow", change.after == "allow", "no limit holds while the ledger is away"
            )
    return OTHER


_UNITS = {"limit": "dollars", "tokens": "tokens", "calls": "calls"}


def _ladder(change: MeaningChange, policies: Policies) -> Effect:
    old, new = (() if each.budgets is None else each.budgets.ladder for each in (policies.old, policies.new))
    if change.what == "removed":
        if any(_as_strict(rung, change.before) for rung in new):
            return OTHER
        later = any(rung not in old and _does(rung) == _does(change.before) for rung in new)
        return Effect("widens", "this rung is reached later, or by less" if later else "this rung is gone")
    return OTHER if any(_as_strict(rung, change.after) for rung in old) else _ladder_gain(change.after, old, new)


def _ladder_gain(rung: Rung, old: Iterable[Rung], new: Iterable[Rung]) -> Effect:
    weakens = any(each not in new and _as_strict(each, rung) for each in old)
    return OTHER if weakens else Effect("narrows")


def _as_strict(rung: Rung, other: Rung) -> bool:
    """Whether a rung does, no later, all that the other does."""
    length = rung.max_output_tokens is not None and rung.max_output_tokens <= (other.max_output_tokens or 0)
    return (
        rung.share <= other.share
        and (not rung.budgets or (bool(other.budgets) and set(other.budgets) <= set(rung.budgets)))
        and (rung.warn or not other.warn)
        and (rung.refuse is not None or (other.refuse is None and (other.route is None or rung.route == other.route)))
        and (rung.refuse is not None or other.max_output_tokens is None or length)
    )


def _does(rung: Rung) -> tuple[bool, str | None, bool]:
    return rung.warn, rung.route, rung.refuse is not None


def _models(change: MeaningChange, policies: Policies) -> Effect:
    match change.steps:
        case ("models", "providers", name, "base_url" | "key" | "type" as key):
            what = "another account pays" if key == "key" else "requests go elsewhere"
            return Effect("widens", f"{what}: the {key} of `{name}` is another")
        case ("models", "models", name, "provider"):
            return Effect("widens", f"requests for `{name}` go to another provider")
        case ("models", "tiers", name):
            return _moved_cost(policies.dearer(name, name), f"the first model of `{name}` is dearer")
        case ("models", "models", name, "price" | "name", *_):
            return _moved_cost(policies.dearer(name, name), f"`{name}` is dearer")
    return OTHER


_PAID_AGAIN = "a failing request may be paid for more often"


def _routing(change: MeaningChange, policies: Policies) -> Effect:
    match change.steps:
        case ("routing", "default"):
            told = "whatever no rule takes is dearer"
            return _attended(_moved_cost(policies.dearer(change.before, change.after), told))
        case ("routing", "rules", _, "route"):
            return _moved_cost(policies.dearer(change.before, change.after), "these requests are dearer")
        case ("routing", "rules", _, "max_output_tokens"):
            return _longer(change)
        case ("routing", "fallback", "attempts"):
            return _moved_cost(_sign(change.before, change.after), _PAID_AGAIN)
        case ("routing", "fallback", "on"):
            before, after = set(change.before), set(change.after)
            return _moved_cost((before < after) - (after < before), _PAID_AGAIN)
        case ("routing", "fallback", "to"):
            told = "a failing request may be answered by more, or dearer, models"
            return _attended(_moved_cost(policies.stand_ins(change.before, change.after), told))
    return OTHER


def _prompts(change: MeaningChange, policies: Policies) -> Effect:
    match change.steps[-1]:
        case "max_output_tokens":
            return _longer(change)
        case "personal" | "volatile" as key if change.steps[1] == "templates":
            told = "the answer may be shared" if key == "personal" else "the answer may be kept"
            return _ordered(not change.before, not change.after, f"`{change.steps[-2]}` counts for nothing: {told}")
    return OTHER


_READERS: dict[str, Callable[[MeaningChange, Policies], Effect]] = {
    "cache": _cache, "personalization": _personalization, "intents": _intents, "budgets": _budgets,
    "models": _models, "routing": _routing, "prompts": _prompts,
}  # fmt: skip


# Comparisons


def _ordered(before: Any, after: Any, why: str) -> Effect:
    return Effect("widens", why) if after > before else Effect("narrows") if after < before else OTHER


def _switched(change: MeaningChange, why: str) -> Effect:
    """Something that widens by being there."""
    return Effect("widens", why) if change.before is None else Effect("narrows") if change.after is None else OTHER


def _flipped(effect: Effect, why: str) -> Effect:
    """Something that widens by being gone."""
    kinds: dict[Kind, Effect] = {"widens": Effect("narrows"), "narrows": Effect("widens", why)}
    return kinds.get(effect.kind, effect)


def _moved_cost(sign: int | None, why: str) -> Effect:
    return Effect("costs more", why) if sign == 1 else Effect("costs less") if sign == -1 else OTHER


def _attended(effect: Effect) -> Effect:
    """An effect that asks for attention where it costs more."""
    return Effect(effect.kind, effect.why, effect.kind == "costs more")


def _longer(change: MeaningChange) -> Effect:
    return _moved_cost(_sign(_endless(change.before), _endless(change.after)), "answers may be longer")


def _sign(before: float, after: float) -> int:
    return (after > before) - (after < before)


def _strongest(effects: Iterable[Effect]) -> Effect:
    return min(effects, key=lambda effect: KINDS.index(effect.kind), default=OTHER)


def _alike(threshold: Any) -> float:
    """How unlike two questions may be; nothing below an exact repeat without a threshold."""
    return -1.0 if threshold is None else 1.0 - float(threshold)


def _endless(limit: Any) -> float:
    return float("inf") if limit is None else float(limit)


def _reach(scope: str | None) -> int:
    return ("user", "tenant", "global", None).index(scope)


def _caches(cache: Cache | None, intent: str) -> IntentCache | None:
    """How the answers of an intent are kept; `None` where they are not."""
    return None if cache is None else _on(cache.intents.get(intent, cache.otherwise))


def _on(node: Any) -> IntentCache | None:
    return node if isinstance(node, IntentCache) else None


def _all_signals(bundle: Bundle) -> set[str]:
    exclusions = bundle.personalization.exclusions if bundle.personalization is not None else ()
    return set[str]().union(*map(_signals, exclusions))


def _signals(exclusion: Exclusion | None) -> set[str]:
    if exclusion is None:
        return set()
    lists = {"phrase": exclusion.phrases, "variable": exclusion.variables, "tool": exclusion.tools}
    lists |= {"metadata": exclusion.metadata, "intent": exclusion.intents}
    found = {f"{kind} `{each}`" for kind, values in lists.items() for each in values}
    return found | ({f"pattern `{exclusion.pattern}`"} if exclusion.pattern is not None else set())


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
