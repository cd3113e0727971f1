"""The words in which the price data is written: the data file calls these by name, and asks its package for them.

`genai-prices` keeps its data as Python that imports its classes from beside it. Run with these in their place, it needs
neither the package's HTTP client nor its schema library, and loads in a tenth of the time. Their names and parameters
are the data's own; a test compares what they answer with what the package answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

__all__ = [
    "ArrayMatch",
    "ClauseAnd",
    "ClauseContains",
    "ClauseEndsWith",
    "ClauseEquals",
    "ClauseOr",
    "ClauseRegex",
    "ClauseStartsWith",
    "ConditionalPrice",
    "ModelInfo",
    "ModelPrice",
    "PriceVariant",
    "Provider",
    "StartDateConstraint",
    "Tier",
    "TieredPrices",
    "TimeOfDateConstraint",
    "UsageExtractor",
    "UsageExtractorMapping",
]

_COMPACT_DATE = re.compile(r"-(20[0-9]{2})([01][0-9])([0-3][0-9])(?=-|:|$)")


class Clause(Protocol):
    """A condition on a name in lower case."""

    def is_match(self, text: str) -> bool: ...


class _Operand:
    __slots__ = ("operand",)

    def __init__(self, operand: str) -> None:
        self.operand = operand.lower()


class ClauseEquals(_Operand):
    """The name is this one."""

    def __init__(self, equals: str) -> None:
        super().__init__(equals)

    def is_match(self, text: str) -> bool:
        return text == self.operand


class ClauseStartsWith(_Operand):
    """The name starts like this."""

    def __init__(self, starts_with: str) -> None:
        super().__init__(starts_with)

    def is_match(self, text: str) -> bool:
        return text.startswith(self.operand)


class ClauseEndsWith(_Operand):
    """The name ends like this."""

    def __init__(self, ends_with: str) -> None:
        super().__init__(ends_with)

    def is_match(self, text: str) -> bool:
        return text.endswith(self.operand)


class ClauseContains(_Operand):
    """The name holds this somewhere."""

    def __init__(self, contains: str) -> None:
        super().__init__(contains)

    def is_match(self, text: str) -> bool:
        return self.operand in text


class ClauseRegex:
    """A pattern of the data, never of a user, is found in the name."""

    __slots__ = ("_regex",)

    def __init__(self, regex: str) -> None:
        self._regex = regex

    def is_match(self, text: str) -> bool:
        return re.search(self._regex, text) is not None


class ClauseOr:
    """Any of these holds."""

    __slots__ = ("_clauses",)

    def __init__(self, or_: Sequence[Clause]) -> None:
        self._clauses = or_

    def is_match(self, text: str) -> bool:
        return any(clause.is_match(text) for clause in self._clauses)


class ClauseAnd:
    """All of these hold."""

    __slots__ = ("_clauses",)

    def __init__(self, and_: Sequence[Clause]) -> None:
        self._clauses = and_

    def is_match(self, text: str) -> bool:
        return all(clause.is_match(text) for clause in self._clauses)


class StartDateConstraint:
    """From midnight UTC of this day on."""

    __slots__ = ("start_date",)

    def __init__(self, start_date: date) -> None:
        self.start_date = start_date

    def active(self, at: datetime) -> bool:
        return _utc(at).date() >= self.start_date


class TimeOfDateConstraint:
    """Every day between two times; a time without a zone is UTC."""

    __slots__ = ("end_time", "start_time")

    def __init__(self, start_time: time, end_time: time) -> None:
        self.start_time = start_time
        self.end_time = end_time

    def active(self, at: datetime) -> bool:
        now, start, end = _utc(at).time(), _utc_time(self.start_time), _utc_time(self.end_time)
        return start <= now < end if start <= end else now >= start or now < end


Constraint = StartDateConstraint | TimeOfDateConstraint


class Tier:
    """The figure above so many input tokens."""

    __slots__ = ("price", "start")

    def __init__(self, start: int, price: Decimal) -> None:
        self.start = start
        self.price = price


class TieredPrices:
    """A figure that depends on the input tokens of the request; the tiers ascend."""

    __slots__ = ("base", "tiers")

    def __init__(self, base: Decimal, tiers: Iterable[Tier]) -> None:
        self.base = base
        self.tiers = sorted(tiers, key=lambda tier: tier.start)


class ModelPrice(dict[str, Decimal | TieredPrices]):
    """Figures by the name of what they are paid for: `input_mtok` is US dollars per million input tokens."""


class ConditionalPrice:
    """A price, and when it holds; always where it does not say."""

    __slots__ = ("constraint", "prices")

    def __init__(self, constraint: Constraint | None = None, *, prices: ModelPrice) -> None:
        self.constraint = constraint
        self.prices = prices


class PriceVariant:
    """Figures that take the place of the standard ones for some requests, such as batches."""

    __slots__ = ("constraint", "prices", "when")

    def __init__(self, when: Mapping[str, str], prices: ModelPrice, constraint: Constraint | None = None) -> None:
        self.when = when
        self.prices = prices
        self.constraint = constraint


class ModelInfo:
    """A model as one provider lists it."""

    __slots__ = ("context_window", "id", "match", "price_variants", "prices")

    def __init__(
        self,
        id: str,
        match: Clause,
        *,
        context_window: int | None = None,
        prices: ModelPrice | list[ConditionalPrice] | None = None,
        price_variants: list[PriceVariant] | None = None,
        **_: Any,
    ) -> None:
        self.id = id
        self.match = match
        self.context_window = context_window
        self.prices = [] if prices is None else prices
        self.price_variants = price_variants

    def get_prices(self, at: datetime, context: Mapping[str, str] | None = None) -> ModelPrice:
        """The figures in force at an instant. Of dated ones the last that holds, of variants the first."""
        standard = self.prices if isinstance(self.prices, ModelPrice) else _in_force(self.prices, at)
        overrides = ModelPrice()
        for variant in (self.price_variants or ()) if context else ():
            active = variant.constraint is None or variant.constraint.active(at)
            if active and context is not None and all(context.get(key) == value for key, value in variant.when.items()):
                overrides = ModelPrice(variant.prices | overrides)
        return ModelPrice(standard | overrides) if overrides else standard


class Provider:
    """Whoever sells models. It may resell those of `fallback_model_providers`."""

    __slots__ = ("fallback_model_providers", "id", "model_match", "models", "provider_match")

    def __init__(
        self,
        id: str,
        *,
        model_match: Clause | None = None,
        provider_match: Clause | None = None,
        fallback_model_providers: list[str] | None = None,
        models: list[ModelInfo] | None = None,
        **_: Any,
    ) -> None:
        self.id = id
        self.model_match = model_match
        self.provider_match = provider_match
        self.fallback_model_providers = fallback_model_providers
        self.models = models or []

    def find_model(self, name: str, all_providers: Sequence[Provider] = ()) -> ModelInfo | None:
        """The first model that a name means, own before resold ones; `-20250414` is tried as `-2025-04-14`, too."""
        lowered = name.lower()
        dashed = _COMPACT_DATE.sub(_dashed, lowered)
        found = self._match(lowered, all_providers)
        return self._match(dashed, all_providers) if found is None and dashed != lowered else found

    def _match(self, name: str, all_providers: Sequence[Provider]) -> ModelInfo | None:
        resold = (each for id in self.fallback_model_providers or () for each in all_providers if each.id == id)
        sold = (model for seller in (self, *resold) for model in seller.models)
        return next((model for model in sold if model.match.is_match(name)), None)


def find_provider(providers: Sequence[Provider], name: str) -> Provider | None:
    """The provider of this id, or else the first that goes by such a name."""
    lowered = name.lower().strip()
    by_id = next((each for each in providers if each.id == lowered), None)
    others = (each for each in providers if each.provider_match is not None and each.provider_match.is_match(lowered))
    return by_id or next(others, None)


def _unread(**_: Any) -> None:
    """What the data says about the bodies of answers, which is read elsewhere."""


ArrayMatch: Callable[..., None] = _unread
UsageExtractor: Callable[..., None] = _unread
UsageExtractorMapping: Callable[..., None] = _unread


def _in_force(dated: Sequence[ConditionalPrice], at: datetime) -> ModelPrice:
    """The last that holds; the first where none does; nothing where nothing is listed."""
    holding = (each.prices for each in reversed(dated) if each.constraint is None or each.constraint.active(at))
    return next(holding, dated[0].prices if dated else ModelPrice())


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _utc_time(clock: time) -> time:
    return clock if clock.tzinfo is None else datetime.combine(date(1970, 1, 2), clock).astimezone(UTC).time()


def _dashed(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return found[0]
    return f"-{year}-{month}-{day}"
