"""Between which shares the true one lies, after so many of so many (Clopper and Pearson, Biometrika 26, 1934)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import exp, fsum, lgamma, log

CONFIDENCE = 0.9
"""Two-sided: in one case of twenty the true share lies above the band, in one below."""
_HALVINGS = 40


@lru_cache(maxsize=4096)
def clopper_pearson(found: int, of: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact binomial interval for `found` of `of`, which is at least one."""
    tail = (1 - confidence) / 2
    low = 0.0 if found == 0 else _solve(lambda share: 1 - _at_most(found - 1, of, share) < tail)
    high = 1.0 if found == of else _solve(lambda share: _at_most(found, of, share) > tail)
    return low, high


def _solve(below: Callable[[float], bool]) -> float:
    """The share from which on something does not hold any more."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(count: int, of: int, share: float) -> float:
    """The chance of at most `count` of `of` at a true share between 0 and 1."""
    one, other = log(share), log(1 - share)
    whole = lgamma(of + 1)
    return fsum(
        exp(whole - lgamma(each + 1) - lgamma(of - each + 1) + each * one + (of - each) * other)
        for each in range(count + 1)
    )
