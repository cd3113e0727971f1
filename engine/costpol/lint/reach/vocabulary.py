"""The constants that a set of matchers mentions, gathered before fields are cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from costpol.lint.reach.fields import pair
from costpol.lint.reach.text import bare, occurs, word
from costpol.policy.nodes.matcher import When

_RUN = re.compile("[a-z0-9_]+")

CALLER_FIELDS = ("tenant", "user", "agent", "session", "stage")


@dataclass(slots=True)
class Vocabulary:
    """What all matchers of a policy mention, by field."""

    chars: set[tuple[int | None, int | None]] = field(default_factory=set)
    tokens: set[tuple[int | None, int | None]] = field(default_factory=set)
    turns: set[tuple[int | None, int | None]] = field(default_factory=set)
    deadlines: set[tuple[float | None, float | None]] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    wholes: set[str] = field(default_factory=set)
    intents: set[str] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict)
    """Patterns of names by field: `model`, `tenant`, ..., `metadata.plan`."""
    words: list[frozenset[str]] = field(default_factory=list)
    tools: list[frozenset[str]] = field(default_factory=list)

    @classmethod
    def of(cls, matchers: Iterable[When]) -> Vocabulary:
        vocabulary = cls()
        for matcher in matchers:
            for when in nested(matcher):
                vocabulary._add(when)
        return vocabulary

    def _add(self, when: When) -> None:
        if when.message is not None:
            self.chars.add((when.message.min_chars, when.message.max_chars))
            self.wholes.update(bare(text) for text in when.message.any_of)
            self.words.append(words_in(when.message.words))
            if when.message.pattern is not None:
                self.patterns.add(when.message.pattern)
        self.tokens.add(pair(when.tokens))
        self.turns.add(pair(when.turns))
        if when.deadline is not None:
            self.deadlines.add((when.deadline.min, when.deadline.max))
        if isinstance(when.tools, tuple):
            self.tools.append(frozenset(when.tools))
        self.intents.update(when.intent)
        self.names.setdefault("model", set()).update(when.model)
        for name in CALLER_FIELDS:
            self.names.setdefault(name, set()).update(getattr(when, name))
        for name, patterns in when.metadata.items():
            self.names.setdefault(f"metadata.{name}", set()).update(patterns)


def nested(when: When) -> Iterator[When]:
    """A matcher and all matchers inside it."""
    yield when
    for inner in (*when.any, *when.all, *(() if when.not_ is None else (when.not_,))):
        yield from nested(inner)


def words_in(words: Iterable[str]) -> frozenset[str]:
    """Words and phrases in their one spelling; blank ones match nothing."""
    return frozenset(spelled for spelled in map(word, words) if spelled)


def related(words: frozenset[str]) -> dict[str, frozenset[str]]:
    """Which words occur inside which longer phrase: who says the phrase, says them."""
    phrases = [phrase for phrase in words if not (phrase.isascii() and phrase.isalnum())]
    runs = {each: _runs(each) for each in words}
    frequency = Counter(run for found in runs.values() for run in set(found))
    by_run: dict[str, list[str]] = {}
    for each, found in runs.items():
        by_run.setdefault(min(found, key=lambda run: frequency[run], default=""), []).append(each)

    def candidates(phrase: str) -> Iterable[str]:
        """Those that can occur: whose rarest run of letters and digits stands in the phrase."""
        if not phrase.isascii():
            return words
        return chain(*(by_run.get(run, ()) for run in {"", *_RUN.findall(phrase)}))

    inside = {p: frozenset(w for w in candidates(p) if w != p and occurs(w, p)) for p in phrases}
    return {phrase: found for phrase, found in inside.items() if found}


def _runs(word: str) -> list[str]:
    """The runs of letters and digits that stand alone in any ASCII text in which the word occurs."""
    return _RUN.findall(word) if word.isascii() and word[:1] != "_" and word[-1:] != "_" else []


def grouped(lists: Iterable[frozenset[str]], alone: frozenset[str] = frozenset()) -> list[frozenset[str]]:
    """The members of all lists, those together that always stand together: fewer cases, the same answers. Those in
    `alone` are not put together with others."""
    distinct = list(dict.fromkeys(lists))
    places: dict[str, list[int]] = {}
    for place, each in enumerate(distinct):
        for member in sorted(each):
            places.setdefault(member, []).append(place)
    groups: dict[object, set[str]] = {}
    for member, where in places.items():
        groups.setdefault(member if member in alone else tuple(where), set()).add(member)
    return [frozenset(group) for group in groups.values()]
