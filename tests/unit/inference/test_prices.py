from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from costpol.inference.prices import Cost, Price, PriceBook
from costpol.inference.rates import Rates, Tier
from costpol.inference.usage import Usage

PLAIN = Price(Rates(input=2_000, output=8_000))
CACHING = Price(Rates(input=1_000, output=5_000, cache_read=100, cache_write=1_250, cache_write_1h=2_000))
HEARING = Price(
    Rates(input=300, output=2_500, cache_read=30, input_audio=1_000, cache_audio_read=90, output_audio=9_000)
)
TIERED = Price(Rates(1_000, 5_000, cache_read=100), (Tier(200, Rates(2_000, 7_000, cache_read=300)),))


def amounts(cost: Cost) -> dict[str, int]:
    return {part.kind: part.picodollars for part in cost.parts}


def test_every_token_is_charged_once_at_its_own_rate() -> None:
    usage = Usage(
        input_tokens=100, output_tokens=7, cache_read_tokens=30, cache_write_tokens=20, cache_write_1h_tokens=5
    )
    cost = CACHING.cost(usage)
    assert amounts(cost) == {
        "input": 50 * 1_000,
        "cache_read": 30 * 100,
        "cache_write": 15 * 1_250,
        "cache_write_1h": 5 * 2_000,
        "output": 7 * 5_000,
    }
    assert cost.complete
    assert cost.usd == Decimal("0.000000116750")


def test_a_part_shows_its_arithmetic() -> None:
    (part,) = PLAIN.cost(Usage(input_tokens=3, output_tokens=0)).parts
    assert (part.quantity, part.rate_usd, part.usd) == (3, Decimal("0.000000002"), Decimal("0.000000006"))


def test_a_kind_without_its_own_rate_pays_what_its_whole_pays() -> None:
    usage = Usage(
        input_tokens=100,
        output_tokens=10,
        cache_read_tokens=40,
        cache_write_tokens=30,
        cache_write_1h_tokens=30,
        input_audio_tokens=5,
        output_audio_tokens=5,
        output_image_tokens=2,
    )
    assert amounts(PLAIN.cost(usage)) == {"input": 200_000, "output": 80_000}


def test_a_one_hour_write_without_a_rate_is_a_write() -> None:
    price = Price(replace(CACHING.rates, cache_write_1h=None))
    usage = Usage(input_tokens=10, output_tokens=0, cache_write_tokens=10, cache_write_1h_tokens=10)
    assert amounts(price.cost(usage)) == {"cache_write": 12_500}


def test_a_one_hour_write_reported_alone_is_not_lost() -> None:
    usage = Usage(input_tokens=10, output_tokens=0, cache_write_1h_tokens=10)
    assert amounts(CACHING.cost(usage)) == {"cache_write_1h": 20_000}


def test_cached_audio_is_neither_charged_twice_nor_as_text() -> None:
    usage = Usage(
        input_tokens=100, output_tokens=0, cache_read_tokens=40, input_audio_tokens=50, cache_audio_read_tokens=30
    )
    assert amounts(HEARING.cost(usage)) == {
        "input": 40 * 300,
        "cache_read": 10 * 30,
        "input_audio": 20 * 1_000,
        "cache_audio_read": 30 * 90,
    }


@pytest.mark.parametrize("cached_audio", [90, 0, 5_000, None])
def test_an_unreported_share_of_cached_audio_is_read_as_the_dearest_that_fits(cached_audio: int | None) -> None:
    price = Price(replace(HEARING.rates, cache_audio_read=cached_audio))
    usage = Usage(input_tokens=100, output_tokens=0, cache_read_tokens=70, input_audio_tokens=50)
    fitting = (price.cost(structs.replace(usage, cache_audio_read_tokens=overlap)) for overlap in range(20, 51))
    assert price.cost(usage).complete
    assert price.cost(usage).picodollars == max(cost.picodollars for cost in fitting)


def test_a_tier_is_a_cliff_for_all_tokens_and_starts_above_its_bound() -> None:
    usage = Usage(input_tokens=200, output_tokens=10, cache_read_tokens=50)
    assert TIERED.cost(usage).picodollars == 150 * 1_000 + 50 * 100 + 10 * 5_000
    above = structs.replace(usage, input_tokens=201)
    assert TIERED.cost(above).picodollars == 151 * 2_000 + 50 * 300 + 10 * 7_000


def test_the_highest_tier_reached_counts() -> None:
    price = replace(TIERED, tiers=(*TIERED.tiers, Tier(1_000, Rates(9_000, 9_000))))
    assert [price.rates_for(n).input for n in (0, 200, 201, 1_000, 1_001)] == [1_000, 1_000, 2_000, 2_000, 9_000]


def test_fees_per_request_and_per_search_are_added() -> None:
    price = replace(PLAIN, request=7, web_search=1_000)
    assert amounts(price.cost(Usage(1, 0, web_searches=3))) == {"input": 2_000, "web_search": 3_000, "request": 7}


@pytest.mark.parametrize(
    ("price", "usage", "gap", "known"),
    [
        (PLAIN, Usage(None, 10), "input tokens are not reported", 80_000),
        (PLAIN, Usage(10, None), "output tokens are not reported", 20_000),
        (CACHING, Usage(None, 0, cache_read_tokens=5), "input tokens are not reported", 500),
        (CACHING, Usage(10, 0, cache_read_tokens=15), "input tokens are fewer than their parts", 1_500),
        (HEARING, Usage(0, 1, output_audio_tokens=2), "output tokens are fewer than their parts", 18_000),
        (Price(Rates(1_000, None)), Usage(1, 1), "output is not priced", 1_000),
        (PLAIN, Usage(1, 0, web_searches=1), "web searches are not priced", 2_000),
        (
            HEARING,
            Usage(90, 0, cache_read_tokens=10, input_audio_tokens=50, cache_audio_read_tokens=20),
            "cached audio is more than the cached or the audio tokens",
            40 * 300 + 40 * 1_000 + 10 * 90,
        ),
        (
            HEARING,
            Usage(5, 0, input_audio_tokens=5, cache_audio_read_tokens=5),
            "cached audio is more than the cached or the audio tokens",
            5 * 1_000,
        ),
    ],
)
def test_what_is_unknown_is_a_gap_and_not_zero(price: Price, usage: Usage, gap: str, known: int) -> None:
    cost = price.cost(usage)
    assert cost.gaps == (gap,)
    assert not cost.complete
    assert cost.picodollars == known


def test_an_unreported_usage_has_both_gaps() -> None:
    assert len(PLAIN.cost(Usage()).gaps) == 2


def test_zero_is_known() -> None:
    assert PLAIN.cost(Usage(0, 0)) == Cost(0, ())


def test_an_embedding_is_complete_without_an_output_price() -> None:
    cost = Price(Rates(1_000, None)).cost(Usage(5, 0))
    assert cost.complete
    assert amounts(cost) == {"input": 5_000}


def test_the_worst_case_takes_the_dearest_rate_of_each_side() -> None:
    assert CACHING.worst_case(10, 3) == 35_000
    assert CACHING.worst_case(10, 3, long_writes=False) == 27_500
    assert HEARING.worst_case(10, 3) == 37_000
    assert HEARING.worst_case(10, 3, media=False) == 10_500
    assert TIERED.worst_case(201, 1) == 409_000
    assert replace(PLAIN, request=5, web_search=100).worst_case(1, 1, searches=2) == 10_205


def test_the_worst_case_of_output_without_a_price_is_refused() -> None:
    price = Price(Rates(1_000, None))
    assert price.worst_case(5, 0) == 5_000
    with pytest.raises(ValueError, match="no price for output"):
        price.worst_case(5, 1)


def test_a_cheaper_higher_tier_does_not_lower_the_worst_case() -> None:
    price = Price(Rates(1_000, 1_000), (Tier(10, Rates(1, 1)),))
    assert price.worst_case(11, 0) >= price.cost(Usage(10, 0)).picodollars


def test_a_gpu_hour_is_shared_out_over_its_tokens_and_rounded_up_once() -> None:
    price = Price.from_gpu_hour(Decimal("2.52"), 700, as_of=date(2031, 1, 1))
    assert price.rates == Rates(1_000_000, 1_000_000)
    assert Price.from_gpu_hour(Decimal(1), 7).rates.output == 39_682_540  # 39682539.68 rounded up
    split = Price.from_gpu_hour(Decimal("3.6"), 100, input_tokens_per_second=1_000)
    assert (split.rates.input, split.rates.output) == (1_000_000, 10_000_000)
    assert split.source == "3.6 USD per hour at 1000 input and 100 output tokens per second"


@pytest.mark.parametrize("speed", [0, -1, Decimal("NaN"), Decimal("Infinity")])
def test_a_throughput_must_be_above_zero(speed: Decimal) -> None:
    with pytest.raises(ValueError, match="throughput"):
        Price.from_gpu_hour(Decimal(1), speed)


@pytest.mark.parametrize("amount", [Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_an_amount_must_be_zero_or_more(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="zero or more"):
        Rates.per_million(input=amount, output=None)
    with pytest.raises(ValueError, match="zero or more"):
        Price.from_gpu_hour(amount, 1)


def test_negative_rates_and_fees_and_unordered_tiers_are_refused() -> None:
    with pytest.raises(ValueError, match="`cache_read` is negative"):
        Rates(1, 1, cache_read=-1)
    with pytest.raises(ValueError, match="fee"):
        replace(PLAIN, request=-1)
    with pytest.raises(ValueError, match="ascend"):
        replace(PLAIN, tiers=(Tier(5, PLAIN.rates), Tier(5, PLAIN.rates)))


def test_rates_per_million_are_exact_to_the_picodollar_and_rounded_up_below_it() -> None:
    rates = Rates.per_million(input=Decimal("0.000001"), output=Decimal("0.0000001"), cache_read=Decimal("0.123456"))
    assert (rates.input, rates.output, rates.cache_read) == (1, 1, 123_456)


def test_a_book_is_a_mapping_whose_digest_follows_its_figures_alone() -> None:
    book = PriceBook({"a/b": PLAIN, "a/c": TIERED}, "list", "1", None)
    assert book["a/b"] is PLAIN
    assert set(book) == {"a/b", "a/c"}
    assert len(book) == 2
    renamed = PriceBook({"a/c": TIERED, "a/b": replace(PLAIN, source="elsewhere")}, "other", "2", date(2031, 1, 1))
    assert renamed.digest == book.digest
    for changed in (replace(PLAIN, request=1), replace(PLAIN, web_search=1), Price(Rates(2_000, 8_001)), TIERED):
        assert PriceBook({"a/b": changed, "a/c": TIERED}, "list", "1", None).digest != book.digest


def test_a_book_keeps_its_prices_when_its_source_changes() -> None:
    prices = {"a/b": PLAIN}
    book = PriceBook(prices, "list", "1", None)
    prices["a/b"] = TIERED
    assert book["a/b"] is PLAIN


RATE = st.integers(0, 10**8)
MAYBE = st.none() | RATE
RATES = st.builds(
    Rates,
    input=RATE,
    output=RATE,
    cache_read=MAYBE,
    cache_write=MAYBE,
    cache_write_1h=MAYBE,
    input_audio=MAYBE,
    cache_audio_read=MAYBE,
    output_audio=MAYBE,
    output_image=MAYBE,
)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    bounds = sorted(draw(st.sets(st.integers(0, 1_000), max_size=3)))
    tiers = tuple(Tier(bound, draw(RATES)) for bound in bounds)
    return Price(draw(RATES), tiers, request=draw(RATE), web_search=draw(MAYBE))


@st.composite
def full_usages(draw: st.DrawFn) -> Usage:
    """Usages with every breakdown, whose parts fit in their wholes."""
    text, read, written, heard, heard_cached = (draw(st.integers(0, 600)) for _ in range(5))
    plain, spoken, drawn = (draw(st.integers(0, 600)) for _ in range(3))
    return Usage(
        input_tokens=text + read + written + heard + heard_cached,
        output_tokens=plain + spoken + drawn,
        cache_read_tokens=read + heard_cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=draw(st.integers(0, written)),
        input_audio_tokens=heard + heard_cached,
        cache_audio_read_tokens=heard_cached,
        output_audio_tokens=spoken,
        output_image_tokens=drawn,
    )


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Usages whose parts fit in their wholes, with what providers leave out at times."""
    missing: set[str] = draw(st.sets(st.sampled_from(["cache_write_1h_tokens", "cache_audio_read_tokens"])))
    if draw(st.booleans()):
        missing |= {"cache_read_tokens", "cache_audio_read_tokens"}
    if draw(st.booleans()):
        missing |= {"input_audio_tokens", "cache_audio_read_tokens"}
    nothing: dict[str, Any] = dict.fromkeys(missing)
    return structs.replace(draw(full_usages()), **nothing)


@given(prices(), usages(), st.integers(0, 500), st.integers(0, 500))
def test_no_cost_exceeds_the_worst_case_of_its_counts(price: Price, usage: Usage, more: int, longer: int) -> None:
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    assert price.cost(usage).complete
    assert price.cost(usage).picodollars <= price.worst_case(usage.input_tokens + more, usage.output_tokens + longer)


@given(prices(), usages())
def test_a_vouched_request_stays_within_its_smaller_worst_case(price: Price, usage: Usage) -> None:
    text = structs.replace(
        usage,
        cache_write_1h_tokens=0,
        input_audio_tokens=0,
        cache_audio_read_tokens=0,
        output_audio_tokens=0,
        output_image_tokens=0,
    )
    assert text.input_tokens is not None
    assert text.output_tokens is not None
    worst = price.worst_case(text.input_tokens, text.output_tokens, media=False, long_writes=False)
    assert price.cost(text).picodollars <= worst


@given(prices(), usages())
def test_a_cost_is_the_exact_sum_of_parts_that_count_every_token_once(price: Price, usage: Usage) -> None:
    cost = price.cost(usage)
    assert cost.picodollars == sum(part.picodollars for part in cost.parts)
    assert cost.usd == sum((part.usd for part in cost.parts), Decimal(0))
    tokens = sum(part.quantity for part in cost.parts if part.kind not in ("request", "web_search"))
    assert tokens == usage.total_tokens


COUNT = st.none() | st.integers(0, 1_000)


@given(prices(), st.builds(Usage, *[COUNT] * 9, web_searches=COUNT))
def test_no_usage_however_inconsistent_costs_less_than_nothing(price: Price, usage: Usage) -> None:
    cost = price.cost(usage)
    assert all(part.quantity > 0 and part.rate >= 0 for part in cost.parts)
    assert cost.picodollars >= 0


@given(RATES, full_usages(), full_usages())
def test_without_tiers_and_fees_costs_add_up(rates: Rates, one: Usage, other: Usage) -> None:
    counts = {name for name in Usage.__slots__ if getattr(one, name) is not None} - {"estimated"}
    both = Usage(**{name: getattr(one, name) + getattr(other, name) for name in counts})
    price = Price(rates)
    assert price.cost(both).picodollars == price.cost(one).picodollars + price.cost(other).picodollars
