"""What speaks for each answer that the cache could give: several signals, not one similarity.

| of each answer     | what it says                                                                     |
| ------------------ | -------------------------------------------------------------------------------- |
| similarity         | cosine to its nearest question                                                   |
| votes              | its weighted share among the nearest questions, as a logarithm                   |
| likelihood         | how well vector and words fit the model of its questions (see `answers`)         |
| familiarity        | how many of its questions were learned, as a logarithm                           |
| wording            | the most it shares of the question's words, weighted by rarity                   |
| wording votes      | as votes, by vectors and words together                                          |
| coverage           | the share of the question's words, by rarity, that any near question of it has   |

| of the question    |                                                                                  |
| ------------------ | -------------------------------------------------------------------------------- |
| experience         | how many questions were stored so far, as a logarithm                            |
| nearness           | cosine to the nearest stored question at all                                     |
| novelty            | share of its words that were never seen before                                   |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p
from typing import TYPE_CHECKING, Any

import numpy as np

from costpol.pipeline.likeness.words import Hashes, hash_words

if TYPE_CHECKING:
    from costpol.pipeline.likeness.choice import Row, Table
    from costpol.pipeline.likeness.state import Likeness
    from costpol.pipeline.likeness.words import Vector

Reals = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.int64]]

SIGNALS = ("similarity", "votes", "likelihood", "familiarity", "wording", "wording votes", "coverage")
CIRCUMSTANCES = ("experience", "nearness", "novelty")

_SHARPNESS = 16.0
"""How fast a vote loses weight with its distance from the nearest: by half every 0.043 of cosine."""

_SCALE = 20.0
"""Beyond this a likelihood counts by its logarithm: what lies far from all that was learned would outweigh the rest."""

_WORD_SHARE = 0.7
"""The length of the words' vector beside the embedding's."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored question that is near: the name of its answer and the cosine."""

    answer: str
    similarity: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one request shows. `answers` are distinct, the nearest one first; `places` are each one's candidates."""

    vector: Vector
    """Embedding and words together, of unit length."""
    words: Hashes
    answers: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]
    signals: Table
    circumstances: Row
    unanimous: bool
    """Whether all candidates about as near as the nearest have its answer."""


def weigh(state: Likeness, vector: Vector, text: str, candidates: Sequence[Candidate]) -> Evidence:
    """The evidence for one question. `vector` is its embedding, of unit length; candidates come nearest first."""
    hashes = hash_words(text)
    words, novelty = state.words.vector(hashes)
    joint = np.concatenate([vector, words * np.float32(_WORD_SHARE)]) * np.float32((1 + _WORD_SHARE**2) ** -0.5)
    places: dict[str, list[int]] = {}
    for place, candidate in enumerate(candidates):
        places.setdefault(candidate.answer, []).append(place)
    answers = tuple(places)
    nearest = candidates[0].similarity if candidates else 0.0
    signals = np.empty((len(answers), len(SIGNALS)), dtype=np.float32)
    if candidates:
        similarities = np.array([candidate.similarity for candidate in candidates])
        owner = np.repeat(np.arange(len(answers)), [len(own) for own in places.values()])
        order = [place for own in places.values() for place in own]
        texts = [hash_words(candidates[place].text) for place in order]
        overlaps, coverage = state.words.overlaps(hashes, texts, owner)
        both = (similarities[order] + _WORD_SHARE**2 * overlaps) / (1 + _WORD_SHARE**2)
        signals[:, 0] = [candidates[own[0]].similarity for own in places.values()]
        signals[:, 1] = _votes(similarities[order], owner)
        signals[:, 4] = np.maximum.reduceat(overlaps, np.flatnonzero(np.diff(owner, prepend=-1)))
        signals[:, 5] = _votes(both, owner)
        signals[:, 6] = coverage
        signals[:, 2] = _SCALE * np.arcsinh(state.answers.scores(answers, joint) / _SCALE)
        signals[:, 3] = np.log1p(state.answers.counted(answers))
    return Evidence(
        vector=joint,
        words=hashes,
        answers=answers,
        places=tuple(tuple(own) for own in places.values()),
        signals=signals,
        circumstances=np.array([log1p(state.stored), nearest, novelty], dtype=np.float32),
        unanimous=all(c.answer == candidates[0].answer for c in candidates if c.similarity > nearest - 0.05),
    )


def _votes(similarities: Reals, owner: Places) -> Reals:
    """The logarithm of each owner's share of votes, which fade with the distance from the nearest."""
    votes = np.bincount(owner, np.exp(_SHARPNESS * (similarities - similarities.max())))
    return np.asarray(np.log(votes / votes.sum() + 1e-3), dtype=np.float64)
