"""Behind a hit: one that was picked is answered afresh, once its caller has the kept answer.

It is a flow like the request's own, so that live traffic and a replay verify the same hits. Only the routed model is
asked: another's answer would say nothing about this one. The fresh answer is then kept for its own question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from costpol.commands import Answered, Check, Checked, Flow
from costpol.pipeline.accounts import open_accounts
from costpol.pipeline.decision import Verified
from costpol.pipeline.draft import Draft
from costpol.pipeline.stages.call import CallStage
from costpol.pipeline.stages.store import StoreStage, unfit

BUDGET = "verification of the cache"
"""The budget's name in the ledger; none of a policy's own has a blank in it."""


@dataclass(frozen=True, slots=True)
class Verification:
    """`call` reserves from the budget of verification, and from the policy's budgets that all callers share."""

    call: CallStage
    store: StoreStage

    def run(self, draft: Draft) -> Flow:
        """Returns a `Verified`. Whatever keeps the hit from being verified is its reason; nothing is tried twice."""
        ticket, target = draft.fresh, draft.targets[0]
        assert ticket is not None  # noqa: S101 - the hit was picked
        draft.behind, draft.targets = True, (target,)
        draft.accounts = open_accounts(self.call.budgets, draft.signals.caller, draft.signals.arrival.now)
        result = yield from self.call.run(draft)
        if draft.refusal is not None:
            return Verified("none", draft.intent or "", draft.rule, target.model, draft.refusal.code)
        if not isinstance(result.reply, Answered):
            return Verified("none", draft.intent or "", draft.rule, target.model, "no_answer", cost=draft.unanswered)
        response, cost = result.reply.response, result.cost.picodollars
        kind: Literal["same", "different", "unclear", "none"] = "none"
        reason: str | None = "unfit_answer"
        if unfit(response) is None:
            checked = yield Check(ticket, response.content, draft.signals.arrival.answer_id)
            if isinstance(checked, Checked):
                draft.learned = checked.answer_id
                kind, reason = "unclear" if checked.same is None else "same" if checked.same else "different", None
            else:
                reason = checked.reason
        yield from self.store.run(draft, result, response)
        return Verified(kind, draft.intent or "", draft.rule, target.model, reason, result.usage, cost)
