"""The way of one request through a policy, from top to bottom.

A pure generator: it yields what it needs (`commands`), is sent the replies, and returns the `Outcome`. It has no clock,
performs no I/O and never sees bytes of a stream. Live traffic, a replayed log and an explanation run this same code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from costpol.commands import Answered, CallFailed, Flow, Hit
from costpol.inference.prices import Price
from costpol.inference.tokens import TokenCounter
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Outcome, Refusal
from costpol.pipeline.draft import Draft
from costpol.pipeline.keywords import KeywordSet
from costpol.pipeline.result import Result
from costpol.pipeline.signals import Signals
from costpol.pipeline.stages.call import CallStage
from costpol.pipeline.stages.classify import ClassifyStage
from costpol.pipeline.stages.lookup import LookupStage
from costpol.pipeline.stages.personalize import PersonalizeStage
from costpol.pipeline.stages.prompt import PromptStage
from costpol.pipeline.stages.route import RouteStage
from costpol.pipeline.stages.step_down import StepDownStage
from costpol.pipeline.stages.store import StoreStage
from costpol.pipeline.target import Target
from costpol.pipeline.verification import Verification


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A compiled policy. `baseline` prices a model by the name that a caller asks for; `None` is an unknown price."""

    digest: str
    keywords: KeywordSet
    count: TokenCounter
    classify: ClassifyStage
    prompt: PromptStage
    personalize: PersonalizeStage
    route: RouteStage
    lookup: LookupStage
    step_down: StepDownStage
    call: CallStage
    store: StoreStage
    verification: Verification
    targets: Mapping[str, Target]
    baseline: Callable[[str], Price | None]

    def flow(self, arrival: Arrival) -> Flow:
        """Decide one request, and have it answered."""
        draft = Draft(self.digest, Signals(arrival, self.keywords, self.count))
        yield from self.classify.run(draft)
        self.prompt.run(draft)
        self.personalize.run(draft)
        self.route.run(draft)
        if draft.refusal is not None:
            return self._refused(draft)
        hit = yield from self.lookup.run(draft)
        if hit is not None:
            return self._hit(draft, hit)
        if arrival.wish.only_if_cached:
            draft.refusal = Refusal(
                504, "not_cached", "no answer is kept for this question, and the caller wants no other"
            )
            return self._refused(draft)
        yield from self.step_down.run(draft)
        if draft.refusal is not None:
            return self._refused(draft)
        result = yield from self.call.run(draft)
        if draft.refusal is not None:
            return self._refused(draft)
        if isinstance(result.reply, CallFailed):
            return self._outcome("failed", draft, failure=result.reply, cost=draft.overhead + draft.unanswered)
        yield from self.store.run(draft, result, result.reply.response)
        return self._answered(draft, result, result.reply)

    def _refused(self, draft: Draft) -> Outcome:
        return self._outcome("refused", draft, refusal=draft.refusal, cost=draft.overhead + draft.unanswered)

    def _hit(self, draft: Draft, hit: Hit) -> Outcome:
        entry = hit.entry
        draft.model, draft.entry = entry.model, entry.reference
        usage = Usage(input_tokens=entry.input_tokens, output_tokens=entry.output_tokens)
        return self._outcome(
            "hit", draft, body=entry.body, similarity=hit.similarity, hit_answer_id=entry.stated_answer,
            cost=draft.overhead, routed_cost=entry.cost_picodollars,
            saved=self._saved(draft, usage, draft.overhead, entry.cost_picodollars),
            behind=None if draft.fresh is None else self.verification.run(draft),
        )  # fmt: skip

    def _answered(self, draft: Draft, result: Result, reply: Answered) -> Outcome:
        assert result.cost is not None and result.usage is not None  # noqa: S101, PT018 - it was answered
        cost = result.cost.picodollars + draft.overhead + draft.unanswered
        return self._outcome(
            "answered", draft, response=reply.response, sent=reply.sent, usage=result.usage, cost=cost,
            routed_cost=result.cost.picodollars, saved=self._saved(draft, result.usage, cost, None, result),
        )  # fmt: skip

    def _saved(
        self, draft: Draft, usage: Usage, cost: int, known: int | None, result: Result | None = None
    ) -> int | None:
        """What the requested model would have cost for the same tokens, less what was paid."""
        price = self.baseline(draft.signals.request.model)
        if price is None:
            return None
        if result is not None and result.cost is not None and price is result.target.price:
            baseline = result.cost  # the same model answered
        else:
            baseline = price.cost(usage)
        if baseline.complete:
            return baseline.picodollars - cost
        return None if known is None else known - cost

    def _outcome(self, kind: Any, draft: Draft, **results: Any) -> Outcome:
        return Outcome(kind, draft.decision(), tuple(draft.trace), **results)
