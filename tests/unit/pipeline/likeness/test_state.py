from __future__ import annotations

import pytest

from costpol.errors import StoreError
from costpol.pipeline.likeness.evidence import weigh
from costpol.pipeline.likeness.state import Likeness, pack, unpack

from .world import DIMENSION, World


def test_what_was_learned_survives_and_goes_on_alike() -> None:
    first = World(limit=0.1, seed=1)
    first.send(400)
    second = World(limit=0.1, seed=1)
    second.send(400)
    second.state = unpack(pack(second.state), "made-up", DIMENSION, "")
    for world in (first, second):
        world.send(200)
    assert [j.action for j in first.judgements] == [j.action for j in second.judgements]
    assert pack(second.state) == pack(unpack(pack(second.state), "made-up", DIMENSION, ""))


def test_new_weights_score_what_was_learned_before_the_fit_began_and_nothing_later() -> None:
    world = World(limit=0.1, seed=2)
    world.send(300)
    state = world.state
    state.choice.fit_at = 0
    before = list(state.calibration.verdicts)
    fitting = state.begin()
    fitting.run()
    world.send(25)
    newer = state.calibration.learned - len(before)
    assert newer > 0
    late = list(state.calibration.verdicts)[-newer:]
    state.take(fitting)
    after = list(state.calibration.verdicts)
    assert after[-newer:] == late
    moved = [old.logit != new.logit for old, new in zip(before, after, strict=False)]
    assert sum(moved) > len(moved) / 2


def test_an_empty_state_survives() -> None:
    state = unpack(pack(Likeness("made-up", DIMENSION, "2")), "made-up", DIMENSION, "2")
    assert (state.stored, state.version) == (0, "2")


@pytest.mark.parametrize(
    ("embedder", "dimension", "version", "what"),
    [("other", DIMENSION, "1", "embedder"), ("made-up", 99, "1", "dimension"), ("made-up", DIMENSION, "2", "template")],
)
def test_what_was_learned_with_something_else_is_refused(
    embedder: str, dimension: int, version: str, what: str
) -> None:
    with pytest.raises(StoreError, match=what):
        unpack(pack(Likeness("made-up", DIMENSION, "1")), embedder, dimension, version)


@pytest.mark.parametrize("cut", [0, 10, 2000, -200])
def test_torn_data_is_refused(cut: int) -> None:
    world = World(seed=2)
    world.send(100)
    with pytest.raises(StoreError):
        unpack(pack(world.state)[:cut], "made-up", DIMENSION, "")


def test_no_text_is_kept() -> None:
    world = World(seed=3)
    vector, _, _ = world.question()
    weigh(world.state, vector, "my secret question", [])
    world.send(200)
    assert b"thing" not in pack(world.state)
