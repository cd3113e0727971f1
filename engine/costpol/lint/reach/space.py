"""The space of requests: every field cut into cells, and what a `when` takes of it.

A request is inside one cell of every dimension. Not every combination exists: a message of three characters holds no
word of seven, an offered tool is an offer. `possible` knows these; whatever it does not know it lets pass, so that a
rule is never called unreachable that is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from costpol.lint.reach import text
from costpol.lint.reach.boxes import EVERYTHING, Box, Region, bits, meet
from costpol.lint.reach.fields import NEVER, Numbers, Values, duration_mask, durations, names, pair, switch, words_of
from costpol.lint.reach.vocabulary import CALLER_FIELDS, Vocabulary, WordIndex, grouped, related, words_in
from costpol.lint.reach.work import TooManyError, Work
from costpol.policy.nodes.matcher import TextMatch, When

BOXES = 256
"""Into how many boxes one `when` may fall before it counts as not analysed."""

_NO, _YES = 0b01, 0b10


class Space:
    """The dimensions that a set of matchers needs. `intents` are the names that a request can be recognised as; `None`
    where the policy declares none. Raises `TooManyError` where all of `work` is used up by the first look.

    A field with more cases than are looked at has no cells: no region of a matcher that asks about it is known."""

    def __init__(self, matchers: Iterable[When], intents: Sequence[str] | None, work: Work) -> None:
        words = Vocabulary.of(matchers)
        self.work = work
        """What questions may still take; whoever asks more sets it anew."""
        self._unknown: set[str] = set()
        """Fields with more cases than are looked at."""
        self.labels: list[str] = []
        self.fields: list[Numbers | Values] = []
        self.full: list[int] = []
        self._number: dict[str, int] = {}
        self._add("intent", words_of((*(intents or ()),) if intents else (*sorted(words.intents), "")))
        for name, patterns in words.names.items():
            self._add(name, self._names(name, patterns))
        for name in ("stream", "attachments", "tools"):
            self._add(name, switch())
        self._add("output", words_of(("schema", "json", "text")))
        self._add("deadline", durations(words.deadlines))
        self._add("turns", Numbers.of(words.turns | {(1, None)}))
        self._add("tokens", Numbers.of(words.tokens))
        self._add("chars", Numbers.of(words.chars | {(1, None)}))
        self.wholes = sorted(words.wholes)
        self._other = len(self.wholes)
        self._add("whole", words_of((*self.wholes, "\x00")))
        self._index = WordIndex(frozenset[str]().union(*words.words), work)
        within = related(self._index, work)
        alone = frozenset(within).union(*within.values())
        self.tool_groups = {self._add(f"tool {min(g)}", switch()): g for g in grouped(words.tools)}
        self.word_groups = {self._add(f"word {min(g)}", switch()): g for g in grouped(words.words, alone)}
        self.patterns = {self._add(f"pattern {p}", switch()): p for p in sorted(words.patterns)}
        # Only a group of its own can hold other words (`grouped` saw to it), so one member speaks for a group.
        self._tool = {member: number for number, group in self.tool_groups.items() for member in group}
        self._word = {member: number for number, group in self.word_groups.items() for member in group}
        self._implied = {
            number: frozenset(self._word[inner] for inner in within.get(min(group), ()))
            for number, group in self.word_groups.items()
        }
        self._shortest = {number: min(map(len, group)) for number, group in self.word_groups.items()}
        self.silent: Box = dict.fromkeys((*self.word_groups, *self.tool_groups, *self.patterns), _NO)
        """Every word, tool and pattern, absent."""
        self._settled: dict[int, frozenset[int]] = {}
        """Per whole message looked at, the groups of words that occur in it."""

    def _names(self, name: str, patterns: Iterable[str]) -> Values:
        try:
            return names(patterns, self.work, optional=name != "model")
        except TooManyError:
            if self.work.left < 0:
                raise
            self._unknown.add(name)
            return words_of(("",))

    def _add(self, label: str, field: Numbers | Values) -> int:
        number = len(self.labels)
        self.labels.append(label)
        self.fields.append(field)
        self.full.append(field.full)
        self._number[label] = number
        return number

    def groups_in(self, message: str) -> frozenset[int]:
        """The groups of words of which one occurs in a message."""
        return frozenset(self._word[word] for word in self._index.inside(message, self.work))

    def dimension(self, label: str) -> int:
        """The number of a dimension by its label."""
        return self._number[label]

    # What a matcher takes

    def region(self, when: When) -> Region:
        """The requests that a matcher takes. Raises `TooManyError` beyond `BOXES`."""
        return tuple(box for box in self._holds(when) if self.possible(box))

    def _holds(self, when: When) -> list[Box]:
        region: list[Box] = [EVERYTHING]
        for choice in self._conditions(when):
            region = self._both(region, choice)
        for part in when.all:
            region = self._both(region, self._holds(part))
        if when.any:
            region = self._both(region, [box for part in when.any for box in self._holds(part)])
        if when.not_ is not None:
            region = self._both(region, self._fails(when.not_))
        return region

    def _fails(self, when: When) -> list[Box]:
        region: list[Box] = []
        for choice in self._conditions(when):
            region += self._negated(choice)
        for part in when.all:
            region += self._fails(part)
        if when.any:
            none_holds: list[Box] = [EVERYTHING]
            for part in when.any:
                none_holds = self._both(none_holds, self._fails(part))
            region += none_holds
        if when.not_ is not None:
            region += self._holds(when.not_)
        return region

    def _both(self, left: list[Box], right: list[Box]) -> list[Box]:
        self.work.take(1 + len(left) * len(right))
        found = [box for one in left for other in right if (box := meet(one, other)) is not None]
        if len(found) > BOXES:
            raise TooManyError
        return found

    def _negated(self, choice: list[Box]) -> list[Box]:
        """The complement of one condition, whose boxes each name one dimension."""
        box: dict[int, int] = {}
        for each in choice:
            for dimension, mask in each.items():
                box[dimension] = box.get(dimension, self.full[dimension]) & ~mask
        return [box] if all(box.values()) else []

    def _conditions(self, when: When) -> list[list[Box]]:
        """Each condition written in the matcher itself, as alternatives that name one dimension each."""
        found: list[list[Box]] = []

        def add(label: str, mask: int) -> None:
            found.append([] if mask == NEVER else [{self._number[label]: mask}])

        if when.intent:
            add("intent", self._values("intent").any_of(when.intent))
        for name in ("model", *CALLER_FIELDS):
            if patterns := getattr(when, name):
                add(name, self._values(name).any_of(patterns))
        for name, patterns in when.metadata.items():
            add(f"metadata.{name}", self._values(f"metadata.{name}").any_of(patterns))
        for name, wanted in (("stream", when.stream), ("attachments", when.attachments)):
            if wanted is not None:
                add(name, _YES if wanted else _NO)
        if when.output:
            add("output", self._values("output").any_of(when.output))
        if when.deadline is not None:
            add("deadline", duration_mask(self._values("deadline"), when.deadline))
        if when.turns is not None:
            add("turns", self._numbers("turns").between(*pair(when.turns)))
        if when.tokens is not None:
            add("tokens", self._numbers("tokens").between(*pair(when.tokens)))
        if isinstance(when.tools, str):
            add("tools", _YES if when.tools == "any" else _NO)
        elif when.tools is not None:
            found.append(_one_of(self._tool, when.tools))
        if when.message is not None:
            found += self._text(when.message)
        return found

    def _text(self, match: TextMatch) -> list[list[Box]]:
        found: list[list[Box]] = []
        if match.min_chars is not None or match.max_chars is not None:
            mask = self._numbers("chars").between(match.min_chars, match.max_chars)
            found.append([{self._number["chars"]: mask}] if mask else [])
        if match.any_of:
            mask = self._values("whole").any_of(text.bare(phrase) for phrase in match.any_of)
            found.append([{self._number["whole"]: mask}])
        if match.words:
            found.append(_one_of(self._word, words_in(match.words)))
        if match.pattern is not None:
            found.append([{self._number[f"pattern {match.pattern}"]: _YES}])
        return found

    def _values(self, label: str) -> Values:
        if label in self._unknown:
            raise TooManyError
        field = self.fields[self._number[label]]
        assert isinstance(field, Values)  # noqa: S101 - by construction
        return field

    def _numbers(self, label: str) -> Numbers:
        field = self.fields[self._number[label]]
        assert isinstance(field, Numbers)  # noqa: S101 - by construction
        return field

    # What can exist

    def possible(self, box: Box) -> bool:
        """Whether some request may be in the box; in doubt it may."""
        self.work.take(1 + len(box) // 4)
        if not all(box.values()):
            return False
        tools = self._number["tools"]
        if box.get(tools) == _NO and any(mask == _YES and n in self.tool_groups for n, mask in box.items()):
            return False
        return self._message_possible(box)

    def coming_with(self, box: Box) -> Box:
        """The words that are in every message that has the words that the box asks for."""
        given = [number for number, mask in box.items() if mask == _YES and number in self.word_groups]
        return {inner: _YES for number in given for inner in self._implied[number]}

    def quiet(self, box: Box) -> Box:
        """No words, patterns or tools but those that the box asks for, and those that come with them."""
        given = {number: _YES for number, mask in box.items() if mask == _YES and number in self.word_groups}
        return {**self.silent, **given, **self.coming_with(box)}

    def quietly_possible(self, box: Box) -> bool:
        """Whether some request in the box may be without any word, pattern or tool that the box does not name."""
        whole = self._number["whole"]
        settled = whole in box and not box[whole] >> self._other
        return self.possible({**self.silent, **box} if settled else box)

    def _message_possible(self, box: Box) -> bool:
        present = [number for number, mask in box.items() if mask == _YES and number in self.word_groups]
        if any(box.get(implied) == _NO for number in present for implied in self._implied[number]):
            return False
        chars, turns, whole = self._number["chars"], self._number["turns"], self._number["whole"]
        least = max((self._shortest[number] for number in present), default=0)
        least = max(least, self._numbers("chars").lowest(box.get(chars, self.full[chars])))
        most = self._numbers("chars").highest(box.get(chars, self.full[chars]))
        if most is not None and least > most:
            return False
        if least and self._numbers("turns").highest(box.get(turns, self.full[turns])) == 0:
            return False
        if whole not in box or box[whole] >> self._other:
            return True
        return any(self._whole_possible(index, most, box) for index in bits(box[whole]))

    def _whole_possible(self, index: int, most: int | None, box: Box) -> bool:
        """Whether a message that is the whole of this number, and no longer than `most`, may be in the box."""
        self.work.take(1 + len(box) // 4)
        phrase = self.wholes[index]
        if most is not None and text.least_characters(phrase) > most:
            return False
        if index not in self._settled:
            self._settled[index] = self.groups_in(phrase)
        said = self._settled[index]
        return not any(
            mask == (_NO if number in said else _YES) and all(text.settles(phrase, word) for word in group)
            for number, mask in box.items()
            if (group := self.word_groups.get(number)) is not None
        )


def _one_of(numbers: Mapping[str, int], wanted: Iterable[str]) -> list[Box]:
    """The words or tools of a matcher, by their groups."""
    return [{number: _YES} for number in sorted({numbers[each] for each in wanted})]
