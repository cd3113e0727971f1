"""The facts of a request, worked out once."""

from __future__ import annotations

from situation import ask

from costpol.pipeline.keywords import KeywordCollector
from costpol.pipeline.signals import Signals, lazy

TURNS = [
    {"role": "user", "content": "my account"},
    {"role": "assistant", "content": "refund", "tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "find", "arguments": "{}"}},
    ]},
    {"role": "user", "content": "and \uff4eow?"},
]  # fmt: skip


def signals(**body: object) -> Signals:
    keywords = KeywordCollector()
    keywords.words(["my account", "now", "refund"])
    return Signals(ask(**body), keywords.compile(), len)  # type: ignore[arg-type]


def test_a_fact_is_worked_out_when_first_asked_for_and_then_kept() -> None:
    worked = []

    class Facts:
        @lazy
        def fact(self) -> int:
            """A fact."""
            worked.append(1)
            return len(worked)

    facts = Facts()
    assert worked == []
    assert (facts.fact, facts.fact) == (1, 1)
    assert Facts.fact.__doc__ == "A fact."


def test_words_are_looked_for_in_what_users_said_last_or_ever() -> None:
    found = signals(messages=TURNS)
    assert found.question == "and now?"
    assert found.matched == {1}
    assert found.matched_anywhere == {0, 1}  # not what the assistant said


def test_tools_media_and_searches_are_seen() -> None:
    assert signals(messages=TURNS).called_tools == {"find"}
    image = {"type": "image_url", "image_url": {"url": "x"}}
    assert not signals().media
    assert signals(messages=[{"role": "user", "content": [image]}]).media
    assert signals(modalities=["audio"]).media
    assert (signals().searches, signals(web_search_options={}, n=2).searches) == (0, 2)
