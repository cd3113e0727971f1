"""Eighth stage: whether the answer is kept for the next one who asks.

Only a whole, plain answer is: no error, nothing cut off or filtered, nothing empty, no tool call, no refusal. Only an
answer of the class that was looked up is: a stand-in's answer must not pass for the real one later.
"""

from __future__ import annotations

from dataclasses import dataclass

from costpol.commands import Entry, Failed, Flow, Learn, Store
from costpol.inference.response import Response
from costpol.pipeline.draft import Draft
from costpol.pipeline.result import Result

NAME = "store"


@dataclass(frozen=True, slots=True)
class StoreStage:
    """Needs nothing of the policy but what the lookup left in the draft."""

    def run(self, draft: Draft, result: Result, response: Response) -> Flow:
        """Keeps the answer, or notes why not. Sets `draft.stored`."""
        plan, scope = draft.plan, draft.scope
        if plan is None or scope is None:
            return
        reason = unfit(response) or _stand_in(draft, result)
        if reason is not None:
            draft.note(NAME, "not kept", reason=reason)
            return
        assert response.body is not None  # noqa: S101 - `unfit` saw to it
        answer_id = draft.learned or draft.signals.arrival.answer_id
        if draft.ticket is not None:
            learned = yield Learn(draft.ticket, response.content, answer_id)
            if not isinstance(learned, Failed):
                answer_id = learned
        arrival = draft.signals.arrival
        entry = Entry(
            partition=draft.partition,
            question=draft.question,
            scope=scope,
            intent=plan.intent,
            text=draft.signals.question,
            body=response.body,
            model=result.target.model,
            created=arrival.now,
            expires=arrival.now + plan.ttl,
            cost_picodollars=result.cost.picodollars if result.cost else 0,
            input_tokens=result.usage.input_tokens if result.usage else None,
            output_tokens=result.usage.output_tokens if result.usage else None,
            template=draft.template or "",
            answer_id=answer_id,
            tags=plan.tags,
        )
        vector = draft.vector if draft.alike else None
        kept = yield Store(entry, vector)
        if isinstance(kept, Failed):
            draft.note(NAME, "not kept", reason=kept.reason)
            return
        draft.stored = True
        draft.entry = entry.reference
        draft.note(NAME, "kept", scope=scope.kind, seconds=plan.ttl, alike=vector is not None)


def unfit(response: Response) -> str | None:
    """Why an answer must not be given again; `None` where it may."""
    if not response.complete or response.body is None:
        return "the answer broke off"
    if response.tool_calls:
        return "the answer calls tools"
    if response.refusal:
        return "the model refused"
    if response.finish_reason != "stop":
        return f"the answer ended by `{response.finish_reason or 'nothing'}`"
    if not response.content.strip():
        return "the answer is empty"
    if response.answers != 1:
        return "there are several answers"
    return None


def _stand_in(draft: Draft, result: Result) -> str | None:
    """Whether another model class answered than the one that was looked up."""
    routed = draft.routed
    if routed is not None and result.target.model_class != routed.model_class:
        return f"`{result.target.model}` stood in for `{routed.model}`"
    return None
