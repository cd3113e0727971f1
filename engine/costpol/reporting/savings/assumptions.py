"""What a report takes for granted, in sentences: only what was in fact assumed on this log."""

from __future__ import annotations

from costpol.reporting.savings.figures import Savings
from costpol.units import format_usd, usd

_REASONS = 5


def assumptions(savings: Savings) -> list[str]:
    """One sentence for everything that is not recorded fact."""
    estimates = savings.estimates
    found = []
    if savings.errors:
        errors = "1 error" if savings.errors == 1 else f"{savings.errors} errors"
        found.append(f"the policy has {errors} and would not be served: `costpol validate` shows them")
    if savings.baseline_model == "requested":
        found.append("the baseline is the model that each request asked for, at its recorded tokens")
    else:
        found.append(f"the baseline is {savings.baseline_model} for every request, at its recorded tokens")
    found.append(f"prices are today's: {savings.prices}")
    if savings.unpriced:
        names = ", ".join(list(savings.unpriced_models)[:5])
        more = " and others" if len(savings.unpriced_models) > 5 else ""
        found.append(
            f"{counted(savings.unpriced)} of {names}{more} {_are(savings.unpriced)} in neither sum, for want of "
            f"a price; the policy pays {format_usd(usd(savings.unpriced_cost), 6)} for them"
        )
    if estimates.usage:
        found.append(f"{counted(estimates.usage)} came without token counts: they are estimated from the texts")
    if estimates.answers:
        found.append(
            f"{counted(estimates.answers)} came without an answer: it is taken to be whole and "
            "of the median length of those recorded before it"
        )
    if estimates.prompts:
        found.append(f"{counted(estimates.prompts)} would be sent with another prompt: its tokens are estimated")
    if estimates.cut_off:
        found.append(
            f"{counted(estimates.cut_off)} had answers longer than the policy allows: they would end in the middle"
        )
    if estimates.cold:
        found.append(
            f"{counted(estimates.cold)} had hits in the provider's prompt cache and go to another family of models: "
            "their input is taken at full price"
        )
    if savings.refused:
        found.append(
            f"{counted(savings.refused)} would be refused: {format_usd(usd(savings.avoided), 6)} of what is saved "
            f"is work not done{_because(savings)}"
        )
    for name in ("tenant", "user"):
        unnamed = savings.cache.bypassed.get(f"{name} unknown", 0)
        if unnamed:
            found.append(
                f"{counted(unnamed)} {'names' if unnamed == 1 else 'name'} no {name}: what is shared within a {name} "
                "is neither kept nor found for them"
            )
    if estimates.times:
        found.append(f"{counted(estimates.times)} came without a time: one second after the request before is taken")
    if estimates.backwards:
        found.append(
            f"{counted(estimates.backwards)} {_are(estimates.backwards)} older than the one before and taken as "
            "simultaneous with it: sort the log by time for exact figures"
        )
    return found


def _because(savings: Savings) -> str:
    """Why requests are refused: the most frequent reasons."""
    told = [f"{count:,} because {reason}" for reason, count in list(savings.refusals.items())[:_REASONS]]
    if len(savings.refusals) > _REASONS:
        told.append("others for other reasons")
    return f" ({', '.join(told)})" if told else ""


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def counted(count: int) -> str:
    """`1 request`, `1,200 requests`."""
    return "1 request" if count == 1 else f"{count:,} requests"
