"""What `costpol explain` found, as text for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import json, structs

from costpol.pipeline.trace import arithmetic, readable
from costpol.reporting.terminal import visible
from costpol.units import format_duration, plain_usd

if TYPE_CHECKING:
    from costpol.diagnostics import Span
    from costpol.evaluate.conditions import Considered
    from costpol.evaluate.explain import BudgetLeft, Explanation
    from costpol.evaluate.nearby import Nearby
    from costpol.pipeline.arrival import Arrival

_STAGES = (
    ("classify", "intent"), ("prompt", "prompt"), ("personalize", "personal"), ("route", "route"), ("lookup", "cache"),
    ("step-down", "budgets"), ("call", "call"),
)  # fmt: skip
"""The stages of the flow in their order, and what they are called here."""
_HIDDEN = frozenset({"stage", "what", "created", "expires", "exclusion", "because"})
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Told:
    """One request, what is decided on it, what would change that, and what the caches of a data folder have learned of
    its intent: a row each, `None` where no folder was named."""

    arrival: Arrival
    explained: Explanation
    nearby: tuple[Nearby, ...]
    learned: list[dict[str, object]] | None = None


def render_text(told: Told) -> str:
    """A paragraph per stage, in their order, then the bill, and what would change the outcome."""
    explained = told.explained
    lines = [_result(explained), "", "request", *(f"  {line}" for line in _seen(told.arrival, explained))]
    for stage, heading in _STAGES:
        body = list(_stage(stage, explained))
        if body:
            lines += ["", heading, *(f"  {line}" for line in body)]
    lines += [*_learned(told.learned), *_bill(explained)]
    if told.nearby:
        lines += ["", "what would change it"]
        lines += [f"  {each.change}: {_then(each.then, explained)}" for each in told.nearby]
    lines += ["", "headers", *(f"  {name}: {value}" for name, value in explained.headers)]
    return "\n".join(visible(line) for line in lines)


def render_json(told: Told) -> str:
    """The explanation as a JSON document."""
    return json.format(json.Encoder(decimal_format="number").encode(_document(told)), indent=2).decode()


def _result(explained: Explanation) -> str:
    if explained.kind == "call":
        limit = explained.decision.max_output_tokens
        length = "" if limit is None else f", at most {limit:,} output tokens"
        return f"would call {explained.decision.model}{length}, for at most {_usd(explained.cost)}"
    if explained.kind == "hit":
        return f"would give the answer that is kept for {_kept(explained)}"
    if explained.kind == "refused":
        return f"would be refused: {explained.refusal}"
    return "would call nothing: no target can be tried"


def _seen(arrival: Arrival, explained: Explanation) -> Iterator[str]:
    """What the flow starts from."""
    request, caller = arrival.request, arrival.caller
    asked = request.question if len(request.question) <= _SHOWN else f"{request.question[:_SHOWN]}…"
    yield f"message `{' '.join(asked.split())}`"
    facts = [
        f"model {request.model}", f"about {explained.input_tokens:,} input tokens",
        f"{request.turns} user turn{'' if request.turns == 1 else 's'}",
        f"tools {', '.join(request.tools)}" if request.tools else "no tools",
    ]  # fmt: skip
    facts += ["streamed"] if request.stream else []
    facts += [f"output {request.output_format}"] if request.output_format != "text" else []
    facts += [f"metadata {name}={value}" for name, value in request.metadata.items()]
    facts += [] if arrival.deadline is None else [f"deadline {format_duration(arrival.deadline)}"]
    yield ", ".join(facts)
    parts = {part: getattr(caller, part) for part in ("tenant", "user", "agent", "session", "stage")}
    named = [f"{part} {name}" for part, name in parts.items() if name is not None]
    yield ", ".join(named) if named else "nobody says who asks"


def _stage(stage: str, explained: Explanation) -> Iterator[str]:
    """What one stage saw and did; nothing where the way ended before it."""
    decision = explained.decision
    notes = [_note(note) for note in explained.trace if note.stage == stage and note.what != "bypass"]
    if stage == "classify":
        yield from map(_considered, explained.intents)
    if stage == "personalize":
        if explained.personal:
            yield f"personal, by {', '.join(f'{each.text}{_place(each.span)}' for each in explained.personal)}"
        else:
            yield "not personal: no sign of it"
        return
    if stage == "route":
        yield from map(_considered, explained.rules)
    if stage == "lookup" and decision.routed is not None:
        scope = f", within the {decision.scope}" if decision.scope not in (None, "global") else ""
        yield f"{decision.cache}{scope}"
    if stage == "step-down" and decision.routed is not None and explained.kind != "hit":
        yield from map(_left, explained.budgets)
    yield from notes


def _note(note: Any) -> str:
    facts = {name: value for name, value in readable(note).items() if name not in _HIDDEN}
    return f"{note.what}{': ' if facts else ''}{', '.join(f'{name} {_value(value)}' for name, value in facts.items())}"


def _considered(considered: Considered) -> str:
    if considered.matched:
        return f"+ {considered.name}{_place(considered.span)}"
    more = len(considered.missing) - 1
    others = "" if more < 1 else f", and {more} more condition{'s' if more > 1 else ''}"
    return (
        f"- {considered.name}: `{considered.condition}` does not hold, {considered.saw}{others}"
        f"{_place(considered.span)}"
    )


def _left(budget: BudgetLeft) -> str:
    """`company: 1,080 USD of 1,200 USD left this month, 75% is 780 USD away`."""
    whose = "" if budget.each is None else f" for this {budget.each}"
    left, limit = _amount(budget, budget.left), _amount(budget, budget.limit)
    text = f"{budget.name}: {left} of {limit} left per {budget.per}{whose}"
    if budget.rung is None or budget.rung_at is None:
        return text
    return f"{text}, {budget.rung} is {_amount(budget, budget.rung_at - budget.used)} away"


def _amount(budget: BudgetLeft, amount: int) -> str:
    return _usd(amount) if budget.unit == "usd" else f"{amount:,} {budget.unit}"


def _bill(explained: Explanation) -> list[str]:
    if not explained.bill:
        return []
    return [
        "", f"costs at most, by estimated tokens ({explained.price_source})",
        *(f"  {arithmetic(part)}" for part in explained.bill),
        f"  together {_usd(explained.cost)}",
    ]  # fmt: skip


def _learned(learned: list[dict[str, object]] | None) -> list[str]:
    if learned is None:
        return []
    told = [", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in row.items()) for row in learned]
    return ["", "learned", *(f"  {row}" for row in told or ["nothing of this intent yet"])]


def _then(then: Explanation, before: Explanation) -> str:
    """What is another decision, in words."""
    decision, earlier = then.decision, before.decision
    if then.kind == "refused" and then.refusal != before.refusal:
        return f"refused: {then.refusal}"
    rule = [f"intent `{decision.intent}`"] if decision.intent != earlier.intent else []
    rule += [f"rule `{decision.rule}`"] if decision.rule != earlier.rule else []
    if then.kind == "hit":
        return ", ".join([*rule, f"the answer that is kept for {_kept(then)}"])
    parts = [*rule, decision.model or "no model"]
    if decision.max_output_tokens != earlier.max_output_tokens:
        parts.append(f"at most {decision.max_output_tokens:,} output tokens")
    if decision.cache != earlier.cache:
        parts.append(f"cache {decision.cache}")
    if then.cost is not None and then.cost != before.cost:
        parts.append(f"for at most {_usd(then.cost)}")
    return ", ".join(parts)


def _kept(explained: Explanation) -> str:
    question = explained.kept_question
    return "the same question" if question is None else f"`{question[:_SHOWN]}`"


def _place(span: Span) -> str:
    return f" ({span.file}:{span.line})" if span.file else ""


def _usd(picodollars: int | None) -> str:
    return "nothing" if picodollars is None else f"{plain_usd(picodollars)} USD"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _document(told: Told) -> dict[str, Any]:
    explained = told.explained
    learned = {} if told.learned is None else {"learned": told.learned}
    return {
        "outcome": explained.kind,
        "decision": structs.asdict(explained.decision),
        "trace": [readable(note) for note in explained.trace],
        "intents": [_rule_document(each) for each in explained.intents],
        "rules": [_rule_document(each) for each in explained.rules],
        "personal_because": [
            {"signal": each.text, "file": each.span.file, "line": each.span.line} for each in explained.personal
        ],
        "refusal": explained.refusal,
        "kept_question": explained.kept_question,
        "estimate": {
            "input_tokens": explained.input_tokens,
            "output_tokens": explained.output_tokens,
            "cost_usd": _exact(explained.cost),
            "price": explained.price_source,
        },
        "budgets": [_budget_document(each) for each in explained.budgets],
        "would_change": [
            {
                "about": each.about, "change": each.change, "outcome": each.then.kind, "rule": each.then.decision.rule,
                "model": each.then.decision.model, "cache": each.then.decision.cache, "refusal": each.then.refusal,
                "kept_question": each.then.kept_question, "cost_usd": _exact(each.then.cost),
            }
            for each in told.nearby
        ],
        "headers": dict(explained.headers),
        **learned,
    }  # fmt: skip


def _rule_document(each: Considered) -> dict[str, Any]:
    return {
        "name": each.name, "matched": each.matched, "condition": each.condition, "saw": each.saw,
        "missing": [condition.path for condition in each.missing], "file": each.span.file, "line": each.span.line,
    }  # fmt: skip


def _budget_document(budget: BudgetLeft) -> dict[str, Any]:
    dollars = budget.unit == "usd"
    left, limit = (_exact(amount) if dollars else amount for amount in (budget.left, budget.limit))
    return {
        "name": budget.name, "unit": budget.unit, "per": budget.per, "each": budget.each, "left": left, "limit": limit,
        "next_rung": budget.rung,
    }  # fmt: skip


def _exact(picodollars: int | None) -> Decimal | None:
    return None if picodollars is None else Decimal(plain_usd(picodollars))
