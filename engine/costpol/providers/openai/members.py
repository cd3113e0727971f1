"""The members of a JSON object as raw bytes, with no name twice.

A body that says `model` twice can mean one thing to costpol and another to the upstream, which may read the other one:
it is refused, not guessed at.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw, json

from costpol.errors import WireError
from costpol.providers.openai.errors import REQUEST_BODY, wire_error

Members = dict[str, Raw]


class _Name:
    """A member's name that equals no other, so that a name said twice is kept twice."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _name(_: type, text: str) -> _Name:
    return _Name(text)


encode = json.Encoder().encode
_OBJECT = json.Decoder(Members)
_EVERY = json.Decoder(dict[_Name, Raw], dec_hook=_name)
_OBJECTS = json.Decoder(list[Members])
_RAWS = json.Decoder(list[Raw])
_EVERY_OBJECTS = json.Decoder(list[dict[_Name, Raw]], dec_hook=_name)


def read_members(body: bytes, subject: str = REQUEST_BODY) -> Members:
    """The members of the object `body`, in its order. Raises `WireError` for anything else, and for a name twice."""
    try:
        body.decode()  # the decoder skips over what it keeps raw without reading its text
        members = _OBJECT.decode(body)
        if encode(members) != body and _may_repeat(members, len(body)):
            _refuse_repeats(list(_EVERY.decode(body)), "")
    except (ValueError, RecursionError) as error:
        raise wire_error(error, subject) from None
    return members


def check_objects(raw: Raw, place: str) -> list[Members]:
    """The members of every object in the list `raw`, which stands at `place`; raises `WireError` for a name twice."""
    try:
        objects = _OBJECTS.decode(raw)
        if encode(objects) != bytes(raw):
            lengths = [len(bytes(each)) for each in _RAWS.decode(raw)]
            if any(map(_may_repeat, objects, lengths)):
                for index, names in enumerate(_EVERY_OBJECTS.decode(raw)):
                    _refuse_repeats(list(names), f"{place}[{index}].")
    except (ValueError, RecursionError) as error:
        raise wire_error(error, within=place) from None
    return objects


def _may_repeat(members: Members, length: int) -> bool:
    """Whether an object written with so many octets has room for a member said twice.

    The shortest way to write its members takes a known length; what is left beyond is white space, or else at least a
    name in quotes, a colon, a value and a comma.
    """
    shortest = [len(name) + 2 for name in members]
    least = sum(shortest) + sum(map(len, map(bytes, members.values()))) + 2 * len(members) + 1
    return length - least >= min(shortest, default=2) + 3


def _refuse_repeats(names: Sequence[_Name], place: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name.text in seen:
            raise WireError(f"`{place}{name.text}` is given twice", place + name.text)
        seen.add(name.text)
