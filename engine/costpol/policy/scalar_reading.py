"""From the text of one YAML scalar to the value of a key, or to the finding that says why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from costpol.diagnostics import Diagnostic, Edit, Fix
from costpol.policy import codes, scalars
from costpol.policy.correction import correction, cure
from costpol.policy.suggestion import nearest
from costpol.policy.tree import ScalarTree, is_null, is_number_elsewhere, is_word_boolean, resolve, truth

ScalarReader = Callable[[ScalarTree, str], Any]
"""Takes the scalar and the key's name for messages; answers the value, or a `Diagnostic`."""

_NUMBERS: tuple[Any, ...] = (scalars.Usd, scalars.Duration, scalars.Count, scalars.Share)
_NUMERIC_SCALARS = frozenset(alias.__metadata__[0].name for alias in _NUMBERS)
_NON_FINITE = re.compile(r"\$?\s?[-+]?\.?(?:inf|infinity|s?nan)[0-9]*(?:\s?%|\s?USD)?", re.IGNORECASE)
_LONGEST_NUMBER = 64
_LARGE_SHARE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_MEANINGS = {"boolean": "a boolean", "integer": "a number", "number": "a number"}


def shorten(text: str) -> str:
    """User input as it stands in a message: one line, not too long, in backticks."""
    line = " ".join(text.split())
    return f"`{line[:60]}...`" if len(line) > 60 else f"`{line}`"


def read_text(tree: ScalarTree, name: str) -> str | Diagnostic:
    """Text. A bare number or boolean is refused: an editor sees no text there."""
    meaning = resolve(tree.text) if tree.plain else "text"
    if meaning == "text":
        return tree.text
    if meaning == "null":
        return no_value(tree, name)
    return codes.WRONG_TYPE.at(
        tree.span, f"`{name}` takes text, and YAML takes {shorten(tree.text)} for {_MEANINGS[meaning]}",
        f'write "{tree.text}" in quotes',
        fix=quote(tree),
    )  # fmt: skip


def read_boolean(tree: ScalarTree, name: str) -> bool | Diagnostic:
    """`true` or `false`."""
    value = truth(tree.text)
    if not tree.plain:
        help = f"write `{tree.text}` without quotes" if value is not None else "write `true` or `false`"
        fix = Fix("drop the quotes", (Edit(tree.span, tree.text),)) if value is not None else None
        return codes.WRONG_TYPE.at(
            tree.span, f"`{name}` takes `true` or `false`, not the text {shorten(tree.text)}", help, fix=fix
        )
    if value is not None:
        return value
    if not tree.text:
        return no_value(tree, name)
    if is_word_boolean(tree.text):
        meant = "true" if tree.text.lower() in ("yes", "on") else "false"
        return codes.AMBIGUOUS_SCALAR.at(
            tree.span, f"`{tree.text}` is a boolean to some YAML readers and text to others", f"write `{meant}`",
            fix=Fix(f"write `{meant}`", (Edit(tree.span, meant),)),
        )  # fmt: skip
    return codes.WRONG_TYPE.at(
        tree.span, f"`{name}` takes `true` or `false`, not {shorten(tree.text)}", "write `true` or `false`"
    )


def read_integer(tree: ScalarTree, name: str) -> int | Diagnostic:
    """A whole number without unit or factor."""
    found = _refuse_number(tree, name)
    if found is not None:
        return found
    if tree.plain and resolve(tree.text) == "integer":
        return int(tree.text)
    return codes.INVALID_VALUE.at(
        tree.span, f"`{name}`: expected a whole number, not {shorten(tree.text)}", "write digits, without quotes"
    )


def scalar_reader(scalar: scalars.Scalar) -> ScalarReader:
    """A reader of one of the language's own scalars."""
    if scalar.name in _NUMERIC_SCALARS:
        return lambda tree, name: _refuse_number(tree, name, scalar) or _read(scalar, tree, name)
    if scalar.name == "a name":
        return lambda tree, name: _refuse_name(tree, name) or _read(scalar, tree, name)
    return lambda tree, name: _refuse_untyped(tree, name) or _read(scalar, tree, name)


def word_reader(words: tuple[str, ...]) -> ScalarReader:
    """A reader of one of these words."""
    known = frozenset(words)

    def read(tree: ScalarTree, name: str) -> str | Diagnostic:
        if tree.text in known:
            return tree.text
        if is_null(tree):
            return no_value(tree, name)
        listed = one_of(words)
        guess = nearest(tree.text, words)
        fix = Fix(f"write `{guess}`", (Edit(tree.span, guess),), safe=False) if guess else None
        help = f"did you mean `{guess}`?" if guess else f"write {listed}"
        return codes.UNKNOWN_WORD.at(tree.span, f"`{name}` takes {listed}, not {shorten(tree.text)}", help, fix=fix)

    return read


def one_of(words: tuple[str, ...]) -> str:
    """Words as a message lists them."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def quote(tree: ScalarTree) -> Fix | None:
    """The same characters as text; for a scalar that stands on one line."""
    if tree.span.line != tree.span.end_line or set(tree.text) & {'"', "\\"}:
        return None
    return Fix(f'write "{tree.text}" in quotes', (Edit(tree.span, f'"{tree.text}"'),))


def no_value(tree: ScalarTree, name: str) -> Diagnostic:
    """A key without a value: a null says neither that nothing is meant nor what is."""
    return codes.MISSING_KEY.at(tree.span, f"`{name}` has no value", "write a value, or drop the key")


def _read(scalar: scalars.Scalar, tree: ScalarTree, name: str) -> Any:
    try:
        return scalar.read(tree.text)
    except ValueError as error:
        expected = str(error)
        what = expected if ": " in expected or ", not" in expected else f"{expected}, not {shorten(tree.text)}"
        meant = correction(scalar, tree.text)
        fix = Fix(f"write `{meant}`", (Edit(tree.span, meant),), safe=False) if meant else None
        help = f"did you mean `{meant}`?" if meant else cure(scalar, expected)
        return codes.INVALID_VALUE.at(tree.span, f"`{name}`: {what}", help, fix=fix)


def _refuse_untyped(tree: ScalarTree, name: str) -> Diagnostic | None:
    text = read_text(tree, name)
    return text if isinstance(text, Diagnostic) else None


def _refuse_name(tree: ScalarTree, name: str) -> Diagnostic | None:
    """A bare word that is no name to every YAML reader."""
    if not tree.plain or not (is_word_boolean(tree.text) or is_number_elsewhere(tree.text)):
        return _refuse_untyped(tree, name)
    what = "a boolean" if is_word_boolean(tree.text) else "a number or a date"
    return codes.AMBIGUOUS_SCALAR.at(
        tree.span, f"`{tree.text}` is {what} to some YAML readers and text to others",
        f'write "{tree.text}" in quotes', fix=quote(tree),
    )  # fmt: skip


def _refuse_number(tree: ScalarTree, name: str, scalar: scalars.Scalar | None = None) -> Diagnostic | None:
    """What no number with or without a unit may look like, before it is read as one."""
    text = tree.text
    if is_null(tree):
        return no_value(tree, name)
    if tree.plain and is_number_elsewhere(text):
        help = "write a duration with its unit, such as `90s`" if ":" in text else "write plain decimal digits"
        return codes.AMBIGUOUS_SCALAR.at(tree.span, f"`{text}` is another number to some YAML readers", help)
    if len(text) > _LONGEST_NUMBER:
        return codes.INVALID_VALUE.at(
            tree.span, f"`{name}`: {len(text)} characters are no number", "write fewer digits"
        )
    if _NON_FINITE.fullmatch(text):
        return codes.NON_FINITE_NUMBER.at(
            tree.span, f"`{name}` is not a finite number", "drop the key where nothing limits it"
        )
    if scalar is not None and scalar.name == "a share" and _LARGE_SHARE.fullmatch(text) and float(text) > 1:
        meant = f"{text}%"
        percent = float(text) <= 100
        return codes.SCORE_SCALE_MISMATCH.at(
            tree.span, f"`{name}` is a share between 0 and 1, not {shorten(text)}",
            f"did you mean `{meant}`?" if percent else "write a share such as `0.92` or `92%`",
            fix=Fix(f"write `{meant}`", (Edit(tree.span, meant),), safe=False) if percent else None,
        )  # fmt: skip
    if text.startswith(("-", "$-", "$ -")):
        return codes.NON_FINITE_NUMBER.at(tree.span, f"`{name}` cannot be negative", "write a number from 0 on")
    return None
