"""A similarity threshold, or a limit of wrong hits, that lets different questions share an answer.

## Bad

```yaml
kind: cache
intents:
  faq: {threshold: 0.78, ttl: 24h, scope: tenant}
```

## Good

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h, scope: tenant}
```

## Why

Below the threshold that was measured for the embedder, pairs of questions with different answers are common: in public
sets of near-duplicate questions two of five pairs above 0.85 are not duplicates. Below 0.80 the finding is an error,
whatever the embedder; between 0.80 and the embedder's own cautious threshold (0.90 where none was measured) it is a
warning. `max_wrong_hits` above 5 % is a warning likewise: one hit in twenty is then allowed to be wrong. A wrong answer
costs more than the call that it saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.caching import cached
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.policy.references import BUILT_IN_EMBEDDER
from costpol.units import plain

CODE, NAME, SEVERITY = "CP401", "low-threshold", Severity.WARNING
NEEDS: tuple[str, ...] = ()

NEVER_BELOW = Decimal("0.80")
UNMEASURED = Decimal("0.90")
MOST_WRONG = Decimal("0.05")
NO_SIMILARITY = Decimal("0.5")
"""What is lower is no similarity at all, which is another finding."""


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    if bundle.cache is None:
        return
    embedder = bundle.cache.embedder
    if embedder != BUILT_IN_EMBEDDER and embedder in bundle.models.embedders:
        embedder = bundle.models.embedders[embedder].model
    floor = max(facts.cache_thresholds.get(embedder, UNMEASURED), NEVER_BELOW)
    measured = f"`{embedder}` was measured to need {floor}" if embedder in facts.cache_thresholds else None
    for caching in cached(bundle):
        wrong = caching.node.max_wrong_hits
        if wrong is not None and wrong > MOST_WRONG:
            yield Diagnostic(
                CODE, NAME, SEVERITY, caching.node.at("max_wrong_hits"),
                f"{plain(wrong * 100)} % of the answers given again to {caching.label} may be wrong",
                help="write `max_wrong_hits: 1%`", why="a wrong answer costs more than the call that it saved",
                label=f"above {plain(MOST_WRONG * 100)} %",
            )  # fmt: skip
        threshold = caching.node.threshold
        if threshold is None or threshold >= floor or threshold < NO_SIMILARITY:
            continue
        hopeless = threshold < NEVER_BELOW
        least = NEVER_BELOW if hopeless else floor
        yield Diagnostic(
            CODE, NAME, Severity.ERROR if hopeless else SEVERITY, caching.node.at("threshold"),
            f"at similarity {threshold} different questions to {caching.label} would get one answer",
            help="write `threshold: 0.95`, or leave it out to cache exact repeats only",
            why=measured or f"below {least} wrong answers are common with any embedder",
            label=f"below {least}",
        )  # fmt: skip
