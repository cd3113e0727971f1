"""What was decided for one request, why, and what came of it.

`Decision` holds only what follows from policy, request and state, so that live traffic and a replay of it can be
compared field by field. `Outcome` adds the answer and the bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from costpol.commands import CallFailed
from costpol.inference.response import Response
from costpol.inference.usage import Usage

if TYPE_CHECKING:
    from costpol.commands import Flow


class Note(Struct, frozen=True, gc=False):
    """One line of a trace: which stage, what it did, and the facts it rests on."""

    stage: str
    what: str
    facts: Mapping[str, Any]


class Decision(Struct, frozen=True, gc=False):
    """What the policy decided. Names are the policy's own; `None` means that the question did not arise."""

    policy: str
    """Digest of the policy that decided."""
    intent: str | None = None
    personal: bool = False
    template: str | None = None
    """`name@version` of the template applied."""
    rule: str | None = None
    """The routing rule, or `default`."""
    routed: str | None = None
    """The model that the rule names first."""
    model: str | None = None
    """The model that was called last (or would be), or that once gave the answer of a hit; `None` on a refusal."""
    attempts: tuple[str, ...] = ()
    """All models called, in order."""
    max_output_tokens: int | None = None
    cache: str = "bypass; off"
    """`hit; exact`, `hit; similar`, `miss`, or `bypass; <reason>`."""
    scope: str | None = None
    rungs: tuple[str, ...] = ()
    """The rungs of the ladder that were reached, such as `company 90%`."""
    refused: str | None = None
    """The budget that refused the request."""
    stored: bool = False
    entry: str | None = None
    """The reference of the kept answer: of a hit, or of an answer that was stored."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was not sent. `status` and `code` are for the wire, `param` names the budget; `retry_after` is in
    seconds."""

    status: int
    code: str
    message: str
    retry_after: float | None = None
    param: str | None = None


class Outcome(Struct, frozen=True, gc=False):
    """The end of one request.

    `kind` says which of the others are set: `answered` (response; `sent` if it already reached the caller), `hit`
    (body and similarity), `refused` (refusal), `failed` (failure).
    """

    kind: Literal["answered", "hit", "refused", "failed"]
    decision: Decision
    trace: tuple[Note, ...]
    response: Response | None = None
    sent: bool = False
    body: bytes | None = None
    similarity: float | None = None
    hit_answer_id: str | None = None
    refusal: Refusal | None = None
    failure: CallFailed | None = None
    usage: Usage | None = None
    """Tokens that were billed, estimated where the provider did not say; `None` where nothing was called."""
    cost: int = 0
    """What was paid for this request, in picodollars; of a call whose answer never arrived, all that it may cost."""
    routed_cost: int | None = None
    """In picodollars: what a hit would have cost had it been called as routed, or what an answered request cost."""
    saved: int | None = None
    """In picodollars, against the model that the caller asked for; `None` where that has no known price."""
    behind: Flow | None = None
    """What is left to do once the caller has the answer: a flow that ends with a `Verified`."""


class Verified(Struct, frozen=True, gc=False):
    """What came of answering a similar hit afresh, behind its caller.

    `unclear` says that text and vectors do not tell whether the two answers say the same; `none` that there was nothing
    to compare, for the `reason` given.
    """

    kind: Literal["same", "different", "unclear", "none"]
    intent: str
    rule: str | None
    model: str
    reason: str | None = None
    usage: Usage | None = None
    cost: int = 0
    """What was paid for it, in picodollars: the cache's own cost."""
