"""The numbers in a question, written in digits or as words, each in one form: `1,000`, `1000`, `1k`, `one thousand`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from costpol.pipeline.wording import NUMBER_WORDS, SCALES, SOFT_NUMBERS, UNITS

_LARGEST = 1e15


def read_numbers(written: Sequence[str], words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All numbers of a text, and those of them that often are none: `first`, `once`, `one`; both sorted."""
    reader = _Reader()
    for raw, word in zip(written, words, strict=True):
        value = NUMBER_WORDS.get(word)
        if value is None and "-" in word and raw[0] != "-":
            value = _joined(word)
        if value is not None and not (reader.open and word in UNITS):  # `30 second`
            reader.take(value, word)
        elif not raw.isalpha() and any(map(str.isdecimal, raw)):
            reader.end()
            digits = _digits(raw)
            if len(digits) == 1 and len(digits[0]) <= 9 and digits[0][0] != "-" and digits[0].count(".") <= 1:
                reader.begin(digits[0])
            else:
                reader.found += digits
        elif not (reader.open and word == "and" and reader.goes_on):
            reader.end()
    reader.end()
    return tuple(sorted(reader.found)), tuple(sorted(reader.soft))


@dataclass(slots=True)
class _Reader:
    """Puts number words together: `two hundred and five thousand twenty-one`."""

    found: list[str] = field(default_factory=list)
    soft: list[str] = field(default_factory=list)
    open: bool = False
    total: float = 0.0
    """Thousands and more that are complete."""
    group: float = 0.0
    """What stands below a thousand, or before the next scale."""
    goes_on: bool = False
    """Whether the last word was a scale, below which another number may follow."""
    lone: str | None = None
    """The only word so far, or the number as written in digits."""

    def take(self, value: float, word: str) -> None:
        """One more number word; one that cannot belong to the number before begins another."""
        if word in SCALES and self.open:
            if value >= 1000:
                self.total, self.group = min(self.total + max(self.group, 1.0) * value, _LARGEST), 0.0
            else:
                self.group = max(self.group, 1.0) * value
            self.goes_on = True
        elif self.open and ((self.goes_on and value < 100) or (self._units_missing and 1 <= value <= 9)):
            self.group, self.goes_on = self.group + value, False
        else:
            self.end()
            self.open, self.lone, self.goes_on = True, word, word in SCALES
            self.total, self.group = (value, 0.0) if value >= 1000 else (0.0, value)
            return
        self.lone = None

    def begin(self, number: str) -> None:
        """A number in digits, which a scale may follow: `5 thousand`."""
        self.open, self.lone, self.goes_on = True, number, False
        self.total, self.group = 0.0, float(number)

    def end(self) -> None:
        """The number is complete, if there is one."""
        if not self.open:
            return
        self.open = False
        value = self.total + self.group
        number = self.lone if self.lone is not None and self.lone[0].isdecimal() else f"{value:.15g}"
        self.found.append(number)
        if self.lone in SOFT_NUMBERS:
            self.soft.append(number)

    @property
    def _units_missing(self) -> bool:
        tens = self.group % 100
        return 20 <= tens <= 90 and tens % 10 == 0 and not (self.lone or "x")[0].isdecimal()


def _joined(word: str) -> float | None:
    """`twenty-one`."""
    tens, _, ones = word.partition("-")
    first, second = NUMBER_WORDS.get(tens), NUMBER_WORDS.get(ones)
    if first is None or second is None or first not in range(20, 100, 10) or not 1 <= second <= 9:
        return None
    return first + second


def _digits(word: str) -> list[str]:
    """The numbers in a word: `1,000` is 1000, `20.00` is 20, `10:00` is 10; but version 1.10 is not 1.1."""
    found: list[str] = []
    number = "-" if word[0] == "-" else ""
    before = ""
    for character in f"{word[1:] if number else word} ":
        if character.isdecimal() or (character in ".," and number[-1:].isdecimal()):
            number += character
        elif number:
            number = number.rstrip(".,")
            if number not in ("", "-") and not (before == ":" and number == "00"):
                found.append(_canonical(number))
            number, before = "", character
    return found


def _canonical(number: str) -> str:
    groups = number.split(",")
    if all(len(group) == 3 for group in groups[1:-1]) and len(groups[-1].partition(".")[0]) == 3:
        number = "".join(groups)
    number = number.replace(",", ".")
    if len(number) == 2 and number[0] == "0":
        return number[1]  # of a date or an hour
    whole, _, decimals = number.partition(".")
    # Three decimals may be thousands, as half of the world writes them.
    return whole if decimals and decimals.strip("0") == "" and len(decimals) != 3 else number
