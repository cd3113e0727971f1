"""The constants that a set of matchers mentions, gathered before fields are cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from costpol.lint.reach.fields import pair
from costpol.lint.reach.text import bare, beginning, ends_apart, folded, occurs, word
from costpol.lint.reach.work import Work
from costpol.policy.nodes.matcher import When

_RUN = re.compile(r"\w+")
_INDEXED = 4
_LOOK = 8
"""Units of work that it takes to look for a word in a message."""

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


class WordIndex:
    """Words, so that those that occur in a text are found by its runs of letters and digits. Raises `TooManyError`
    where there are more than the work allows."""

    def __init__(self, words: Iterable[str], work: Work) -> None:
        self.words = frozenset(words)
        work.take(_INDEXED * len(self.words))
        self._beginnings = {each: beginning(each) for each in self.words}
        runs = {each: _runs(each) for each in self.words}
        frequency = Counter(run for found in runs.values() for run in set(found))
        self._by_run: dict[str, list[str]] = {}
        """Words by the rarest of their runs; those that have none that stands alone, by the empty one."""
        for each, found in runs.items():
            self._by_run.setdefault(min(found, key=lambda run: frequency[run], default=""), []).append(each)

    def inside(self, text: str, work: Work) -> frozenset[str]:
        """The words that occur in a text. Raises `TooManyError` when the work is used up."""
        whole = folded(text)
        candidates = [*self._candidates(whole)]
        work.take(1 + len(candidates) // 4)
        found = []
        for each in candidates:
            if self._beginnings[each] in whole:
                work.take(_LOOK)
                if occurs(each, text):
                    found.append(each)
        return frozenset(found)

    def _candidates(self, folded: str) -> Iterable[str]:
        return chain(*(self._by_run.get(run, ()) for run in {"", *_RUN.findall(folded)}))


def related(index: WordIndex, work: Work) -> dict[str, frozenset[str]]:
    """Which words occur inside which longer phrase: who says the phrase, says them. Raises `TooManyError`."""
    phrases = [phrase for phrase in index.words if not (phrase.isascii() and phrase.isalnum())]
    inside = {phrase: index.inside(phrase, work) - {phrase} for phrase in phrases}
    return {phrase: found for phrase, found in inside.items() if found}


def _runs(word: str) -> list[str]:
    """The runs of letters and digits that stand alone in the folded form of any text in which the word occurs."""
    return _RUN.findall(folded(word)) if word and ends_apart(word) else []


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
