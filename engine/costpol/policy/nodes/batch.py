"""`kind: batch`: which work may wait for the cheaper batch API.

Declared and checked; requests are still answered at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.scalars import Duration, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchIntent(Node):
    """Work that may wait."""

    deadline: Duration = key("by when an answer must be there", positive=True, examples=("6h",))
    provider: Name = key("the provider whose batch API takes it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Node):
    """The `batch` file."""

    kind: Literal["batch"] = key("what this file declares")
    intents: Mapping[Name, BatchIntent] = key("the intents that may wait", default_factory=dict)
