"""A gate on a report: a small expression over its figures, such as `saved_fraction < 20% or cache.wrong_hits > 0`.

    expression = conjunction {"or" conjunction}
    conjunction = comparison {"and" comparison}
    comparison = field ("<" | "<=" | ">" | ">=" | "==" | "!=") number

A field is a path into the JSON report (`cache.hit_rate`, `intents.faq.hits`, `against.difference.policy_usd`), a number
may be a percentage. A figure that was not measured trips the gate: what nobody knows cannot pass. A name that the
report does not have (`intents.fqa.hits`) is bad usage: a gate on a misspelt name would never trip.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from costpol.errors import UsageError
from costpol.policy.suggestion import did_you_mean

_COMPARISON = re.compile(
    r"\s*(?P<field>[A-Za-z_][\w./:@-]*)\s*(?P<operator><=|>=|==|!=|<|>)\s*"
    r"\$?(?P<number>-?[0-9]+(?:\.[0-9]+)?)(?P<percent>%?)\s*"
)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_NAMED = {"intents": "intent", "rules": "rule", "routes": "model", "budgets": "budget", "levers": "lever"}
"""The members of a report that hold names, and what is named there."""
_EXAMPLE = "write a comparison such as `saved_fraction < 0.2`, joined by `and` or `or`"


@dataclass(frozen=True, slots=True)
class _Comparison:
    field: str
    operator: str
    number: Decimal

    def trips(self, document: Mapping[str, Any]) -> str | None:
        value = _look_up(document, self.field)
        if value is None:
            return f"`{self.field}` was not measured on this log"
        if _OPERATORS[self.operator](value, self.number):
            return f"{self.field} is {value}, which is {self.operator} {self.number}"
        return None


@dataclass(frozen=True, slots=True)
class Gate:
    """A parsed expression: it trips where all comparisons of any conjunction hold."""

    conjunctions: tuple[tuple[_Comparison, ...], ...]

    def trips(self, document: Mapping[str, Any]) -> str | None:
        """Why the gate trips on a report (`to_document`); `None` where it does not. Raises `UsageError` for a field
        that the report does not have."""
        found = [[each.trips(document) for each in comparisons] for comparisons in self.conjunctions]
        tripped = next((reasons for reasons in found if all(reasons)), None)
        return None if tripped is None else " and ".join(reason for reason in tripped if reason)


def parse_gate(text: str) -> Gate:
    """The gate that an expression spells. Raises `UsageError` where it cannot be read."""
    return Gate(
        tuple(
            tuple(_comparison(part, text) for part in re.split(r"\s+and\s+", conjunction))
            for conjunction in re.split(r"\s+or\s+", text)
        )
    )


def _comparison(part: str, whole: str) -> _Comparison:
    match = _COMPARISON.fullmatch(part)
    if match is None:
        shown = part.strip() or whole
        raise UsageError(f"`{shown[:80]}` is no comparison of a figure with a number", _EXAMPLE)
    number = Decimal(match["number"]) / (100 if match["percent"] else 1)
    return _Comparison(match["field"], match["operator"], number)


def _look_up(document: Mapping[str, Any], field: str) -> Any:
    """The number that a path names. Names of policies may hold dots, so the longest member that fits is taken."""
    for value in _reached(document, field):
        if value is None or (isinstance(value, int | Decimal) and not isinstance(value, bool)):
            return value
    for kind, named in _NAMED.items():
        if field.startswith(f"{kind}."):
            _refuse_name(document.get(kind), field.removeprefix(f"{kind}."), named)
    known = [name for name in _numbers(document, "") if not name.startswith("against.")]
    guess = did_you_mean(field, known)
    raise UsageError(f"the report has no figure `{field}`", guess or f"figures are: {', '.join(known[:12])}, ...")


def _refuse_name(members: Any, path: str, kind: str) -> None:
    """Raises `UsageError` for a path that begins with no name of this kind, or goes on with no figure that it has."""
    if isinstance(members, list):
        members = {each["lever"]: each for each in members}
    names = list(members or ())
    name = max((each for each in names if path.startswith(f"{each}.")), key=len, default=None)
    if name is None:
        written = path if kind == "model" else path.partition(".")[0]
        there = f"there are {_listed(names)}" if names else f"there is no {kind} in it"
        raise UsageError(f"no such {kind} in this log: `{written}`", did_you_mean(written, names) or there)
    figures = list(_numbers(members[name], ""))
    written = path.removeprefix(f"{name}.")
    there = did_you_mean(written, figures) or f"there are {_listed(figures)}"
    raise UsageError(f"the {kind} `{name}` has no figure `{written}`", there)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:12]) + (", ..." if len(names) > 12 else "")


def _reached(node: Any, path: str) -> Iterator[Any]:
    if isinstance(node, Mapping):
        if path in node:
            yield node[path]
        for name, inner in node.items():
            if path.startswith(f"{name}."):
                yield from _reached(inner, path[len(name) + 1 :])
    elif isinstance(node, list):  # levers, by their name
        for each in node:
            if isinstance(each, Mapping) and "lever" in each and path.startswith(f"{each['lever']}."):
                yield from _reached(each, path[len(each["lever"]) + 1 :])


def _numbers(node: Any, prefix: str) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, inner in node.items():
            yield from _numbers(inner, f"{prefix}{name}.")
    elif isinstance(node, int | Decimal) or node is None:
        yield prefix.removesuffix(".")
