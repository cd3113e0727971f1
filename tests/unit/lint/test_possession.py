from __future__ import annotations

import pytest

from costpol.lint.possession import Recogniser, possession
from costpol.lint.reach.work import Work
from costpol.policy.nodes.personalization import Exclusion


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("where is my parcel", "my parcel"),
        ("Has my last order been shipped?", "my last order"),
        ("show our invoices", "our invoices"),
        ("my refund has not arrived", "my refund"),
        ("what is my account balance", "my account"),
        ("cancel my subscription", "my subscription"),
        ("hi, where is my order", "my order"),
        ("what\u2019s my balance", "my balance"),
    ],
)
def test_questions_about_one_s_own_records_are_seen(text: str, words: str) -> None:
    assert possession(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "how do I reset my account password",
        "how long does my refund take",
        "can I change my delivery address after ordering",
        "where can I find my invoices",
        "what happens to my subscription when I cancel",
        "is it possible to pause my membership",
        "Please, how can I close my account?",
        "what is the return policy",
        "what is my best option",
        "in my opinion this is bad",
        "the army order of battle",
    ],
)
def test_questions_that_anybody_could_ask_are_not(text: str) -> None:
    assert possession(text) is None


def test_an_exclusion_covers_what_its_phrases_or_pattern_recognise() -> None:
    recogniser = Recogniser((Exclusion(phrases=("My  Order",)), Exclusion(pattern="(?i)invoice +[0-9]+")), Work(100))
    assert recogniser.personal("where is my order?", Work(100))
    assert recogniser.personal("send Invoice 77", Work(100))
    assert not recogniser.personal("where are my orders", Work(100))
    assert not recogniser.personal("where is my parcel", Work(100))
