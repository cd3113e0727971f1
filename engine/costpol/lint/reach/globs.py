"""Names cut into cells: two names are in one cell exactly where every pattern takes both or neither.

A pattern is a name in which `*` stands for anything. Patterns that only end with it make a cell each. Others run as one
automaton whose states are the bits of an integer; walking it breadth first finds every set of patterns that some name
can match, and the shortest such name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count

from costpol.lint.reach.work import TooManyError, Work

STATES = 4000
"""How many states of the automaton are visited before the field counts as not analysed."""

_FILLER = "xyzqwv0123456789~"
_MOST_BITS = 50_000
_BITS = 2000
"""Patterns of so many characters double the work of a step."""


def cut(patterns: Iterable[str], work: Work) -> list[tuple[str, frozenset[str]]]:
    """The cells of all names: a name that stands for the cell, and the patterns that match it.

    Each pattern without `*` is a cell of its own. Raises `TooManyError` beyond `STATES`, or when the work is used up.
    """
    distinct = sorted(set(patterns))
    literals = [pattern for pattern in distinct if "*" not in pattern]
    globs = [pattern for pattern in distinct if "*" in pattern]
    found = _matching(literals, globs, work)
    cells = [(name, frozenset((name, *matching))) for name, matching in zip(literals, found, strict=True)]
    seen: dict[frozenset[str], str] = {}
    begun = all(glob.find("*") == len(glob) - 1 for glob in globs)
    for name, signature in _beginnings(globs, literals, work) if begun else _walk(globs, literals, work):
        known = seen.get(signature)
        if known is None or (not known and name) or (known in literals and name not in literals):
            seen[signature] = name
    return cells + [(name, signature) for signature, name in seen.items()]


def matches(pattern: str, name: str) -> bool:
    """Whether a name matches a pattern in which only `*` is special."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    if not name.startswith(first) or len(name) < len(first) + len(rest[-1]):
        return False
    position = len(first)
    for part in rest[:-1]:
        found = name.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return name.endswith(rest[-1]) and position <= len(name) - len(rest[-1])


def _matching(names: Iterable[str], globs: Sequence[str], work: Work) -> Iterator[list[str]]:
    """For each name the globs that match it. Only those are looked at whose beginning is the name's."""
    by_beginning: dict[str, list[str]] = {}
    for glob in globs:
        by_beginning.setdefault(glob.partition("*")[0], []).append(glob)
    lengths = sorted({len(beginning) for beginning in by_beginning})
    for name in names:
        near = [glob for size in lengths if size <= len(name) for glob in by_beginning.get(name[:size], ())]
        work.take(1 + len(lengths) // 4 + len(near))
        yield [glob for glob in near if matches(glob, name)]


def _beginnings(globs: list[str], literals: list[str], work: Work) -> Iterator[tuple[str, frozenset[str]]]:
    """Names that between them show every set of globs that can match together, where each is a beginning and `*`."""
    other = _other("".join((*globs, *literals)))
    yield other, frozenset(glob for glob in globs if glob == "*")
    names = [glob[:-1] + other for glob in globs]
    for name, found in zip(names, _matching(names, globs, work), strict=True):
        yield name, frozenset(found)


def _walk(globs: list[str], literals: list[str], work: Work) -> Iterator[tuple[str, frozenset[str]]]:
    """Names that between them show every set of globs that can match together."""
    if sum(map(len, globs)) > _MOST_BITS:
        raise TooManyError
    automaton = _Automaton(globs, "".join(literals))
    yield "", automaton.accepted(automaton.start)
    # A name with the letter that no pattern has is no pattern itself, so it is worth a walk of its own.
    queue: deque[tuple[int, str]] = deque([(automaton.start, "")])
    visited = {(automaton.start, False)}
    step = 2 + sum(map(len, globs)) // _BITS
    while queue:
        state, name = queue.popleft()
        for letter in (*automaton.letters, automaton.other):
            work.take(step)
            following, longer = automaton.step(state, letter), name + letter
            place = (following, automaton.other in longer)
            if place in visited:
                continue
            if len(visited) >= 2 * STATES:
                raise TooManyError
            visited.add(place)
            queue.append((following, longer))
            accepted = automaton.accepted(following)
            work.take(step + len(accepted))
            yield longer, accepted


class _Automaton:
    """All globs at once. A position in a glob is a bit; `*` keeps its bit and lets the next one on as well."""

    def __init__(self, globs: list[str], taken: str) -> None:
        self._moves: dict[str, int] = {}
        self._stars = 0
        self._ends = 0
        self._glob: dict[int, str] = {}
        self.start = 0
        bit = 0
        for glob in globs:
            self.start |= 1 << bit
            previous = ""
            for character in glob:
                if character == "*" and previous == "*":
                    continue
                if character == "*":
                    self._stars |= 1 << bit
                else:
                    self._moves[character] = self._moves.get(character, 0) | 1 << bit
                previous = character
                bit += 1
            self._ends |= 1 << bit
            self._glob[bit] = glob
            bit += 1
        self.start = self._close(self.start)
        self.letters = sorted(self._moves)
        self.other = _other("".join((*self._moves, taken)))

    def step(self, state: int, letter: str) -> int:
        return self._close((state & self._moves.get(letter, 0)) << 1 | state & self._stars)

    def accepted(self, state: int) -> frozenset[str]:
        found, ended = [], state & self._ends
        while ended:
            last = ended.bit_length() - 1
            found.append(self._glob[last])
            ended ^= 1 << last
        return frozenset(found)

    def _close(self, state: int) -> int:
        return state | (state & self._stars) << 1


def _other(taken: str) -> str:
    """A letter that no pattern has."""
    letters = set(taken)
    return next(letter for letter in chain(_FILLER, map(chr, count(0xB7))) if letter not in letters)
