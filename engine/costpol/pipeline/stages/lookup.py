"""Fifth stage: whether a kept answer may be given again. An exact repeat first, then a question that is alike.

It comes after routing (answers belong to a model class) and before budgets (a hit costs nothing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from costpol.commands import (
    Admit,
    Admitted,
    Embed,
    Embedded,
    Failed,
    Flow,
    Hit,
    Join,
    Judge,
    LookupExact,
    LookupSimilar,
)
from costpol.inference.tokens import estimate_tokens
from costpol.pipeline import guards
from costpol.pipeline.caching import (
    CachePlan,
    asks_last,
    partition_digest,
    question_digest,
    scope_for,
    single_turn,
    usable,
    usable_among,
)
from costpol.pipeline.draft import Draft

NAME = "lookup"
_LONGEST_ALIKE = 800
"""Characters up to which a question is compared by likeness: the vectors of two long texts that differ in one sentence
hardly differ."""
_EMBEDDER_FAILED = "embedder_"
"""How the reasons begin that an embedder gives; one that was left out on purpose gives none."""
_ROUNDS = 2
_CANDIDATES = 5
"""How many near questions are looked at: a guard that refuses the nearest may accept the next."""
_WITNESSES = 20
"""How many are looked at where their agreement is evidence."""


@dataclass(frozen=True, slots=True)
class LookupStage:
    """The compiled cache rules. `within` says whether a personal answer may be kept for the same user."""

    plans: Mapping[str, CachePlan | None]
    otherwise: CachePlan | None
    within: str
    embedder: str
    embedding_rate: int = 0
    """Picodollars per embedded token; 0 for the built-in embedder, which runs here."""
    unpaid: frozenset[str] = frozenset()
    """Providers that only the caller's own key opens: there is nobody to pay for a verification."""

    def run(self, draft: Draft) -> Flow:
        """Returns the hit, or `None`. Sets cache status, scope and identity, which storing needs later."""
        plan = self.plans.get(draft.intent or "", self.otherwise)
        reason = self._bypass(plan, draft)
        if plan is None or reason is not None:
            draft.cache = f"bypass; {reason or 'off'}"
            if plan is not None:
                draft.note(NAME, "bypass", reason=reason)
            return None
        self._identify(plan, draft)
        hit = yield from self._exact(plan, draft)
        if hit is None:
            hit = yield from self._similar(plan, draft)
        if hit is None and draft.plan is not None:
            hit = yield from self._join(plan, draft)
        return hit

    def _bypass(self, plan: CachePlan | None, draft: Draft) -> str | None:
        """Why the cache is not asked; `None` where it is. Sets the scope."""
        if plan is None:
            return "off"
        if draft.signals.arrival.wish.no_store:
            return "no-store"
        request = draft.signals.request
        if request.answers != 1:
            return "several answers"
        if draft.volatile:
            return "volatile variable"
        if not request.question.strip() and not draft.signals.attachments:
            return "no question"
        kind = plan.scope
        if draft.personal:
            if self.within != "user":
                return "personal"
            kind = "user"
        draft.scope = scope_for(kind, draft.signals.caller)
        if draft.scope is None:
            return "personal" if draft.personal else f"{kind} unknown"
        return None

    def _identify(self, plan: CachePlan, draft: Draft) -> None:
        request = draft.signals.request
        draft.plan = plan
        draft.question = question_digest(request)
        draft.partition = partition_digest(
            request,
            model_class=draft.targets[0].model_class,
            embedder=self.embedder,
            template=draft.template,
            system=draft.system,
            tools=draft.tools,
            json_output=draft.json_output,
            output_limit=draft.output_limit,
        )

    def _exact(self, plan: CachePlan, draft: Draft) -> Flow:
        assert draft.scope is not None  # noqa: S101 - `_bypass` saw to it
        now = draft.signals.arrival.now
        found = yield LookupExact(draft.partition, draft.question, draft.scope, now)
        if isinstance(found, Failed):
            draft.cache = f"bypass; {found.reason}"
            draft.plan = None
            draft.note(NAME, "cache does not answer", reason=found.reason)
            return None
        if (
            found is None
            or found.entry.question != draft.question
            or not usable(found.entry, _life(plan, draft), draft.partition, draft.scope, now)
        ):
            draft.cache = "miss"
            return None
        draft.cache = "hit; exact"
        draft.note(NAME, "hit", kind="exact", created=found.entry.created, expires=found.entry.expires)
        return found

    def _join(self, plan: CachePlan, draft: Draft) -> Flow:
        """Let an equal question that is being answered end first, and look again: a stampede is one call.

        Who waited in vain twice goes on alone, so that a failing model is not asked by one caller after the other.
        """
        assert draft.scope is not None  # noqa: S101 - `_bypass` saw to it
        identity = f"{draft.partition}/{draft.question}/{draft.scope.key}"
        for _ in range(_ROUNDS):
            waited = yield Join(identity, draft.targets[0].timeout)
            if not waited:
                return None
            draft.note(NAME, "waited for an equal question")
            hit = yield from self._exact(plan, draft)
            if hit is not None or draft.plan is None:
                return hit
        return None

    def _similar(self, plan: CachePlan, draft: Draft) -> Flow:
        if draft.plan is None or (plan.threshold is None and plan.max_wrong_hits is None):
            return None
        if reason := _not_alike(plan, draft):
            draft.note(NAME, "only exact repeats", reason=reason)
            return None
        draft.alike = True
        if draft.vector is None and draft.unembedded is None:
            embedded = yield Embed(draft.signals.question)
            if isinstance(embedded, Embedded):
                draft.vector = embedded.vector
                draft.overhead += estimate_tokens(draft.signals.question) * self.embedding_rate
            else:
                draft.unembedded = embedded.reason
        if draft.vector is None:
            draft.note(NAME, "question not embedded", reason=draft.unembedded)
            if draft.unembedded is not None and draft.unembedded.startswith(_EMBEDDER_FAILED):
                draft.cache = f"bypass; {draft.unembedded}"
            return None
        assert draft.scope is not None  # noqa: S101 - `_bypass` saw to it
        limit = _CANDIDATES if plan.max_wrong_hits is None else _WITNESSES
        found = yield LookupSimilar(
            draft.vector, draft.partition, draft.scope, plan.intent, draft.signals.arrival.now, limit
        )
        if isinstance(found, Failed):
            draft.note(NAME, "cache does not answer", reason=found.reason)
            return None
        if plan.max_wrong_hits is None:
            return (yield from self._choose(plan, found, draft))
        return (yield from self._judge(plan, plan.max_wrong_hits, found, draft))

    def _judge(self, plan: CachePlan, limit: float, found: tuple[Hit, ...], draft: Draft) -> Flow:
        """By evidence instead of a threshold."""
        assert draft.scope is not None and draft.vector is not None  # noqa: S101, PT018 - it was looked up with both
        now, life, question = draft.signals.arrival.now, _life(plan, draft), draft.signals.question
        hits = tuple(usable_among(found, life, draft.partition, draft.scope, now))
        judged = yield Judge(
            draft.vector, question, hits, plan.intent, limit, _chance(draft), self._share(plan, draft), plan.confidence,
            plan.guards,
        )  # fmt: skip
        if isinstance(judged, Failed):
            draft.note(NAME, "not judged", reason=judged.reason)
            return None
        facts = {"why": judged.why, "probability": _rounded(judged.probability), "cut": _rounded(judged.cut)}
        if judged.refused is not None:
            place, guard = judged.refused
            near = hits[place]
            draft.note(
                NAME, "refused by guard", guard=guard, similarity=round(near.similarity, 4), question=near.entry.text
            )
        if judged.place is None:
            draft.ticket = judged.ticket
            draft.note(NAME, "miss", candidates=len(hits), **facts)
            return None
        hit = hits[judged.place]
        draft.cache = "hit; similar"
        draft.fresh = judged.ticket if judged.verify else None
        draft.note(
            NAME, "hit", kind="similar", similarity=round(hit.similarity, 4), max_wrong_hits=limit,
            question=hit.entry.text, created=hit.entry.created, expires=hit.entry.expires, **facts,
        )  # fmt: skip
        return hit

    def _share(self, plan: CachePlan, draft: Draft) -> float:
        return 0.0 if draft.targets[0].provider in self.unpaid else plan.verify

    def _choose(self, plan: CachePlan, found: tuple[Hit, ...], draft: Draft) -> Flow:
        now, life = draft.signals.arrival.now, _life(plan, draft)
        for candidate in found:
            if draft.scope is None or not usable(candidate.entry, life, draft.partition, draft.scope, now):
                continue
            likeness = round(candidate.similarity, 4)
            if candidate.similarity < plan.threshold:  # type: ignore[operator]
                draft.note(NAME, "miss", nearest=likeness, threshold=plan.threshold)
                return None
            guard = guards.refusing(plan.guards, draft.signals.question, candidate.entry.text)
            if guard is None:
                share, chance = self._share(plan, draft), _chance(draft)
                admitted = yield Admit(
                    candidate, plan.intent, plan.threshold or 0.0, plan.max_divergence, share, chance
                )
                if isinstance(admitted, Failed):
                    draft.note(NAME, "not verified", reason=admitted.reason)
                    admitted = Admitted(plan.threshold or 0.0)
                if candidate.similarity < admitted.threshold:
                    draft.note(NAME, "miss", nearest=likeness, threshold=plan.threshold, raised_to=admitted.threshold)
                    return None
                draft.cache = "hit; similar"
                draft.fresh = admitted.ticket
                draft.note(
                    NAME, "hit", kind="similar", similarity=likeness, threshold=admitted.threshold,
                    question=candidate.entry.text, created=candidate.entry.created, expires=candidate.entry.expires,
                )  # fmt: skip
                return candidate
            draft.note(NAME, "refused by guard", guard=guard, similarity=likeness, question=candidate.entry.text)
        draft.note(NAME, "miss", candidates=len(found), threshold=plan.threshold)
        return None


def _chance(draft: Draft) -> float:
    """The question itself picks what is answered afresh: a replay picks the same."""
    return int(draft.question[:8], 16) / 2**32


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 4)


def _life(plan: CachePlan, draft: Draft) -> float:
    """Seconds for which an answer may be given: the policy's, or the caller's where that is shorter."""
    wished = draft.signals.arrival.wish.max_age
    return plan.ttl if wished is None else min(plan.ttl, wished)


def _not_alike(plan: CachePlan, draft: Draft) -> str | None:
    """Why likeness is not enough for this request; `None` where it is."""
    request = draft.signals.request
    if draft.signals.attachments:
        return "attachments"
    if not asks_last(request):
        return "the last message is not the user's"
    if request.tools and draft.tools != () and not plan.tools:
        return "tools"
    if not plan.multi_turn and not single_turn(request):
        return "multi-turn"
    question = draft.signals.question
    if len(question) > _LONGEST_ALIKE:
        return "long"
    if "```" in question or "\n  " in question or "\n\t" in question:
        return "code"
    return None
