"""Names cut into cells: two names are in one cell exactly where every pattern takes both or neither.

A pattern is a name in which `*` stands for anything. All patterns run as one automaton whose states are the bits of
an integer; walking it breadth first finds every set of patterns that some name can match, and the shortest such name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

STATES = 4000
"""How many states of the automaton are visited before the field counts as not analysed."""

_FILLER = "xyzqwv0123456789~"


class TooManyError(Exception):
    """A field or a condition has more cases than are looked at."""


def cut(patterns: Iterable[str]) -> list[tuple[str, frozenset[str]]]:
    """The cells of all names: a name that stands for the cell, and the patterns that match it.

    Each pattern without `*` is a cell of its own. Raises `TooManyError` beyond `STATES`.
    """
    distinct = sorted(set(patterns))
    literals = [pattern for pattern in distinct if "*" not in pattern]
    globs = [pattern for pattern in distinct if "*" in pattern]
    cells = [(name, frozenset((name, *(glob for glob in globs if matches(glob, name))))) for name in literals]
    seen: dict[frozenset[str], str] = {}
    for name, signature in _walk(globs, literals):
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


def _walk(globs: list[str], literals: list[str]) -> Iterable[tuple[str, frozenset[str]]]:
    """Names that between them show every set of globs that can match together."""
    automaton = _Automaton(globs, "".join(literals))
    yield "", automaton.accepted(automaton.start)
    # A name with the letter that no pattern has is no pattern itself, so it is worth a walk of its own.
    queue: deque[tuple[int, str]] = deque([(automaton.start, "")])
    visited = {(automaton.start, False)}
    while queue:
        state, name = queue.popleft()
        for letter in (*automaton.letters, automaton.other):
            following, longer = automaton.step(state, letter), name + letter
            place = (following, automaton.other in longer)
            if place in visited:
                continue
            if len(visited) >= 2 * STATES:
                raise TooManyError
            visited.add(place)
            queue.append((following, longer))
            yield longer, automaton.accepted(following)


class _Automaton:
    """All globs at once. A position in a glob is a bit; `*` keeps its bit and lets the next one on as well."""

    def __init__(self, globs: list[str], taken: str) -> None:
        self._moves: dict[str, int] = {}
        self._stars = 0
        self._finals: list[tuple[int, str]] = []
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
            self._finals.append((1 << bit, glob))
            bit += 1
        self.start = self._close(self.start)
        self.letters = sorted(self._moves)
        self.other = next((c for c in _FILLER if c not in self._moves and c not in taken), "\u00b7")

    def step(self, state: int, letter: str) -> int:
        return self._close((state & self._moves.get(letter, 0)) << 1 | state & self._stars)

    def accepted(self, state: int) -> frozenset[str]:
        return frozenset(glob for final, glob in self._finals if state & final)

    def _close(self, state: int) -> int:
        return state | (state & self._stars) << 1
