from __future__ import annotations

from decimal import Decimal

import pytest

from costpol.errors import ProvisionError
from costpol.inference.usage import Usage
from costpol.policy.bundle import Bundle
from costpol.policy.loader import load_bundle
from costpol.runtime.prices import price_models

NOW = 1_795_000_000.0
MILLION = Usage(1_000_000, 0)


def bundle(models: str) -> Bundle:
    return load_bundle(
        {
            "m.yaml": f"""kind: models
providers: {{sim: {{type: openai, base_url: "http://127.0.0.1:9/v1", key: none}}}}
models:
{models}
""".encode(),
            "r.yaml": b"kind: routing\ndefault: m\n",
        }
    ).require()


def test_a_model_has_its_own_price_a_referenced_one_or_that_of_its_name() -> None:
    prices = price_models(
        bundle(
            """  m: {provider: sim, price: {input: 3 USD, output: 4 USD}}
  n: {provider: sim, price: openai/gpt-4.1-mini}
  gpt-4.1: {provider: sim}
  alias: {provider: sim, name: gpt-4.1}
  gpu: {provider: sim, price: {gpu_hour: 3.60 USD, tokens_per_second: 1000}}"""
        ),
        NOW,
    ).models
    assert prices["m"].cost(MILLION).usd == Decimal(3)
    assert prices["n"].cost(MILLION).usd < prices["gpt-4.1"].cost(MILLION).usd
    assert prices["alias"] == prices["gpt-4.1"]
    assert prices["gpu"].cost(MILLION).usd == Decimal(1)


def test_a_model_without_a_known_price_is_refused_with_its_place() -> None:
    with pytest.raises(ProvisionError, match=r"m\.yaml:4:3: no price of the model `m`"):
        price_models(bundle("  m: {provider: sim, name: nobody-knows}"), NOW)


def test_a_wrong_reference_is_refused_with_its_place_and_a_guess() -> None:
    with pytest.raises(ProvisionError, match=r"m\.yaml:4:3: .*gpt-4\.1-mimi") as error:
        price_models(bundle("  m: {provider: sim, price: openai/gpt-4.1-mimi}"), NOW)
    assert "openai/gpt-4.1-mini" in (error.value.help or "")


def test_the_baseline_knows_the_policy_s_names_first_and_the_price_book_s_then() -> None:
    prices = price_models(bundle("  m: {provider: sim, name: gpt-4.1, price: {input: 3 USD, output: 4 USD}}"), NOW)
    assert prices.baseline("gpt-4.1") == prices.baseline("m") == prices.models["m"]
    assert prices.baseline("gpt-4.1-mini") is not None
    assert prices.baseline("nobody-knows-this") is None


def embedding_rate(declared: str, cache: bytes = b"kind: cache\nembedder: e\n") -> int:
    """Picodollars per token of a declared embedder."""
    models = f"""  m: {{provider: sim, price: {{input: 3 USD, output: 4 USD}}}}
embedders: {{e: {{{declared}}}}}"""
    files = {name: text.encode() for name, text in bundle(models).files.items()} | {"c.yaml": cache}
    return price_models(load_bundle(files).require(), NOW).embedding_rate


@pytest.mark.parametrize(
    ("declared", "rate"),
    [
        ("type: openai, model: x, base_url: 'http://h/v1', dimension: 2, price: 0.13 USD", 130_000),
        ("type: openai, model: x, base_url: 'http://h/v1', dimension: 2, price: 0 USD", 0),
        ("type: openai, model: text-embedding-3-small, key: $K, dimension: 512", 20_000),
        ("type: gemini, model: gemini-embedding-001, key: $K, dimension: 768", 150_000),
        ("type: gemini, model: models/gemini-embedding-001, key: $K, dimension: 768", 150_000),
        ("type: gemini, model: gemini-embedding-001, key: $K, dimension: 768, price: 0.10 USD", 100_000),
        ("type: fastembed, model: BAAI/bge-small-en-v1.5", 0),
    ],
)
def test_an_embedder_has_its_own_price_or_that_of_the_book_and_what_runs_here_is_free(declared: str, rate: int) -> None:
    assert embedding_rate(declared) == rate


def test_an_embedder_that_the_cache_does_not_use_costs_nothing() -> None:
    assert embedding_rate("type: openai, model: nobody-knows, key: $K, dimension: 2", b"kind: cache\n") == 0


def test_an_embedder_without_a_known_price_is_refused_with_its_place() -> None:
    with pytest.raises(ProvisionError, match=r"m\.yaml:5:\d+: no price of the embedder model `nobody-knows` is known"):
        embedding_rate("type: openai, model: nobody-knows, key: $K, dimension: 2")
