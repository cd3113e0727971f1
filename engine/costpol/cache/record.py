"""A cache entry as the payload of a stored point, and back.

Instants travel as text: the engine's JSON numbers lose the last bit of some floats. Beside them `until` is the number
that expired entries are filtered by. `place` is one keyword for scope, partition and intent together, four times
faster to filter by than three; whoever reads an entry still compares what it says of itself.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import lru_cache
from math import isfinite
from sys import intern
from typing import Any

from msgspec import Struct, ValidationError, convert

from costpol.commands import Entry, Scope, reference_of
from costpol.errors import StoreError

PLACE = "place"
UNTIL = "until"
TALLIED = ("intent", "template", "cost", "expires", "size", "scope", "tags")
"""The fields that `Tally` is refilled from."""

_OVERHEAD = 512
"""Bytes of a stored entry beside its body and its text, about."""


def point_id(identity: str) -> str:
    """The point that holds the entry of this identity (`Entry.id`)."""
    return reference_of(identity)


@lru_cache(maxsize=4096)
def place(scope: Scope, partition: str, intent: str) -> str:
    """One keyword for all three. Lengths are part of it, so that no two triples can be spelled the same."""
    spelled = "".join(f"{len(part)}:{part}" for part in (scope.kind, scope.key, partition, intent))
    return _digest(spelled).hex()


def pack(entry: Entry) -> dict[str, Any]:
    """The payload of an entry. Raises `StoreError` where the body is no text: JSON answers are UTF-8."""
    try:
        body = entry.body.decode()
    except UnicodeDecodeError as error:
        raise StoreError("an answer that is not UTF-8 text cannot be cached") from error
    return {
        PLACE: place(entry.scope, entry.partition, entry.intent),
        UNTIL: entry.expires,
        "partition": entry.partition,
        "question": entry.question,
        "scope": entry.scope.key,
        "scope_kind": entry.scope.kind,
        "intent": entry.intent,
        "text": entry.text,
        "body": body,
        "check": zlib.crc32(entry.body),
        "size": len(entry.body) + len(entry.text) + _OVERHEAD,
        "model": entry.model,
        "created": repr(entry.created),
        "expires": repr(entry.expires),
        "cost": entry.cost_picodollars,
        "input_tokens": entry.input_tokens,
        "output_tokens": entry.output_tokens,
        "template": entry.template,
        "answer_id": entry.answer_id,
        "tags": list(entry.tags),
    }


class _Payload(Struct):
    """What must be there, and of which type: somebody else may have written it."""

    partition: str
    question: str
    scope: str
    scope_kind: str
    intent: str
    text: str
    body: str
    check: int
    model: str
    created: str
    expires: str
    cost: int
    input_tokens: int | None
    output_tokens: int | None
    template: str
    answer_id: str | None
    tags: tuple[str, ...] = ()


def unpack(payload: dict[str, Any]) -> Entry | None:
    """The entry that a payload holds; `None` where it is damaged, which reads as a miss. Unknown fields do no harm."""
    try:
        found = convert(payload, _Payload)
        body = found.body.encode()
        created, expires = float(found.created), float(found.expires)
    except (ValidationError, ValueError):
        return None
    if zlib.crc32(body) != found.check or not (isfinite(created) and isfinite(expires)):
        return None
    return Entry(
        partition=intern(found.partition),
        question=found.question,
        scope=_scope(found.scope_kind, found.scope),
        intent=intern(found.intent),
        text=found.text,
        body=body,
        model=intern(found.model),
        created=created,
        expires=expires,
        cost_picodollars=found.cost,
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        template=found.template,
        answer_id=found.answer_id,
        tags=found.tags,
    )


@lru_cache(maxsize=4096)
def _scope(kind: str, key: str) -> Scope:
    """One for all of its entries: what lies near each other is compared with an asker twenty times over."""
    return Scope(kind, key)


def _digest(text: str) -> bytes:
    # A lone surrogate, which JSON can spell, must not make a lookup fail.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
