"""How much a question about rules may cost: the problem is as hard as satisfiability, so the effort is counted.

A unit is about half a microsecond's worth. Policies that people write need little of it, also with a thousand rules;
what is left open once it is used up counts as not analysed.
"""

from __future__ import annotations

from dataclasses import dataclass


class TooManyError(Exception):
    """A question has more cases than are looked at."""


@dataclass(slots=True)
class Work:
    """How many more units all questions about one list of rules may take."""

    left: int

    def take(self, units: int = 1) -> None:
        """Raises `TooManyError` when there is nothing left."""
        self.left -= units
        if self.left < 0:
            raise TooManyError
