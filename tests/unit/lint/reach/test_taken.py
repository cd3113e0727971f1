"""The index of boxes against looking at each box."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from costpol.lint.reach.boxes import Box, disjoint, within
from costpol.lint.reach.space import Space
from costpol.lint.reach.survey import Reached, Shadowed, survey
from costpol.lint.reach.taken import Taken
from costpol.lint.reach.work import Work
from costpol.policy.nodes.matcher import Range, TextMatch, When

MATCHERS = [When(tenant=(name,), user=(name,), turns=Range(min=number)) for number, name in enumerate("abcdef")]
SPACE = Space(MATCHERS, ("faq", "other"), Work(10**9))
DIMENSIONS = [SPACE.dimension(name) for name in ("tenant", "user", "turns", "intent")]


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    named = draw(st.lists(st.sampled_from(DIMENSIONS), unique=True, max_size=3))
    return {number: draw(st.integers(1, SPACE.full[number])) for number in named}


@given(st.lists(boxes(), max_size=12), boxes())
def test_what_escapes_is_in_the_box_and_in_none_of_the_others(others: list[Box], box: Box) -> None:
    taken = Taken(SPACE, SPACE.work)
    for owner, other in enumerate(others):
        taken.add(other, owner)
    escaped = taken.escape(box)
    if escaped is not None:
        assert within(escaped, box, SPACE.full)
        assert all(disjoint(escaped, other) for other in others)
        assert SPACE.possible(escaped)
    elif not others:
        raise AssertionError("nothing was taken")


@given(st.lists(boxes(), max_size=12), boxes())
def test_holders_are_those_whose_box_holds_all(others: list[Box], box: Box) -> None:
    taken = Taken(SPACE, SPACE.work)
    for owner, other in enumerate(others):
        taken.add(other, owner)
    holding = {owner for owner, other in enumerate(others) if within(box, other, SPACE.full)}
    found = taken.holders(box)
    assert found <= holding
    asking_too_little = {owner for owner in holding - found if others[owner].keys() - box.keys()}
    assert found | asking_too_little == holding  # a full mask on a field that the box leaves free


def test_a_thousand_rules_are_told_apart() -> None:
    rules = [When(message=TextMatch(words=(f"alpha {n} beta",)), tenant=(f"tenant-{n % 40}",)) for n in range(1000)]
    found = survey([*rules, rules[500]], ("faq", "other"))
    assert all(isinstance(verdict, Reached) for verdict in found.verdicts[:-1])
    assert found.verdicts[-1] == Shadowed((500,))


def test_hundreds_of_negations_are_seen_to_be_hidden_by_the_first_two() -> None:
    rules = [When(not_=When(tenant=(f"t{n}",)), message=TextMatch(min_chars=n)) for n in range(400)]
    found = survey(rules, ("faq", "other"))
    assert all(isinstance(verdict, Reached) for verdict in found.verdicts[:2])
    assert set(found.verdicts[2:]) == {Shadowed((0, 1))}
