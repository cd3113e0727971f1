"""Why a rule did not match: its conditions one by one, and those that do not hold.

Conditions are compiled by the same functions that compile the policy; here each stands alone, so that a failing one can
be named together with what it looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from costpol.diagnostics import NOWHERE, Span
from costpol.evaluate.excerpt import excerpt, shorten
from costpol.inference.tokens import TokenCounter
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Decision
from costpol.pipeline.keywords import KeywordCollector
from costpol.pipeline.matching import Predicate, compile_when
from costpol.pipeline.signals import Signals
from costpol.policy.bundle import Bundle
from costpol.policy.declaration import declared
from costpol.policy.nodes.matcher import TextMatch, When
from costpol.units import format_duration

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Condition:
    """One part of a conjunction: its path in the rule (`message.words`), and a `when` that has it alone."""

    path: str
    when: When
    span: Span


@dataclass(frozen=True, slots=True)
class Considered:
    """A rule or a matcher that was asked. Where it did not match, `condition` is the first that failed, as written, at
    `span`, and `saw` is what it looked at; `missing` are all that failed."""

    name: str
    matched: bool
    condition: str | None = None
    saw: str | None = None
    span: Span = NOWHERE
    missing: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What conditions may look at."""

    arrival: Arrival
    intent: str | None
    count: TokenCounter


def considered_rules(bundle: Bundle, decision: Decision, arrival: Arrival, count: TokenCounter) -> Iterator[Considered]:
    """The routing rules in order, up to the one that decided; `default` where none did."""
    for rule in bundle.routing.rules:
        if rule.name == decision.rule:
            yield Considered(rule.name, True, span=rule.span)
            return
        yield _considered(rule.name, rule.when, bundle, _Seen(arrival, decision.intent, count))
    if decision.rule is not None:
        yield Considered(decision.rule, True, span=bundle.routing.at("default"))


def considered_intents(
    bundle: Bundle, decision: Decision, arrival: Arrival, count: TokenCounter
) -> Iterator[Considered]:
    """The matchers of intents in order, up to the one that held."""
    intents = bundle.intents.intents if bundle.intents is not None else {}
    for name, intent in intents.items():
        if intent.when is None:
            continue
        found = _considered(name, intent.when, bundle, _Seen(arrival, None, count))
        yield found
        if found.matched:
            return


def _considered(name: str, when: When, bundle: Bundle, seen: _Seen) -> Considered:
    missing, signals = _missing(when, seen)
    if not missing:
        return Considered(name, True, span=when.span)
    first = missing[0]
    written = _written(first, bundle.files)
    return Considered(name, False, written, _saw(first.path, signals), first.span, tuple(missing))


def missing_conditions(when: When, arrival: Arrival, intent: str | None, count: TokenCounter) -> list[Condition]:
    """The parts of a conjunction that do not hold for a request."""
    return _missing(when, _Seen(arrival, intent, count))[0]


def _missing(when: When, seen: _Seen) -> tuple[list[Condition], Signals]:
    collector = KeywordCollector()
    compiled: list[tuple[Condition, Predicate]] = [
        (condition, compile_when(condition.when, collector)) for condition in _conditions(when, "")
    ]
    signals = Signals(seen.arrival, collector.compile(), seen.count)
    signals.intent = seen.intent
    return [condition for condition, holds in compiled if not holds(signals)], signals


def _conditions(when: When, prefix: str) -> Iterator[Condition]:
    """A conjunction taken apart; `any` and `not` stay whole."""
    for each in declared(When):
        value = getattr(when, each.attribute)
        if value == each.default:
            continue
        path = f"{prefix}{each.name}"
        if isinstance(value, TextMatch):
            for part in declared(TextMatch):
                inner = getattr(value, part.attribute)
                if inner != part.default:
                    single = TextMatch(**{part.attribute: inner})
                    yield Condition(f"{path}.{part.name}", When(message=single), value.at(part.name))
        elif each.attribute == "metadata":
            for name, patterns in value.items():
                yield Condition(f"{path}.{name}", When(metadata={name: patterns}), when.at("metadata", name))
        elif each.attribute == "all":
            for index, inner in enumerate(value):
                yield from _conditions(inner, f"{path}.{index}.")
        else:
            yield Condition(path, When(**{each.attribute: value}), when.at(each.name))


def _written(condition: Condition, files: Mapping[str, str]) -> str:
    """The condition as the policy spells it."""
    text = excerpt(condition.span, files, _SHOWN)
    return condition.path if text is None else f"{condition.path}: {text}"


def _saw(path: str, signals: Signals) -> str:
    """What the condition looked at, in words."""
    words = path.split(".")
    field = next((word for word in words if not word.isdigit() and word != "all"), path)
    request, caller = signals.request, signals.caller
    if field == "message":
        if words[-1] in ("min_chars", "max_chars"):
            return f"the message has {len(signals.question)} characters"
        return f"the message is `{shorten(signals.question, _SHOWN)}`"
    if field == "metadata":
        value = request.metadata.get(words[-1])
        return f"`{words[-1]}` is {_named(value)}"
    if field in ("tenant", "user", "agent", "session", "stage"):
        return f"the {field} is {_named(getattr(caller, field))}"
    deadline = signals.arrival.deadline
    told = {
        "tokens": f"the request has about {signals.tokens} tokens",
        "turns": f"the conversation has {signals.turns} user turns",
        "tools": f"the request offers {', '.join(request.tools) or 'no tools'}",
        "model": f"the caller asks for `{request.model}`",
        "intent": f"the intent is {_named(signals.intent)}",
        "deadline": "no deadline is named" if deadline is None else f"the deadline is {format_duration(deadline)}",
        "stream": "the answer is streamed" if request.stream else "the answer is not streamed",
        "output": f"the output format is {request.output_format}",
        "attachments": "messages carry attachments" if signals.attachments else "no message carries an attachment",
        "any": "none of its parts holds",
        "not": "what it forbids holds",
    }
    return told.get(field, "it does not hold")


def _named(value: str | None) -> str:
    return "unknown" if value is None else f"`{shorten(value, _SHOWN)}`"
