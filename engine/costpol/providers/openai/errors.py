"""Errors of this dialect: what is wrong with a body, in words for its sender, and the shape in which to say so."""

from __future__ import annotations

import re

import msgspec

from costpol.errors import WireError

REQUEST_BODY = "the request body"
"""What an error speaks of where it names no other subject."""

_PLACE = re.compile(r"^(?P<text>.*?)(?: - at `\$\.?(?P<field>.*)`)?$", re.DOTALL)
_TYPES = re.compile(r"^Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`$")
_BOUND = re.compile(r"^Expected `[^`]*` (?P<side>[<>])= (?P<limit>\d+)$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]*)`$")
_EMPTY = re.compile(r"^Expected `[^`]*` of length >= 1$")
_POSITION = re.compile(r"\(byte (?P<position>\d+)\)")

_NOUNS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "a boolean",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def error_body(status: int, message: str, kind: str, code: str | None = None, param: str | None = None) -> bytes:
    """The JSON body of an error answer. `kind` is the `type` that clients see, such as `invalid_request_error`;
    `status` goes into the HTTP head, and stands in for the code where none is given for a failure of the server."""
    if code is None and status >= 500:
        code = str(status)
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def wire_error(error: ValueError | RecursionError, subject: str = REQUEST_BODY, within: str = "") -> WireError:
    """What a decoder said about `subject`, in words for its sender; `within` is where it looked."""
    if isinstance(error, RecursionError):
        return WireError(f"{subject} is nested too deeply")
    if isinstance(error, UnicodeDecodeError):
        return WireError(f"{subject} is not valid UTF-8 (byte {error.start})")
    if not isinstance(error, msgspec.ValidationError):
        position = _POSITION.search(str(error))
        return WireError(f"{subject} is not valid JSON" + (f" (byte {position['position']})" if position else ""))
    return _validation_error(str(error), subject, within)


def _validation_error(text: str, subject: str, within: str) -> WireError:
    place = _PLACE.match(text)
    complaint = place["text"] if place else text
    field = ".".join(part for part in (within, (place["field"] if place else None) or "") if part)
    home = "" if subject == REQUEST_BODY else f" of {subject}"
    where = f"`{field}`{home}" if field else subject
    if types := _TYPES.match(complaint):
        wanted = [_NOUNS.get(word, word) for word in types["wanted"].split(" | ")]
        got = _NOUNS.get(types["got"], types["got"])
        return WireError(f"{where} must be {_either(wanted)}, not {got}", field or None)
    if missing := _MISSING.match(complaint):
        name = f"{field}.{missing['name']}" if field else missing["name"]
        return WireError(f"`{name}`{home} is missing", name)
    if bound := _BOUND.match(complaint):
        side = "least" if bound["side"] == ">" else "most"
        return WireError(f"{where} must be at {side} {bound['limit']}", field or None)
    if _EMPTY.match(complaint):
        return WireError(f"{where} must not be empty", field or None)
    return WireError(f"{where} has a value that cannot be read", field or None)


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
