"""Questions about the caller's own things, told from questions that anybody could ask (English).

"where is my parcel" is about one person; "how do I track my parcel" has the same answer for everybody. Only nouns that
name a record somebody holds count, and a question that asks for a procedure does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from costpol.lint.reach.text import found, normalise
from costpol.lint.reach.vocabulary import WordIndex, words_in
from costpol.lint.reach.work import Work
from costpol.policy.nodes.intents import Intent
from costpol.policy.nodes.personalization import Exclusion

_RECORDS = (
    "account|appointment|balance|bill|booking|cart|claim|contract|delivery|diagnosis|invoice|loan|membership|mortgage"
    "|order|package|parcel|payment|payslip|portfolio|prescription|purchase|refund|reservation|salary|shipment"
    "|statement|subscription|ticket|transaction|transfer"
)
_SEARCH = 4
"""Units of work that it takes to search a message for a pattern."""
_POSSESSION = re.compile(rf"\b(?:my|our)\s+(?:[\w-]+\s+){{0,2}}?(?:{_RECORDS}|deliveries)s?\b", re.IGNORECASE)
_PROCEDURE = re.compile(
    r"^\W*(?:(?:hi|hello|hey|please|so|and)\W+)*(?:how\s+(?:do|does|can|could|would|should|to|long|soon)\b|can\b|could\b|"
    r"may\b|do\s+(?:i|we|you)\b|does\b|should\b|where\s+(?:do|can|could|should)\b|when\s+(?:do|can|should)\b|"
    r"what\s+(?:happens|if|do|should|can)\b|is\s+(?:it|there)\b|are\s+there\b|who\s+(?:can|do|should)\b|"
    r"which\b|why\s+(?:do|should|would)\b|would\b|will\s+i\b)",
    re.IGNORECASE,
)


def possession(text: str) -> str | None:
    """The words by which a question is about the caller's own record, such as `my order`; `None` where it is not."""
    text = normalise(text)
    if _PROCEDURE.search(text):
        return None
    match = _POSSESSION.search(text)
    return match.group() if match else None


def utterances(intent: Intent) -> list[str]:
    """What requests of an intent sound like: its examples, and the wordings that its matcher asks for."""
    message = intent.when.message if intent.when is not None else None
    return [*intent.examples, *((*message.any_of, *message.words) if message is not None else ())]


class Recogniser:
    """Tells the messages that an exclusion recognises as personal by their wording. Raises `TooManyError`."""

    def __init__(self, exclusions: Iterable[Exclusion], work: Work) -> None:
        listed = [*exclusions]
        self._phrases = WordIndex(words_in(phrase for exclusion in listed for phrase in exclusion.phrases), work)
        self._patterns = [exclusion.pattern for exclusion in listed if exclusion.pattern is not None]

    def personal(self, text: str, work: Work) -> bool:
        """Whether an exclusion recognises a message. Raises `TooManyError` when the work is used up."""
        if self._phrases.inside(text, work):
            return True
        work.take(_SEARCH * len(self._patterns))
        return any(found(pattern, text) for pattern in self._patterns)
