"""What may stand where, told by the declarations."""

from __future__ import annotations

import pytest

from costpol.editor.language import Slot, slot_at, walk
from costpol.policy.loader import KINDS
from costpol.policy.source import read_source


@pytest.mark.parametrize(
    ("kind", "path", "key"),
    [
        ("routing", ("default",), "default"),
        ("routing", ("rules", None, "when", "message", "words"), "words"),
        ("routing", ("rules", None, "when", "any", None, "not", "intent", None), "intent"),
        ("models", ("tiers", "small", None), "tiers"),
        ("cache", ("intents", "faq", "guards", None), "guards"),
        ("cache", ("otherwise", "ttl"), "ttl"),
        ("tests", ("tests", None, "caller", "user"), "user"),
    ],
)
def test_a_path_leads_to_its_key(kind: str, path: tuple[str | None, ...], key: str) -> None:
    slot = slot_at(kind, path)
    assert slot is not None
    assert slot.key is not None
    assert slot.key.name == key


@pytest.mark.parametrize(
    ("kind", "path"),
    [("routing", ("nothing",)), ("routing", (None,)), ("nothing", ()), (None, ()), ("cache", ("kind", "x"))],
)
def test_a_path_that_the_language_lacks_leads_nowhere(kind: str | None, path: tuple[str | None, ...]) -> None:
    assert slot_at(kind, path) is None


def test_one_or_many_takes_the_words_of_its_items() -> None:
    slot = slot_at("routing", ("rules", None, "when", "output"))
    assert slot is not None
    assert slot.words() == ("text", "json", "schema")
    assert slot.takes_list


def test_a_walk_meets_what_the_language_has_a_place_for() -> None:
    source = read_source(b"kind: cache\nnothing: {a: b}\nintents: {faq: {ttl: 1h}, x: off}\n", "f")
    assert source.tree is not None
    met = [scalar.text for scalar, *_ in walk(source.tree, Slot(KINDS["cache"]))]
    assert met == ["kind", "cache", "nothing", "intents", "faq", "ttl", "1h", "x", "off"]
