"""What a replayed log shows of a policy, beyond its dollars: what the rules that need a log look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median_low

from costpol.evaluate.replay import Replayed
from costpol.reporting.savings.figures import Savings

_SAMPLE = 2000
"""Requests of one template whose lengths are kept: enough for a median."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A replayed log. `inputs` is the median of the input tokens per template, as sent."""

    savings: Savings
    inputs: Mapping[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """From the first request to the last."""
        first, last = self.savings.first, self.savings.last
        return 0.0 if first is None or last is None else last - first


@dataclass(slots=True)
class Watch:
    """Notes the lengths of requests while a log is replayed."""

    _inputs: dict[str, list[int]] = field(default_factory=dict)

    def add(self, replayed: Replayed) -> None:
        """Note one request."""
        template = replayed.outcome.decision.template
        if template is None:
            return
        lengths = self._inputs.setdefault(template.rpartition("@")[0], [])
        if len(lengths) < _SAMPLE:
            lengths.append((replayed.record.usage.input_tokens or 0) + replayed.planned.input_delta)

    def medians(self) -> dict[str, int]:
        """The median per template."""
        return {name: median_low(lengths) for name, lengths in self._inputs.items()}
