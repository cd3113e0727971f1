"""One policy as it is served: compiled, with everything at hand that its decisions ask for.

A request takes the current snapshot once and keeps it to its last byte, so no request ever sees two policies. What a
snapshot alone needs is let go when it is retired and the last of its requests has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from costpol.diagnostics import Diagnostic
from costpol.pipeline.flow import Pipeline
from costpol.policy.bundle import Bundle
from costpol.runtime.endpoint import Endpoint
from costpol.runtime.health import Health
from costpol.runtime.live import Handlers


@dataclass(slots=True)
class Snapshot:
    """A generation of the policy. Everything but the counting of requests is fixed once it is made.

    `findings` are the warnings it is served with, `marked` the files that end with `...`, `loaded` epoch seconds.
    """

    generation: int
    bundle: Bundle
    pipeline: Pipeline
    handlers: Handlers
    endpoints: Mapping[str, Endpoint]
    findings: tuple[Diagnostic, ...]
    marked: frozenset[str]
    prices: str
    """Which price data it reckons with."""
    prices_until: float | None
    """When another price is known to take over (epoch seconds)."""
    embedder: str | None
    loaded: float
    release: Callable[[], None]
    label: str = field(init=False)
    """`g3-0123456789ab`: how answers name the policy that made them."""
    learned: Callable[[], list[dict[str, object]]] = list
    """What caches with a declared limit of wrong hits have learned, a row per intent."""
    health: Health = field(default_factory=Health)
    """How the embedder is, where it is behind an endpoint."""
    wishes: tuple[Callable[[], object], ...] = ()
    """What `adopt` does."""
    requests: int = 0
    _retired: bool = False

    def __post_init__(self) -> None:
        self.label = f"g{self.generation}-{self.digest[:12]}"

    @property
    def digest(self) -> str:
        """SHA-256 of the policy's files."""
        return self.bundle.digest

    def model_names(self) -> tuple[str, ...]:
        """What a caller may ask for by name: the tiers, from cheap to strong, and the models."""
        models = self.bundle.models
        return tuple(dict.fromkeys((*models.tiers, *models.models)))

    def adopt(self) -> None:
        """Make the stores that it shares with other snapshots as its policy has them: once it is served, and not where
        it is only tried."""
        for wish in self.wishes:
            wish()

    def enter(self) -> None:
        """A request begins. Pairs with `leave`."""
        self.requests += 1

    def leave(self) -> None:
        """A request has ended."""
        self.requests -= 1
        if self._retired and self.requests == 0:
            self.release()

    def retire(self) -> None:
        """Another snapshot has taken its place."""
        self._retired = True
        if self.requests == 0:
            self.release()
