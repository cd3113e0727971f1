from __future__ import annotations

import logging
from pathlib import Path

import pytest

from costpol.pipeline.likeness.track import Track
from costpol.runtime.verdicts import Verdicts, open_verdicts


def opened(path: Path | None, embedder: str = "embedder", version: str = "v1") -> Verdicts:
    return open_verdicts(path, embedder, version)


def learned(verdicts: Verdicts, *, wrong: int, right: int = 0) -> Track:
    track = verdicts.track("faq", 0.1, 0.9)
    for number in range(wrong + right):
        track.learn(different=number < wrong, similarity=0.92)
    return track


def test_verdicts_survive_a_restart(tmp_path: Path) -> None:
    verdicts = opened(tmp_path / "cache" / "verified.json")
    learned(verdicts, wrong=1, right=9)
    verdicts.save()
    again = opened(tmp_path / "cache" / "verified.json").track("faq", 0.1, 0.9)
    assert again == verdicts.track("faq", 0.1, 0.9)
    assert (again.checked, again.different) == (10, 1)


def test_a_risen_threshold_survives_and_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    verdicts = opened(tmp_path / "verified.json")
    track = learned(verdicts, wrong=5)
    with caplog.at_level(logging.WARNING):
        verdicts.tighten("faq", track)
    assert [record.getMessage() for record in caplog.records] == [
        "cache of `faq`: 5 of 5 verified hits differed, past the limit of 0.1: similar questions are no hits any more"
    ]
    assert opened(tmp_path / "verified.json").track("faq", 0.1, 0.9).suspended


def test_another_threshold_or_limit_begins_anew() -> None:
    verdicts = Verdicts("embedder", "v1")
    verdicts.tighten("faq", learned(verdicts, wrong=5))
    assert verdicts.track("faq", 0.1, 0.9).suspended
    assert not verdicts.track("faq", 0.1, 0.95).suspended
    assert verdicts.track("faq", 0.2, 0.95).checked == 0


@pytest.mark.parametrize(
    ("embedder", "version", "says"),
    [("other", "v1", "embedder"), ("embedder", "v2", "template version"), ("embedder", "v1", "cannot be read")],
)
def test_what_is_of_something_else_is_told_and_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, embedder: str, version: str, says: str
) -> None:
    path = tmp_path / "verified.json"
    verdicts = opened(path)
    learned(verdicts, wrong=1)
    verdicts.save()
    if says == "cannot be read":
        path.write_bytes(path.read_bytes()[:-10])
    with caplog.at_level(logging.WARNING):
        assert opened(path, embedder, version).tracks == {}
    assert says in caplog.text
    assert "anew" in caplog.text


def test_nothing_is_written_before_anything_was_verified(tmp_path: Path) -> None:
    verdicts = opened(tmp_path / "cache" / "verified.json")
    verdicts.track("faq", 0.1, 0.9).hits += 1
    verdicts.save()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_nothing_does_not_stop_anything(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    verdicts = opened(tmp_path / "cache" / "verified.json")
    learned(verdicts, wrong=1)
    verdicts.save()
    assert "cannot be written" in caplog.text
