"""What may be declared of an embedder."""

from __future__ import annotations

import pytest

from costpol.policy.loader import load_bundle
from costpol.policy.nodes.models import MOST_AT_ONCE, Embedder

MODELS = """kind: models
providers: {{sim: {{type: openai, base_url: "http://127.0.0.1:9/v1", key: none}}}}
models: {{m: {{provider: sim, price: {{input: 3 USD, output: 4 USD}}}}}}
embedders:
  e: {{{declared}}}
"""


def declared(text: str) -> Embedder | list[tuple[str, str | None]]:
    """The embedder, or what is wrong with it."""
    loaded = load_bundle({"m.yaml": MODELS.format(declared=text).encode(), "r.yaml": b"kind: routing\ndefault: m\n"})
    if loaded.diagnostics:
        return [(found.message, found.help) for found in loaded.diagnostics]
    return loaded.require().models.embedders["e"]


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("type: openai, base_url: 'https://h/v1', model: x, key: $K, dimension: 1536, price: 0.02 USD", True),
        ("type: openai, base_url: 'http://h/v1', model: x, dimension: 1536, price: 0 USD, timeout: 500ms", True),
        ("type: openai, model: text-embedding-3-small, key: $K, dimension: 512", True),
        ("type: gemini, model: gemini-embedding-001, key: $K, dimension: 768, batch: 100", True),
        ("type: fastembed, model: BAAI/bge-small-en-v1.5, download: true", False),
        ("type: sentence-transformers, model: /models/minilm, timeout: 2s, batch: 32", False),
    ],
)
def test_every_form_is_read(text: str, remote: bool) -> None:
    embedder = declared(text)
    assert isinstance(embedder, Embedder)
    assert embedder.remote is remote


def test_equal_declarations_are_equal_and_stand_for_one_another() -> None:
    one, two = (declared(f"{spaces}type: fastembed, model: m") for spaces in ("", "   "))
    assert one == two
    assert len({one, two}) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type: openai, model: x, key: $K", "`dimension` is missing"),
        ("type: openai, model: x, dimension: 2", "`key` is missing"),
        ("type: gemini, model: x, dimension: 2", "`key` is missing"),
        ("type: openai, model: x, base_url: 'http://h/v1', dimension: 2", "`price` is missing"),
        (
            "type: gemini, model: x, key: caller, dimension: 2",
            "an embedder cannot take the caller's key: its vectors are shared",
        ),
        (f"type: gemini, model: x, key: $K, dimension: 2, batch: {MOST_AT_ONCE + 1}", "`batch` is at most 100"),
        ("type: gemini, model: x, key: $K, dimension: 2, download: true", "`download` says nothing of an API"),
        ("type: fastembed, model: x, dimension: 2", "`dimension` says nothing of a model that runs here"),
        ("type: fastembed, model: x, price: 0 USD", "`price` says nothing of a model that runs here"),
        ("type: sentence-transformers, model: x, key: $K", "`key` says nothing of a model that runs here"),
        ("type: fastembed, model: x, base_url: 'http://h'", "`base_url` says nothing of a model that runs here"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_said_with_its_cure(text: str, message: str) -> None:
    found = declared(text)
    assert isinstance(found, list)
    ((said, help),) = found
    assert said == message
    assert help
