"""What must be equal for an answer to be given again, and who may be given it.

Only the last user message is compared by likeness. Everything else that shapes an answer is identity: it goes into the
partition digest, and another digest is another cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from msgspec import DecodeError, Raw, json

from costpol.commands import Entry, Hit, Scope
from costpol.inference.caller import Caller
from costpol.inference.request import Message, Request
from costpol.pipeline.identity import identity_part

LAYOUT = b"costpol-cache-4"
"""Changes with the meaning of a digest, so that entries of an older layout are never found."""


@dataclass(frozen=True, slots=True)
class CachePlan:
    """How answers of one intent are cached.

    `threshold` is a cosine, `max_wrong_hits` a share; where both are `None`, only exact repeats hit. `verify` is the
    share of similar hits that is answered afresh, `max_divergence` how many of those may differ under a threshold.
    """

    intent: str
    threshold: float | None
    ttl: float
    scope: Literal["global", "tenant", "user"]
    guards: frozenset[str]
    multi_turn: bool
    tools: bool
    max_wrong_hits: float | None = None
    tags: tuple[str, ...] = ()
    verify: float = 0.0
    max_divergence: float = 1.0
    confidence: float = 0.9
    """With which `max_wrong_hits` is kept."""


_GLOBAL = Scope("global", "global")


def scope_for(kind: str, caller: Caller) -> Scope | None:
    """The scope of a caller, or `None` where the caller lacks the identity that the scope is made of.

    A user without a tenant is unknown: two tenants may each have a user of that name.
    """
    if kind == "global":
        return _GLOBAL
    if not caller.tenant:
        return None
    tenant = identity_part(caller.tenant)
    if kind == "tenant":
        return Scope("tenant", f"tenant:{tenant}")
    if not caller.user:
        return None
    return Scope("user", f"user:{tenant}:{identity_part(caller.user)}")


def usable(entry: Entry, life: float, partition: str, scope: Scope, now: float) -> bool:
    """Whether a kept answer may be given now. The store has looked already; what is another's must not depend on one
    filter alone, and an answer kept under a longer life must not outlive the one that policy and caller now state."""
    return bool(usable_among((Hit(entry, 1.0),), life, partition, scope, now))


def usable_among(hits: Sequence[Hit], life: float, partition: str, scope: Scope, now: float) -> list[Hit]:
    """As `usable`, for each of several."""
    return [
        hit
        for hit in hits
        if (entry := hit.entry).scope == scope
        and entry.partition == partition
        and now < entry.expires
        and now < entry.created + life
    ]


def partition_digest(
    request: Request, *, model_class: str, embedder: str, template: str | None, system: str | None,
    tools: tuple[str, ...] | None, json_output: bool, output_limit: int | None,
) -> str:  # fmt: skip
    """The digest of everything that must be equal besides the question.

    A template's rendered text stands for the leading system prompts that it replaces; the position of the question in
    the conversation is part of the history.
    """
    settings = [pair for pair in request.settings if pair[0] not in _LIMITS]  # `output_limit` says those already
    facts = (
        request.dialect, model_class, embedder, template, system, tools, json_output, output_limit, request.answers,
        [request.metadata.get(name) for name in _LOCALES], len(settings),
    )  # fmt: skip
    parts = [LAYOUT, ascii(facts).encode()]
    for name, raw in settings:
        parts += (name.encode("utf-8", "surrogatepass"), raw)
    messages = request.messages
    last = _question_index(messages)
    for index in range(0 if system is None else leading_prompts(messages), len(messages)):
        if index == last:
            parts.append(b"\x00question")
            parts += _aside(messages[index])
        else:
            parts.append(_spoken(messages[index]))
    lengths = ",".join(map(str, map(len, parts)))  # in front, so that no part flows into the next
    return sha256(b"".join((lengths.encode(), b"\x00", *parts))).hexdigest()[:32]


_LIMITS = ("max_tokens", "max_completion_tokens")
_LOCALES = ("locale", "language", "lang")
"""Labels that say in which language to answer; all others are for a dashboard."""


def question_digest(request: Request) -> str:
    """The digest of the question. White space at its ends does not count, nor its amount within a single line; between
    several lines it does, for they may be code."""
    index = _question_index(request.messages)
    if index is None:
        return sha256(b"").hexdigest()[:32]
    message = request.messages[index]
    if message.attachments:
        return sha256(message.raw).hexdigest()[:32]
    text = message.text.strip()
    if "\n" not in text:
        text = " ".join(text.split())
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def leading_prompts(messages: tuple[Message, ...]) -> int:
    """How many system prompts stand at the beginning: those that a template replaces."""
    count = 0
    while count < len(messages) and messages[count].role == "system":
        count += 1
    return count


def single_turn(request: Request) -> bool:
    """Whether the request is system prompts and one question, nothing else."""
    roles = [message.role for message in request.messages if message.role != "system"]
    return roles == ["user"]


def asks_last(request: Request) -> bool:
    """Whether the last message is the user's: an agent in the middle of its work asks no question."""
    return bool(request.messages) and request.messages[-1].role == "user"


def _question_index(messages: tuple[Message, ...]) -> int | None:
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].role == "user":
            return index
    return None


_MEMBERS = json.Decoder(dict[str, Raw])
_WORDS = frozenset({"role", "content"})


def _spoken(message: Message) -> bytes:
    """A plain message by what it says, however its JSON is spelt; any other by its bytes."""
    try:
        members = _MEMBERS.decode(message.raw)
    except DecodeError:
        return message.raw
    if members.keys() != _WORDS or not bytes(members["content"]).startswith(b'"'):
        return message.raw
    return b"\x00".join((b"plain", bytes(members["role"]), message.text.encode("utf-8", "surrogatepass")))


def _aside(question: Message) -> list[bytes]:
    """What a question says besides its words, such as the participant's name."""
    try:
        members = _MEMBERS.decode(question.raw)
    except DecodeError:  # not an object: nothing in it is known, so all of it counts
        return [question.raw]
    names = members.keys() - _WORDS
    return [part for name in sorted(names) for part in (name.encode(), bytes(members[name]))]
