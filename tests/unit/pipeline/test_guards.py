"""Two tables: pairs of questions that must never share an answer, and paraphrases that may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.pipeline.guards import read, refusals, refusing
from costpol.pipeline.keywords import normalise

from .attacks import DIFFERENT, SAME, pairs

ALL = frozenset({"numbers", "negation", "entities", "order"})

NUMBERS = [
    ("can I withdraw 20 euros", "can I withdraw 200 euros"),
    ("send 1,000 dollars abroad", "send 100 dollars abroad"),
    ("is the fee 1.5 percent", "is the fee 15 percent"),
    ("a table for two", "a table for three"),
    ("a table for two", "a table for 4"),
    ("what was my second payment", "what was my third payment"),
    ("buy a dozen eggs", "buy 13 eggs"),
    ("does it run on python 3.1", "does it run on python 3.10"),
    ("add 2/3 of a cup", "add 23 of a cup"),
    ("delivery in 1-2 weeks", "delivery in 12 weeks"),
    ("set the fridge to -5 degrees", "set the fridge to 5 degrees"),
    ("half of the deposit", "a quarter of the deposit"),
    ("is 10:30 still free", "is 11:30 still free"),
    ("what costs more than $5", "what costs more"),
    ("pay 1.000 euros", "pay 1 euro"),
    ("charge me once", "charge me twice"),
    (normalise("what is 5\u00b2"), "what is 52"),
]
NEGATION = [
    ("how do I enable notifications", "how do I disable notifications"),
    ("turn on dark mode", "turn off dark mode"),
    ("is the pass refundable", "is the pass non-refundable"),
    ("can I pay by card", "can I not pay by card"),
    ("I did receive the code", "I didn't receive the code"),
    ("I did receive the code", "I didn\u2019t receive the code"),
    ("flights with luggage", "flights without luggage"),
    ("what is the minimum age", "what is the maximum age"),
    ("open an account", "close an account"),
    ("how do I log in", "how do I log out"),
    ("how do I sign in", "how do I sign up"),
    ("is the trial limited", "is the trial unlimited"),
    ("my identity is verified", "my identity is unverified"),
    ("how do I connect the printer", "how do I disconnect the printer"),
    ("upgrade my plan", "downgrade my plan"),
    ("import contacts", "export contacts"),
    ("use a credit card", "use a debit card"),
    ("benefits of leasing a car", "drawbacks of leasing a car"),
    ("rights of the landlord", "rights of the tenant"),
    ("reply within 24 hours", "reply within 24 days"),
    ("what happens every week", "what happens every month"),
    ("pay it monthly", "pay it yearly"),
    ("what is the price in dollars", "what is the price in euros"),
    ("trains next week", "trains last week"),
    ("it always fails", "it never fails"),
    ("it costs $5", "it costs \u20ac5"),
    ("it costs 5$", "it costs 5%"),
    ("closed from 10 am on", "closed from 10 pm on"),
    ("when does the store open", "where does the store open"),
    ("which plan has the most storage", "which plan has the least storage"),
    ("pay with points", "pay except with points"),
    ("kann ich mit Karte zahlen", "kann ich nicht mit Karte zahlen"),
    ("можно вернуть товар", "можно не вернуть товар"),
    ("translate it to german", "translate it to french"),
]
ENTITIES = [
    ("what is the weather in Paris", "what is the weather in London"),
    ("Paris weather forecast", "London weather forecast"),
    ("who is Marie Curie", "who is Pierre Curie"),
    ("opening hours on Monday", "opening hours on tuesday"),
    ("what happened yesterday", "what happened today"),
    ("write to bob@example.org", "write to eve@example.org"),
    ("open https://example.org/a", "open https://example.org/b"),
    ("where is order AB12", "where is order AB13"),
    ("explain useState", "explain useEffect"),
    ("what does main.py do", "what does test.py do"),
    ("does it work with iPhone", "does it work with PayPal"),
    ("Hello. Is Berlin served?", "Hello. Is Vienna served?"),
    ("what is Bob's balance", "what is Eve's balance"),
    ("why is the file my_log gone", "why is the file my_data gone"),
]
ORDER = [
    ("transfer from savings to checking", "transfer from checking to savings"),
    ("convert miles into meters please", "convert meters into miles please"),
    ("is a lion faster than a horse", "is a horse faster than a lion"),
    ("can a dog bite a man", "can a man bite a dog"),
    ("the way from the airport to the station", "the way to the airport from the station"),
    ("sent by the bank to the shop", "sent by the shop to the bank"),
    ("does the wolf eat before the goat sleeps", "does the goat eat before the wolf sleeps"),
]
UNREADABLE = [
    ("可以退款吗", "不可以退款吗"),
    ("北京的天气", "上海的天气"),
    ("ฉันยกเลิกได้ไหม", "ฉันยกเลิกไม่ได้ไหม"),
]
PARAPHRASES = [
    ("how do I reset my password", "How can I reset my password?"),
    ("how do I reset my password", "I forgot my password, how do I reset it?"),
    ("where is the return policy", "Where can I find your return policy?"),
    ("What are your opening hours?", "what time do you open each day"),
    ("do you ship to Canada", "Can you ship to canada?"),
    ("which payment methods are accepted", "What payment methods do you accept?"),
    ("cancel the two tickets", "cancel the 2 tickets"),
    ("does it cost 20.00 dollars", "does it cost $20 dollars"),
    ("can I send 1,000 euros", "can I send 1000 euros"),
    ("I can't log in", "I cannot log in"),
    ("I don't have a receipt", "I have no receipt"),
    ("Is my card blocked?", "my card is blocked"),
    ("what is the difference between a debit and a credit card", "difference between credit and debit card"),
    ("what is the status of my order", "what is the status for my order"),
    ("HOW DO I CLOSE MY ACCOUNT", "how do I close my account"),
    ("How Do I Change My Delivery Address", "how do I change my delivery address"),
    ("Hello. My card has not arrived.", "my card has not arrived"),
    ("I\u2019d like to change my address", "I'd like to change the address"),
    ("is Bob's shop open", "is the shop of Bob open"),
    ("Can you tell me how to activate a new card?", "how do I activate a new card"),
    ("how long does delivery take", "how long will the delivery take"),
    ("what does it cost per month", "how much is it a month"),
    ("can someone explain the fees", "please explain the fees"),
    ("does it cost $20", "does it cost 20 dollars"),
    ("does it cost \u20ac20", "does it cost 20 EUR"),
    ("is it 20% off", "is it 20 percent off"),
    ("where can I find the invoice", "how can I find the invoice"),
    ("what happens when I cancel", "what happens if I cancel"),
    ("is there one for children", "is there something for children"),
    ("wie lange dauert die Lieferung", "wie lange dauert denn die Lieferung"),
    ("may I bring a cat/dog", "may I bring a dog or a cat"),
    ("a non-refundable ticket", "a non refundable ticket"),
    ("what is a refund? how does it work?", "What is a refund, and how does it work"),
]


@pytest.mark.parametrize(
    ("guard", "left", "right"),
    [
        (guard, *pair)
        for guard, pairs in (("numbers", NUMBERS), ("negation", NEGATION), ("entities", ENTITIES), ("order", ORDER))
        for pair in pairs
    ],
)
def test_a_difference_is_refused_by_its_guard_in_both_directions(guard: str, left: str, right: str) -> None:
    assert refusing({guard}, left, right) == guard
    assert refusing({guard}, right, left) == guard


@pytest.mark.parametrize(("left", "right"), UNREADABLE)
def test_what_has_no_spaces_between_words_is_never_alike(left: str, right: str) -> None:
    assert refusing(ALL, left, right) is not None
    assert refusing(ALL, left, left + "?") is None


@pytest.mark.parametrize(("left", "right"), PARAPHRASES)
def test_a_paraphrase_is_let_through_in_both_directions(left: str, right: str) -> None:
    assert refusing(ALL, left, right) is None
    assert refusing(ALL, right, left) is None


@pytest.mark.parametrize(
    ("guard", "left", "right"), [(guard, *pair) for guard, table in DIFFERENT.items() for pair in pairs(table)]
)
def test_an_attack_is_refused_by_its_guard_alone(guard: str, left: str, right: str) -> None:
    assert refusing({guard}, left, right) == guard
    assert refusing(ALL, right, left) is not None


@pytest.mark.parametrize(("left", "right"), pairs(SAME))
def test_what_says_the_same_passes(left: str, right: str) -> None:
    assert refusing(ALL, left, right) is None
    assert refusing(ALL, right, left) is None


def test_only_the_guards_that_the_policy_names_are_asked() -> None:
    assert refusing({"negation"}, "pay 20 euros", "pay 30 euros") is None
    assert refusing((), "pay 20 euros", "do not pay in Paris from 30") is None


def test_a_kept_question_without_its_text_is_refused_rather_than_believed() -> None:
    assert refusing(ALL, "how do I disable it", "") == "numbers"
    assert refusing({"order"}, "how do I disable it", "") == "order"
    assert refusing((), "how do I disable it", "") is None


WORDS = st.lists(st.sampled_from("How do not I Paris 20 two from to Bob's \u00e4 \u4e2d don't iPhone ! 1,000".split()))


@given(WORDS.map(" ".join), WORDS.map(" ".join))
def test_guards_are_symmetric(left: str, right: str) -> None:
    assert (refusing(ALL, left, right) is None) == (refusing(ALL, right, left) is None)


@given(st.text(), st.text())
def test_guards_take_any_text_and_never_refuse_the_same(left: str, right: str) -> None:
    refusing(ALL, left, right)
    assert refusing(ALL, left, left) is None


def test_several_kept_questions_are_refused_as_each_of_them() -> None:
    question = "pay 20 euros to Berlin"
    kept = ["pay 30 euros to Berlin", question, "pay 20 euros to Paris", "", "do not pay 20 euros to Berlin"]
    found = refusals(ALL, question, kept)
    assert found == ["numbers", None, "entities", "numbers", "negation"]
    assert found == [refusing(ALL, question, each) for each in kept]
    assert refusals(frozenset(), question, kept) == [None] * len(kept)


def test_a_question_is_read_once_however_often_it_is_compared() -> None:
    question = "can you tell me how long the delivery of two parcels from Berlin to Paris takes on Monday"
    kept = [f"{question} number {number}" for number in range(50)]
    read.cache_clear()
    for _ in range(3):
        refusals({"order"}, question, kept)
        for other in kept:
            refusing({"order"}, question, other)
    assert read.cache_info().misses == 51
