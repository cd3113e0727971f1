"""Differences that forbid giving one question's answer to another, however near their vectors are.

An embedding puts "enable" beside "disable" and 20 beside 200. Each guard looks for one kind of difference in the words
themselves; it only ever refuses.

| guard    | refuses when                                                                            |
| -------- | --------------------------------------------------------------------------------------- |
| numbers  | the numbers differ: amounts, counts, ordinals, written in digits or as words            |
| negation | one says no where the other does not, or they stand on two sides of a pair of opposites |
| entities | a name, date, address or identifier of one is not in the other                          |
| order    | what stands after `from` in one stands after `to` in the other, or the like             |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

Words = list[str]

_EDGE = '.,;:!?"()[]{}<>\u2026\u00bf\u00a1'

_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | {
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "hundred": "100", "thousand": "1000", "million": "1000000", "once": "1", "twice": "2", "first": "1", "second": "2",
    "third": "3", "fourth": "4", "fifth": "5", "double": "2", "triple": "3", "half": "0.5",
}  # fmt: skip
_VAGUE = frozenset({"one"})
"""`one` is as often a pronoun as a number."""

_NEGATORS = frozenset(
    "not no never none nobody nothing nowhere neither nor cannot cant dont doesnt didnt wont isnt arent wasnt werent "
    "hasnt havent hadnt wouldnt couldnt shouldnt aint without unable except nicht kein keine keinen nie ohne pas sans "
    "jamais sin nunca".split()
)

_OPPOSITES = (
    ("enable activate activated enabling activating", "disable deactivate deactivated disabling deactivating"),
    ("on", "off"), ("with", "without"), ("before", "after"), ("open opening opened", "close closing closed"),
    ("increase increasing raise raising", "decrease decreasing lower lowering reduce reducing"),
    ("add adding", "remove removing delete deleting"), ("buy buying", "sell selling"), ("up", "down"),
    ("accept accepted accepting", "decline declined reject rejected"), ("start starting begin", "stop stopping end"),
    ("allow allowed allowing", "deny denied block blocked forbid forbidden"), ("lock locked", "unlock unlocked"),
    ("freeze", "unfreeze"), ("subscribe", "unsubscribe cancel"), ("login", "logout"), ("install", "uninstall"),
    ("send sending sent", "receive receiving received"), ("deposit depositing", "withdraw withdrawing withdrawal"),
    ("minimum min least", "maximum max most"), ("more", "less fewer"), ("inside indoor", "outside outdoor"),
    ("safe", "unsafe dangerous"), ("legal", "illegal"), ("possible", "impossible"), ("above over", "below under"),
    ("upgrade", "downgrade"), ("import", "export"), ("upload", "download"), ("encrypt", "decrypt"),
    ("connect", "disconnect"), ("show", "hide"), ("incoming", "outgoing"), ("earliest", "latest"),
    ("cheapest", "dearest"),
    ("always", "never"), ("include including included", "exclude excluding excluded"), ("physical", "virtual"),
    ("credit", "debit"), ("weekday weekdays", "weekend weekends"), ("morning", "evening"), ("left", "right"),
    ("input", "output"), ("hot", "cold"), ("pros advantages benefits", "cons disadvantages drawbacks"),
    ("male men man", "female women woman"), ("arrive arrival arriving", "depart departure departing leave leaving"),
)  # fmt: skip
_SIDES: dict[str, tuple[int, int]] = {
    word: (pair, side)
    for pair, sides in enumerate(_OPPOSITES)
    for side, words in enumerate(sides)
    for word in words.split()
}

_CALENDAR = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september "
    "october november december today tomorrow yesterday tonight".split()
)
_FROM = frozenset({"from", "of", "leaving", "than", "before", "after", "by", "over", "beats", "against"})
_TO = frozenset({"to", "into", "in", "towards", "for"})
_FILLERS = frozenset({"my", "the", "a", "an", "our", "your", "their", "his", "her"})


def refusing(guards: Collection[str], question: str, cached: str) -> str | None:
    """The first guard that sees a difference between a question and one that is kept, if any."""
    if question == cached:
        return None
    left, right = _split(question), _split(cached)
    for name, differ in _GUARDS:
        if name in guards and differ(left, right):
            return name
    return None


def _split(text: str) -> Words:
    """The words as written, without punctuation around them."""
    return [word for word in (raw.strip(_EDGE) for raw in text.replace("\u2019", "'").split()) if word]


def _numbers_differ(left: Words, right: Words) -> bool:
    return Counter(_numbers(left)) != Counter(_numbers(right))


def _numbers(words: Words) -> list[str]:
    found = []
    for word in words:
        if any(character.isdigit() for character in word):
            digits = "".join(c for c in word if c.isdigit() or c == ".").strip(".")
            found.append(digits.rstrip("0").rstrip(".") if "." in digits else digits)
        elif (number := _NUMBER_WORDS.get(word.casefold())) and word.casefold() not in _VAGUE:
            found.append(number)
    return found


def _polarity_differs(left: Words, right: Words) -> bool:
    ours, theirs = _plain(left), _plain(right)
    if _negations(ours) % 2 != _negations(theirs) % 2:
        return True
    sides, others = _sides(ours), _sides(theirs)
    return any(pair in others and others[pair] != side for pair, side in sides.items())


def _plain(words: Words) -> Words:
    return [word.casefold().replace("'", "") for word in words]


def _negations(words: Words) -> int:
    return sum(1 for word in words if word in _NEGATORS)


def _sides(words: Words) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for word in words:
        if word in _SIDES:
            pair, side = _SIDES[word]
            found.setdefault(pair, set()).add(side)
    return {pair: frozenset(sides) for pair, sides in found.items()}


def _entities_differ(left: Words, right: Words) -> bool:
    ours, theirs = {w.casefold() for w in left}, {w.casefold() for w in right}
    return not (_entities(left) <= theirs and _entities(right) <= ours)


def _entities(words: Words) -> set[str]:
    """Names, calendar words, addresses and identifiers. A capital at the start of a sentence, or in a text that is all
    capitals, says nothing."""
    shouted = sum(1 for word in words if word.isupper()) * 2 > len(words)
    found = set()
    for index, word in enumerate(words):
        folded = word.casefold()
        named = index > 0 and not shouted and word[0].isupper() and folded not in ("i", "i'm", "i've", "i'd", "i'll")
        coded = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
        if named or coded or folded in _CALENDAR or "@" in word or "://" in word:
            found.add(folded)
    return found


def _order_differs(left: Words, right: Words) -> bool:
    ours, theirs = _plain(left), _plain(right)
    (our_from, our_to), (their_from, their_to) = _ends(ours), _ends(theirs)
    if (our_from & their_to) - our_to or (our_to & their_from) - our_from:
        return True
    directed = any(word in _FROM or word in _TO for word in ours)
    return directed and ours != theirs and sorted(ours) == sorted(theirs)


def _ends(words: Words) -> tuple[set[str], set[str]]:
    """The words that follow a `from`-like and a `to`-like preposition."""
    sources: set[str] = set()
    goals: set[str] = set()
    for position, word in enumerate(words[:-1]):
        if word in _FROM or word in _TO:
            following = next((w for w in words[position + 1 :] if w not in _FILLERS), None)
            if following is not None:
                (sources if word in _FROM else goals).add(following)
    return sources, goals


_GUARDS: tuple[tuple[str, Callable[[Words, Words], bool]], ...] = (
    ("numbers", _numbers_differ),
    ("negation", _polarity_differs),
    ("entities", _entities_differ),
    ("order", _order_differs),
)
