"""What a word tells wherever it stands."""

from __future__ import annotations

import pytest

from costpol.pipeline import word
from costpol.pipeline.word import COUNTED, COUNTERED, DATED, DENYING, SIDED, UNDOING, look_up


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("twelve", COUNTED), ("never", DENYING), ("non-smoking", DENYING), ("credit", SIDED), ("auf", SIDED),
        ("20$", SIDED), ("monday", DATED), ("unlimited", UNDOING), ("prenatal", COUNTERED),
    ],
)  # fmt: skip
def test_the_kind_of_a_word_is_known(written: str, kind: int) -> None:
    (found,) = look_up([written])
    assert found.kinds & kind


def test_a_plain_word_is_of_no_kind() -> None:
    (found,) = look_up(["parcel"])
    assert found.kinds == 0
    assert found.singular == "parcel"


def test_a_filler_carries_no_meaning_and_a_plural_has_that_of_one() -> None:
    assert [each.singular for each in look_up(["the", "cards", "bus", "glass"])] == [None, "card", "bus", "glass"]


def test_a_word_knows_what_it_denies_and_what_it_turns_into() -> None:
    unlimited, careful, plain = look_up(["unlimited", "careful", "parcel"])
    assert "limited" in unlimited.undone
    assert "careless" in careful.counterparts
    assert plain.undone == plain.counterparts == ()


def test_what_is_remembered_of_words_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word, "_KEPT", 10)
    look_up([f"word{number}" for number in range(25)])
    assert len(word._known) <= 10
    assert [each.singular for each in look_up(["word3", "word24"])] == ["word3", "word24"]
