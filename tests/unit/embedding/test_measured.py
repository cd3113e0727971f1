from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from costpol.embedding import measured
from costpol.embedding.registry import NAMES, open_embedder
from costpol.errors import ProvisionError


def test_the_figures_are_those_of_the_loaded_embedders() -> None:
    thresholds = measured.cache_thresholds()
    assert set(thresholds) == set(NAMES)
    for name, threshold in thresholds.items():
        assert threshold == Decimal(str(open_embedder(name).cache_threshold))


def test_a_torn_artifact_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "STATIC_EN", tmp_path)
    with pytest.raises(ProvisionError, match="cannot be read"):
        measured.cache_thresholds()
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ProvisionError, match="cannot be read"):
        measured.cache_thresholds()
