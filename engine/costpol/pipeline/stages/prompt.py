"""Second stage: how the request is put to the model: its template, its tools, its longest answer.

It comes before personalization and lookup, which must know what a template puts into the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from costpol.pipeline.draft import Draft
from costpol.pipeline.signals import Signals

NAME = "prompt"


@dataclass(frozen=True, slots=True)
class TemplateVariable:
    """Where a value comes from: `room` is `metadata`, `caller` or `clock`."""

    name: str
    room: str
    field: str
    default: str | None
    personal: bool
    volatile: bool

    def value(self, signals: Signals) -> str | None:
        """The value for this request; `None` where it has none and no default is declared."""
        found: str | None
        if self.room == "metadata":
            found = signals.request.metadata.get(self.field)
        elif self.room == "caller":
            found = getattr(signals.caller, self.field)
        else:
            now = datetime.fromtimestamp(signals.arrival.now, UTC)
            found = f"{now:%Y-%m-%d}" if self.field == "date" else f"{now:%H:%M}"
        return self.default if found is None else found


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A template as a row of fixed texts and variables. `label` is `name@version`."""

    label: str
    parts: tuple[str | TemplateVariable, ...]
    variables: tuple[TemplateVariable, ...]


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """How the requests of one intent are put to the model."""

    template: CompiledTemplate | None = None
    tools: frozenset[str] | None = None
    max_output_tokens: int | None = None
    json_output: bool = False


@dataclass(frozen=True, slots=True)
class PromptStage:
    """The compiled prompts."""

    plans: Mapping[str, PromptPlan]
    otherwise: PromptPlan

    def run(self, draft: Draft) -> None:
        """Sets template, system prompt, tools, output format and limit."""
        plan = self.plans.get(draft.intent or "", self.otherwise)
        request = draft.signals.request
        draft.cap_output(plan.max_output_tokens)
        if plan.max_output_tokens is not None:
            draft.note(NAME, "output limited", max_output_tokens=draft.output_limit)
        if plan.json_output and request.output_format == "text":
            draft.json_output = True
            draft.note(NAME, "json asked for")
        if plan.tools is not None:
            kept = tuple(tool for tool in request.tools if tool in plan.tools)
            if len(kept) < len(request.tools):
                draft.tools = kept
                draft.note(NAME, "tools left out", kept=kept, left_out=len(request.tools) - len(kept))
        if plan.template is not None:
            self._apply(plan.template, draft)

    def _apply(self, template: CompiledTemplate, draft: Draft) -> None:
        values = {variable.name: variable.value(draft.signals) for variable in template.variables}
        missing = [name for name, value in values.items() if value is None]
        if missing:
            draft.note(NAME, "template not applied", template=template.label, missing=missing)
            return
        draft.template = template.label
        draft.system = "".join(part if isinstance(part, str) else values[part.name] or "" for part in template.parts)
        draft.variables = frozenset(values)
        draft.volatile = any(variable.volatile for variable in template.variables)
        draft.personal = any(variable.personal for variable in template.variables)
        draft.note(NAME, "template applied", template=template.label)
