"""What a terminal shows: text that cannot steer it, and pages of a fixed width."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

TAB = "    "


def visible(text: str) -> str:
    """Text that cannot change how the terminal shows the rest."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def width(text: str) -> int:
    """How many terminal cells a text takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(_cells(character) for character in text)


def printed(write: Callable[[Console], None], columns: int, *, color: bool = False) -> str:
    """What `write` prints on a page of so many columns, without trailing blanks."""
    from rich.console import Console

    out = io.StringIO()
    write(Console(
        file=out, width=columns, force_terminal=color, color_system="standard" if color else None, highlight=False,
        emoji=False, markup=False, legacy_windows=False,
    ))  # fmt: skip
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())


def _shown(character: str) -> str:
    if character == "\t":
        return TAB
    return "\ufffd" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") else character


def _cells(character: str) -> int:
    if character == "\t":
        return len(TAB)
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
