"""The figures of a replayed log: what was paid before and after, lever by lever, and what was decided how often.

Amounts are whole picodollars. `None` is a figure that nothing was measured for; it is not zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from costpol.diagnostics import Diagnostic


def share(part: int, whole: int) -> Decimal | None:
    """A fraction to six digits; `None` of nothing."""
    return None if whole == 0 else (Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001"))


@dataclass(frozen=True, slots=True)
class Lever:
    """What one lever saved, before what it cost itself. Both may be negative or zero: a loss stays a loss."""

    name: str
    saved: int
    own_cost: int = 0

    @property
    def net(self) -> int:
        return self.saved - self.own_cost


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """How the answer cache did. A hit is judged where both questions name their right answer (`answer_id`)."""

    lookups: int = 0
    exact: int = 0
    similar: int = 0
    judged: int = 0
    wrong_hits: int = 0
    refused_by_guard: int = 0
    """Lookups in which a guard refused a stored answer that was near enough."""
    saved: int = 0
    """What hits would have cost as calls."""
    own_cost: int = 0
    """What looking cost: embeddings by a paid endpoint. Answers asked for afresh, to verify, are calls and saved
    nothing."""
    guards: Mapping[str, int] = field(default_factory=dict)
    """How often each guard was the one, by its name."""
    bypassed: Mapping[str, int] = field(default_factory=dict)
    """Requests that the cache was not asked for, by the reason."""

    @property
    def net(self) -> int:
        return self.saved - self.own_cost

    @property
    def hits(self) -> int:
        return self.exact + self.similar

    @property
    def hit_rate(self) -> Decimal | None:
        return share(self.hits, self.lookups)

    @property
    def wrong_hit_rate(self) -> Decimal | None:
        """Wrong hits among those judged."""
        return share(self.wrong_hits, self.judged)


@dataclass(frozen=True, slots=True)
class Group:
    """The requests of one intent, or of one rule. Amounts leave out what has no price."""

    requests: int = 0
    refused: int = 0
    baseline: int = 0
    policy: int = 0
    cache: CacheFigures = CacheFigures()

    @property
    def saved(self) -> int:
        return self.baseline - self.policy


@dataclass(frozen=True, slots=True)
class BudgetFigures:
    """How near one budget came to its end. `peak` is the largest share of the limit that was ever used; `None` for a
    limit per request. `subjects` counts the tenants, users, ... that were seen, each with the limit for itself."""

    per: str
    each: str | None = None
    peak: Decimal | None = None
    subjects: int = 0
    refused: int = 0
    rungs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Estimates:
    """How much of the figures is not recorded fact. Each counts requests."""

    usage: int = 0
    """Tokens estimated from the recorded texts."""
    answers: int = 0
    """No answer recorded: its length is assumed."""
    prompts: int = 0
    """Input tokens changed by a template or by tools left out: the difference is estimated."""
    times: int = 0
    backwards: int = 0
    cut_off: int = 0
    """Recorded answers longer than the policy allows: they would end in the middle."""
    cold: int = 0
    """Recorded prompt-cache hits of a model that is not called any more: taken as full price."""


@dataclass(frozen=True, slots=True)
class Change:
    """A kind of change that another policy makes in its decisions: `fields` holds what was and what is, `cost` what all
    these requests cost more (or less), `example` names one of them. Without fields only the cost differs."""

    fields: Mapping[str, tuple[str, str]]
    requests: int
    cost: int
    example: str


@dataclass(frozen=True, slots=True)
class Against:
    """The same log under another policy. `changed` counts the requests that are decided differently."""

    savings: Savings
    changed: int
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Savings:
    """A whole report. The levers' net savings add up to `saved` exactly."""

    policy: str
    """The policy's digest."""
    prices: str
    """Which price data the figures rest on."""
    baseline_model: str
    """`requested`, or the model that all requests are compared with."""
    requests: int
    unpriced: int
    refused: int
    baseline: int
    cost: int
    levers: tuple[Lever, ...]
    cache: CacheFigures
    routes: Mapping[str, int]
    """Requests per model called; hits and refusals call none."""
    rules: Mapping[str, Group]
    intents: Mapping[str, Group]
    budgets: Mapping[str, BudgetFigures]
    unpriced_models: Mapping[str, int]
    unpriced_cost: int
    """What the unpriced requests cost under the policy; in no other sum."""
    avoided: int
    """What refused requests would have cost: work not done, which is part of `saved`."""
    estimates: Estimates
    first: float | None = None
    last: float | None = None
    """Instants of the first and the last request."""
    skipped: int = 0
    skipped_first: tuple[str, ...] = ()
    against: Against | None = None
    findings: tuple[Diagnostic, ...] = ()
    """What the log shows of the policy, beyond its dollars."""
    refusals: Mapping[str, int] = field(default_factory=dict)
    """Why requests are refused, and how many for each reason."""
    models: tuple[str, ...] = ()
    """All models of the policy, also those that no request calls."""
    errors: int = 0
    """Errors that the linter finds in the policy, which would not be served."""

    @property
    def saved(self) -> int:
        return self.baseline - self.cost

    @property
    def paid(self) -> int:
        """What all requests cost under the policy, also those that have no known baseline: what two policies are
        compared by."""
        return self.cost + self.unpriced_cost

    @property
    def known(self) -> bool:
        """Whether any baseline is known, so that the sums tell something."""
        return self.unpriced < self.requests or not self.requests

    @property
    def saved_fraction(self) -> Decimal | None:
        return share(self.saved, self.baseline)
