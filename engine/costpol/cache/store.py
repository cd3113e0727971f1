"""What every answer store can do, wherever its entries lie.

The embedded store answers at once, one behind a network answers later: `Later[T]` is either. All else is equal, and one
suite holds every store to it (`tests/unit/cache/test_conformance.py`):

- an entry is read only by who asks with its very scope and partition, and never from its expiry on;
- what is damaged, or says of itself that it belongs elsewhere, is not there;
- commands answer failures as `Failed`; upkeep raises `StoreError`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeAlias, TypeVar

from costpol.cache.tally import IntentRow
from costpol.commands import Entry, Failed, Hit, LookupExact, LookupSimilar, Store

_T = TypeVar("_T")

Later: TypeAlias = _T | Awaitable[_T]


class AnswerStore(Protocol):
    """The answers of one embedder."""

    max_entries: int
    """From how many entries on the least valuable are given up."""

    def lookup_exact(self, c: LookupExact) -> Later[Hit | Failed | None]:
        """The unexpired entry of exactly this identity."""

    def lookup_similar(self, c: LookupSimilar) -> Later[tuple[Hit, ...] | Failed]:
        """The unexpired entries nearest to a vector, inside one partition, scope and intent, nearest first."""

    def store(self, c: Store) -> Later[Failed | None]:
        """Keep an answer, replacing the one of the same identity."""

    def credit(self, entry: Entry) -> None:
        """An entry was served, which makes it worth more when the store is full."""

    def sweep(self, now: float, at_most: int | None = None) -> Later[int]:
        """Delete expired entries, `at_most` so many, and say how many."""

    def purge(
        self, intent: str | None = None, template: str | None = None, id: str | None = None, everything: bool = False,
        *, tag: str | None = None, scope: str | None = None, tenant: str | None = None, dry_run: bool = False,
    ) -> Later[int]:  # fmt: skip
        """Delete what is named by all that is given, and say how many; naming nothing deletes nothing."""

    def find(self, reference: str) -> Later[Entry | None]:
        """The entry of an `Entry.reference`, expired or not."""

    def count(self) -> Later[int]:
        """How many entries are stored, expired ones that were not swept yet included."""

    def stats(self, now: float) -> Later[tuple[IntentRow, ...]]:
        """What is stored, one row per intent."""

    def close(self) -> Later[None]:
        """Let go of it. Closing twice is no error."""
