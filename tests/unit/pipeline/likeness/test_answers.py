from __future__ import annotations

import numpy as np
import pytest

from costpol.pipeline.likeness import answers as module
from costpol.pipeline.likeness.answers import Answers, Directions

DIMENSION = 10


def grown(seed: int, names: int = 20, each: int = 8) -> tuple[Answers, np.ndarray]:
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(names, DIMENSION))
    answers = Answers(DIMENSION)
    for number in np.repeat(np.arange(names), each):
        answers.add(f"a{number}", (places[number] + 0.2 * rng.normal(size=DIMENSION)).astype(np.float32))
        if answers.due:
            answers.fit()
    answers.fit()
    return answers, places


def test_a_question_fits_its_own_answer_best() -> None:
    answers, places = grown(1)
    names = [f"a{number}" for number in range(20)]
    for number, place in enumerate(places):
        assert int(np.argmax(answers.scores(names, place.astype(np.float32)))) == number


def test_an_unknown_answer_scores_nothing() -> None:
    answers, places = grown(2)
    assert answers.scores(["never"], places[0].astype(np.float32))[0] == 0


def test_an_answer_unlike_all_others_is_called_new() -> None:
    answers, _ = grown(3)
    far = 3 * np.random.default_rng(9).normal(size=DIMENSION).astype(np.float32)
    assert max(answers.scores([f"a{number}" for number in range(20)], far)) < 0


def test_learning_between_fits_equals_learning_before_them() -> None:
    answers, places = grown(4)
    answers.add("a0", places[1].astype(np.float32))
    expected = answers.sums @ answers.directions - answers.counts[:, None] * answers.origin
    assert np.allclose(answers.projected, expected, atol=1e-3)
    names, place = [*answers.rows], places[3].astype(np.float32)
    before = answers.scores(names, place)
    answers.take(Directions(answers.directions, answers.spread, answers.origin))
    assert answers.scores(names, place) == pytest.approx(before, abs=1e-2)


def test_a_score_is_a_ratio_of_likelihoods() -> None:
    answers, places = grown(5)
    place = places[2].astype(np.float32)
    at = place @ answers.directions - answers.origin
    for name, score in zip(answers.rows, answers.scores([*answers.rows], place), strict=True):
        row = answers.rows[name]
        trust = answers.spread / (answers.counts[row] * answers.spread + 1)
        gap = at - answers.projected[row] * trust
        near = (gap**2 / (1 + trust) + np.log(1 + trust)).sum()
        new = (at**2 / (1 + answers.spread) + np.log(1 + answers.spread)).sum()
        assert score == pytest.approx(0.5 * (new - near), rel=1e-4, abs=1e-3)


def test_what_was_scored_under_an_earlier_fit_is_learned_under_the_present_one() -> None:
    answers, places = grown(6)
    vector = places[0].astype(np.float32)
    answers.scores(["a0"], vector)
    answers.take(Directions(-answers.directions, answers.spread, -answers.origin))
    answers.add("a0", vector)
    expected = answers.sums @ answers.directions - answers.counts[:, None] * answers.origin
    assert np.allclose(answers.projected, expected, atol=1e-3)


def test_what_was_unused_for_longest_makes_room() -> None:
    module_capacity = module.CAPACITY
    answers = Answers(2)
    for number in range(module_capacity + 1):
        answers.add(f"a{number}", np.ones(2, dtype=np.float32))
    assert len(answers.rows) <= module_capacity
    assert answers.counted(["a0", f"a{module_capacity}"]) == [0, 1]
    assert sorted(answers.rows.values()) == list(range(len(answers.rows)))
