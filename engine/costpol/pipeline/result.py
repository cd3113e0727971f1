"""What came of calling a model: the answer with its bill, or the failure of the last attempt."""

from __future__ import annotations

from msgspec import Struct

from costpol.commands import Answered, CallFailed
from costpol.inference.prices import Cost
from costpol.inference.usage import Usage
from costpol.pipeline.target import Target


class Result(Struct, frozen=True, gc=False):
    """`usage` and `cost` are set where the model answered."""

    reply: Answered | CallFailed
    target: Target
    usage: Usage | None = None
    cost: Cost | None = None
