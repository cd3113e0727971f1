"""What a request is about."""

from __future__ import annotations

from playbook import Playbook
from situation import EMBEDDED, answered, ask, bundle, compiled, policy

from costpol.commands import Call, Embed, Failed, NearestIntents, Neighbour

INTENTS = """
    intents:
      thanks: {when: {message: {any_of: [thanks]}}}
      polite: {when: {message: {words: [thanks]}}}
      faq: {examples: [what is a refund, how do I pay]}
      strict: {examples: [close my account], min_similarity: 0.95}
    otherwise: general
    """


def recognised(text: str, *replies: tuple[type, object]) -> tuple[str | None, dict[str, object]]:
    with Playbook(policy(intents=INTENTS), ask(text)) as talk:
        for kind, reply in replies:
            talk.told(kind, reply)
        talk.told(Call, answered())
        outcome = talk.outcome
    note = next(note for note in outcome.trace if note.stage == "classify")
    return outcome.decision.intent, {"what": note.what, **note.facts}


def test_the_first_matcher_that_holds_decides_and_nothing_is_embedded() -> None:
    assert recognised("Thanks!") == ("thanks", {"what": "matched", "intent": "thanks"})
    assert recognised("many thanks")[0] == "polite"


def test_the_nearest_example_decides() -> None:
    near = (Neighbour("faq", "what is a refund", 0.8), Neighbour("strict", "close my account", 0.1))
    intent, facts = recognised("refunds?", (Embed, EMBEDDED), (NearestIntents, near))
    assert intent == "faq"
    assert facts["example"] == "what is a refund"
    assert (facts["similarity"], facts["floor"]) == (0.8, 0.7)


def test_below_its_floor_the_nearest_example_shows_nothing() -> None:
    for intent, similarity in (("faq", 0.69), ("strict", 0.94)):
        near = (Neighbour(intent, "an example", similarity),)
        assert recognised("hm", (Embed, EMBEDDED), (NearestIntents, near))[0] == "general"


def test_what_cannot_be_compared_is_of_no_intent() -> None:
    assert recognised("hm", (Embed, Failed("away")))[0] == "general"
    assert recognised("hm", (Embed, EMBEDDED), (NearestIntents, Failed("away")))[0] == "general"
    assert recognised("hm", (Embed, EMBEDDED), (NearestIntents, ()))[0] == "general"
    unknown = (Neighbour("of another snapshot", "x", 0.99),)
    assert recognised("hm", (Embed, EMBEDDED), (NearestIntents, unknown))[0] == "general"


def test_an_empty_question_is_not_embedded() -> None:
    assert recognised(" \n")[0] == "general"


def test_a_paid_embedding_is_counted_even_where_it_recognises_nothing() -> None:
    with Playbook(compiled(bundle(intents=INTENTS), embedding_rate=1000), ask()) as talk:
        talk.told(Embed, EMBEDDED)
        talk.told(NearestIntents, ())
        talk.told(Call, answered())
        assert talk.outcome.cost == 4 * 1000 + 20 * 100_000 + 5 * 400_000


def test_without_intents_there_is_none() -> None:
    with Playbook(policy(), ask()) as talk:
        talk.told(Call, answered())
        assert talk.outcome.decision.intent is None
