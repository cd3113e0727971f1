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

from collections.abc import Mapping, Sequence
from math import asinh, exp, log, log1p
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from costpol.pipeline.likeness.words import hash_words

if TYPE_CHECKING:
    from costpol.pipeline.likeness.choice import Row, Table
    from costpol.pipeline.likeness.state import Likeness
    from costpol.pipeline.likeness.words import Hashes, Vector, Wording

SIGNALS = ("similarity", "votes", "likelihood", "familiarity", "wording", "wording votes", "coverage")
CIRCUMSTANCES = ("experience", "nearness", "novelty")

_SHARPNESS = 16.0
"""How fast a vote loses weight with its distance from the nearest: by half every 0.043 of cosine."""

_SCALE = 20.0
"""Beyond this a likelihood counts by its logarithm: what lies far from all that was learned would outweigh the rest."""

_WORD_SHARE = 0.7
"""The length of the words' vector beside the embedding's."""
_WORDS_LENGTH, _LENGTH = np.float32(_WORD_SHARE), np.float32((1 + _WORD_SHARE**2) ** -0.5)

_NONE = np.empty((0, len(SIGNALS)), dtype=np.float32)


class Candidate(Struct, frozen=True, gc=False):
    """A stored question that is near: the name of its answer and the cosine."""

    answer: str
    similarity: float
    text: str = ""


class Evidence(Struct, frozen=True, gc=False):
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
    places: dict[str, list[int]] = {}
    for place, candidate in enumerate(candidates):
        places.setdefault(candidate.answer, []).append(place)
    answers = tuple(places)
    texts = [hash_words(candidates[place].text) for own in places.values() for place in own]
    words = state.words.compare(hashes, texts, [*map(len, places.values())])
    joint = np.concatenate([vector, words.vector * _WORDS_LENGTH]) * _LENGTH
    nearest = candidates[0].similarity if candidates else 0.0
    return Evidence(
        vector=joint,
        words=hashes,
        answers=answers,
        places=tuple([tuple(own) for own in places.values()]),
        signals=_signals(state, joint, candidates, places, words) if candidates else _NONE,
        circumstances=np.array([log1p(state.stored), nearest, words.novelty], dtype=np.float32),
        unanimous=all(c.answer == answers[0] for c in candidates if c.similarity > nearest - 0.05),
    )


def _signals(
    state: Likeness, joint: Vector, candidates: Sequence[Candidate], places: Mapping[str, Sequence[int]], words: Wording
) -> Table:
    """One row per answer. Where there are so few numbers, plain ones are quicker than arrays."""
    numbers: list[tuple[float, float, float, float]] = []
    overlaps = iter(words.overlaps)
    votes = wording_votes = 0.0
    for own in places.values():
        vote = wording_vote = wording = 0.0
        for place in own:
            similarity, overlap = candidates[place].similarity, next(overlaps)
            vote += exp(_SHARPNESS * (similarity - 1))
            wording_vote += exp(_SHARPNESS * ((similarity + _WORD_SHARE**2 * overlap) / (1 + _WORD_SHARE**2) - 1))
            wording = max(wording, overlap)
        votes += vote
        wording_votes += wording_vote
        numbers.append((candidates[own[0]].similarity, vote, wording, wording_vote))
    answers = [*places]
    table: list[float] = []
    for (similarity, vote, wording, wording_vote), likelihood, count, coverage in zip(
        numbers, state.answers.scores(answers, joint), state.answers.counted(answers), words.coverage, strict=True
    ):
        table += (
            similarity,
            log(vote / votes + 1e-3),
            _SCALE * asinh(likelihood / _SCALE),
            log1p(count),
            wording,
            log(wording_vote / wording_votes + 1e-3),
            coverage,
        )
    return np.array(table, dtype=np.float32).reshape(-1, len(SIGNALS))
