"""Streams that a script makes: questions of several trades in many wordings, their opposites, numbers and places.

Every question is put together from parts, so its right answer is known exactly: another object, another action, another
number, another direction is another answer, however alike the words are. Seeded; no text is taken from anywhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from cache.streams import Stream

_ASK = (
    "how do i {}", "how can i {}", "i want to {}", "i would like to {}", "can you help me {}",
    "please tell me how to {}",
    "what do i have to do to {}", "is there a way to {}", "i need to {}", "what are the steps to {}", "could i {}",
    "where do i go to {}", "hello, i am trying to {}", "show me how to {}", "what is the quickest way to {}",
)  # fmt: skip
_TAILS = ("", "", "", " please", " in the app", " on my phone", " right now", " from the website", " thanks")
_ACTIONS = {
    "add": ("add", "set up", "create", "register"),
    "remove": ("remove", "delete", "get rid of", "take away"),
    "change": ("change", "edit", "update", "modify"),
    "find": ("find", "look up", "see", "check"),
    "share": ("share", "send somebody", "pass on", "give out"),
    "stop": ("pause", "put on hold", "suspend"),
}
_OBJECTS = {
    "parcel address": ("my delivery address", "the address for my parcels", "where my orders are sent"),
    "invoice": ("my invoice", "the bill for last month", "my latest bill"),
    "newsletter": ("the newsletter", "the marketing e-mails", "the weekly mail"),
    "seat": ("my seat", "the seat on my flight", "my place on the plane"),
    "luggage": ("a suitcase", "extra luggage", "one more bag"),
    "room": ("my hotel room", "the room booking", "our reservation at the hotel"),
    "prescription": ("my prescription", "the medicine order", "my repeat medication"),
    "appointment": ("a doctor's appointment", "my visit at the clinic", "the slot with the doctor"),
    "playlist": ("a playlist", "my list of songs", "the music collection"),
    "alarm": ("an alarm", "my wake-up call", "the morning alarm"),
    "thermostat": ("the heating schedule", "the thermostat program", "when the heating runs"),
    "router": ("the wifi password", "the key of my router", "the password of my network"),
    "contract": ("my phone contract", "the mobile plan", "my tariff"),
    "meter": ("a meter reading", "the electricity reading", "my power usage"),
    "vehicle": ("a second car", "another vehicle", "one more car on the policy"),
    "claim": ("an insurance claim", "my damage report", "the claim for my accident"),
    "user": ("a team member", "a colleague's account", "somebody in my workspace"),
    "backup": ("a backup", "a copy of my data", "the saved snapshot"),
    "webhook": ("a webhook", "the callback url", "the event endpoint"),
    "course": ("a course", "my class", "the lesson i booked"),
}
_SWITCHED = ("notifications", "dark mode", "two factor login", "location sharing", "automatic payments", "sync",
             "voice mail", "the child lock", "read receipts", "roaming", "the firewall", "subtitles")  # fmt: skip
_PLACES = (
    "paris",
    "london",
    "rome",
    "madrid",
    "berlin",
    "vienna",
    "oslo",
    "prague",
    "lisbon",
    "dublin",
    "athens",
    "warsaw",
)
_PLANS = ("basic", "plus", "pro", "business", "family", "student")


def trades(seed: int = 0, count: int = 6000) -> Stream:
    """120 answers of ten trades, each in some hundred wordings, as often as each other."""
    chance = random.Random(f"trades {seed}")
    keys = [(action, thing) for action in _ACTIONS for thing in _OBJECTS]
    return _stream("trades", count, lambda: _trade(chance, *chance.choice(keys)))


def skewed(seed: int = 0, count: int = 6000) -> Stream:
    """The same trades; a few answers are asked for all the time, most of them hardly ever."""
    chance = random.Random(f"skewed {seed}")
    keys = [(action, thing) for action in _ACTIONS for thing in _OBJECTS]
    chance.shuffle(keys)
    weights = [1 / (rank + 1) ** 1.1 for rank in range(len(keys))]
    return _stream("skewed", count, lambda: _trade(chance, *chance.choices(keys, weights)[0]))


def opposites(seed: int = 0, count: int = 4000) -> Stream:
    """Things switched on or off, numbers, prices of plans, journeys there and back: one word makes another answer."""
    chance = random.Random(f"opposites {seed}")

    def switch() -> tuple[str, str]:
        thing, on = chance.choice(_SWITCHED), chance.random() < 0.5
        verb = chance.choice(("turn on", "enable", "activate", "switch on") if on else
                             ("turn off", "disable", "deactivate", "switch off"))  # fmt: skip
        return f"{on} {thing}", chance.choice(_ASK).format(f"{verb} {thing}") + chance.choice(_TAILS)

    def journey() -> tuple[str, str]:
        start, goal = chance.sample(_PLACES[:6], 2)
        asked = chance.choice(("how long is the train from {} to {}", "train time from {} to {}",
                               "i go from {} to {}, how long does it take",
                               "how many hours is it from {} to {} by train"))  # fmt: skip
        return f"{start} {goal}", asked.format(start, goal)

    def price() -> tuple[str, str]:
        plan, seats = chance.choice(_PLANS), chance.choice((2, 3, 5, 10, 20, 50))
        asked = chance.choice(("how much is the {} plan for {} people", "price of the {} plan with {} seats",
                               "what does {} cost for a team of {}",
                               "i need the {} plan, {} seats, what is the price"))  # fmt: skip
        return f"{plan} {seats}", asked.format(plan, seats)

    def ask() -> tuple[str, str]:
        return chance.choice((switch, journey, price))()

    return _stream("opposites", count, ask)


def rare(seed: int = 0, count: int = 3000) -> Stream:
    """Hardly any question comes back: orders and places in so many combinations that most are asked once."""
    chance = random.Random(f"rare {seed}")

    def ask() -> tuple[str, str]:
        number, place = chance.randrange(10_000, 60_000), chance.choice(_PLACES)
        asked = chance.choice(("where is order {} to {}", "has order {} arrived in {}", "track parcel {} to {}",
                               "when does shipment {} reach {}"))  # fmt: skip
        return f"{number} {place}", asked.format(number, place)

    return _stream("rare", count, ask)


def drifting(seed: int = 0, count: int = 6000) -> Stream:
    """The trades come one after the other, and old ones fade: to be sent in its own order."""
    chance = random.Random(f"drifting {seed}")
    keys = [(action, thing) for thing in _OBJECTS for action in _ACTIONS]
    sent = iter(range(count))

    def ask() -> tuple[str, str]:
        newest = 12 + (len(keys) - 12) * next(sent) // count
        return _trade(chance, *keys[max(0, newest - 1 - int(chance.expovariate(1 / 30)))])

    return _stream("drifting", count, ask)


def single(seed: int = 0, count: int = 1000) -> Stream:
    """One answer for everything."""
    chance = random.Random(f"single {seed}")
    return _stream("single", count, lambda: ("it", _trade(chance, "change", "seat")[1]))


def _trade(chance: random.Random, action: str, thing: str) -> tuple[str, str]:
    words = f"{chance.choice(_ACTIONS[action])} {chance.choice(_OBJECTS[thing])}"
    return f"{action} {thing}", chance.choice(_ASK).format(words) + chance.choice(_TAILS)


def _stream(name: str, count: int, ask: Callable[[], tuple[str, str]]) -> Stream:
    made = [ask() for _ in range(count)]
    return Stream(name, [text for _, text in made], [answer for answer, _ in made])


MADE: dict[str, Callable[..., Stream]] = {
    "trades": trades, "skewed": skewed, "opposites": opposites, "rare": rare, "drifting": drifting, "single": single,
}  # fmt: skip
