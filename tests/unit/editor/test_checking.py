"""Findings as one types."""

from __future__ import annotations

from datetime import UTC, datetime

from costpol.editor.checking import check

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def checked(texts: dict[str, str]) -> dict[str, list[str]]:
    found = check({name: text.encode() for name, text in texts.items()}, NOW)
    return {name: [finding.code for finding in findings] for name, findings in found.items()}


def test_what_keeps_a_bundle_from_loading_is_found(texts: dict[str, str]) -> None:
    texts["routing.yaml"] = texts["routing.yaml"].replace("default: small", "default: smal")
    assert checked(texts)["routing.yaml"] == ["CP102"]


def test_a_bundle_that_loads_is_linted(texts: dict[str, str]) -> None:
    texts["cache.yaml"] = texts["cache.yaml"].replace(", ttl: 24h", "")
    found = check({name: text.encode() for name, text in texts.items()}, NOW)["cache.yaml"]
    assert "cache-without-ttl" in [finding.name for finding in found]


def test_files_without_findings_are_named_too(texts: dict[str, str]) -> None:
    texts["models.yaml"] = texts["models.yaml"].replace("...\n", "")
    found = checked(texts)
    assert set(found) == set(texts)
    assert "CP008" in found["models.yaml"] or found["models.yaml"]
