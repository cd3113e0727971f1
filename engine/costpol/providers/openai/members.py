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
_REPEATED = len('"":0,')
"""Octets that a repeated member takes at least, but for its name."""


def read_members(body: bytes, subject: str = REQUEST_BODY) -> Members:
    """The members of the object `body`, in its order. Raises `WireError` for anything else, and for a name twice."""
    try:
        body.decode()  # the decoder skips over what it keeps raw without reading its text
        members = _OBJECT.decode(body)
        if _may_repeat((members,), len(body) - len(encode(members))):
            _refuse_repeats(list(_EVERY.decode(body)), "")
    except (ValueError, RecursionError) as error:
        raise wire_error(error, subject) from None
    return members


def check_objects(raw: Raw, place: str) -> list[Members]:
    """The members of every object in the list `raw`, which stands at `place`; raises `WireError` for a name twice."""
    try:
        objects = _OBJECTS.decode(raw)
        if _may_repeat(objects, len(bytes(raw)) - len(encode(objects))):
            for index, (members, written) in enumerate(zip(objects, _RAWS.decode(raw), strict=True)):
                if _may_repeat((members,), len(bytes(written)) - len(encode(members))):
                    _refuse_repeats(list(_EVERY.decode(written)), f"{place}[{index}].")
    except (ValueError, RecursionError) as error:
        raise wire_error(error, within=place) from None
    return objects


def _may_repeat(objects: Sequence[Members], spare: int) -> bool:
    """Whether objects that were written with so many octets more than they need have room for a member said twice.

    What is spare is white space, or else at least a name in quotes, a colon, a value and a comma.
    """
    return spare >= _REPEATED and spare >= _REPEATED + min(
        [len(name) for members in objects for name in members], default=0
    )


def _refuse_repeats(names: Sequence[_Name], place: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name.text in seen:
            raise WireError(f"`{place}{name.text}` is given twice", place + name.text)
        seen.add(name.text)
