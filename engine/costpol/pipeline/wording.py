"""The words that the guards know: numbers, denials, opposites, names of days, and those that carry no meaning.

English, with the commonest denials of other languages. A word that is missing here refuses nothing: the list makes a
similar hit safer, the threshold makes it rare.
"""

from __future__ import annotations

_CARDINALS = dict(
    enumerate(
        (
            "zero", "one eins", "two zwei deux dos twee dois", "three drei trois tres drie três",
            "four vier quatre cuatro quattro quatro", "five fünf cinq cinco cinque vijf",
            "six sechs seis zes", "seven sieben siete sette zeven sete", "eight acht huit ocho otto oito",
            "nine neun neuf nueve nove negen", "ten zehn dix diez dieci tien dez", "eleven elf onze",
            "twelve zwölf douze doce dodici twaalf", "thirteen dreizehn", "fourteen vierzehn",
            "fifteen fünfzehn quinze quince", "sixteen sechzehn", "seventeen siebzehn", "eighteen achtzehn",
            "nineteen neunzehn",
        )
    )
)  # fmt: skip
_OTHER_NUMBERS = {
    20: "twenty zwanzig vingt veinte venti", 30: "thirty dreissig trente treinta trenta",
    40: "forty vierzig quarante cuarenta", 50: "fifty fünfzig cinquante cincuenta", 60: "sixty", 70: "seventy",
    80: "eighty", 90: "ninety", 100: "hundred hundert cien cento", 1000: "thousand tausend mille k",
    1_000_000: "million millones", 1_000_000_000: "billion", 12: "dozen", 1: "once first", 2: "twice second",
    3: "thrice third triple", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth", 10: "tenth",
    0.5: "half", 0.25: "quarter",
}  # fmt: skip
NUMBER_WORDS: dict[str, float] = {
    word: float(number)
    for table in (_CARDINALS, _OTHER_NUMBERS)
    for number, words in table.items()
    for word in words.split()
} | {"double": 2.0}
SCALES = frozenset("hundred hundert cien cento thousand tausend mille k million billion dozen".split())
SOFT_NUMBERS = frozenset("one once first double".split())
"""As often a pronoun, a conjunction or an adverb: `this one`, `once it arrives`, `do it first`, `double check`."""

NEGATORS = frozenset(
    "not no non never none hardly barely rarely seldom unable fail fails failed failing declined declines denied "
    "rejected refused lack lacks lacking nobody nothing nowhere neither nor cannot cant dont doesnt didnt wont isnt "
    "arent wasnt hasnt havent hadnt wouldnt couldnt shouldnt mustnt neednt aint without unable except unless werent "
    "nicht kein keine keinen keiner nie ohne pas sans jamais sin nunca nao não sem non senza mai niet geen zonder "
    "не нет ни без никогда".split()
)
NEGATIONS = ("un", "in", "im", "il", "ir", "dis", "de", "non", "mis", "anti", "des", "dés", "dé")
UNSURE = frozenset("know sure idea understand clue certain figure get see tell".split())
"""Denied and followed by a question, they only open it: `I don't know why`."""
ASKING = frozenset("why what how where when if whether who which".split())
QUESTIONS = frozenset("when where who why".split())
"""Ask for a time, a place, a person or a reason; but `when` also joins: `it failed when I paid`."""
ASKED = frozenset(
    "is are was were am do does did will would can could should shall may might has have had cant wont dont doesnt "
    "didnt isnt arent wasnt hasnt havent couldnt wouldnt shouldnt to".split()
)
"""What follows a word of `QUESTIONS` that asks."""
BEFORE_ASKED = frozenset("know me explain wonder wondering idea understand exactly sure clue and or".split())
PRONOUNS = frozenset("i you we they he she it there this that these those".split())
JOINTS = frozenset("and but because although though so while since".split())
"""A denial reaches no further than these."""

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
    ("incoming inbound", "outgoing outbound"), ("earliest", "latest"),
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
    ("yes", "no"), ("wins", "loses"), ("early earlier", "late later"), ("easy easier", "hard harder difficult"),
    ("cheap cheaper cheapest", "expensive dear dearer dearest pricey priciest"),
    ("pass passed", "fail failed"), ("mute", "unmute"), ("follow", "unfollow"),
    ("expand", "collapse"), ("grant granted", "revoke revoked"), ("in-person", "online remote remotely"),
    ("vegetarian", "vegan"), ("ios iphone ipad", "android"), ("windows", "mac macos", "linux"),
    ("pst pdt", "est edt", "cst cdt", "mst mdt", "gmt utc", "cet cest", "ist", "jst"),
    # The commonest ones of other languages.
    ("einschalten aktivieren anschalten", "ausschalten deaktivieren abschalten"), ("mit", "ohne"), ("vor", "nach"),
    ("anmelden einloggen", "abmelden ausloggen"), ("öffnen", "schliessen"), ("kaufen", "verkaufen"),
    ("einzahlen", "auszahlen abheben"), ("mehr", "weniger"), ("senden", "empfangen"),
    ("hinzufügen", "entfernen löschen"),
    ("activer", "désactiver"), ("avec", "sans"), ("avant", "après"), ("ouvrir", "fermer"), ("acheter", "vendre"),
    ("envoyer", "recevoir"), ("ajouter", "supprimer enlever"), ("plus", "moins"), ("arrivée", "départ"),
    ("activar", "desactivar"), ("con", "sin"), ("antes", "después"), ("abrir", "cerrar"), ("comprar", "vender"),
    ("enviar", "recibir"), ("añadir agregar", "eliminar borrar quitar"), ("más", "menos"),
    ("llegada", "salida"),
    # Not opposites, but as little each other's answer.
    ("hourly", "daily", "weekly", "monthly", "yearly annual annually"), ("breakfast", "lunch", "dinner"),
    ("dollar dollars usd $", "euro euros eur \u20ac", "pounds gbp \u00a3", "yen jpy \u00a5", "francs chf",
     "rupee rupees inr \u20b9", "percent %"),
    ("celsius", "fahrenheit", "kelvin"), ("spring", "summer", "autumn", "winter"),
    ("english", "german", "french", "spanish", "italian", "portuguese", "chinese", "japanese", "russian"),
)  # fmt: skip
_UNITS = (
    ("second seconds sec secs", "minute minutes min mins", "hour hours h hr hrs", "day days",
     "week weeks", "month months", "year years"),
    ("gram grams g gr", "kilogram kilograms kg", "lb lbs", "ounce ounces oz", "ton tons"),
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
SOURCES = frozenset({"from", "von", "ab", "desde"})
TARGETS = frozenset({"to", "into", "towards", "onto", "nach", "hacia", "->"})
WEAK_SOURCES = SOURCES | {"leaving", "by"}
WEAK_TARGETS = TARGETS | {"in", "for"}
"""With these a direction counts only where both ends have changed places."""
TURNS = {"to": 1, "than": 4, "into": 1, "minus": 1, "->": 1}
"""Joints around which two things may change places, and how many words before them are looked at."""
SLOTS = frozenset("in from at near about of with visit called named spell define".split())
"""What follows them is often a name, also without a capital: `the weather in paris`."""
SUFFIXES = frozenset("am pm kg g km cm mm gb mb tb kb h hr hrs min mins sec usd eur gbp chf lb lbs oz k".split())
"""Units that are written beside a number without a space."""
ORDINALS = ("st", "nd", "rd", "th")
TONGUES = {
    "en": "the is are how do does what can my to and of for with it you this when where why please would should have",
    "de": "der die das und ist ich nicht wie kann mein meine eine einen zu mit für auf wo wann was warum bitte",
    "fr": "le la les et est je comment mon ma une des pour avec dans vous que qui où quand pourquoi puis du mes",
    "es": "el la los las y es yo cómo como mi una de para con en que qué puedo dónde cuándo por mis",
    "it": "il lo gli e è come mio mia una di per con che dove quando perché posso del della",
    "pt": "o os e é eu como meu minha uma de para com que onde quando por posso do da não",
    "nl": "de het een en ik hoe mijn niet met voor waar wanneer waarom kan van op",
}
"""The commonest words of each language."""
FILLERS = frozenset(
    "my the a an our your their his her its me i you we they it is are was were be do does did can could will would "
    "should may please".split()
)
OPENERS = FILLERS | frozenset(
    "how what when where why who which whose whom tell explain show give help hi hello hey dear good thanks thank "
    "in on at for if as so and but or to from with without about after before there this that these those any some all "
    "could've has have had let need want".split()
)
