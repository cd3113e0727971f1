"""Which answers a policy caches, and for which intents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from costpol.policy.bundle import Bundle
from costpol.policy.nodes.cache import IntentCache
from costpol.policy.nodes.intents import Intent


@dataclass(frozen=True, slots=True)
class Caching:
    """One entry of the `cache` file that is not off. `label` names it in a message."""

    label: str
    node: IntentCache
    intents: tuple[str, ...]
    """The declared intents that it governs."""

    @property
    def shared(self) -> bool:
        """Whether answers go to others than the user who asked first."""
        return self.node.scope in ("global", "tenant")


def cached(bundle: Bundle) -> Iterator[Caching]:
    """Every entry that caches answers, `otherwise` last."""
    cache = bundle.cache
    if cache is None:
        return
    for name, node in cache.intents.items():
        if isinstance(node, IntentCache):
            yield Caching(f"`{name}`", node, (name,))
    if isinstance(cache.otherwise, IntentCache):
        declared = bundle.intents.intents if bundle.intents else ()
        yield Caching("all other intents", cache.otherwise, tuple(n for n in declared if n not in cache.intents))


def declared(bundle: Bundle, names: tuple[str, ...]) -> Iterator[tuple[str, Intent]]:
    """The declarations of some intents, as far as there are any."""
    if bundle.intents is not None:
        yield from ((name, bundle.intents.intents[name]) for name in names if name in bundle.intents.intents)
