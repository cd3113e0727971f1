from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from costpol.evaluate.corpus import Corpus
from costpol.evaluate.dry_run import dry_run
from costpol.reporting.savings.figures import Savings

NOW = 1_770_000_000.0

MODELS = """kind: models
providers:
  sim: {type: openai, base_url: "http://127.0.0.1:9/v1", key: $NOT_SET_ANYWHERE}
models:
  small: {provider: sim, price: {input: 1 USD, output: 4 USD}}
  large: {provider: sim, price: {input: 10 USD, output: 40 USD, cached_input: 1 USD}}
tiers: {cheap: small, strong: large}
...
"""
ROUTING = """kind: routing
default: cheap
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
...
"""
PROMPTS = "kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n"
CACHE = "kind: cache\notherwise: {threshold: 0.95, ttl: 1h, scope: tenant}\n...\n"

Lines = Sequence[Mapping[str, Any]]
Policy = Callable[..., dict[str, bytes]]
MakeRecord = Callable[..., dict[str, Any]]
MakeCorpus = Callable[[Lines], Corpus]
Run = Callable[..., Savings]


@pytest.fixture(scope="session")
def policy() -> Policy:
    """`policy(cache=CACHE)`: the smallest policy, and the files named instead of its own or beside them."""

    def make(**files: str) -> dict[str, bytes]:
        texts = {"models": MODELS, "routing": ROUTING, "prompts": PROMPTS} | files
        return {f"p/{name}.yaml": text.encode() for name, text in texts.items()}

    return make


@pytest.fixture(scope="session")
def cached(policy: Policy) -> dict[str, bytes]:
    """The smallest policy with a cache."""
    return policy(cache=CACHE, personalization="kind: personalization\nexclusions: []\n...\n")


@pytest.fixture(scope="session")
def record() -> MakeRecord:
    """`record("hello", (1000, 100), user="ada")`: a line of a log, one question for the model `large`."""

    def make(text: str = "hello", usage: tuple[int, int] | None = (1000, 100), **members: Any) -> dict[str, Any]:
        request = {"model": "large", "messages": [{"role": "user", "content": text}]} | members.pop("request", {})
        line: dict[str, Any] = {"request": request, "tenant": "acme"}
        if usage is not None:
            counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
            line["response"] = {"content": "an answer", "usage": counts}
        return line | members

    return make


@pytest.fixture(scope="session")
def corpus_of(tmp_path_factory: pytest.TempPathFactory) -> MakeCorpus:
    """A corpus of these records."""
    folder = tmp_path_factory.mktemp("logs")

    def make(lines: Lines) -> Corpus:
        path = folder / "log.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return Corpus([str(path)], io.BytesIO())

    return make


@pytest.fixture(scope="session")
def run(corpus_of: MakeCorpus, policy: Policy) -> Run:
    """A dry-run of records: `run(lines, policy(...), against=..., baseline=...)`."""

    def make(lines: Lines, files: Mapping[str, bytes] | None = None, **options: Any) -> Savings:
        return asyncio.run(dry_run(corpus_of(lines), files or policy(), clock=lambda: NOW, **options))

    return make
