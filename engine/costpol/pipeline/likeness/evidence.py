"""What speaks for each answer that the cache could give: several signals, not one similarity.

| of each answer     | what it says                                                                     |
| ------------------ | -------------------------------------------------------------------------------- |
| similarity         | cosine to its nearest question                                                   |
| votes              | its weighted share among the nearest questions, as a logarithm                   |
| likelihood         | how well vector and words fit the model of its questions (see `answers`)         |
| familiarity        | how many of its questions were learned, as a logarithm                           |
| wording            | the most it shares of the question's words, weighted by rarity                   |
| wording votes      | as votes, by vectors and words together                                          |
| kinship, kin votes | as similarity and votes, along the directions that tell answers apart            |

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
    from costpol.commands import Vector
    from costpol.pipeline.likeness.choice import Row, Table
    from costpol.pipeline.likeness.state import Likeness

Reals = np.ndarray[Any, np.dtype[np.floating[Any]]]
Places = np.ndarray[Any, np.dtype[np.int64]]

SIGNALS = ("similarity", "votes", "likelihood", "familiarity", "wording", "wording votes", "kinship", "kin votes")
CIRCUMSTANCES = ("experience", "nearness", "novelty")
CANDIDATES = 20
"""How many near questions are looked at."""

_SHARPNESS = 16.0
"""How fast a vote loses weight with its distance from the nearest: by half every 0.043 of cosine."""

_KIN_SHARE = 0.6
"""Kinship is spread wider than cosine, so its votes fade slower."""

_WORD_SHARE = 0.7
"""The length of the words' vector beside the embedding's."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored question that is near: the name of its answer, the cosine, and its embedding."""

    answer: str
    similarity: float
    vector: Vector
    text: str = ""
    """Empty where it is not kept: then its words say nothing."""


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
    words = state.words.vectors([hashes, *(hash_words(candidate.text) for candidate in candidates)])
    vectors = np.stack([vector, *(candidate.vector for candidate in candidates)])
    joint = np.hstack([vectors, words * _WORD_SHARE]) * np.float32((1 + _WORD_SHARE**2) ** -0.5)
    places: dict[str, list[int]] = {}
    for place, candidate in enumerate(candidates):
        places.setdefault(candidate.answer, []).append(place)
    answers = tuple(places)
    nearest = candidates[0].similarity if candidates else 0.0
    signals = np.empty((len(answers), len(SIGNALS)), dtype=np.float32)
    if candidates:
        order = [place for own in places.values() for place in own]
        owner = np.repeat(np.arange(len(answers)), [len(own) for own in places.values()])
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        similarity = np.array([candidate.similarity for candidate in candidates], dtype=np.float32)[order]
        wording = (words[1:] @ words[0])[order]
        kinship = state.answers.kinship(joint)[order]
        signals[:, 0] = similarity[starts]
        signals[:, 1] = _votes(similarity, owner)
        signals[:, 2] = state.answers.scores(answers, joint[0])
        signals[:, 3] = np.log1p(state.answers.counted(answers))
        signals[:, 4] = np.maximum.reduceat(wording, starts)
        signals[:, 5] = _votes((similarity + _WORD_SHARE**2 * wording) / (1 + _WORD_SHARE**2), owner)
        signals[:, 6] = np.maximum.reduceat(kinship, starts)
        signals[:, 7] = _votes(kinship * _KIN_SHARE, owner)
    return Evidence(
        vector=joint[0],
        words=hashes,
        answers=answers,
        places=tuple(tuple(own) for own in places.values()),
        signals=signals,
        circumstances=np.array([log1p(state.stored), nearest, state.words.novelty(hashes)], dtype=np.float32),
        unanimous=all(c.answer == candidates[0].answer for c in candidates if c.similarity > nearest - 0.05),
    )


def _votes(similarities: Reals, owner: Places) -> Reals:
    """The logarithm of each owner's share of votes, which fade with the distance from the nearest."""
    votes = np.bincount(owner, np.exp(_SHARPNESS * (similarities - similarities.max())))
    return np.asarray(np.log(votes / votes.sum() + 1e-3), dtype=np.float32)
