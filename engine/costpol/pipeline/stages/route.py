"""Fourth stage: which models may answer, in the order they are tried. The first rule that matches decides.

It comes before the lookup because answers of different model classes are different answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from costpol.inference.request import Request
from costpol.pipeline.decision import Refusal
from costpol.pipeline.draft import Draft
from costpol.pipeline.matching import Predicate
from costpol.pipeline.target import Target

NAME = "route"
REQUESTED = "requested"


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule; `route` names a tier or a model, or is `requested`."""

    name: str
    holds: Predicate
    route: str
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class RouteStage:
    """The compiled rules. `routes` holds the targets of every tier and model, `requested` those by the name that a
    caller may ask for."""

    rules: tuple[CompiledRule, ...]
    default: CompiledRule
    routes: Mapping[str, tuple[Target, ...]]
    requested: Mapping[str, Target]
    fallback: tuple[Target, ...]
    attempts: int

    def run(self, draft: Draft) -> None:
        """Sets rule and targets, or a refusal where the caller asks for a model that the policy does not declare."""
        signals = draft.signals
        rule = next((rule for rule in self.rules if rule.holds(signals)), self.default)
        draft.rule = rule.name
        draft.cap_output(rule.max_output_tokens)
        targets = self.targets(rule.route, signals.request)
        if not targets:
            name = signals.request.model
            draft.refusal = Refusal(404, "model_not_found", f"the policy declares no model `{name}`")
            draft.note(NAME, "model not declared", rule=rule.name, model=name)
            return
        self.choose(draft, targets)
        draft.routed = draft.targets[0]
        draft.note(NAME, "routed", rule=rule.name, to=rule.route, models=[target.model for target in draft.targets])

    def targets(self, route: str, request: Request) -> tuple[Target, ...]:
        """The targets that a route names for this request; none where the requested model is unknown."""
        if route != REQUESTED:
            return self.routes[route]
        target = self.requested.get(request.model)
        return () if target is None else (target,)

    def choose(self, draft: Draft, targets: tuple[Target, ...]) -> None:
        """Sets the targets: those named and the fallbacks, without the ones that cannot do what is asked."""
        every = tuple(dict.fromkeys((*targets, *self.fallback)))
        able = tuple(target for target in every if not _lacking(target, draft))
        if not able:
            draft.note(NAME, "no model can do what is asked", models=[target.model for target in every])
        unique = {target.model: target for target in reversed(able or every)}
        draft.targets = tuple(reversed(unique.values()))[: self.attempts]


def _lacking(target: Target, draft: Draft) -> bool:
    """Whether the target cannot serve the request: a capability is missing, or its context window is too small."""
    request = draft.signals.request
    if target.lacks:
        wants = {
            "tools": bool(request.tools) and draft.tools != (),
            "json": request.output_format != "text",
            "images": draft.signals.attachments,
            "streaming": request.stream,
        }
        if any(wants[capability] for capability in target.lacks):
            return True
    # A text has at most as many tokens as octets, so a small body needs no count.
    return target.context is not None and len(request.raw) > target.context and draft.signals.tokens > target.context
