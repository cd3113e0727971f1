"""What somebody most likely meant."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

_LONGEST = 64  # matching is quadratic
_MOST = 500


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to a misspelt one; `None` where nothing is near."""
    if len(word) > _LONGEST:
        return None
    from difflib import get_close_matches

    alike = (name for name in known if abs(len(name) - len(word)) <= max(4, len(name) // 2))
    lowered = {candidate.lower(): candidate for candidate in islice(alike, _MOST)}
    close = get_close_matches(
        word.lower().replace("_", "-"), [name.replace("_", "-") for name in lowered], n=1, cutoff=0.65
    )
    if not close:
        return None
    return next(candidate for name, candidate in lowered.items() if name.replace("_", "-") == close[0])


def surely_meant(word: str, known: Iterable[str]) -> bool:
    """Whether only one of the known words is near a misspelt one, and that very near."""
    from difflib import get_close_matches

    alike = [name.lower().replace("_", "-") for name in islice(known, _MOST) if len(name) <= _LONGEST]
    spelled = word[:_LONGEST].lower().replace("_", "-")
    return len(get_close_matches(spelled, alike, n=2, cutoff=0.65)) == 1 and bool(
        get_close_matches(spelled, alike, n=1, cutoff=0.8)
    )


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The question that a finding asks, where there is a near word."""
    guess = nearest(word, known)
    return f"did you mean `{guess}`?" if guess else None
