"""`kind: models`: the providers that can be called, their models with prices, and the tiers from cheap to strong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.scalars import Count, Duration, KeySource, Name, Url, Usd

MOST_AT_ONCE = 100
"""Texts that one call to an embedding API may carry: Gemini takes no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Node):
    """An endpoint that answers model calls."""

    type: Literal["openai"] = key("the API it speaks: `openai` is any OpenAI-compatible chat completions endpoint")
    base_url: Url = key("its address, up to and with the version", examples=("https://api.openai.com/v1",))
    key_source: KeySource = key(
        "where its key comes from: `$NAME` of an environment variable, `caller` to pass on the caller's own, or `none`",
        default="caller", yaml="key", examples=("$OPENAI_API_KEY",),
    )  # fmt: skip
    timeout: Duration = key(
        "how long one call may take until its first byte", default=120.0, positive=True, examples=("60s",)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPrice(Node):
    """A price of your own: per million tokens, or by GPU hour and measured throughput."""

    input: Usd | None = key("per million input tokens", default=None)
    output: Usd | None = key("per million output tokens", default=None)
    cached_input: Usd | None = key("per million input tokens read from the provider's prompt cache", default=None)
    cache_write: Usd | None = key("per million input tokens written to the provider's prompt cache", default=None)
    gpu_hour: Usd | None = key("what one hour of the serving hardware costs", default=None)
    tokens_per_second: Count | None = key(
        "tokens per second that the hardware was measured to serve, input and output together", default=None, minimum=1
    )

    def problems(self) -> list[tuple[str, str, str | None]]:
        by_token = self.input is not None and self.output is not None
        by_hour = self.gpu_hour is not None and self.tokens_per_second is not None
        if by_token == by_hour:
            return [
                (
                    "",
                    "a price is either per token or per GPU hour",
                    "write `input` and `output`, or `gpu_hour` and `tokens_per_second`",
                )
            ]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Node):
    """A model that requests can be routed to."""

    provider: Name = key("which provider serves it")
    name: str | None = key("what the provider calls it, where that differs from its name here", default=None)
    price: str | OwnPrice | None = key(
        "a reference into the price book such as `openai/gpt-4.1-mini`, or a price of your own; "
        "left out, the price book is asked for the model's name",
        default=None,
    )  # fmt: skip
    context: Count | None = key("its context window in tokens", default=None, positive=True, examples=("128k",))
    max_output: Count | None = key("the most output tokens it can give", default=None, positive=True)
    lacks: tuple[Literal["tools", "json", "images", "streaming"], ...] = key(
        "what it cannot do: requests that need it are not sent there", default=()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder(Node):
    """A text embedder behind an API, or a model that runs here; the built-in `static-en` needs no declaration."""

    type: Literal["openai", "gemini", "fastembed", "sentence-transformers"] = key(
        "the API it speaks (`openai` is any OpenAI-compatible endpoint), or the library that runs it on this machine"
    )
    model: str = key(
        "what the API calls the model; for one that runs here its name on the hub, or the folder that holds it",
        examples=("text-embedding-3-small", "BAAI/bge-small-en-v1.5"),
    )
    base_url: Url | None = key("the API's address, up to and with the version; left out, its maker's", default=None)
    key_source: KeySource = key(
        "where its key comes from: `$NAME` of an environment variable, or `none`", default="none", yaml="key"
    )
    dimension: Count | None = key(
        "how many dimensions its vectors have; a model that runs here says so itself", default=None, minimum=1
    )
    price: Usd | None = key(
        "per million tokens: embedding is a cost of the cache's own; left out, the price book is asked, and what runs "
        "here costs nothing",
        default=None,
    )  # fmt: skip
    timeout: Duration = key("how long an embedding may take before the cache is bypassed", default=1.0, positive=True)
    batch: Count = key("how many texts of requests that wait together are embedded at once", default=16, minimum=1)
    download: bool = key("whether a model that is not on this machine may be fetched from the hub", default=False)

    @property
    def remote(self) -> bool:
        """Whether it is asked over a network."""
        return self.type in ("openai", "gemini")

    def problems(self) -> list[tuple[str, str, str | None]]:
        if not self.remote:
            told = [name for name in ("base_url", "key", "dimension", "price") if self.written(name)]
            return [(name, f"`{name}` says nothing of a model that runs here", f"remove `{name}`") for name in told]
        found: list[tuple[str, str, str | None]] = []
        if self.dimension is None:
            found.append(("", "`dimension` is missing", "add how many dimensions the vectors are to have"))
        if self.key_source == "caller":
            help = "write `$NAME` of an environment variable, or `none`"
            found.append(("key", "an embedder cannot take the caller's key: its vectors are shared", help))
        elif self.base_url is None and self.key_source == "none":
            found.append(("", "`key` is missing", "add the key's variable, such as `key: $OPENAI_API_KEY`"))
        if self.base_url is not None and self.price is None:
            help = "add what a million tokens cost there, `0 USD` where they cost nothing"
            found.append(("base_url", "`price` is missing", help))
        if self.batch > MOST_AT_ONCE:
            found.append(("batch", f"`batch` is at most {MOST_AT_ONCE}", f"write {MOST_AT_ONCE} or less"))
        if self.written("download"):
            found.append(("download", "`download` says nothing of an API", "remove `download`"))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Models(Node):
    """The `models` file."""

    kind: Literal["models"] = key("what this file declares")
    providers: Mapping[Name, Provider] = key("the endpoints that answer model calls", non_empty=True)
    models: Mapping[Name, Model] = key("the models that requests can be routed to", non_empty=True)
    tiers: Mapping[Name, tuple[Name, ...]] = key(
        "tiers from cheap to strong, each with its models in the order they are tried",
        default_factory=dict, one_or_many=True,
    )  # fmt: skip
    embedders: Mapping[Name, Embedder] = key("embedders besides the built-in one", default_factory=dict)

    def problems(self) -> list[tuple[str, str, str | None]]:
        empty = [name for name, models in self.tiers.items() if not models]
        return [(f"tiers.{name}", f"no model is in the tier `{name}`", "name at least one") for name in empty]
