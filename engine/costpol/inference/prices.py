"""What a model costs: rates per token, and the arithmetic from a usage to an exact amount.

Rates are whole picodollars (`rates`) and all arithmetic is on integers, so that the ledger, the trace and the report
add up to the last digit.

A context tier is a cliff: a request whose input is larger than the tier's bound pays the tier's rates for all of its
tokens. A kind of token without a rate of its own is charged with the whole that it is part of: cached input as input,
a one hour write as a write, audio as text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct

from costpol.inference.rates import Rates, Tier, gpu_rate
from costpol.inference.usage import Usage
from costpol.units import USD_PER_PICODOLLAR

INPUT_KINDS = frozenset({"input", "cache_read", "cache_write", "cache_write_1h", "input_audio", "cache_audio_read"})
OUTPUT_KINDS = frozenset({"output", "output_audio", "output_image"})


class Part(NamedTuple):
    """One line of a bill: `quantity` tokens (searches, requests) of one kind at `rate` picodollars each."""

    kind: str
    """The name of the rate in `Rates`."""
    quantity: int
    rate: int

    @property
    def picodollars(self) -> int:
        return self.quantity * self.rate

    @property
    def usd(self) -> Decimal:
        return self.quantity * self.rate * USD_PER_PICODOLLAR

    @property
    def rate_usd(self) -> Decimal:
        """Dollars for one token."""
        return self.rate * USD_PER_PICODOLLAR


class Cost(Struct, frozen=True, gc=False):
    """What one call cost: `picodollars` is the sum of `parts`.

    `gaps` say why the true cost may be another: a count that was not reported, counts that contradict each other, a
    kind without a price. A cost with gaps is not `complete` and its amount is only what is known.
    """

    picodollars: int
    parts: tuple[Part, ...]
    gaps: tuple[str, ...] = ()

    @property
    def usd(self) -> Decimal:
        return self.picodollars * USD_PER_PICODOLLAR

    @property
    def complete(self) -> bool:
        return not self.gaps


class _Dearest(NamedTuple):
    """The dearest input and output rate that a request with more than `over` input tokens can meet."""

    over: int
    input: int
    output: int


@dataclass(frozen=True, slots=True)
class Price:
    """Everything that one model costs, in force at one time.

    `source` names where the figures come from (`genai-prices 0.2.3 openai:gpt-4.1`), `as_of` the day up to which they
    are known to hold, `effective_until` the instant at which another price takes over, where that is known already.
    `unmetered` names kinds of token that the provider prices apart and that a usage does not tell apart.
    `request` is a fee per call and `web_search` one per search that the provider ran, in picodollars.
    """

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    request: int = 0
    web_search: int | None = None
    source: str = "policy"
    as_of: date | None = None
    effective_until: datetime | None = None
    unmetered: tuple[str, ...] = ()
    _dearest: Mapping[tuple[bool, bool], tuple[_Dearest, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        bounds = [tier.over for tier in self.tiers]
        if bounds != sorted(set(bounds)) or any(bound < 0 for bound in bounds):
            raise ValueError("the bounds of price tiers must ascend")
        if self.request < 0 or (self.web_search or 0) < 0:
            raise ValueError("a fee is an amount of zero or more")
        sheets = ((-1, self.rates), *((tier.over, tier.rates) for tier in self.tiers))
        dearest = {(media, long): _dearest(sheets, media, long) for media in (False, True) for long in (False, True)}
        object.__setattr__(self, "_dearest", dearest)

    @classmethod
    def from_gpu_hour(
        cls,
        usd_per_hour: Decimal,
        tokens_per_second: Decimal | int,
        *,
        input_tokens_per_second: Decimal | int | None = None,
        as_of: date | None = None,
    ) -> Price:
        """The price of a self-hosted model: what a token takes of the machine's time, rounded up to a picodollar.

        Throughput is that of the whole deployment. With one figure it counts input and output tokens alike; with
        `input_tokens_per_second`, the first figure counts output tokens only. Raises `ValueError` for a price below
        zero or a throughput that is not above zero.
        """
        output = gpu_rate(usd_per_hour, tokens_per_second)
        input = output if input_tokens_per_second is None else gpu_rate(usd_per_hour, input_tokens_per_second)
        speed = f"{tokens_per_second} tokens per second"
        if input_tokens_per_second is not None:
            speed = f"{input_tokens_per_second} input and {tokens_per_second} output tokens per second"
        return cls(Rates(input, output), source=f"{usd_per_hour} USD per hour at {speed}", as_of=as_of)

    def rates_for(self, input_tokens: int) -> Rates:
        """The rates of a request of this size."""
        rates = self.rates
        for tier in self.tiers:
            if input_tokens <= tier.over:
                break
            rates = tier.rates
        return rates

    def cost(self, usage: Usage) -> Cost:
        """The exact cost of a usage, part by part.

        A missing breakdown (cached, audio) leaves its tokens in the whole; a missing whole is a gap, never zero.
        """
        rates = self.rates if not self.tiers else self.rates_for(usage.input_tokens or 0)
        parts: list[Part] = []
        gaps: list[str] = []
        _bill_input(usage, rates, parts, gaps)
        _bill_output(usage, rates, parts, gaps)
        searches = usage.web_searches
        if searches:
            if self.web_search is None:
                gaps.append("web searches are not priced")
            else:
                parts.append(Part("web_search", searches, self.web_search))
        if self.request:
            parts.append(Part("request", 1, self.request))
        total = 0
        for _, quantity, rate in parts:
            total += quantity * rate
        return Cost(total, tuple(parts), tuple(gaps))

    def worst_case(
        self,
        input_tokens: int,
        max_output_tokens: int,
        *,
        media: bool = True,
        long_writes: bool = True,
        searches: int = 0,
    ) -> int:
        """The most that a call within these counts can cost, in picodollars: what a budget sets aside beforehand.

        Every input token pays the dearest input rate (plain, written to the prompt cache, audio), every output token
        the dearest output rate. `media=False` vouches that the request neither holds nor asks for audio or images,
        `long_writes=False` that it asks for no one hour prompt cache. Raises `ValueError` where output is possible
        but has no price.
        """
        if max_output_tokens and self.rates.output is None:
            raise ValueError("the model has no price for output")
        dearest, *steps = self._dearest[media, long_writes]
        for step in steps:
            if input_tokens > step.over:
                dearest = step
        total = input_tokens * dearest.input + max_output_tokens * dearest.output + self.request
        return total + searches * (self.web_search or 0)


@dataclass(frozen=True, slots=True)
class PriceBook(Mapping[str, Price]):
    """The prices that a policy refers to, by reference (`openai/gpt-4.1-mini`). `digest` identifies the figures:
    equal digests price every usage equally. `source`, `version` and `as_of` tell which data they were taken from."""

    prices: Mapping[str, Price]
    source: str
    version: str
    as_of: date | None
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        lines = (f"{name} {p.rates} {p.tiers} {p.request} {p.web_search}\n" for name, p in sorted(self.prices.items()))
        object.__setattr__(self, "prices", MappingProxyType(dict(self.prices)))
        object.__setattr__(self, "digest", hashlib.sha256("".join(lines).encode()).hexdigest())

    def __getitem__(self, reference: str) -> Price:
        return self.prices[reference]

    def __iter__(self) -> Iterator[str]:
        return iter(self.prices)

    def __len__(self) -> int:
        return len(self.prices)


def _bill_input(usage: Usage, rates: Rates, parts: list[Part], gaps: list[str]) -> None:
    read = (usage.cache_read_tokens or 0) if rates.cache_read is not None else 0
    long = usage.cache_write_1h_tokens or 0
    written = max(usage.cache_write_tokens or 0, long)
    if rates.cache_write_1h is None:
        long = 0
    if rates.cache_write is None:
        written = long
    audio = (usage.input_audio_tokens or 0) if rates.input_audio is not None else 0
    whole = usage.input_tokens
    if whole is None:
        gaps.append("input tokens are not reported")
        whole = read + written + audio
    if not (read or written or audio):
        if whole:
            parts.append(Part("input", whole, rates.input))
        return
    both = 0  # cached audio, which is counted in `read` and in `audio`
    if rates.cache_read is not None and rates.input_audio is not None:
        both = _cached_audio_tokens(usage, rates, read, audio, read + written + audio - whole)
        if both > min(read, audio):
            gaps.append("cached audio is more than the cached or the audio tokens")
            both = min(read, audio)
    plain = whole - read - written - audio + both
    if plain < 0:
        gaps.append("input tokens are fewer than their parts")
    for kind, quantity, rate in (
        ("input", plain, rates.input),
        ("cache_read", read - both, rates.cache_read),
        ("cache_write", written - long, rates.cache_write),
        ("cache_write_1h", long, rates.cache_write_1h),
        ("input_audio", audio - both, rates.input_audio),
        ("cache_audio_read", both, _cached_audio_rate(rates)),
    ):
        if quantity > 0 and rate is not None:
            parts.append(Part(kind, quantity, rate))


def _cached_audio_tokens(usage: Usage, rates: Rates, read: int, audio: int, overlap: int) -> int:
    """The cached audio tokens; where they are not reported, the dearest number that the other counts allow."""
    if usage.cache_audio_read_tokens is not None:
        return usage.cache_audio_read_tokens
    most, least = min(read, audio), max(0, min(overlap, read, audio))
    together = rates.input + _cached_audio_rate(rates)
    apart = (rates.cache_read or 0) + (rates.input_audio or 0)
    return most if together > apart else least


def _cached_audio_rate(rates: Rates) -> int:
    """The rate of cached audio; the dearer of its two wholes where it is not priced apart."""
    if rates.cache_audio_read is not None:
        return rates.cache_audio_read
    return max(rates.cache_read or 0, rates.input_audio or 0)


def _bill_output(usage: Usage, rates: Rates, parts: list[Part], gaps: list[str]) -> None:
    audio = (usage.output_audio_tokens or 0) if rates.output_audio is not None else 0
    image = (usage.output_image_tokens or 0) if rates.output_image is not None else 0
    whole = usage.output_tokens
    if whole is None:
        gaps.append("output tokens are not reported")
        whole = audio + image
    plain = whole - audio - image
    if plain < 0:
        gaps.append("output tokens are fewer than their parts")
    if plain > 0 and rates.output is None:
        gaps.append("output is not priced")
    if plain > 0 and rates.output is not None:
        parts.append(Part("output", plain, rates.output))
    if audio and rates.output_audio is not None:
        parts.append(Part("output_audio", audio, rates.output_audio))
    if image and rates.output_image is not None:
        parts.append(Part("output_image", image, rates.output_image))


def _dearest(sheets: tuple[tuple[int, Rates], ...], media: bool, long_writes: bool) -> tuple[_Dearest, ...]:
    """For each bound the dearest rates up to there: the request may turn out smaller than it was counted."""
    steps: list[_Dearest] = []
    input = output = 0
    for over, rates in sheets:
        inputs = [rates.input, rates.cache_read, rates.cache_write]
        outputs = [rates.output]
        if long_writes:
            inputs.append(rates.cache_write_1h)
        if media:
            inputs += [rates.input_audio, rates.cache_audio_read]
            outputs += [rates.output_audio, rates.output_image]
        input = max(input, *(rate for rate in inputs if rate is not None))
        output = max([output, *(rate for rate in outputs if rate is not None)])
        steps.append(_Dearest(over, input, output))
    return tuple(steps)
