"""A number is written on another scale than the one it is read on: a distance, or a fraction of a percent.

## Bad

```yaml
kind: cache
intents:
  faq: {threshold: 0.1, ttl: 24h, scope: tenant}
```

## Good

```yaml
kind: cache
intents:
  faq: {threshold: 0.92, ttl: 24h, scope: tenant}
```

## Why

`threshold` is a similarity: 1 is equal, 0 has nothing in common. A distance counts the other way round, and read as a
similarity it lets every question hit the first answer that is kept. Nobody means a similarity below one half. A share
of less than one percent, such as `0.95%`, is nearly always a fraction that got a percent sign: it makes a rung of the
ladder act from the first request on.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.lint.caching import cached
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.units import plain

CODE, NAME, SEVERITY = "CP104", "score-scale-mismatch", Severity.ERROR
NEEDS: tuple[str, ...] = ()

NO_SIMILARITY = 0.5
"""Below it nobody means a similarity of questions."""


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for caching in cached(bundle):
        threshold = caching.node.threshold
        if threshold is None or threshold >= NO_SIMILARITY:
            continue
        span = caching.node.at("threshold")
        if _percent(span, bundle) and threshold < 0.01:
            yield _fraction(span, plain(threshold * 100), "nearly every question would hit")
        else:
            yield Diagnostic(
                CODE, NAME, SEVERITY, span, f"`{plain(threshold)}` is a distance, and `threshold` is a similarity",
                help=f"write `threshold: {plain(1 - threshold)}`, or leave it out to cache exact repeats only",
                why="every question would get the first answer that is kept",
                label="equal questions have 1, others less",
            )  # fmt: skip
    for rung in bundle.budgets.ladder if bundle.budgets is not None else ():
        if 0 < rung.share < 0.01 and _percent(rung.at("at"), bundle):
            yield _fraction(rung.at("at"), plain(rung.share * 100), "the rung would act from the first requests on")


def _fraction(span: Span, number: str, why: str) -> Diagnostic:
    return Diagnostic(
        CODE, NAME, SEVERITY, span, f"`{number}%` is a fraction with a percent sign",
        help=f"write `{number}`, or the share in percent", why=why, label="less than one percent",
    )  # fmt: skip


def _percent(span: Span, bundle: Bundle) -> bool:
    """Whether the number was written in percent."""
    lines = bundle.files.get(span.file, "").splitlines()
    return len(lines) >= span.line and "%" in lines[span.line - 1][span.column - 1 : span.end_column - 1]
