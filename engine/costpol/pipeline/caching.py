"""What must be equal for an answer to be given again, and who may be given it.

Only the last user message is compared by likeness. Everything else that shapes an answer is identity: it goes into the
partition digest, and another digest is another cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from costpol.commands import Scope
from costpol.inference.caller import Caller
from costpol.inference.request import Message, Request
from costpol.pipeline.identity import identity_part

LAYOUT = b"costpol-cache-1"
"""Changes with the meaning of a digest, so that entries of an older layout are never found."""


@dataclass(frozen=True, slots=True)
class CachePlan:
    """How answers of one intent are cached. `threshold` is a cosine; `None` means that only exact repeats hit."""

    intent: str
    threshold: float | None
    ttl: float
    scope: Literal["global", "tenant", "user"]
    guards: frozenset[str]
    multi_turn: bool
    tools: bool


def scope_for(kind: str, caller: Caller) -> Scope | None:
    """The scope of a caller, or `None` where the caller lacks the identity that the scope is made of."""
    if kind == "global":
        return Scope("global", "global")
    if caller.tenant is None and kind == "tenant":
        return None
    tenant = identity_part(caller.tenant)
    if kind == "tenant":
        return Scope("tenant", f"tenant:{tenant}")
    if caller.user is None:
        return None
    return Scope("user", f"user:{tenant}:{identity_part(caller.user)}")


def partition_digest(
    request: Request, *, model_class: str, embedder: str, template: str | None, system: str | None,
    tools: tuple[str, ...] | None, json_output: bool, output_limit: int | None,
) -> str:  # fmt: skip
    """The digest of everything that must be equal besides the question.

    A template's rendered text stands for the system prompt that it replaces; the position of the question in the
    conversation is part of the history.
    """
    digest = sha256(LAYOUT)
    last = _question_index(request)
    for part in (
        request.dialect, model_class, embedder, template or "", system or "",
        "" if tools is None else "\x1f".join(("kept", *tools)), "json" if json_output else "",
        str(output_limit), str(request.answers),
    ):  # fmt: skip
        _feed(digest, part.encode("utf-8", "surrogatepass"))
    for name, raw in request.settings:
        if name in _LIMITS:
            continue  # `output_limit` says it already, together with the policy's own limit
        _feed(digest, name.encode())
        _feed(digest, raw)
    for index, message in enumerate(request.messages):
        if index == last:
            _feed(digest, b"\x00question")
        elif system is None or message.role != "system":
            _feed(digest, message.raw)
    return digest.hexdigest()[:32]


_LIMITS = ("max_tokens", "max_completion_tokens")


def question_digest(request: Request) -> str:
    """The digest of the question, in which white space at the ends and its amount do not count."""
    index = _question_index(request)
    message = None if index is None else request.messages[index]
    if message is None:
        return sha256(b"").hexdigest()[:32]
    if message.attachments:
        return sha256(message.raw).hexdigest()[:32]
    return sha256(" ".join(message.text.split()).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def single_turn(request: Request) -> bool:
    """Whether the request is system prompts and one question, nothing else."""
    roles = [message.role for message in request.messages if message.role != "system"]
    return roles == ["user"]


def asks_last(request: Request) -> bool:
    """Whether the last message is the user's: an agent in the middle of its work asks no question."""
    return bool(request.messages) and request.messages[-1].role == "user"


def _question_index(request: Request) -> int | None:
    messages: tuple[Message, ...] = request.messages
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].role == "user":
            return index
    return None


def _feed(digest: object, part: bytes) -> None:
    # The length in front keeps one part from flowing into the next.
    digest.update(len(part).to_bytes(8, "big"))  # type: ignore[attr-defined]
    digest.update(part)  # type: ignore[attr-defined]
