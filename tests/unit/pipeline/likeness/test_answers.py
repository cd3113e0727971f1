from __future__ import annotations

import numpy as np

from costpol.pipeline.likeness import answers as module
from costpol.pipeline.likeness.answers import Answers

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
        assert answers.scores(names, place.astype(np.float32)).argmax() == number


def test_an_unknown_answer_scores_nothing() -> None:
    answers, places = grown(2)
    assert answers.scores(["never"], places[0].astype(np.float32))[0] == 0


def test_an_answer_unlike_all_others_is_called_new() -> None:
    answers, _ = grown(3)
    far = 3 * np.random.default_rng(9).normal(size=DIMENSION).astype(np.float32)
    assert (answers.scores([f"a{number}" for number in range(20)], far) < 0).all()


def test_learning_between_fits_equals_learning_before_them() -> None:
    answers, places = grown(4)
    answers.add("a0", places[1].astype(np.float32))
    expected = answers.sums @ answers.directions - answers.counts[:, None] * answers.origin
    assert np.allclose(answers.projected, expected, atol=1e-3)


def test_what_was_unused_for_longest_makes_room() -> None:
    module_capacity = module.CAPACITY
    answers = Answers(2)
    for number in range(module_capacity + 1):
        answers.add(f"a{number}", np.ones(2, dtype=np.float32))
    assert len(answers.rows) <= module_capacity
    assert answers.counted(["a0", f"a{module_capacity}"]).tolist() == [0, 1]
    assert sorted(answers.rows.values()) == list(range(len(answers.rows)))
