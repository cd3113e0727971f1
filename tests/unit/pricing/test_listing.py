"""References against the installed price data: what is found, and what help there is when it is not."""

from __future__ import annotations

import pytest

from costpol.errors import ProvisionError
from costpol.pricing.listing import LONGEST_NAME, guess, resolve


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("openai/gpt-4.1-mini", "openai:gpt-4.1-mini"),
        ("openai/gpt-4.1-mini-2025-04-14", "openai:gpt-4.1-mini"),
        ("OpenAI/GPT-4.1-Mini", "openai:gpt-4.1-mini"),
        ("anthropic/claude-sonnet-4-5", "anthropic:claude-sonnet-4-5"),
        ("google/gemini-2.5-flash", "google:gemini-2.5-flash"),
        ("azure/gpt-4.1", "azure:gpt-4.1"),
        ("openrouter/openai/gpt-4.1", "openrouter:openai/gpt-4.1"),
    ],
)
def test_a_reference_finds_its_model(reference: str, name: str) -> None:
    assert resolve(reference).name == name


def test_one_reference_always_finds_the_same_listing() -> None:
    assert resolve("openai/gpt-4.1") is resolve("openai/gpt-4.1")


def test_a_resold_model_is_not_the_resellers_own() -> None:
    assert resolve("openai/gpt-4.1").own
    assert not resolve("azure/gpt-4.1").own


@pytest.mark.parametrize(
    ("reference", "message", "help"),
    [
        ("openai/gtp-4.1-mini", "no price of a model `gtp-4.1-mini` of `openai` is known", "`openai/gpt-4.1-mini`"),
        ("opnai/gpt-4.1", "no prices of a provider `opnai` are known", "`openai/gpt-4.1`"),
        ("mine/gpt-4.1", "no prices of a provider `mine` are known", "did you mean `openai/gpt-4.1`?"),
        ("gpt-4.1", "`gpt-4.1` does not name a provider and a model", "did you mean `openai/gpt-4.1`?"),
        ("mine/hammer", "no prices of a provider `mine` are known", "price: {input:"),
        ("openai/hammer", "no price of a model `hammer` of `openai` is known", "price: {input:"),
        ("hammer", "`hammer` does not name a provider and a model", "`openai/gpt-4.1-mini`"),
        ("/gpt-4.1", "`/gpt-4.1` does not name a provider and a model", "`openai/gpt-4.1-mini`"),
        ("openai/", "`openai/` does not name a provider and a model", "`openai/gpt-4.1-mini`"),
    ],
)
def test_an_unknown_reference_is_refused_with_the_nearest_names(reference: str, message: str, help: str) -> None:
    with pytest.raises(ProvisionError) as caught:
        resolve(reference)
    assert caught.value.message == message
    assert caught.value.help is not None
    assert help in caught.value.help


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gpt-4.1", "openai:gpt-4.1"),
        ("openai/gpt-4.1", "openai:gpt-4.1"),
        ("claude-sonnet-4-5-20250929", "anthropic:claude-sonnet-4-5"),
        ("models/gemini-2.5-pro", "google:gemini-2.5-pro"),
    ],
)
def test_a_bare_model_name_finds_its_provider(name: str, found: str) -> None:
    listing = guess(name)
    assert listing is not None
    assert listing.name == found


def test_names_beyond_the_limit_are_not_matched() -> None:
    assert guess("claude-3-5-sonnet".ljust(LONGEST_NAME, "x")) is not None
    assert guess("claude-3-5-sonnet".ljust(LONGEST_NAME + 1, "x")) is None
