"""The decision in the making."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from situation import ask, policy

from costpol.commands import Edit
from costpol.inference.tokens import estimate_tokens
from costpol.pipeline.draft import Draft
from costpol.pipeline.keywords import KeywordCollector
from costpol.pipeline.signals import Signals

TARGET = policy().targets["cheap"]


def draft(**body: object) -> Draft:
    return Draft("digest", Signals(ask(**body), KeywordCollector().compile(), estimate_tokens))  # type: ignore[arg-type]


@given(st.none() | st.integers(0, 99), st.lists(st.none() | st.integers(1, 99)))
def test_the_tightest_limit_counts_in_whatever_order_they_come(asked: int | None, caps: list[int | None]) -> None:
    decided = draft(**({} if asked is None else {"max_tokens": asked}))
    for cap in caps:
        decided.cap_output(cap)
    assert decided.output_limit == min((limit for limit in (asked, *caps) if limit is not None), default=None)
    sent = decided.edit(TARGET, ask_usage=False).max_output_tokens
    assert sent == (None if decided.output_limit == asked else decided.output_limit)


def test_a_request_that_the_policy_leaves_alone_is_not_edited() -> None:
    assert draft().edit(TARGET, ask_usage=True) == Edit()


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ({"stream": True}, True),
        ({"stream": True, "stream_options": {"include_usage": True}}, False),
        ({}, False),
    ],
)
def test_only_a_stream_that_would_not_tell_is_asked_for_its_usage(body: dict[str, object], asks: bool) -> None:
    assert draft(**body).edit(TARGET, ask_usage=True).ask_usage is asks


def test_the_policys_prompt_takes_the_place_of_the_requests_own() -> None:
    system = {"role": "system", "content": "word " * 400}
    decided = draft(messages=[system, {"role": "user", "content": "hi"}])
    assert decided.input_tokens == decided.signals.tokens > 400
    decided.system = "short"
    assert decided.input_tokens == draft(messages=[{"role": "user", "content": "hi"}]).signals.tokens + 2 + 4
