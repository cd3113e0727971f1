from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.lint.reach.shift import Named, shifts
from costpol.policy.nodes.matcher import When

TENANTS = ("a", "b", "c")
POINTS = list(product(TENANTS, (False, True), ("text", "json")))

whens = st.builds(
    When,
    tenant=st.lists(st.sampled_from(TENANTS), unique=True, max_size=2).map(tuple),
    stream=st.sampled_from([None, True, False]),
    output=st.sampled_from([(), ("text",), ("json",)]),
)


def decides(rules: list[Named], point: tuple[str, bool, str]) -> str | None:
    tenant, stream, output = point
    for rule in rules:
        when = rule.when
        if (
            (not when.tenant or tenant in when.tenant)
            and when.stream in (None, stream)
            and (not when.output or output in when.output)
        ):
            return rule.name
    return None


@st.composite
def edits(draw: Any) -> tuple[list[Named], list[Named]]:
    """A list of rules, and one with some of them changed, dropped, added or moved."""
    old = [Named(f"r{number}", when) for number, when in enumerate(draw(st.lists(whens, max_size=4)))]
    new = [Named(rule.name, draw(whens)) if draw(st.integers(0, 3)) == 0 else rule for rule in old]
    new = [rule for rule in new if draw(st.integers(0, 4))]
    new += [Named("added", draw(whens))] if draw(st.booleans()) else []
    return old, draw(st.permutations(new))


@settings(max_examples=200, deadline=None)
@given(edits())
def test_shifts_are_those_that_brute_force_finds(lists: tuple[list[Named], list[Named]]) -> None:
    old, new = lists
    found = shifts(old, new, None)
    assert found.complete
    wanted = {pair for point in POINTS if (pair := (decides(old, point), decides(new, point)))[0] != pair[1]}
    # Beside the points there are requests of another tenant, with a schema, without a tenant.
    beyond = {
        pair
        for point in product(("other",), (False, True), ("text", "json", "schema"))
        if (pair := (decides(old, point), decides(new, point)))[0] != pair[1]
    } | {
        pair
        for point in product(TENANTS, (False, True), ("schema",))
        if (pair := (decides(old, point), decides(new, point)))[0] != pair[1]
    }
    assert {(shift.before, shift.after) for shift in found.found} == wanted | beyond
    for shift in found.found:
        seen = shift.witness
        point = (seen.get("tenant") or "other", bool(seen.get("stream")), seen.get("output") or "text")
        if {"tenant", "stream", "output"} <= seen.keys():
            assert (decides(old, point), decides(new, point)) == (shift.before, shift.after)


def test_equal_lists_shift_nothing() -> None:
    rules = [Named("one", When(stream=True)), Named("two", When(tenant=("a",)))]
    assert shifts(rules, rules, None).found == ()


def test_one_changed_rule_among_hundreds_is_quick() -> None:
    old = [Named(f"r{n}", When(tenant=(f"t{n}",), stream=bool(n % 2))) for n in range(300)]
    new = [*old[:150], Named("r150", When(tenant=("t150",))), *old[151:]]
    found = shifts(old, new, None)
    assert found.complete
    assert [(shift.before, shift.after) for shift in found.found] == [(None, "r150")]
