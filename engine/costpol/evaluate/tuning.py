"""Which setting of a cache a log speaks for: the log is replayed under each, and hits and wrong hits are compared.

Every setting is a policy of its own: the one at hand with another `threshold` or `max_wrong_hits`, compiled,
provisioned and replayed as `costpol dry-run` does it. So a point of the curve is what a dry-run of that policy reports.

Whether a hit was right is known where the log names right answers (`answer_id`), else from the recorded answers' texts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from msgspec import structs

from costpol.commands import Embed
from costpol.errors import UsageError
from costpol.evaluate.record import Record
from costpol.evaluate.rehearsal import Rehearsal, Stage
from costpol.evaluate.replay import Replay
from costpol.evaluate.savings import Tally
from costpol.evaluate.suspects import Suspects, judge_hit
from costpol.pipeline.decision import Outcome
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.cache import Cache, IntentCache
from costpol.reporting.savings.figures import Estimates, Group
from costpol.reporting.tuning.figures import Curve, Point, Setting, Tuning
from costpol.reporting.tuning.snippet import write_snippet
from costpol.runtime.live import Handlers, Waiting

EXACT = Setting("exact")
SETTINGS = (
    EXACT,
    *(Setting("threshold", Decimal(each)) for each in ("0.98", "0.96", "0.94", "0.92", "0.9", "0.85")),
    *(Setting("max_wrong_hits", Decimal(each)) for each in ("0.005", "0.01", "0.02", "0.05")),
)
"""What is tried, beside what the policy has."""
OTHERWISE = "otherwise"

_TELL_EVERY = 100

_Node = IntentCache | Literal["off"]


@dataclass(slots=True)
class _Sums:
    """One setting's figures of one intent, over the orders."""

    requests: int = 0
    hits: int = 0
    similar: int = 0
    judged: int = 0
    wrong: int = 0
    saved: int = 0
    own_cost: int = 0
    worst: float | None = None

    def add(self, groups: Sequence[Group]) -> None:
        judged = sum(group.cache.judged for group in groups)
        wrong = sum(group.cache.wrong_hits for group in groups)
        if judged:
            self.worst = max(self.worst or 0.0, wrong / judged)
        self.judged += judged
        self.wrong += wrong
        for group in groups:
            self.requests += group.requests
            self.hits += group.cache.hits
            self.similar += group.cache.similar
            self.saved += group.cache.saved
            self.own_cost += group.cache.own_cost

    def point(self, setting: Setting, orders: int) -> Point:
        return Point(
            setting, orders, self.requests, self.hits, self.similar, self.judged, self.wrong, self.saved, self.own_cost,
            self.worst,
        )  # fmt: skip


@dataclass(slots=True)
class _Run:
    """One setting under every order, by intent."""

    setting: Setting
    sums: dict[str, _Sums] = field(default_factory=dict)
    suspects: dict[str, Suspects] = field(default_factory=dict)


async def tune(
    records: Sequence[Record],
    files: Mapping[str, bytes],
    *,
    clock: Callable[[], float],
    limit: Decimal = Decimal("0.01"),
    intent: str | None = None,
    orders: int = 1,
    texts: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Tuning:
    """What the log says of every cached intent, or of one. `limit` is the share of wrong hits that is to be kept.

    The first order is the log's own, the others are seeded shuffles of its requests over its instants. `progress` is
    told the requests replayed so far, and all of them. Raises `BundleError` and `ProvisionError` for a policy that does
    not load or lacks what it needs, `UsageError` where it caches nothing that could be tuned.
    """
    async with Stage.open(clock) as stage:
        async with stage.rehearse(files) as rehearsal:
            bundle, prices = rehearsal.snapshot.bundle, rehearsal.snapshot.prices
            embedder = rehearsal.snapshot.embedder
        plans = _plans(bundle, intent)
        named = frozenset() if bundle.cache is None else frozenset(bundle.cache.intents)
        written = {name: _written(node) for name, node in plans.items()}
        settings = sorted({*SETTINGS, *written.values(), *_declarable(limit)}, key=_order)
        memory: dict[str, object] = {}
        runs: list[_Run] = []
        total, done = len(records) * orders * len(settings), 0
        judged_by: dict[str, int] = {"answer_id": 0, "text": 0, "nothing": 0}
        for setting in settings:
            run = _Run(setting)
            for seed in range(orders):
                async with stage.rehearse(files, _altering(setting, intent)) as rehearsal:
                    replay = Replay(_remembering(rehearsal, memory))
                    tally = Tally(replay, judge=judge_hit)
                    for count, record in enumerate(shuffled(records, seed), 1):
                        replayed = await replay.run(record)
                        tally.add(replayed)
                        name = _plan_of(replayed.outcome.decision.intent, plans, named)
                        if name is not None and seed == 0:
                            _look(run, name, record, replayed.outcome, texts=texts)
                            if setting == written[name]:
                                _count_judge(judged_by, record, replayed.outcome)
                        if progress is not None and count % _TELL_EVERY == 0:
                            progress(done + count, total)
                    done += len(records)
                    _sum(run, plans, named, tally)
            runs.append(run)
    curves = tuple(_curve(name, plans[name], written[name], runs, orders=orders, limit=limit) for name in plans)
    return Tuning(bundle.digest, prices, embedder, len(records), orders, limit, curves, judged_by)


def shuffled(records: Sequence[Record], seed: int) -> Sequence[Record]:
    """The records in a seeded order, at the instants of the log; seed 0 is the log's own."""
    if seed == 0:
        return records
    order = list(records)
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    return [
        replace(record, arrival=structs.replace(record.arrival, now=at.arrival.now))
        for record, at in zip(order, records, strict=True)
    ]


def _plans(bundle: Bundle, intent: str | None) -> dict[str, IntentCache]:
    """The caches that can be tuned, by the name of their intent."""
    cache = bundle.cache
    named: dict[str, object] = {} if cache is None else {**cache.intents, OTHERWISE: cache.otherwise}
    plans = {name: node for name, node in named.items() if isinstance(node, IntentCache)}
    if intent is not None:
        if intent not in plans:
            known = ", ".join(f"`{name}`" for name in plans) or "none"
            raise UsageError(f"the policy does not cache the intent `{intent}`", f"it caches {known}")
        return {intent: plans[intent]}
    if not plans:
        raise UsageError(
            "the policy caches nothing, so there is nothing to tune", "declare an intent's `ttl` and `scope` in `cache`"
        )
    return plans


def _written(node: IntentCache) -> Setting:
    if node.max_wrong_hits is not None:
        return Setting("max_wrong_hits", node.max_wrong_hits.normalize())
    return EXACT if node.threshold is None else Setting("threshold", node.threshold.normalize())


def _declarable(limit: Decimal) -> tuple[Setting, ...]:
    """The limit that is asked about, as a policy could declare it."""
    return (Setting("max_wrong_hits", limit.normalize()),) if 0 < limit <= Decimal("0.2") else ()


def _order(setting: Setting) -> tuple[int, Decimal]:
    """From strict to lax, fixed rules first."""
    if setting.value is None:
        return 0, Decimal(0)
    return (1, -setting.value) if setting.kind == "threshold" else (2, setting.value)


def _altering(setting: Setting, intent: str | None) -> Callable[[Bundle], Bundle]:
    """Gives every cached intent, or the one, a setting."""

    def altered(bundle: Bundle) -> Bundle:
        cache = bundle.cache
        assert isinstance(cache, Cache)  # noqa: S101 - there is a plan
        intents = {name: _vary(node, setting, intent in (None, name)) for name, node in cache.intents.items()}
        otherwise = _vary(cache.otherwise, setting, intent in (None, OTHERWISE))
        return replace(bundle, cache=replace(cache, intents=intents, otherwise=otherwise))

    return altered


def _vary(node: _Node, setting: Setting, wanted: bool) -> _Node:
    if not wanted or isinstance(node, str):
        return node
    threshold = setting.value if setting.kind == "threshold" else None
    limit = setting.value if setting.kind == "max_wrong_hits" else None
    return replace(node, threshold=threshold, max_wrong_hits=limit)


def _plan_of(intent: str | None, plans: Mapping[str, IntentCache], named: frozenset[str]) -> str | None:
    """Whose curve an intent counts for; `named` are those that the cache names, tuned or not."""
    name = intent if intent in named else OTHERWISE
    return name if name in plans else None


def _sum(run: _Run, plans: Mapping[str, IntentCache], named: frozenset[str], tally: Tally) -> None:
    """Add what one order gave, by plan: intents without one of their own share that of `otherwise`."""
    groups: dict[str, list[Group]] = {name: [] for name in plans}
    for intent, group in tally.savings(Estimates()).intents.items():
        name = _plan_of(intent, plans, named)
        if name is not None and group.cache.lookups:
            groups[name].append(group)
    for name, found in groups.items():
        run.sums.setdefault(name, _Sums()).add(found)


def _look(run: _Run, name: str, record: Record, outcome: Outcome, *, texts: bool) -> None:
    if outcome.kind == "hit" and outcome.decision.cache == "hit; similar":
        run.suspects.setdefault(name, Suspects(texts)).add(record, outcome)


def _count_judge(judged_by: dict[str, int], record: Record, outcome: Outcome) -> None:
    if outcome.kind == "hit":
        by_id = record.arrival.answer_id is not None and outcome.hit_answer_id is not None
        way = "nothing" if judge_hit(record, outcome) is None else "answer_id" if by_id else "text"
        judged_by[way] += 1


def _curve(
    name: str, node: IntentCache, written: Setting, runs: Sequence[_Run], *, orders: int, limit: Decimal
) -> Curve:
    points = [run.sums[name].point(run.setting, orders) for run in runs]
    chosen = choose(points, limit)
    shown = next(run for run in runs if run.setting == (chosen or written))
    suspects = shown.suspects[name].worst() if name in shown.suspects else ()
    snippet = None if chosen is None else write_snippet(name, node, chosen)
    return Curve(name, points[0].requests // orders, written, tuple(points), chosen, snippet, suspects)


def choose(points: Sequence[Point], limit: Decimal) -> Setting | None:
    """The setting that saves most of those that keep the limit; of equals one that learns, with the limit that was
    asked for rather than a stricter one, then one that hits less. `None` where no hit by likeness could be judged."""
    if not any(point.judged and point.similar for point in points):
        return None
    kept = [point for point in points if point.keeps(limit)]
    return max(kept, key=lambda point: (point.net, _promised(point.setting, limit), -point.hits)).setting


def _promised(setting: Setting, limit: Decimal) -> Decimal:
    """The limit that a setting keeps by itself, where that is no larger than the one asked for."""
    learns = setting.kind == "max_wrong_hits" and setting.value is not None and setting.value <= limit
    return setting.value if learns and setting.value is not None else Decimal(0)


def _remembering(rehearsal: Rehearsal, memory: dict[str, object]) -> Rehearsal:
    """The same rehearsal, which asks an embedder behind a network once per text and not once per setting."""
    handlers = rehearsal.snapshot.handlers
    ask = handlers.waiting.get(Embed)
    if ask is None:
        return rehearsal
    waiting: dict[Any, Waiting] = {**handlers.waiting, Embed: _once(ask, memory)}
    made = Handlers(handlers.inline, waiting, handlers.served)
    return replace(rehearsal, snapshot=replace(rehearsal.snapshot, handlers=made))


def _once(ask: Waiting, memory: dict[str, object]) -> Waiting:
    async def answer(command: Embed) -> object:
        found = memory.get(command.text)
        if found is None:
            found = memory[command.text] = await ask(command)
        return found

    return answer
