"""What the models of a policy cost, as of an instant: each from its own price, its reference, or its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from costpol.errors import ProvisionError
from costpol.inference.prices import Price
from costpol.inference.rates import Rates
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.models import Embedder, Model, OwnPrice

_HOW = "add `price:`: a reference such as `openai/gpt-4.1-mini`, or `input` and `output` in USD per million tokens"
_REMEMBERED = 1024
"""Names that callers ask for and whose prices are kept: callers choose them freely."""


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """The price of every model of a policy. `until` (epoch seconds) is when the first of them is replaced by another
    that is known already; `source` names the price data, its version and digest."""

    models: Mapping[str, Price]
    until: float | None
    source: str
    baseline: Callable[[str], Price | None]
    """The price of any model by the name that a caller asks for; `None` where nobody knows it."""
    embedding_rate: int = 0
    """Picodollars that the cache's embedder costs per token; one that runs here costs nothing."""


def price_models(bundle: Bundle, now: float) -> ModelPrices:
    """The prices of a policy at an instant. Raises `ProvisionError` that names the model without a price."""
    from costpol.pricing.book import book_version

    at = datetime.fromtimestamp(now, UTC)
    prices = {name: _price(name, model, now) for name, model in bundle.models.models.items()}
    embedding = _embedding_price(bundle, now)
    known = (*prices.values(), *((embedding,) if embedding is not None else ()))
    changes = [price.effective_until.timestamp() for price in known if price.effective_until is not None]
    book = book_version(at)
    by_name = {model.name: prices[name] for name, model in bundle.models.models.items() if model.name} | prices
    source = f"{book.source} {book.version} {book.digest[:12]}"
    rate = 0 if embedding is None else embedding.rates.input
    return ModelPrices(prices, min(changes, default=None), source, _baseline(by_name, at), rate)


def own_price(price: OwnPrice) -> Price:
    """The price that a policy writes itself."""
    if price.gpu_hour is not None and price.tokens_per_second is not None:
        return Price.from_gpu_hour(price.gpu_hour, price.tokens_per_second)
    if price.input is None or price.output is None:
        raise ProvisionError("a price is either per token or per GPU hour", "write `input` and `output`")
    return Price(
        Rates.per_million(
            input=price.input, output=price.output, cache_read=price.cached_input, cache_write=price.cache_write
        )
    )


def find_model_price(name: str, model: Model, now: float) -> Price | None:
    """The price of one declared model; `None` where nobody knows it."""
    from costpol.pricing.book import find_listed_price, find_price

    at = datetime.fromtimestamp(now, UTC)
    if isinstance(model.price, OwnPrice):
        return own_price(model.price)
    if model.price is not None:
        return find_listed_price(model.price, at)
    return (find_price(model.name, at) if model.name else None) or find_price(name, at)


def find_embedding_price(embedder: Embedder, now: float) -> Price | None:
    """What a declared embedder costs: its own price, or that of the price book; `None` where nobody knows it."""
    from costpol.pricing.book import find_listed_price

    if not embedder.remote:
        return Price(Rates(input=0, output=None))
    if embedder.price is not None:
        return Price(Rates.per_million(input=embedder.price, output=None))
    maker = "google" if embedder.type == "gemini" else "openai"
    model = embedder.model.removeprefix("models/")
    return find_listed_price(f"{maker}/{model}", datetime.fromtimestamp(now, UTC))


def _embedding_price(bundle: Bundle, now: float) -> Price | None:
    """The price of the embedder that the cache declares; `None` where it is the built-in one."""
    embedder = bundle.models.embedders.get(bundle.cache.embedder) if bundle.cache is not None else None
    if embedder is None:
        return None
    price = find_embedding_price(embedder, now)
    if price is None:
        span = embedder.span
        raise ProvisionError(
            f"{span.file}:{span.line}:{span.column}: no price of the embedder model `{embedder.model}` is known",
            "add `price:`, what a million tokens cost",
        )
    return price


def _price(name: str, model: Model, now: float) -> Price:
    price = find_model_price(name, model, now)
    if price is not None:
        return price
    message, help = f"no price of the model `{name}` is known", _HOW
    if isinstance(model.price, str):
        from costpol.pricing.book import load_price

        try:
            return load_price(model.price, datetime.fromtimestamp(now, UTC))
        except ProvisionError as error:
            message, help = error.message, error.help or _HOW
    raise ProvisionError(f"{model.span.file}:{model.span.line}:{model.span.column}: {message}", help)


def _baseline(known: Mapping[str, Price], at: datetime) -> Callable[[str], Price | None]:
    from costpol.pricing.book import find_price

    find_price("gpt-4.1", at)  # loads the price data now rather than with the first request
    remembered: dict[str, Price | None] = dict(known)
    limit = len(remembered) + _REMEMBERED

    def baseline(model: str) -> Price | None:
        if model in remembered:
            return remembered[model]
        price = find_price(model, at)
        if len(remembered) < limit:
            remembered[model] = price
        return price

    return baseline
