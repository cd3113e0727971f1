"""Prices by reference and by instant, on an invented price list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from costpol.errors import ProvisionError
from costpol.pricing import book, data, listing
from costpol.pricing.types import (
    ClauseContains,
    ClauseStartsWith,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    TimeOfDateConstraint,
)


def figures(input: int) -> ModelPrice:
    return ModelPrice(input_mtok=Decimal(input), output_mtok=Decimal(input * 4))


def model(name: str, prices: ModelPrice | list[ConditionalPrice], **others: object) -> ModelInfo:
    return ModelInfo(id=name, match=ClauseStartsWith(starts_with=name), prices=prices, **others)  # type: ignore[arg-type]


ACME = Provider(
    id="acme",
    name="Acme",
    api_pattern="https://acme",
    model_match=ClauseStartsWith(starts_with="anvil"),
    models=[
        model("anvil-small", figures(1), context_window=4_096),
        model(
            "anvil-large",
            [
                ConditionalPrice(prices=figures(10)),
                ConditionalPrice(StartDateConstraint(date(2031, 3, 1)), prices=figures(8)),
                ConditionalPrice(StartDateConstraint(date(2031, 6, 1)), prices=figures(6)),
            ],
            price_variants=[
                PriceVariant({"processing": "batch"}, figures(3), StartDateConstraint(date(2031, 4, 1))),
                PriceVariant({"service_tier": "priority"}, figures(20)),
            ],
        ),
        model(
            "anvil-night",
            [
                ConditionalPrice(prices=figures(5)),
                ConditionalPrice(TimeOfDateConstraint(time(22, tzinfo=UTC), time(4, tzinfo=UTC)), prices=figures(2)),
            ],
        ),
        model("anvil-voice", ModelPrice(audio_hours=Decimal(1))),
    ],
)
RESELLER = Provider(
    id="bulk",
    name="Bulk",
    api_pattern="https://bulk",
    provider_match=ClauseContains(contains="bulk"),
    fallback_model_providers=["acme"],
)


@pytest.fixture(autouse=True)
def invented_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    caches = (listing.guess, listing.find, book._price_on, data._start_dates)
    for module in (data, listing):
        monkeypatch.setattr(module, "providers", lambda: (ACME, RESELLER))
    for each in caches:
        each.cache_clear()
    yield
    for each in caches:
        each.cache_clear()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_price_holds_from_midnight_of_its_start_date_in_utc() -> None:
    def input_rate(instant: datetime) -> int:
        return book.load_price("acme/anvil-large", instant).rates.input

    assert input_rate(at("2031-02-28T23:59:59")) == 10_000_000
    assert input_rate(at("2031-03-01T00:00:00")) == 8_000_000
    assert input_rate(at("2035-01-01")) == 6_000_000
    east = timezone(timedelta(hours=5))
    assert input_rate(datetime(2031, 3, 1, 4, 59, tzinfo=east)) == 10_000_000
    assert input_rate(datetime(2031, 3, 1, 5, 0, tzinfo=east)) == 8_000_000


def test_a_price_tells_when_the_next_one_takes_over() -> None:
    price = book.load_price("acme/anvil-large", at("2031-03-15T12:00"))
    assert price.effective_until == at("2031-06-01")
    assert book.load_price("acme/anvil-large", at("2031-06-01")).effective_until is None
    assert book.load_price("acme/anvil-small", at("2031-03-15")).effective_until is None


@pytest.mark.parametrize(
    ("instant", "rate", "until"),
    [
        ("2031-01-01T12:00", 5, "2031-01-01T22:00"),
        ("2031-01-01T21:59:59", 5, "2031-01-01T22:00"),
        ("2031-01-01T22:00", 2, "2031-01-02T04:00"),
        ("2031-01-02T03:59", 2, "2031-01-02T04:00"),
        ("2031-01-02T04:00", 5, "2031-01-02T22:00"),
    ],
)
def test_a_price_by_the_clock_is_that_of_the_hour(instant: str, rate: int, until: str) -> None:
    price = book.load_price("acme/anvil-night", at(instant))
    assert price.rates.input == rate * 1_000_000
    assert price.effective_until == at(until)


def test_the_batch_price_is_found_where_it_is_known_and_in_force() -> None:
    batch = book.load_batch_price("acme/anvil-large", at("2031-05-01"))
    assert batch is not None
    assert batch.rates.input == 3_000_000
    assert batch.source.endswith("acme:anvil-large batch")
    assert book.load_batch_price("acme/anvil-large", at("2031-03-01")) is None
    assert book.load_batch_price("acme/anvil-small", at("2031-05-01")) is None
    assert book.load_price("acme/anvil-large", at("2031-05-01")).rates.input == 8_000_000


def test_a_reseller_sells_at_the_standard_price_without_its_suppliers_batch() -> None:
    assert book.load_price("bulk/anvil-large", at("2031-05-01")).rates.input == 8_000_000
    assert book.load_price("the-bulk-shop/anvil-large", at("2031-05-01")).source.endswith(" bulk:anvil-large")
    assert book.load_batch_price("bulk/anvil-large", at("2031-05-01")) is None


@pytest.mark.parametrize("name", ["anvil-small", "acme/anvil-small", "anvil-small-2031-01-01", "ANVIL-small"])
def test_a_requests_model_name_finds_its_price(name: str) -> None:
    price = book.find_price(name, at("2031-01-01"))
    assert price is not None
    assert price == book.load_price("acme/anvil-small", at("2031-01-01"))


@pytest.mark.parametrize("name", ["", "hammer", "anvil", "acme/hammer", "anvil-voice", "anvil-small" * 100])
def test_an_unknown_or_unpriced_model_has_no_price_rather_than_a_free_one(name: str) -> None:
    assert book.find_price(name, at("2031-01-01")) is None


def test_a_model_without_a_price_per_token_is_refused_with_help() -> None:
    with pytest.raises(ProvisionError, match="`acme/anvil-voice` has no known price per token") as caught:
        book.load_price("acme/anvil-voice", at("2031-01-01"))
    assert caught.value.help is not None
    assert "price: {input:" in caught.value.help


def test_a_book_holds_every_reference_and_names_its_data() -> None:
    prices = book.load_book(["acme/anvil-small", "acme/anvil-large"], at("2031-05-01"))
    assert set(prices) == {"acme/anvil-small", "acme/anvil-large"}
    assert prices.as_of == date(2031, 3, 1)
    assert (prices.source, prices.version) == book.book_version(at("2031-05-01"))[:2]
    later = book.load_book(["acme/anvil-small", "acme/anvil-large"], at("2031-05-02"))
    assert later.digest == prices.digest
    assert book.load_book(["acme/anvil-small", "acme/anvil-large"], at("2031-06-01")).digest != prices.digest


def test_an_unknown_reference_keeps_a_book_from_loading() -> None:
    with pytest.raises(ProvisionError):
        book.load_book(["acme/anvil-small", "acme/hammer"], at("2031-05-01"))


def test_the_context_window_is_known_or_not() -> None:
    assert book.load_context_window("acme/anvil-small") == 4_096
    assert book.load_context_window("acme/anvil-large") is None
