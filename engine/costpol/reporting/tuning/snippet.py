"""A setting as the YAML that a policy would have."""

from __future__ import annotations

from costpol.policy.nodes.cache import IntentCache
from costpol.reporting.tuning.figures import Setting
from costpol.units import format_duration, plain

_GUARDS = ("numbers", "negation", "entities", "order")


def write_snippet(intent: str, node: IntentCache, setting: Setting) -> str:
    """The entry of an intent in `kind: cache`, all else as it is."""
    parts = [] if setting.value is None else [setting.label]
    if node.ttl is not None:
        parts.append(f"ttl: {format_duration(node.ttl)}")
    if node.scope is not None:
        parts.append(f"scope: {node.scope}")
    if node.guards != _GUARDS:
        parts.append(f"guards: [{', '.join(node.guards)}]")
    parts += [f"{name}: true" for name in ("multi_turn", "tools") if getattr(node, name)]
    if node.verify is not None:
        parts.append(f"verify: {plain((node.verify * 100).normalize())}%")
    if node.max_divergence is not None and setting.kind == "threshold":
        parts.append(f"max_divergence: {plain((node.max_divergence * 100).normalize())}%")
    if node.tags:
        parts.append(f"tags: [{', '.join(node.tags)}]")
    entry = f"{intent}: {{{', '.join(parts)}}}"
    return entry if intent == "otherwise" else f"intents:\n  {entry}"
