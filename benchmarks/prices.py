"""Does the cost meter agree with prices that others computed, to the last digit?

Reads the recorded usage bodies of genai-prices' public test data (`genai-prices/usages.json` under `--data` or
`COSTPOL_BENCH_DATA`), turns each OpenAI, Anthropic and Google body into a `Usage`, prices it, and compares with the
price that the data states. Compared are the input part and the output part, and the total where it is stated.

The stated prices were computed on some day before 2026-08-21, when one of the models became cheaper: `--at` is the day
whose prices are used. Where costpol and the data disagree, the installed genai-prices is asked as a third: if it agrees
with costpol, the price list has changed since the data was recorded. A gap is flagged where the amounts agree but
costpol knows of something that neither price covers, such as a web search without a known fee.

Exit 0: agreed, or every disagreement is explained by a changed price list, or the data is missing (`skipped`). Exit 1:
costpol disagrees.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from genai_prices import calc_price, extract_usage

from costpol.errors import ProvisionError
from costpol.inference.prices import INPUT_KINDS, OUTPUT_KINDS, Cost
from costpol.inference.usage_bodies import usage_from
from costpol.pricing.book import book_version, load_price

FLAVORS = {
    ("openai", "chat"): "openai-chat",
    ("openai", "responses"): "openai-responses",
    ("openai", "embeddings"): "openai-embeddings",
    ("anthropic", "default"): "anthropic-messages",
    ("anthropic", "chat"): "openai-chat",
    ("google", "default"): "google-gemini",
    ("google", "chat"): "openai-chat",
    ("google", "anthropic"): "anthropic-messages",
}

AGREE = "agree"
LIST_CHANGED = "the price list has changed since"
FLAGGED = "agree, and costpol flags a gap"
UNPRICED = "costpol knows no price"
WRONG = "costpol differs"


@dataclass(frozen=True, slots=True)
class Case:
    """One body, read as one provider's API would, with the price stated for it (input, output, total)."""

    provider: str
    flavor: str
    model: str
    body: Mapping[str, Any]
    stated: tuple[Decimal, Decimal, Decimal | None]

    @property
    def group(self) -> str:
        return f"{self.provider}/{self.flavor}"


def cases(path: Path) -> Iterator[Case]:
    """Every priced reading of every body by the providers at hand; one reading per provider, API and usage."""
    for entry in json.loads(path.read_text(encoding="utf-8")):
        for reading in entry["extracted"]:
            for extractor in reading["extractors"]:
                provider, flavor = extractor["provider_id"], extractor["api_flavor"]
                if (provider, flavor) in FLAVORS and "input_price" in extractor:
                    total = extractor.get("total_price")
                    stated = (
                        Decimal(extractor["input_price"]),
                        Decimal(extractor["output_price"]),
                        None if total is None else Decimal(total),
                    )
                    yield Case(provider, flavor, entry["model"], entry["body"], stated)


def priced(case: Case, at: datetime) -> Cost:
    body = case.body
    usage = usage_from(FLAVORS[case.provider, case.flavor], body.get("usage") or body.get("usageMetadata"))
    return load_price(f"{case.provider}/{case.model}", at).cost(usage)


def verdict(case: Case, at: datetime) -> tuple[str, str]:
    """The class that a case falls in, and the figures for the table of disagreements."""
    try:
        cost = priced(case, at)
    except ProvisionError as error:
        return UNPRICED, error.message
    ours = (_sum(cost, INPUT_KINDS), _sum(cost, OUTPUT_KINDS), cost.usd if case.stated[2] is not None else None)
    if ours == case.stated:
        return (AGREE, "") if cost.complete else (FLAGGED, "; ".join(cost.gaps))
    figures = f"stated {_figures(case.stated)}, costpol {_figures(ours)}"
    return (LIST_CHANGED if _installed(case, at)[:2] == ours[:2] else WRONG), figures


def _sum(cost: Cost, kinds: frozenset[str]) -> Decimal:
    return sum((part.usd for part in cost.parts if part.kind in kinds), Decimal(0))


def _installed(case: Case, at: datetime) -> tuple[Decimal, Decimal]:
    """What the installed genai-prices computes for the same body, model and day."""
    usage = extract_usage(case.body, provider_id=case.provider, api_flavor=case.flavor).usage
    result = calc_price(usage, case.model, provider_id=case.provider, genai_request_timestamp=at)
    return result.input_price, result.output_price


def _agreed(outcomes: Counter[str]) -> int:
    return outcomes[AGREE] + outcomes[FLAGGED]


def _figures(amounts: tuple[Decimal | None, ...]) -> str:
    return " + ".join(f"{amount.normalize():f}" for amount in amounts[:2] if amount is not None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("COSTPOL_BENCH_DATA"))
    parser.add_argument("--at", type=datetime.fromisoformat, default=datetime(2026, 8, 20, tzinfo=UTC))
    options = parser.parse_args()
    path = options.data and Path(options.data) / "genai-prices" / "usages.json"
    if not path or not path.is_file():
        print("skipped: no data; give the folder of the public data as --data or COSTPOL_BENCH_DATA")
        return 0
    counts: dict[str, Counter[str]] = {}
    rows: Counter[tuple[str, str, str, str]] = Counter()
    for case in cases(path):
        outcome, detail = verdict(case, options.at)
        counts.setdefault(case.group, Counter())[outcome] += 1
        if outcome != AGREE:
            rows[outcome, case.group, case.model, detail] += 1
    source = book_version(options.at)
    print(f"{source.source} {source.version}, prices of {options.at:%Y-%m-%d}\n")
    for group, outcomes in sorted(counts.items()):
        print(f"{group:20} agree {_agreed(outcomes)} of {outcomes.total()}")
    total = sum((outcomes for outcomes in counts.values()), Counter[str]())
    print(f"{'all':20} agree {_agreed(total)} of {total.total()}")
    for (outcome, group, model, detail), count in sorted(rows.items()):
        print(f"\n{count} x {outcome}: {group} {model}: {detail}", end="")
    if rows:
        print()
    return 1 if total[WRONG] or total[UNPRICED] else 0


if __name__ == "__main__":
    sys.exit(main())
