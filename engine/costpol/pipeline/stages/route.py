"""Fourth stage: which models may answer, in the order they are tried. The first rule that matches decides.

It comes before the lookup because answers of different model classes are different answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from costpol.inference.request import Request
from costpol.pipeline.ability import able
from costpol.pipeline.decision import Refusal
from costpol.pipeline.draft import Draft
from costpol.pipeline.matching import Predicate
from costpol.pipeline.target import Target

NAME = "route"
REQUESTED = "requested"
_SHOWN = 128
"""Characters of a caller's model name that a message repeats: as many as a name of a policy may have."""


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
        rule = self.default
        for each in self.rules:
            if each.holds(signals):
                rule = each
                break
        draft.rule = rule.name
        draft.cap_output(rule.max_output_tokens)
        targets = self.targets(rule.route, signals.request)
        if not targets:
            name = signals.request.model
            draft.refusal = Refusal(404, "model_not_found", f"the policy declares no model `{name[:_SHOWN]}`")
            draft.note(NAME, "model not declared", rule=rule.name, model=name[:_SHOWN])
            return
        draft.targets = self._able(targets, draft)
        draft.routed = draft.targets[0]
        draft.note(NAME, "routed", rule=rule.name, to=rule.route, models=[target.model for target in draft.targets])

    def targets(self, route: str, request: Request) -> tuple[Target, ...]:
        """The targets that a route names for this request; none where the requested model is unknown."""
        return self.requested.get(request.model, ()) if route == REQUESTED else self.routes[route]

    def _able(self, targets: tuple[Target, ...], draft: Draft) -> tuple[Target, ...]:
        """The first targets that can do what is asked; all of them where none can, so that the provider says why."""
        fit = able(targets, draft)
        if not fit:
            draft.note(NAME, "no model can do what is asked", models=[target.model for target in targets])
        return (fit or targets)[: self.attempts]
