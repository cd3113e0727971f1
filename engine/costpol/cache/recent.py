"""Entries that were read of late, unpacked: the same stored questions are near again and again.

A search that returns twenty payloads spends more time on reading them than on searching.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from costpol.commands import Entry

_MOST_BYTES = 32 * 2**20
_MOST_ENTRIES = 16_384
_LARGEST = 256 * 2**10
"""Bytes of an entry that is not worth its room."""


@dataclass(slots=True)
class Recent:
    """Entries by their point's id, the one asked for last at the end. What is replaced or forgotten must be dropped.

    An id is the number that its UUID stands for: a search returns UUIDs, and spelling twenty of them as text takes
    longer than all else that is done here.
    """

    _entries: OrderedDict[int, Entry] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def get(self, ids: Sequence[int]) -> list[Entry | None]:
        """Those entries that are at hand, in the order of the ids; `None` for the others."""
        entries = list(map(self._entries.get, ids))
        if self._crowded:
            for id, entry in zip(ids, entries, strict=True):
                if entry is not None:
                    self._entries.move_to_end(id)
        return entries

    @property
    def _crowded(self) -> bool:
        """Whether something may soon have to go: until then nobody needs to know what was asked for last."""
        return 2 * self._bytes > _MOST_BYTES or 2 * len(self._entries) > _MOST_ENTRIES

    def keep(self, id: int, entry: Entry) -> None:
        """Have it at hand, and give up those that were not asked for longest."""
        size = len(entry.body) + len(entry.text)
        self.drop((id,))
        if size > _LARGEST:
            return
        self._entries[id] = entry
        self._bytes += size
        while len(self._entries) > _MOST_ENTRIES or self._bytes > _MOST_BYTES:
            _, gone = self._entries.popitem(last=False)
            self._bytes -= len(gone.body) + len(gone.text)

    def drop(self, ids: Iterable[int]) -> None:
        """These were replaced or forgotten."""
        for id in ids:
            gone = self._entries.pop(id, None)
            if gone is not None:
                self._bytes -= len(gone.body) + len(gone.text)

    def __len__(self) -> int:
        return len(self._entries)
