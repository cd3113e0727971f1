from __future__ import annotations

from costpol.policy.loader import load_bundle
from costpol.runtime.live import Handlers
from costpol.runtime.snapshot import Snapshot


def snapshot(files: dict[str, bytes], released: list[str]) -> Snapshot:
    return Snapshot(
        generation=3,
        bundle=load_bundle(files).require(),
        pipeline=None,  # type: ignore[arg-type]
        handlers=Handlers({}),
        endpoints={},
        findings=(),
        marked=frozenset(),
        prices="",
        prices_until=None,
        embedder=None,
        loaded=0.0,
        release=lambda: released.append("released"),
    )


def test_an_idle_snapshot_lets_go_when_it_is_retired(policy_files: dict[str, bytes]) -> None:
    released: list[str] = []
    snapshot(policy_files, released).retire()
    assert released == ["released"]


def test_a_busy_snapshot_lets_go_after_its_last_request_and_once(policy_files: dict[str, bytes]) -> None:
    released: list[str] = []
    busy = snapshot(policy_files, released)
    busy.enter()
    busy.enter()
    busy.retire()
    busy.leave()
    assert released == []
    busy.leave()
    assert released == ["released"]


def test_its_label_names_generation_and_digest(policy_files: dict[str, bytes]) -> None:
    made = snapshot(policy_files, [])
    assert made.label == f"g3-{made.digest[:12]}"


def test_callers_may_ask_for_tiers_and_models(policy_files: dict[str, bytes]) -> None:
    assert snapshot(policy_files, []).model_names() == ("cheap", "strong", "small", "large")
