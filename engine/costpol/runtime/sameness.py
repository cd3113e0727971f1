"""Whether two answers say the same, as far as words and vectors tell; where they do not, nobody is wrong.

A model words one answer anew every time. Measured on a language model's replies to nearly equal messages in 200
recorded dialogues, with the built-in embedder: the cosine of two replies to one task is above 0.67 in 95 % and above
0.83 in 75 % of the pairs; of replies to different tasks it is below 0.70 in 90 %. Between the bounds nothing is
decided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from costpol.commands import Failed
from costpol.pipeline import guards

if TYPE_CHECKING:
    from costpol.commands import Vector

ALIKE, APART = 0.85, 0.70
_SAME_WORDS = 0.8
"""The share of words from which on two answers are nearly the same text; then numbers and denials decide."""
_SHORT = 60
"""Words up to which a number or a denial apart is a difference; a longer answer has some by the way."""
_GUARDS = ("numbers", "negation")

Embed = Callable[[str], "Vector | Failed"]


def compare(one: str, other: str, embed: Embed | None = None) -> bool | None:
    """Whether two answers say the same; `None` where that cannot be told. Without `embed` only words are compared."""
    ours, theirs = one.casefold().split(), other.casefold().split()
    if ours == theirs:
        return True
    shared = len(set(ours) & set(theirs)) / max(len(set(ours) | set(theirs)), 1)
    apart = guards.refusing(_GUARDS, one, other) is not None
    if shared >= _SAME_WORDS:
        return not apart
    likeness = None if embed is None else _cosine(embed(one), embed(other))
    if likeness is None:
        return None if shared >= _SAME_WORDS / 2 else False
    if likeness < APART:
        return False
    if apart:
        return None if max(len(ours), len(theirs)) > _SHORT else False
    return True if likeness >= ALIKE else None


def _cosine(one: Vector | Failed, other: Vector | Failed) -> float | None:
    return None if isinstance(one, Failed) or isinstance(other, Failed) else float(one @ other)
