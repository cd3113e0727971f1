"""From a name to a listed model, by the matching rules that the price data carries.

A reference is `provider/model` (`openai/gpt-4.1-mini`). The rules find dated and aliased names, and they let a provider
that resells (`azure/gpt-4.1`) fall back to the models of the one it resells.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from costpol.errors import ProvisionError
from costpol.pricing.data import providers
from costpol.pricing.types import ModelInfo, Provider, find_provider

LONGEST_NAME = 256
"""Longer names are in no price list, and matching patterns against them is not worth the time."""
_EXAMPLE = "write a reference such as `openai/gpt-4.1-mini`, or give the model a price of its own"
OWN_PRICE = "give the model a price of its own: `price: {input: ..., output: ...}`, in US dollars per million tokens"


@dataclass(frozen=True, eq=False, slots=True)
class Listing:
    """A model as one provider sells it. Listings compare by identity; one name always finds the same one."""

    provider: Provider
    model: ModelInfo

    @property
    def name(self) -> str:
        return f"{self.provider.id}:{self.model.id}"

    @property
    def own(self) -> bool:
        """Whether the provider lists the model itself, rather than reselling another's."""
        return any(self.model is each for each in self.provider.models)


def resolve(reference: str) -> Listing:
    """The model that a reference means. Raises `ProvisionError` that names the nearest known references."""
    listing = find(reference)
    if listing is not None:
        return listing
    provider_id, slash, model_ref = reference.partition("/")
    if not slash or not model_ref or not provider_id:
        raise ProvisionError(
            f"`{reference}` does not name a provider and a model", _did_you_mean(_elsewhere(reference)) or _EXAMPLE
        )
    provider = _provider(provider_id)
    if provider is None:
        known = [each.id for each in providers()]
        near = [f"{each}/{model_ref}" for each in get_close_matches(provider_id.lower(), known)]
        near = [each for each in near if find(each)] or _elsewhere(model_ref)
        raise ProvisionError(f"no prices of a provider `{provider_id}` are known", _did_you_mean(near) or OWN_PRICE)
    known = [each.id for each in _models_of(provider)]
    near = [f"{provider_id}/{each}" for each in get_close_matches(model_ref.lower(), known)]
    message = f"no price of a model `{model_ref}` of `{provider.id}` is known"
    raise ProvisionError(message, _did_you_mean(near) or OWN_PRICE)


@lru_cache(maxsize=4096)
def guess(model_name: str) -> Listing | None:
    """The listed model that a request's model name means; `None` where unknown.

    The name may carry its provider (`openai/gpt-4.1`, `models/gemini-2.5-pro`); without one, the rules guess it from
    the name (`gpt-...` is OpenAI's).
    """
    listing = find(model_name)
    if listing is not None or len(model_name) > LONGEST_NAME:
        return listing
    name = model_name.removeprefix("models/").lower()
    for provider in providers():
        if provider.model_match is not None and provider.model_match.is_match(name):
            model = provider.find_model(name, all_providers=providers())
            return None if model is None else Listing(provider, model)
    return None


def _models_of(provider: Provider) -> list[ModelInfo]:
    """The models that a provider sells: its own, then those it resells."""
    resold = provider.fallback_model_providers or ()
    return [model for each in (provider, *(p for p in providers() if p.id in resold)) for model in each.models]


@lru_cache(maxsize=4096)
def find(reference: str) -> Listing | None:
    """The model that a reference means; `None` where the data does not have it."""
    provider_id, slash, model_ref = reference.partition("/")
    if not slash or not model_ref or len(reference) > LONGEST_NAME:
        return None
    provider = _provider(provider_id)
    model = provider.find_model(model_ref, all_providers=providers()) if provider else None
    return Listing(provider, model) if provider and model else None


def _provider(provider_id: str) -> Provider | None:
    return find_provider(providers(), provider_id) if provider_id.strip() else None


def _elsewhere(model_ref: str) -> list[str]:
    """References to a model of this name, whoever sells it."""
    listing = guess(model_ref)
    return [] if listing is None else [f"{listing.provider.id}/{model_ref.removeprefix('models/')}"]


def _did_you_mean(references: list[str]) -> str | None:
    return "did you mean " + " or ".join(f"`{each}`" for each in references) + "?" if references else None
