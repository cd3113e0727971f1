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
    """The compiled rules. `routes` holds, for every tier and model, its targets and the fallbacks after them;
    `requested` the same by the name that a caller may ask for. `attempts` bounds how many are tried."""

    rules: tuple[CompiledRule, ...]
    default: CompiledRule
    routes: Mapping[str, tuple[Target, ...]]
    requested: Mapping[str, tuple[Target, ...]]
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
        draft.targets = self._able(targets, draft)
        draft.routed = draft.targets[0]
        draft.note(NAME, "routed", rule=rule.name, to=rule.route, models=[target.model for target in draft.targets])

    def targets(self, route: str, request: Request) -> tuple[Target, ...]:
        """The targets that a route names for this request; none where the requested model is unknown."""
        return self.requested.get(request.model, ()) if route == REQUESTED else self.routes[route]

    def _able(self, targets: tuple[Target, ...], draft: Draft) -> tuple[Target, ...]:
        """The first targets that can do what is asked; all of them where none can, so that the provider says why."""
        able = tuple(target for target in targets if not _lacking(target, draft))
        if not able:
            draft.note(NAME, "no model can do what is asked", models=[target.model for target in targets])
        return (able or targets)[: self.attempts]


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
