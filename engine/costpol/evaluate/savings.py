"""What each lever saved on each request, and all of it counted up.

A request starts at what the requested model cost for the recorded tokens. Then, in this order: the routed model for the
same tokens, the tokens that prompts leave, the answer that limits leave, nothing where the cache answers, and what a
budget that stepped in made of it. A refused request saves its cost and counts as refused: that is work not done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from costpol.evaluate.record import Record
from costpol.evaluate.replay import Replay, Replayed, cold, limited, same_family, usage_on, with_input
from costpol.evaluate.waterfall import Step, Waterfall
from costpol.inference.prices import Price
from costpol.inference.usage import Usage
from costpol.pipeline.decision import Outcome, Refusal
from costpol.pipeline.flow import Pipeline
from costpol.reporting.savings.figures import CacheFigures, Estimates, Group, Savings

REQUESTED = "requested"
_NAMED = 50
"""Unpriced models, and reasons of refusals, that are named; a log may hold any number of names."""


_CACHES = ("exact-cache", "semantic-cache")


class _NoPriceError(Exception):
    """Something of this request is not priced."""


@dataclass(slots=True)
class _Cache:
    lookups: int = 0
    exact: int = 0
    similar: int = 0
    judged: int = 0
    wrong_hits: int = 0
    refused_by_guard: int = 0
    saved: int = 0
    own_cost: int = 0
    guards: Counter[str] = field(default_factory=Counter)
    bypassed: Counter[str] = field(default_factory=Counter)

    def figures(self) -> CacheFigures:
        return CacheFigures(
            self.lookups, self.exact, self.similar, self.judged, self.wrong_hits, self.refused_by_guard, self.saved,
            self.own_cost, dict(self.guards), dict(self.bypassed),
        )  # fmt: skip

    def book(self, baseline: int, steps: Iterable[Step]) -> None:
        """What the cache's levers saved on one request, and what they cost themselves."""
        level = baseline
        for lever, cost, own_cost in steps:
            if lever in _CACHES:
                self.saved += level - cost
                self.own_cost += own_cost
            level = cost

    def note(self, status: str, guards: Collection[str], right: bool | None) -> None:
        """One request: its cache status, which guards refused an answer, and whether the hit was right."""
        if status.startswith("bypass"):
            self.bypassed[status.removeprefix("bypass; ")] += 1
            return
        self.lookups += 1
        self.exact += status == "hit; exact"
        self.similar += status == "hit; similar"
        self.judged += right is not None
        self.wrong_hits += right is False
        self.refused_by_guard += bool(guards)
        self.guards.update(guards)


@dataclass(slots=True)
class _Group:
    requests: int = 0
    refused: int = 0
    baseline: int = 0
    policy: int = 0
    cache: _Cache = field(default_factory=_Cache)

    def figures(self) -> Group:
        return Group(self.requests, self.refused, self.baseline, self.policy, self.cache.figures())


class Tally:
    """Counts up what a replay does. `baseline` names the model that every request is compared with."""

    def __init__(
        self, replay: Replay, baseline: str = REQUESTED, judge: Callable[[Record, Outcome], bool | None] | None = None
    ) -> None:
        self.replay = replay
        self._judge = judge or judged_by_id
        self._baseline = baseline
        self._waterfall = Waterfall()
        self._cache = _Cache()
        self._groups: tuple[dict[str, _Group], dict[str, _Group]] = ({}, {})
        self._routes: dict[str, int] = {}
        self._unpriced: dict[str, int] = {}
        self._refusals: dict[str, int] = {}
        self._unpriced_cost = 0
        self._avoided = 0
        self._requests = self._refused = self._unpriced_count = 0
        self._prompts = self._cut_off = self._cold = 0
        self._first: float | None = None
        self._last: float | None = None

    def add(self, replayed: Replayed) -> None:
        """Count one request."""
        record, outcome = replayed.record, replayed.outcome
        decision = outcome.decision
        self._requests += 1
        now = record.arrival.now
        self._first = now if self._first is None else self._first
        self._last = now
        self.replay.budgets.note(outcome)
        if outcome.kind == "answered":
            model = decision.model or ""
            self._routes[model] = self._routes.get(model, 0) + 1
            self._cut_off += _cut_off(record, outcome)
            self._cold += bool(record.usage.cache_read_tokens) and not same_family(
                record.arrival.request.model, self.replay.pipeline.targets[model].upstream_name
            )
        self._prompts += replayed.planned.input_delta != 0
        refused = outcome.kind == "refused"
        self._refused += refused
        if outcome.refusal is not None:
            self._note_refusal(outcome.refusal)
        right, guarded = self._judge(record, outcome), _guarded(outcome)
        self._cache.note(decision.cache, guarded, right)
        groups = [self._group(0, decision.rule), self._group(1, decision.intent)]
        for group in groups:
            group.requests += 1
            group.refused += refused
            group.cache.note(decision.cache, guarded, right)
        self._book(replayed, groups)

    def savings(self, estimates: Estimates, skipped: int = 0, skipped_first: tuple[str, ...] = ()) -> Savings:
        """The report so far. `estimates` are those of the log itself."""
        rules, intents = ({name: group.figures() for name, group in groups.items()} for groups in self._groups)
        return Savings(
            policy=self.replay.pipeline.digest,
            prices=self.replay.prices,
            baseline_model=self._baseline,
            requests=self._requests,
            unpriced=self._unpriced_count,
            refused=self._refused,
            baseline=self._waterfall.baseline,
            cost=self._waterfall.cost,
            levers=self._waterfall.levers,
            cache=self._cache.figures(),
            routes=dict(sorted(self._routes.items(), key=lambda item: -item[1])),
            rules=_by_baseline(rules),
            intents=_by_baseline(intents),
            budgets=self.replay.budgets.figures(),
            unpriced_models=dict(self._unpriced),
            unpriced_cost=self._unpriced_cost,
            avoided=self._avoided,
            estimates=Estimates(
                usage=estimates.usage, answers=estimates.answers, times=estimates.times,
                backwards=estimates.backwards, prompts=self._prompts, cut_off=self._cut_off, cold=self._cold,
            ),
            first=self._first,
            last=self._last,
            skipped=skipped,
            skipped_first=skipped_first,
            refusals=dict(sorted(self._refusals.items(), key=lambda item: -item[1])),
            models=tuple(self.replay.pipeline.targets),
            errors=self.replay.errors,
        )  # fmt: skip

    def _note_refusal(self, refusal: Refusal) -> None:
        reason = refusal.message if refusal.param is None else f"the budget `{refusal.param}` does not allow it"
        if reason in self._refusals or len(self._refusals) < _NAMED:
            self._refusals[reason] = self._refusals.get(reason, 0) + 1

    def _group(self, kind: int, name: str | None) -> _Group:
        groups = self._groups[kind]
        group = groups.get(name or "none")
        if group is None:
            group = groups[name or "none"] = _Group()
        return group

    def _book(self, replayed: Replayed, groups: list[_Group]) -> None:
        outcome = replayed.outcome
        try:
            baseline = baseline_cost(replayed.record, self._baseline, self.replay.pipeline.baseline)
            steps = list(steps_of(replayed, self.replay.pipeline))
        except _NoPriceError:
            name = replayed.record.arrival.request.model if self._baseline == REQUESTED else self._baseline
            self._unpriced_count += 1
            self._unpriced_cost += outcome.cost + (0 if replayed.verified is None else replayed.verified.cost)
            if name in self._unpriced or len(self._unpriced) < _NAMED:
                self._unpriced[name] = self._unpriced.get(name, 0) + 1
            return
        cost = self._waterfall.book(baseline, steps)
        if outcome.kind == "refused":
            self._avoided += steps[-2].cost if len(steps) > 1 else baseline
        self._cache.book(baseline, steps)
        for group in groups:
            group.baseline += baseline
            group.policy += cost
            group.cache.book(baseline, steps)


def baseline_cost(record: Record, baseline: str, price_of: Callable[[str], Price | None]) -> int:
    """What the request cost, or would have cost on the model that it is compared with."""
    requested = record.arrival.request.model
    name = requested if baseline == REQUESTED else baseline
    price = price_of(name)
    if price is None:
        raise _NoPriceError
    return _cost(price, record.usage if same_family(requested, name) else cold(record.usage))


def steps_of(replayed: Replayed, pipeline: Pipeline) -> Iterator[Step]:
    """The waterfall of one request, lever by lever."""
    record, outcome, planned = replayed.record, replayed.outcome, replayed.planned
    decision = outcome.decision
    overhead = outcome.cost - (outcome.routed_cost or 0) if outcome.kind == "answered" else outcome.cost
    # An embedding that served the lookup is the cache's cost; one that only recognised the intent is routing's.
    lookup_cost, intent_cost = (overhead, 0) if replayed.similar else (0, overhead)
    if decision.routed is None:
        yield Step("routing", 0, intent_cost) if outcome.kind != "refused" else Step("refusals", 0, overhead)
        return
    price = pipeline.targets[decision.routed].price
    recorded = usage_on(record, pipeline.targets[decision.routed])
    shortened = with_input(recorded, planned.input_delta)
    cut = limited(shortened, planned.output_limit)
    cost = _cost(price, recorded)
    yield Step("routing", cost, intent_cost)
    if shortened is not recorded:
        cost = _cost(price, shortened)
        yield Step("prompts", cost)
    if cut is not shortened:
        cost = _cost(price, cut)
        yield Step("output", cost)
    if outcome.kind == "hit" and decision.cache == "hit; exact":
        yield Step("exact-cache", 0, lookup_cost)
        return
    checked = 0 if replayed.verified is None else replayed.verified.cost
    yield Step("semantic-cache", 0 if outcome.kind == "hit" else cost, lookup_cost + checked)
    if outcome.kind == "answered":
        yield Step("budgets", outcome.routed_cost or 0)
    elif outcome.kind == "refused":
        yield Step("refusals", 0)


def _cost(price: Price, usage: Usage) -> int:
    cost = price.cost(usage)
    if not cost.complete:
        raise _NoPriceError
    return cost.picodollars


def judged_by_id(record: Record, outcome: Outcome) -> bool | None:
    """Whether a hit gave the right answer; `None` where nobody knows."""
    wanted, given = record.arrival.answer_id, outcome.hit_answer_id
    if outcome.kind != "hit" or wanted is None or given is None:
        return None
    return wanted == given


def _cut_off(record: Record, outcome: Outcome) -> bool:
    """Whether the recorded answer is longer than the policy let it be."""
    given = outcome.usage.output_tokens if outcome.usage is not None else None
    return given is not None and given < (record.usage.output_tokens or 0)


def _guarded(outcome: Outcome) -> set[str]:
    return {str(note.facts["guard"]) for note in outcome.trace if note.what == "refused by guard"}


def _by_baseline(groups: dict[str, Group]) -> dict[str, Group]:
    return dict(sorted(groups.items(), key=lambda item: (-item[1].baseline, item[0])))
