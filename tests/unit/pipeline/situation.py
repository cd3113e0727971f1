"""Small policies, requests and answers for the tests of this room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np

from costpol.commands import Answered, CallFailed, Embedded, Entry, Hit, Scope
from costpol.inference.caller import Caller
from costpol.inference.prices import Price
from costpol.inference.rates import Rates
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import NO_WISH, Arrival, CacheWish
from costpol.pipeline.compile import Provided, compile_bundle
from costpol.pipeline.flow import Pipeline
from costpol.policy.bundle import Bundle
from costpol.policy.loader import load_bundle, load_folder
from costpol.policy.nodes.models import OwnPrice
from costpol.providers.openai import decode_request

NOW = 1_768_478_400.0  # 2026-01-15T12:00:00Z, a Thursday
MODELS = """
    providers: {house: {type: openai, base_url: "http://127.0.0.1:9/v1", key: none, timeout: 10s}}
    models:
      cheap: {provider: house, price: {input: 0.10 USD, output: 0.40 USD}}
      spare: {provider: house, price: {input: 0.20 USD, output: 0.80 USD}}
      dear: {provider: house, price: {input: 2 USD, output: 8 USD}}
    tiers: {small: [cheap, spare], strong: dear}
    """
ROUTING = "default: small"
CACHE = "otherwise: {threshold: 0.9, ttl: 1h, scope: tenant}"
VECTOR = np.array([1.0, 0.0], dtype=np.float32)
EMBEDDED = Embedded(VECTOR)
REFUSED_AS_WRONG = CallFailed("status", 400)


def bundle(**files: str) -> Bundle:
    """The bundle of these files, by kind and without their `kind:` line; models and routing where none are given."""
    texts = {"models": MODELS, "routing": ROUTING} | files
    loaded = load_bundle({f"{kind}.yaml": f"kind: {kind}\n{dedent(text)}\n".encode() for kind, text in texts.items()})
    assert loaded.bundle is not None, loaded.diagnostics
    return loaded.bundle


def policy(**files: str) -> Pipeline:
    """The compiled policy of these files."""
    return compiled(bundle(**files))


def compiled(read: Bundle, **provided: Any) -> Pipeline:
    prices = {name: _price(model.price) for name, model in read.models.models.items()}
    facts: dict[str, Any] = {"prices": prices, "embedder": "test/2", "floor": 0.7, "baseline": prices.get}
    return compile_bundle(read, Provided(**facts | provided))


def default_policy() -> Pipeline:
    """The bundle that ships, with prices made up."""
    return compiled(default_bundle())


def default_bundle() -> Bundle:
    read = load_folder(Path(__file__).parents[3] / "policies").bundle
    assert read is not None
    return read


def _price(price: object) -> Price:
    if isinstance(price, OwnPrice) and price.input is not None and price.output is not None:
        return Price(Rates.per_million(input=price.input, output=price.output, cache_read=price.cached_input))
    return Price(Rates(400_000, 1_600_000))


def ask(
    text: str | list[dict[str, Any]] = "what is a refund",
    *,
    tenant: str | None = "acme",
    user: str | None = None,
    agent: str | None = None,
    session: str | None = None,
    stage: str | None = None,
    now: float = NOW,
    deadline: float | None = None,
    answer_id: str | None = None,
    wish: CacheWish = NO_WISH,
    **body: Any,
) -> Arrival:
    """A request that arrives; whatever else is named goes into its body."""
    whole = {"model": "cheap", "messages": [{"role": "user", "content": text}]} | body
    request = decode_request(json.dumps(whole).encode())
    return Arrival(request, Caller(tenant, user, agent, session, stage), now, deadline, answer_id, wish)


def answered(content: str = "It is money back.", *, usage: Usage | None = None, **response: Any) -> Answered:
    usage = Usage(input_tokens=20, output_tokens=5) if usage is None else usage
    facts: dict[str, Any] = {"finish_reason": "stop", "body": json.dumps({"content": content}).encode()} | response
    return Answered(Response(content, usage=usage, **facts))


def kept(lookup: Any, *, similarity: float = 1.0, text: str = "what is a refund", **changes: Any) -> Hit:
    """A hit that fits a lookup, with some members changed."""
    facts: dict[str, Any] = {
        "partition": lookup.partition, "question": getattr(lookup, "question", "another"), "scope": lookup.scope,
        "intent": "", "text": text, "body": b"{}", "model": "cheap", "created": lookup.now - 60,
        "expires": lookup.now + 60, "cost_picodollars": 4_000_000, "input_tokens": 20, "output_tokens": 5,
    }  # fmt: skip
    return Hit(Entry(**facts | changes), similarity)


def whats(outcome: Any) -> list[str]:
    """What the trace says happened, in order."""
    return [note.what for note in outcome.trace]


def tenant_scope(name: str) -> Scope:
    return Scope("tenant", f"tenant:{name}")


def chat(*turns: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(turn) for turn in turns]
