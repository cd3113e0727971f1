"""Codes and names are unique, and read as codes and names."""

from __future__ import annotations

import re

from costpol.diagnostics import NOWHERE
from costpol.policy import codes


def test_every_code_of_the_loader_is_in_the_catalogue_once() -> None:
    declared = {value for value in vars(codes).values() if isinstance(value, codes.Code)}
    assert set(codes.CATALOGUE) == declared
    assert len(codes.CATALOGUE) == len(declared)


def test_codes_and_names_are_unique() -> None:
    assert len({code.code for code in codes.CATALOGUE}) == len(codes.CATALOGUE)
    assert len({code.name for code in codes.CATALOGUE}) == len(codes.CATALOGUE)
    assert all(re.fullmatch(r"CP\d{3}", code.code) for code in codes.CATALOGUE)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", code.name) for code in codes.CATALOGUE)


def test_a_finding_carries_its_code() -> None:
    found = codes.UNKNOWN_KEY.at(NOWHERE, "unknown key `x`", "drop it")
    assert (found.code, found.name, found.severity, found.help) == (
        "CP101", "unknown-key", codes.UNKNOWN_KEY.severity, "drop it",
    )  # fmt: skip
