from __future__ import annotations

import pytest

from costpol.cli.selectors import read_selectors
from costpol.diagnostics import NOWHERE, Diagnostic, Severity
from costpol.errors import UsageError

LEAK = Diagnostic("CP303", "personal-intent-cached", Severity.ERROR, NOWHERE, "m")


@pytest.mark.parametrize("word", ["CP303", "cp303", "personal-intent-cached", "CP30", "CP3", "CP", "ALL", "all"])
def test_a_finding_is_named_by_code_name_family_or_all(word: str) -> None:
    (selector,) = read_selectors([word], "--select")
    assert selector.weight(LEAK)


def test_the_more_a_selector_says_the_more_it_weighs() -> None:
    weights = [each.weight(LEAK) for each in read_selectors(["ALL", "CP3", "CP303", "CP4"], "--select")]
    assert weights == [*sorted(weights[:3]), 0]
    assert weights[0] > 0


def test_several_may_stand_in_one_word() -> None:
    assert [each.written for each in read_selectors(["CP3, CP401,", "low-threshold"], "x")] == [
        "CP3", "CP401", "low-threshold",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "help"),
    [
        ("personal-intent-cache", "did you mean `personal-intent-cached`?"),
        ("CP999", None),
        ("CP8888", None),
        ("E501", None),
    ],
)
def test_what_selects_nothing_is_refused(word: str, help: str | None) -> None:
    with pytest.raises(UsageError, match=f"`{word}`") as caught:
        read_selectors([word], "costpol.toml")
    assert caught.value.message.startswith("costpol.toml: ")
    assert caught.value.help is not None
    assert help is None or caught.value.help == help
