"""The payload of a stored entry."""

from __future__ import annotations

from dataclasses import fields
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.cache.record import TALLIED, pack, place, point_id, unpack
from costpol.commands import Entry, Scope
from costpol.errors import StoreError

ANY = st.text()
TRIPLES = st.tuples(st.builds(Scope, ANY, ANY), ANY, ANY)
KEPT = Entry(
    partition="p",
    question="q",
    scope=Scope("tenant", "tenant:a"),
    intent="faq",
    text="text",
    body=b'{"a":"\xc3\xa9"}',
    model="m",
    created=0.1,
    expires=0.3,
    cost_picodollars=7,
    input_tokens=8,
    output_tokens=9,
    template="t@1",
    answer_id="a",
)


@given(TRIPLES, TRIPLES)
def test_places_are_the_same_exactly_where_all_three_are(
    one: tuple[Scope, str, str], other: tuple[Scope, str, str]
) -> None:
    assert (place(*one) == place(*other)) == (one == other)


@given(st.text(alphabet="ab:12", max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_no_place_can_be_spelled_by_another_cut_of_the_same_text(text: str, cut: int, other: int) -> None:
    cut, other = min(cut, len(text)), min(other, len(text))
    scope = Scope("tenant", "k")
    first, second = place(scope, text[:cut], text[cut:]), place(scope, text[:other], text[other:])
    assert (first == second) == (cut == other)


@given(ANY, ANY)
def test_a_point_id_is_a_uuid_of_the_identity(one: str, other: str) -> None:
    assert UUID(point_id(one))
    assert (point_id(one) == point_id(other)) == (one == other)


def test_what_is_packed_is_unpacked() -> None:
    values = [getattr(KEPT, field.name) for field in fields(Entry)]
    assert len(set(values)) == len(values)  # so that no two fields can change places unseen
    assert None not in values
    payload = pack(KEPT)
    assert unpack(payload) == KEPT
    assert set(TALLIED) <= set(payload)


@pytest.mark.parametrize("field", ["body", "check", "scope", "expires", "cost", "template"])
def test_a_payload_that_lacks_a_field_is_damaged(field: str) -> None:
    payload = pack(KEPT)
    del payload[field]
    assert unpack(payload) is None


@pytest.mark.parametrize(("field", "value"), [("body", "{}"), ("body", None), ("check", 1), ("expires", "soon")])
def test_a_payload_that_does_not_fit_together_is_damaged(field: str, value: object) -> None:
    assert unpack({**pack(KEPT), field: value}) is None


def test_a_body_that_is_no_text_is_refused() -> None:
    with pytest.raises(StoreError, match="not UTF-8"):
        pack(Entry("p", "q", Scope("global", "global"), "faq", "", b"\xff", "m", 0.0, 1.0, 0))
