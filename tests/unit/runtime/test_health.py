from __future__ import annotations

import pytest

from costpol.runtime.health import Health


def test_a_trouble_is_told_once_until_it_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    health = Health()
    for _ in range(3):
        health.note("disk", "it is full")
    assert health.troubles == {"disk": "it is full"}
    for _ in range(3):
        health.note("disk", None)
    assert health.troubles == {}
    assert [record.message for record in caplog.records] == ["disk: it is full", "disk: well again"]


def test_parts_are_apart_and_the_last_reason_counts() -> None:
    health = Health()
    health.note("embedder", "timeout")
    health.note("cache", "no room")
    health.note("embedder", "unreachable")
    health.note("cache", None)
    assert health.troubles == {"embedder": "unreachable"}
