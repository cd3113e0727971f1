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
NEGATIONS = ("un", "in", "im", "il", "ir", "dis", "de", "non", "mis", "anti", "des", "dés", "dé", "ent")
_OPPOSITE_BEGINNINGS = (
    ("pre", "post"), ("ante", "post"), ("hyper", "hypo"), ("in", "ex"), ("in", "de"), ("im", "ex"), ("in", "out"),
    ("on", "off"), ("over", "under"), ("up", "down"), ("macro", "micro"), ("inter", "intra"), ("intra", "extra"),
    ("intro", "extro"), ("mono", "poly"), ("uni", "multi"), ("pro", "anti"), ("homo", "hetero"), ("full", "part"),
    ("full", "half"), ("long", "short"), ("high", "low"), ("fore", "hind"), ("ein", "aus"), ("an", "ab"), ("an", "aus"),
    ("auf", "zu"), ("auf", "ab"), ("zu", "ab"), ("be", "ent"), ("ver", "ent"), ("hin", "her"), ("vor", "nach"),
    ("ober", "unter"), ("em", "dé"), ("en", "des"), ("sobre", "sub"),
)  # fmt: skip
BEGINNINGS: dict[str, tuple[str, ...]] = {}
for _one, _other in _OPPOSITE_BEGINNINGS:
    BEGINNINGS[_one] = (*BEGINNINGS.get(_one, ()), _other)
    BEGINNINGS[_other] = (*BEGINNINGS.get(_other, ()), _one)
"""What the beginning of a word may be exchanged for, so that it says the opposite."""
ENDS = {"ful": ("less",), "less": ("ful",), "er": ("ee",), "or": ("ee",), "ee": ("er", "or")}
"""The same of its end: `careful` and `careless`, `trainer` and `trainee`."""
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
    ("increase increasing increased raise raising raised",
     "decrease decreasing decreased lower reduce reduced reducing"),
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
    ("lender", "borrower"), ("save saving", "spend spending"),
    ("win wins winning won gain gains gaining gained profit profits", "lose loses losing lost loss losses"),
    ("minimum min least", "maximum max most"), ("more", "less fewer"), ("high higher highest", "low lowest"),
    ("inside indoor indoors", "outside outdoor outdoors"), ("best", "worst"), ("safe", "unsafe dangerous"),
    ("possible", "impossible"), ("above over", "below under"), ("with", "without"),
    ("larger bigger largest biggest", "smaller smallest"), ("longer longest taller tallest", "shorter shortest"),
    ("faster fastest", "slower slowest"), ("older oldest", "newer newest"), ("old", "new"), ("before", "after"),
    ("upgrade upgrading", "downgrade downgrading"), ("import importing", "export exporting"),
    ("upload uploading", "download downloading"), ("encrypt", "decrypt"), ("encode", "decode"),
    ("compress", "decompress"), ("connect", "disconnect"), ("attach", "detach"), ("show showing", "hide hiding"),
    ("incoming inbound", "outgoing outbound"), ("earliest", "latest"), ("always", "never"),
    ("include including included", "exclude excluding excluded"), ("physical", "virtual"), ("credit", "debit"),
    ("savings", "checking"), ("weekday weekdays", "weekend weekends"), ("morning", "afternoon", "evening", "night"),
    ("left", "right"), ("front", "back"), ("top", "bottom"), ("input", "output"), ("read reading", "write writing"),
    ("ascending", "descending"), ("public", "private"), ("internal", "external"), ("domestic", "international"),
    ("temporary temporarily", "permanent permanently"), ("hot", "cold"),
    ("pros advantages advantage benefits", "cons disadvantages disadvantage drawbacks"),
    ("male man men boy", "female woman women girl"), ("mother mom mum mama mommy", "father dad papa daddy"),
    ("brother", "sister"), ("true", "false"), ("husband", "wife"), ("son", "daughter"), ("buyer", "seller"),
    ("landlord", "tenant"), ("employer", "employee"),
    ("arrive arrival arriving", "depart departure departing leave leaving"), ("north", "south"), ("east", "west"),
    ("next upcoming future", "last previous past"), ("positive", "negative"), ("single", "married", "divorced"),
    ("adult adults senior seniors", "child children kid kids minor minors"), ("legal", "illegal"),
    ("red", "green", "blue", "yellow", "black", "white"), ("when", "where", "who", "why"), ("yes", "no"),
    ("early earlier", "late later"), ("easy easier", "hard harder difficult"),
    ("cheap cheaper cheapest", "expensive dear dearer dearest pricey priciest"), ("pass passed", "fail failed"),
    ("mute", "unmute"), ("follow", "unfollow"), ("expand", "collapse shrink"), ("grant granted", "revoke revoked"),
    ("in-person", "online remote remotely"), ("vegetarian", "vegan"), ("ios iphone ipad", "android"),
    ("windows", "mac macos", "linux"),
    ("pst pdt", "est edt", "cst cdt", "mst mdt", "gmt utc", "cet cest", "ist", "jst"),
    ("closer closest nearer nearest", "farther farthest further furthest"),
    ("louder loudest", "quieter quietest softer"), ("brighter brightest lighter", "darker darkest dimmer", "heavier"),
    ("stronger strongest", "weaker weakest"), ("wider widest", "narrower narrowest"), ("thicker", "thinner"),
    ("warmer warmest hotter hottest", "cooler coolest colder coldest"), ("better", "worse"), ("good", "bad"),
    ("strong", "weak"), ("rich", "poor"), ("wide", "narrow"), ("deep deeper", "shallow shallower"), ("thick", "thin"),
    ("clean", "dirty"), ("dry", "wet"), ("raw", "cooked"), ("sweet", "sour", "salty", "bitter"), ("alive", "dead"),
    ("awake", "asleep"), ("guilty", "innocent"), ("gross", "net"), ("fixed", "variable"), ("acute", "chronic"),
    ("benign", "malignant"), ("odd", "even"), ("singular", "plural"), ("real", "fake"), ("natural", "artificial"),
    ("wired", "wireless"), ("manual manually", "automatic automatically"), ("optional", "mandatory compulsory"),
    ("horizontal", "vertical"), ("clockwise", "counterclockwise anticlockwise"), ("uppercase", "lowercase"),
    ("urban", "rural"), ("hire hiring hired", "fire firing fired"),
    ("promote promoted promotion", "demote demoted demotion"), ("fill filling", "empty emptying"),
    ("lengthen", "shorten"), ("strengthen", "weaken"), ("tighten", "loosen"), ("accelerate", "decelerate"),
    ("multiply", "divide"), ("addition", "subtraction"), ("enter entering entrance", "exit exiting"),
    ("ascend", "descend"), ("attack", "defend"), ("wake", "sleep"), ("laugh", "cry"), ("love", "hate"),
    ("sit", "stand"), ("heat heating", "cool cooling"), ("asset assets", "liability liabilities"),
    ("revenue income", "expense expenses"), ("debtor", "creditor"), ("supply", "demand"), ("wholesale", "retail"),
    ("bullish", "bearish"), ("plaintiff", "defendant"), ("guest guests", "host hosts"),
    ("teacher teachers", "student students pupil pupils"), ("uncle", "aunt"), ("nephew", "niece"), ("king", "queen"),
    ("boyfriend", "girlfriend"), ("grandmother grandma", "grandfather grandpa"), ("birth born", "death died"),
    ("sunrise dawn", "sunset dusk"), ("noon midday", "midnight"), ("artery arteries", "vein veins"),
    ("numerator", "denominator"), ("width", "height", "depth"), ("row rows", "column columns"),
    ("landscape", "portrait"), ("majority", "minority"), ("prefix", "suffix"), ("synonym synonyms", "antonym antonyms"),
    ("frontend", "backend"), ("optimistic", "pessimistic"),
    # The commonest ones of other languages.
    ("einschalten aktivieren anschalten", "ausschalten deaktivieren abschalten"),
    ("erhöhen steigern", "senken verringern reduzieren"), ("erlaubt", "verboten"),
    ("starten startet beginnen beginnt", "stoppen beenden endet"),
    ("billiger billigste günstiger günstigste", "teurer teuerste"), ("grösser grösste", "kleiner kleinste"),
    ("länger längste", "kürzer kürzeste"), ("früher", "später"), ("ankunft", "abfahrt abflug"), ("links", "rechts"),
    ("oben", "unten"), ("offen geöffnet öffnet", "geschlossen schliesst"), ("gewinnen", "verlieren"),
    ("einnahmen", "ausgaben"), ("mit", "ohne"), ("vor", "nach"), ("anmelden einloggen", "abmelden ausloggen"),
    ("öffnen", "schliessen"), ("kaufen", "verkaufen"), ("einzahlen", "auszahlen abheben"), ("mehr", "weniger"),
    ("senden", "empfangen"), ("hinzufügen", "entfernen löschen"), ("activer", "désactiver"), ("avec", "sans"),
    ("avant", "après"), ("ouvrir ouvre ouvert ouverte ouverts", "fermer ferme fermé fermée fermés"),
    ("acheter", "vendre"), ("envoyer", "recevoir"), ("ajouter", "supprimer enlever"), ("plus", "moins"),
    ("arrivée", "départ"), ("allumer", "éteindre"), ("augmenter", "diminuer réduire baisser"),
    ("permis autorisé", "interdit"), ("gauche", "droite"), ("haut", "bas"),
    ("commencer commence", "finir finit terminer termine arrêter"), ("monter", "descendre"), ("entrée", "sortie"),
    ("entrant", "sortant"), ("gagner", "perdre"), ("meilleur", "pire"), ("prêter", "emprunter"), ("tôt", "tard"),
    ("activar", "desactivar"), ("con", "sin"), ("antes", "después"),
    ("abrir abre abren abierto abierta", "cerrar cierra cierran cerrado cerrada"), ("comprar", "vender"),
    ("enviar", "recibir"), ("añadir agregar", "eliminar borrar quitar"), ("más", "menos"),
    ("llegada entrada", "salida"), ("encender", "apagar"), ("aumentar subir", "disminuir reducir bajar"),
    ("permitido", "prohibido"), ("izquierda", "derecha"), ("arriba", "abajo"),
    ("empezar empieza comenzar comienza", "terminar termina acabar acaba"), ("barato", "caro"), ("mejor", "peor"),
    ("mayor", "menor"), ("ganar", "perder"), ("temprano", "tarde"),
    # Not opposites, but as little each other's answer.
    ("hourly", "daily", "weekly", "monthly", "yearly annual annually"), ("breakfast", "lunch", "dinner"),
    ("dollar dollars usd $", "euro euros eur \u20ac", "pounds gbp \u00a3", "yen jpy \u00a5", "francs chf",
     "rupee rupees inr \u20b9", "percent %"), ("celsius", "fahrenheit", "kelvin"),
    ("spring", "summer", "autumn", "winter"),
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
LAST_WORDS = {
    word: (len(_OPPOSITES) + len(_UNITS), side)
    for side, words in enumerate(("ein an auf", "aus ab zu"))
    for word in words.split()
}
"""German verbs leave their particle behind: `wie schalte ich es aus`."""
PARTICLES = frozenset(phrase.split()[1] for phrase in SIDES if " " in phrase)
"""The second words of phrases in `SIDES`."""

_DATES = (
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august "
    "september october november december today tomorrow yesterday tonight christmas easter ramadan montag dienstag "
    "mittwoch donnerstag freitag samstag sonntag januar februar märz mai juni juli oktober dezember heute gestern "
    "weihnachten ostern lundi mardi mercredi jeudi vendredi samedi dimanche janvier février mars avril juin juillet "
    "août septembre octobre novembre décembre aujourdhui demain noël pâques lunes martes miércoles jueves viernes "
    "sábado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre hoy "
    "ayer navidad"
).split()
CALENDAR = frozenset(_DATES) | {f"{word}s" for word in _DATES}
TODAY = frozenset({"today", "heute", "aujourdhui", "hoy"})
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
SUBJECTS = {"i": 0, "we": 1, "he": 2, "they": 3}
OBJECTS = {"me": 0, "us": 1, "him": 2, "them": 3}
"""Persons, in the two forms that tell who does it and to whom it is done."""
PERSONS = SUBJECTS.keys() | OBJECTS.keys()
FILLERS = frozenset(
    "my the a an our your their his her its me i you we they it is are was were be do does did can could will would "
    "should may please".split()
)
OPENERS = FILLERS | frozenset(
    "how what when where why who which whose whom tell explain show give help hi hello hey dear good thanks thank "
    "in on at for if as so and but or to from with without about after before there this that these those any some all "
    "could've has have had let need want".split()
)
