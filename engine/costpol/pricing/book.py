"""Prices of hosted models, as they are in force at a given instant.

A start date counts from midnight UTC. Where a provider's price depends on the time of day, it is the price of that time
of day, not an average and not the dearest: `Price.effective_until` tells when another price takes over, and whoever
keeps a price for longer asks again then. Priced is the standard service tier; `load_batch_price` has the batch one.

Nothing here belongs on the request path: prices are loaded when a policy is provisioned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from costpol.errors import ProvisionError
from costpol.inference.prices import Price, PriceBook
from costpol.pricing.conversion import price_from
from costpol.pricing.data import SOURCE, BookVersion, book_version, dated_prices, installed_version, newest_price, utc
from costpol.pricing.listing import OWN_PRICE, Listing, find, guess, resolve
from costpol.pricing.types import Constraint, ModelInfo, TimeOfDateConstraint

__all__ = [
    "BookVersion",
    "book_version",
    "find_listed_price",
    "find_price",
    "load_batch_price",
    "load_book",
    "load_context_window",
    "load_price",
]

_BATCH = {"processing": "batch"}


def load_price(reference: str, at: datetime) -> Price:
    """The price of a referenced model (`openai/gpt-4.1-mini`) at an instant.

    Raises `ProvisionError` for an unknown model, naming the nearest known ones, and for one without a price per token.
    """
    price = _price_at(resolve(reference), at)
    if price is None:
        raise ProvisionError(f"`{reference}` has no known price per token", OWN_PRICE)
    return price


def find_listed_price(reference: str, at: datetime) -> Price | None:
    """The price of a referenced model at an instant; `None` where `load_price` would raise, without looking for what
    was meant."""
    listing = find(reference)
    return None if listing is None else _price_at(listing, at)


def load_batch_price(reference: str, at: datetime) -> Price | None:
    """The price of a referenced model through its provider's batch API; `None` where no batch price is known.

    Raises `ProvisionError` for an unknown model.
    """
    listing = resolve(reference)
    variants = (listing.model.price_variants or ()) if listing.own else ()
    batched = [each for each in variants if each.when == _BATCH]
    if not any(each.constraint is None or each.constraint.active(at) for each in batched):
        return None
    return _price_at(listing, at, batch=True)


def load_book(references: Iterable[str], at: datetime) -> PriceBook:
    """The prices of all references at an instant. Raises `ProvisionError` for the first that cannot be priced."""
    current = book_version(at)
    prices = {reference: load_price(reference, at) for reference in references}
    return PriceBook(prices, current.source, current.version, current.as_of)


def find_price(model_name: str, at: datetime) -> Price | None:
    """The price of a model by the name that a request gives it, with or without a provider; `None` where unknown."""
    listing = guess(model_name)
    return None if listing is None else _price_at(listing, at)


def load_context_window(reference: str) -> int | None:
    """The most input tokens that a referenced model takes, where known. Raises `ProvisionError` for an unknown one."""
    return resolve(reference).model.context_window


def _price_at(listing: Listing, at: datetime, batch: bool = False) -> Price | None:
    instant = utc(at)
    if any(isinstance(constraint, TimeOfDateConstraint) for constraint in _constraints(listing.model)):
        return _price(listing, instant, batch)
    return _price_on(listing, instant.date(), batch)


@lru_cache(maxsize=4096)
def _price_on(listing: Listing, day: date, batch: bool) -> Price | None:
    return _price(listing, datetime.combine(day, time(), UTC), batch)


def _price(listing: Listing, at: datetime, batch: bool) -> Price | None:
    context = _BATCH if batch else None
    figures = listing.model.get_prices(at, context)
    changes = sorted(_changes(listing.model, at))
    until = next((each for each in changes if listing.model.get_prices(each, context) != figures), None)
    source = f"{SOURCE} {installed_version()} {listing.name}{' batch' if batch else ''}"
    return price_from(figures, source, newest_price(at.date()), until)


def _constraints(model: ModelInfo) -> Iterator[Constraint]:
    for each in (*dated_prices(model), *(model.price_variants or ())):
        if each.constraint is not None:
            yield each.constraint


def _changes(model: ModelInfo, at: datetime) -> Iterator[datetime]:
    """The instants after `at` at which another price may take over: start dates and the next turns of the clock."""
    for constraint in _constraints(model):
        if isinstance(constraint, TimeOfDateConstraint):
            for clock in (constraint.start_time, constraint.end_time):
                for day in (-1, 0, 1, 2):
                    turn = utc(datetime.combine(at.date() + timedelta(days=day), clock))
                    if turn > at:
                        yield turn
        else:
            start = datetime.combine(constraint.start_date, time(), UTC)
            if start > at:
                yield start
