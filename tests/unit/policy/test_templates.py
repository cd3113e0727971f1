"""Placeholders are `{{ name }}`; any other double braces are noticed."""

from __future__ import annotations

import pytest

from costpol.policy.templates import placeholders


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("hello", ()),
        ("hello {{ name }}", ("name",)),
        ("{{a}} {{ b }} {{a}}", ("a", "b")),
        ("{{ customer.name }}", ("customer.name",)),
        ('{"json": {"braces": 1}}', ()),
    ],
)
def test_variables_are_found_once_and_in_order(text: str, names: tuple[str, ...]) -> None:
    assert placeholders(text).names == names


@pytest.mark.parametrize("text", ["{{ a", "{{ }}", "{{ two words }}", "{{ a }} }}"])
def test_braces_without_a_variable_are_stray(text: str) -> None:
    assert placeholders(text).stray is not None


def test_sound_text_has_no_stray_braces() -> None:
    assert placeholders("{{ a }} { b } {{c}}").stray is None
