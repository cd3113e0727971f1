"""The words that the guards know: numbers, denials, opposites, names of days, and those that carry no meaning.

English, with the commonest denials of other languages. A word that is missing here refuses nothing: the list makes a
similar hit safer, the threshold makes it rare.
"""

from __future__ import annotations

NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
    if word != "one"  # as often a pronoun as a number
} | {
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "hundred": "100", "thousand": "1000", "million": "1000000", "billion": "1000000000", "dozen": "12",
    "once": "1", "twice": "2", "thrice": "3", "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5",
    "sixth": "6", "seventh": "7", "eighth": "8", "ninth": "9", "tenth": "10", "double": "2", "triple": "3",
    "half": "0.5", "quarter": "0.25",
}  # fmt: skip

NEGATORS = frozenset(
    "not no non never none nobody nothing nowhere neither nor cannot cant dont doesnt didnt wont isnt arent wasnt "
    "hasnt havent hadnt wouldnt couldnt shouldnt mustnt neednt aint without unable except unless werent "
    "nicht kein keine keinen keiner nie ohne pas sans jamais sin nunca nao não sem non senza mai niet geen zonder "
    "не нет ни без никогда".split()
)
NEGATIONS = ("un", "in", "im", "il", "ir", "dis", "de", "non", "mis", "anti")

_OPPOSITES = (
    ("enable enabled enabling activate activated activating", "disable disabled disabling deactivate deactivated"),
    ("increase increasing increased raise raising raised", "decrease decreasing decreased lower reduce reduced"),
    ("add adding added", "remove removing removed delete deleting deleted"), ("buy buying bought", "sell selling sold"),
    ("accept accepted accepting approve approved", "decline declined reject rejected rejecting"),
    ("start starting begin beginning", "stop stopping end ending finish finishing"), ("up", "down"), ("on", "off"),
    ("allow allowed allowing permit permitted", "deny denied block blocked blocking forbid forbidden prohibited"),
    ("open opening opened", "close closing closed"), ("lock locked", "unlock unlocked"), ("push", "pull"),
    ("freeze frozen", "unfreeze unfrozen"), ("install installing", "uninstall uninstalling"),
    ("subscribe subscribing", "unsubscribe unsubscribing cancel cancelling canceling"),
    ("log_in logged_in logging_in login sign_in signed_in signing_in signin", "sign_up signing_up signup register",
     "log_out logged_out logging_out logout log_off sign_out signed_out signing_out signout sign_off"),
    ("check_in checking_in checkin", "check_out checking_out checkout"), ("opt_in opting_in", "opt_out opting_out"),
    ("clock_in", "clock_out"), ("zoom_in", "zoom_out"), ("move_in moving_in", "move_out moving_out"),
    ("send sending sent", "receive receiving received"), ("sender", "recipient receiver"),
    ("deposit depositing", "withdraw withdrawing withdrawal"), ("borrow borrowing", "lend lending"),
    ("lender", "borrower"), ("save saving", "spend spending"), ("win winning won", "lose losing lost"),
    ("gain gains profit profits", "loss losses"), ("minimum min least", "maximum max most"), ("more", "less fewer"),
    ("higher highest", "lowest"), ("inside indoor indoors", "outside outdoor outdoors"), ("best", "worst"),
    ("safe", "unsafe dangerous"), ("possible", "impossible"), ("above over", "below under"), ("with", "without"),
    ("larger bigger largest biggest", "smaller smallest"), ("longer longest", "shorter shortest"),
    ("faster fastest", "slower slowest"), ("older oldest", "newer newest"), ("old", "new"), ("before", "after"),
    ("upgrade upgrading", "downgrade downgrading"), ("import importing", "export exporting"),
    ("upload uploading", "download downloading"), ("encrypt", "decrypt"), ("encode", "decode"),
    ("compress", "decompress"), ("connect", "disconnect"), ("attach", "detach"), ("show showing", "hide hiding"),
    ("incoming inbound", "outgoing outbound"), ("earliest", "latest"), ("cheapest", "dearest priciest"),
    ("always", "never"), ("include including included", "exclude excluding excluded"), ("physical", "virtual"),
    ("credit", "debit"), ("savings", "checking"), ("weekday weekdays", "weekend weekends"),
    ("morning", "afternoon", "evening", "night"), ("left", "right"), ("front", "back"), ("top", "bottom"),
    ("input", "output"), ("read reading", "write writing"), ("ascending", "descending"), ("public", "private"),
    ("internal", "external"), ("domestic", "international"), ("temporary temporarily", "permanent permanently"),
    ("hot", "cold"), ("pros advantages advantage benefits", "cons disadvantages disadvantage drawbacks"),
    ("male man men boy", "female woman women girl"), ("mother", "father"), ("brother", "sister"), ("true", "false"),
    ("husband", "wife"), ("son", "daughter"), ("buyer", "seller"), ("landlord", "tenant"), ("employer", "employee"),
    ("arrive arrival arriving", "depart departure departing leave leaving"), ("north", "south"), ("east", "west"),
    ("next upcoming", "last previous past"), ("positive", "negative"), ("single", "married", "divorced"),
    ("adult adults", "child children"), ("legal", "illegal"), ("red", "green", "blue", "yellow", "black", "white"),
    ("when", "where", "who", "why"),
    # Not opposites, but as little each other's answer.
    ("hourly", "daily", "weekly", "monthly", "yearly annual annually"), ("breakfast", "lunch", "dinner"),
    ("dollar dollars usd $", "euro euros eur \u20ac", "pounds gbp \u00a3", "yen jpy \u00a5", "francs chf",
     "rupee rupees inr \u20b9", "percent %"),
    ("celsius", "fahrenheit", "kelvin"), ("spring", "summer", "autumn", "winter"),
    ("english", "german", "french", "spanish", "italian", "portuguese", "chinese", "japanese", "russian"),
)  # fmt: skip
_UNITS = (
    ("second seconds", "minute minutes", "hour hours", "day days", "week weeks", "month months", "year years"),
    ("gram grams g", "kilogram kilograms kg", "lb lbs", "ounce ounces oz", "ton tons"),
    ("millimeter mm", "centimeter centimeters cm", "meter meters m", "kilometer kilometers km", "mile miles",
     "inch inches", "foot feet"),
    ("am a.m", "pm p.m"), ("kb", "mb megabyte megabytes", "gb gigabyte gigabytes", "tb terabyte terabytes"),
)  # fmt: skip


def _stands(groups: tuple[tuple[str, ...], ...], first: int) -> dict[str, tuple[int, int]]:
    """Every word with its group and its side; an underscore stands for the space in a phrase."""
    return {
        word.replace("_", " "): (group, side)
        for group, sides in enumerate(groups, first)
        for side, words in enumerate(sides)
        for word in words.split()
    }


SIDES = _stands(_OPPOSITES, 0)
UNITS = _stands(_UNITS, len(_OPPOSITES))
"""Count only after a number or one of `COUNTS`: opening hours are asked for by the day."""
SIGNS = "$%\u20ac\u00a3\u00a5\u20b9"
"""Those of `SIDES` that are written beside a number without a space."""
COUNTS = frozenset({"per", "many", "every", "each", "a", "an"})
PARTICLES = frozenset(phrase.split()[1] for phrase in SIDES if " " in phrase)
"""The second words of phrases in `SIDES`."""

CALENDAR = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september "
    "october november december today tomorrow yesterday tonight christmas easter ramadan".split()
)
SOURCES = frozenset({"from", "leaving", "by"})
TARGETS = frozenset({"to", "into", "in", "towards", "for"})
FILLERS = frozenset(
    "my the a an our your their his her its me i you we they it is are was were be do does did can could will would "
    "should may please".split()
)
OPENERS = FILLERS | frozenset(
    "how what when where why who which whose whom tell explain show give help hi hello hey dear good thanks thank "
    "in on at for if as so and but or to from with without about after before there this that these those any some all "
    "could've has have had let need want".split()
)
