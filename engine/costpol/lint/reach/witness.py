"""A request that shows what a box holds: only the fields that the box cares about."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from costpol.lint.reach import text
from costpol.lint.reach.boxes import Box
from costpol.lint.reach.fields import Numbers
from costpol.lint.reach.space import Space
from costpol.lint.reach.work import TooManyError

Witness = Mapping[str, Any]
"""`message`, `tokens`, `turns`, `tools`, `intent`, `tenant`, `metadata`, ...: what the request has. A field that is
not there may be anything; an absent tenant, user, deadline or the like is `None`. `matching` lists patterns that the
message has to match, which are not solved for; the message is then left out."""

_FILLERS = ("hello", "please help", "tell me more", "\u00b7")
_SHOWN = 60


def witness(box: Box, space: Space) -> Witness:
    """A request from a box that `space.possible` let pass."""
    plain = {**space.quiet(box), **box}
    with suppress(TooManyError):
        box = plain if space.possible(plain) else box
    found: dict[str, Any] = {}
    text_dimensions = {space.dimension("chars"), space.dimension("whole"), *space.word_groups, *space.patterns}
    metadata: dict[str, Any] = {}
    for number, mask in box.items():
        label, field = space.labels[number], space.fields[number]
        if number in text_dimensions or number in space.tool_groups:
            continue
        value = field.lowest(mask) if isinstance(field, Numbers) else field.where(mask)
        if label.startswith("metadata."):
            metadata[label.removeprefix("metadata.")] = value
        else:
            found[label] = value
    if metadata:
        found["metadata"] = metadata
    tools = [min(group) for number, group in space.tool_groups.items() if box.get(number) == 0b10]
    if tools:
        found["tools"] = tools
    elif "tools" in found:
        found["tools"] = ["another-tool"] if found["tools"] else []
    matching = [pattern for number, pattern in space.patterns.items() if box.get(number) == 0b10]
    if matching:
        found["matching"] = matching
    elif text_dimensions & box.keys():
        found["message"] = _message(box, space)
    if found.get("message") or matching:
        found["turns"] = max(found.get("turns", 1), 1)
    return found


def describe(found: Witness) -> str:
    """A witness on one line: `message="thanks" turns=2 tenant=acme`."""
    parts = []
    for name, value in found.items():
        if name == "message" and len(value) > _SHOWN:
            parts.append(f"message of {len(value)} characters")
        elif name == "message":
            parts.append(f'message="{value}"')
        elif name == "matching":
            parts.extend(f"message matching {pattern}" for pattern in value)
        elif name == "metadata":
            parts.extend(f"metadata.{key}={_plain(each)}" for key, each in value.items())
        elif name == "deadline":
            parts.append("no deadline" if value is None else f"deadline={value:g}s")
        else:
            parts.append(f"{name}={_plain(value)}")
    return " ".join(parts) or "any request"


def _plain(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, list) else str(value)


def _message(box: Box, space: Space) -> str:
    """The shortest plain message with the words, the length and the wording that the box asks for."""
    chars = space.fields[space.dimension("chars")]
    assert isinstance(chars, Numbers)  # noqa: S101 - by construction
    mask = box.get(space.dimension("chars"), chars.full)
    least, most = chars.lowest(mask), chars.highest(mask)
    wholes = box.get(space.dimension("whole"))
    other = len(space.wholes)
    if wholes is not None and not wholes >> other:
        fitting = [whole for index, whole in enumerate(space.wholes) if wholes >> index & 1]
        candidates = [whole for whole in fitting if text.least_characters(whole) <= (most or least or len(whole))]
        candidates = candidates or fitting
    else:
        present = " \u00b7 ".join(min(g, key=len) for n, g in space.word_groups.items() if box.get(n) == 0b10)
        around = ("{}", "please {}", "{} please", "\u00b7 {}")
        fillers = ("",) if most == 0 else _FILLERS
        candidates = [each.format(present) for each in around] if present else list(fillers)
    with suppress(TooManyError):
        for candidate in candidates:
            for padded in (candidate, _padded(candidate, least, most)):
                if _fits(padded, box, space):
                    return padded
    return _padded(candidates[0], least, most)


def _padded(message: str, least: int, most: int | None) -> str:
    if most is not None:
        message = message[:most] if len(message) > most else message
    return message + "." * (least - len(message))


def _fits(message: str, box: Box, space: Space) -> bool:
    chars = space.fields[space.dimension("chars")]
    assert isinstance(chars, Numbers)  # noqa: S101 - by construction
    whole = text.bare(message)
    index = space.wholes.index(whole) if whole in space.wholes else len(space.wholes)
    said = space.groups_in(message)
    cells = {
        space.dimension("chars"): chars.between(len(message), len(message)) or _last_start(chars, len(message)),
        space.dimension("whole"): 1 << index,
        **{n: 0b10 if n in said else 0b01 for n in space.word_groups},
        **{n: 0b10 if text.found(p, message) else 0b01 for n, p in space.patterns.items()},
    }
    return all(box[number] & cell for number, cell in cells.items() if number in box)


def _last_start(numbers: Numbers, value: int) -> int:
    """The cell that a number is in."""
    return 1 << (sum(1 for start in numbers.starts if start <= value) - 1)
