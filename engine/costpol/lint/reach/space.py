"""The space of requests: every field cut into cells, and what a `when` takes of it.

A request is inside one cell of every dimension. Not every combination exists: a message of three characters holds no
word of seven, an offered tool is an offer. `possible` knows these; whatever it does not know it lets pass, so that a
rule is never called unreachable that is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from costpol.lint.reach import text
from costpol.lint.reach.boxes import EVERYTHING, Box, Region, meet
from costpol.lint.reach.fields import NEVER, Numbers, Values, duration_mask, durations, names, pair, switch, words_of
from costpol.lint.reach.globs import TooManyError
from costpol.lint.reach.vocabulary import CALLER_FIELDS, Vocabulary, grouped, related, words_in
from costpol.policy.nodes.matcher import TextMatch, When

BOXES = 256
"""Into how many boxes one `when` may fall before it counts as not analysed."""

_NO, _YES = 0b01, 0b10


class Space:
    """The dimensions that a set of matchers needs. `intents` are the names that a request can be recognised as; `None`
    where the policy declares none. Raises `TooManyError` where a field has too many cases."""

    def __init__(self, matchers: Iterable[When], intents: Sequence[str] | None) -> None:
        words = Vocabulary.of(matchers)
        self.labels: list[str] = []
        self.fields: list[Numbers | Values] = []
        self.full: list[int] = []
        self._number: dict[str, int] = {}
        self._add("intent", words_of((*(intents or ()),) if intents else (*sorted(words.intents), "")))
        for name, patterns in words.names.items():
            self._add(name, names(patterns, optional=name != "model"))
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
        within = related(frozenset[str]().union(*words.words))
        alone = frozenset(within).union(*within.values())
        self.tool_groups = {self._add(f"tool {min(g)}", switch()): g for g in grouped(words.tools)}
        self.word_groups = {self._add(f"word {min(g)}", switch()): g for g in grouped(words.words, alone)}
        self.patterns = {self._add(f"pattern {p}", switch()): p for p in sorted(words.patterns)}
        # Only a group of its own can hold other words (`grouped` saw to it), so one member speaks for a group.
        numbers = {member: number for number, group in self.word_groups.items() for member in group}
        self._implied = {
            number: frozenset(numbers[inner] for inner in within.get(min(group), ()))
            for number, group in self.word_groups.items()
        }
        self._shortest = {number: min(map(len, group)) for number, group in self.word_groups.items()}
        self._silent = dict.fromkeys((*self.word_groups, *self.tool_groups, *self.patterns), _NO)
        self._settled = [self._settle(whole) for whole in self.wholes]

    def _add(self, label: str, field: Numbers | Values) -> int:
        number = len(self.labels)
        self.labels.append(label)
        self.fields.append(field)
        self.full.append(field.full)
        self._number[label] = number
        return number

    def _settle(self, whole: str) -> dict[int, int]:
        """For each group of words, the cell that a message that is `whole` must be in, where that is sure."""
        return {
            number: _YES if any(text.occurs(word, whole) for word in group) else _NO
            for number, group in self.word_groups.items()
            if all(text.settles(whole, word) for word in group)
        }

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
            region = _both(region, choice)
        for part in when.all:
            region = _both(region, self._holds(part))
        if when.any:
            region = _both(region, [box for part in when.any for box in self._holds(part)])
        if when.not_ is not None:
            region = _both(region, self._fails(when.not_))
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
                none_holds = _both(none_holds, self._fails(part))
            region += none_holds
        if when.not_ is not None:
            region += self._holds(when.not_)
        return region

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
            found.append(_one_of(self.tool_groups, frozenset(when.tools)))
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
            found.append(_one_of(self.word_groups, words_in(match.words)))
        if match.pattern is not None:
            found.append([{self._number[f"pattern {match.pattern}"]: _YES}])
        return found

    def _values(self, label: str) -> Values:
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
        if not all(box.values()):
            return False
        tools = self._number["tools"]
        if box.get(tools) == _NO and any(mask == _YES and n in self.tool_groups for n, mask in box.items()):
            return False
        return self._message_possible(box)

    def quiet(self, box: Box) -> Box:
        """No words, patterns or tools but those that the box asks for, and those that come with them."""
        given = {number for number, mask in box.items() if mask == _YES and number in self.word_groups}
        given = given.union(*(self._implied[number] for number in given))
        return {**self._silent, **dict.fromkeys(given, _YES)}

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
        return any(
            box[whole] >> index & 1
            and (most is None or text.least_characters(phrase) <= most)
            and all(box.get(number, cell) & cell for number, cell in self._settled[index].items())
            for index, phrase in enumerate(self.wholes)
        )


def _one_of(groups: dict[int, frozenset[str]], wanted: frozenset[str]) -> list[Box]:
    return [{number: _YES} for number, group in groups.items() if group <= wanted]


def _both(left: list[Box], right: list[Box]) -> list[Box]:
    found = [box for one in left for other in right if (box := meet(one, other)) is not None]
    if len(found) > BOXES:
        raise TooManyError
    return found
