from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from costpol.embedding import measured
from costpol.embedding.registry import NAMES, open_embedder
from costpol.errors import ProvisionError


def test_the_figures_are_those_of_the_loaded_embedders() -> None:
    thresholds = measured.cache_thresholds()
    for name in NAMES:
        assert thresholds[name] == Decimal(str(open_embedder(name).cache_threshold))


def test_a_model_is_known_by_its_name_and_by_its_weights() -> None:
    by_name = measured.cache_thresholds()["sentence-transformers/all-MiniLM-L6-v2"]
    by_weights = measured.by_weights("53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
    assert by_weights is not None
    assert by_name == Decimal(str(by_weights.cache_threshold))
    assert measured.by_weights("0" * 64) is None


def test_a_torn_artifact_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "STATIC_EN", tmp_path)
    with pytest.raises(ProvisionError, match="cannot be read"):
        measured.cache_thresholds()
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ProvisionError, match="cannot be read"):
        measured.cache_thresholds()
