"""The placeholders of prompt templates: `{{ name }}`, and nothing else between double braces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
_BRACES = re.compile(r"\{\{|\}\}")


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The variables that a template uses, in order and each once, and the first braces that spell no placeholder."""

    names: tuple[str, ...]
    stray: str | None


def placeholders(text: str) -> Placeholders:
    """What stands between double braces in a template."""
    names = tuple(dict.fromkeys(PLACEHOLDER.findall(text)))
    rest = PLACEHOLDER.sub("", text)
    stray = _BRACES.search(rest)
    return Placeholders(names, rest[stray.start() : stray.start() + 30] if stray else None)


def template_parts(text: str) -> Iterator[tuple[str, str | None]]:
    """Fixed parts as `(text, None)` and variables as `("", name)`, in order."""
    end = 0
    for found in PLACEHOLDER.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], None
        yield "", found.group(1)
        end = found.end()
    if end < len(text):
        yield text[end:], None
