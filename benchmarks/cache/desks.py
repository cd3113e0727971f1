"""Two streams of other trades: a hospital with its staff office, a travel desk with its developers.

Each answer is an aspect of a thing, in some thirty wordings with openings, circumstances and slips of the keyboard; the
same thing under another aspect, or the same aspect of a thing nearby, is another answer. Some are asked oftener than
others, and at the `desk` three labels in a thousand are wrong. Seeded; no text is taken from anywhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from cache.streams import Stream

_OPENINGS = (
    *[""] * 6, "hi, ", "hello, ", "hey ", "good morning, ", "quick question: ", "sorry to bother you, ",
    "i have a question. ", "hi there, ", "question - ", "one thing: ",
)  # fmt: skip
_CIRCUMSTANCES = (
    *[""] * 6, "my manager asked me. ", "i am on the phone with a colleague. ", "i tried the portal. ",
    "it is for next month. ", "i have been waiting since monday. ", "the website did not help. ",
)  # fmt: skip
_ENDINGS = (
    *[""] * 7, " please", " thanks", " thank you", " asap", " if possible", ", can you tell me?",
    " - i could not find it", " (new here)", " i'm a bit lost",
)  # fmt: skip
_SLIPS = 0.03
"""How often a longer word is mistyped."""
_ANSWERS = 120

_WARD_THINGS = {
    "mri": ("an mri", "the mri scan", "magnetic resonance imaging", "my mri appointment"),
    "xray": ("an x-ray", "the x-ray", "having my chest x-rayed", "a radiograph"),
    "blood": ("a blood test", "blood work", "the blood sample", "getting blood drawn"),
    "vaccine": ("a flu shot", "the influenza vaccine", "the flu vaccination", "a flu jab"),
    "physio": ("physiotherapy", "physio sessions", "the physical therapist", "my physical therapy"),
    "birth": ("the maternity ward", "the delivery room", "the birth clinic", "the labour ward"),
    "surgery": ("my operation", "the surgery", "the procedure next week", "the planned surgery"),
    "dental": ("the dental clinic", "the dentist", "a tooth filling", "dental treatment"),
    "leave": ("annual leave", "my vacation days", "paid holidays", "time off"),
    "sick": ("sick leave", "being off sick", "a sick note", "calling in sick"),
    "parental": ("parental leave", "maternity leave", "paternity leave", "leave for a newborn"),
    "payslip": ("my payslip", "the pay statement", "the salary slip", "my wage slip"),
    "pension": ("the company pension", "the pension plan", "my retirement plan", "the pension scheme"),
    "training": ("a training course", "the further education budget", "a seminar", "professional training"),
    "parking": ("staff parking", "a parking permit", "the car park", "a parking space"),
    "badge": ("my access badge", "the key card", "my id card for the door", "the staff badge"),
}  # fmt: skip
_WARD_ASPECTS = {
    "book": (
        "how do i sign up for {}", "i'd like to arrange {}", "where can i register for {}", "can i get {} set up",
        "who do i contact to get {}", "need to schedule {}", "what is the process of applying for {}",
        "i want to request {}",
    ),
    "cancel": (
        "i have to call off {}", "how to cancel {}", "i no longer need {}", "please withdraw me from {}",
        "can {} be cancelled", "i want out of {}", "{} has to be dropped, what now",
    ),
    "move": (
        "could we postpone {}", "i need another date for {}", "shift {} to later", "is it possible to reschedule {}",
        "change the time of {}", "the date of {} does not suit me", "bring {} forward by a few days",
    ),
    "cost": (
        "what does {} cost", "how much do i pay for {}", "is {} free of charge", "who covers the bill for {}",
        "the price of {}", "what are the fees for {}", "do i have to pay anything for {}",
    ),
    "prepare": (
        "what must i bring for {}", "which documents are needed for {}", "how should i prepare for {}",
        "anything to do before {}", "what papers do you want for {}", "do i need something with me for {}",
    ),
    "length": (
        "how long does {} take", "what is the duration of {}", "how many days does {} last",
        "will {} take the whole day", "time needed for {}", "when will {} be over",
    ),
    "where": (
        "where is {}", "which building for {}", "how do i find {}", "what floor is {} on",
        "where do i have to go for {}", "directions to {}", "which room for {}",
    ),
    "problem": (
        "something went wrong with {}", "there is a mistake in {}", "i want to complain about {}",
        "{} was not right at all", "i am unhappy with {}", "who deals with errors in {}",
        "the details of {} are incorrect",
    ),
}  # fmt: skip
_DESK_THINGS = {
    "flight": ("my flight", "the plane ticket", "the flight booking", "my air ticket"),
    "hotel": ("the hotel", "my room reservation", "our hotel booking", "the accommodation"),
    "rental": ("the rental car", "my hire car", "the car rental", "the car i hired"),
    "train": ("the train ticket", "my rail booking", "the seat on the train", "my train"),
    "visa": ("my visa", "the entry permit", "the travel visa", "visa papers"),
    "expenses": ("my expense report", "the trip expenses", "travel costs i paid", "my receipts from the trip"),
    "insurance": ("travel insurance", "the trip insurance", "insurance for my journey", "my travel cover"),
    "card": (
        "the company card", "my corporate credit card", "the business card for payments", "the firm's visa card",
    ),
    "repo": ("the repository", "our git repo", "the code base", "the git project"),
    "build": ("the build", "the ci pipeline", "the continuous integration job", "our build job"),
    "deploy": ("a deployment", "the release to production", "our rollout", "pushing to prod"),
    "token": ("an api token", "my access token", "the api key", "a personal token"),
    "database": ("the database", "our postgres instance", "the db", "the sql server"),
    "branch": ("a branch", "my feature branch", "the working branch", "the git branch"),
    "ticket": ("an issue in the tracker", "the bug ticket", "a jira ticket", "the ticket"),
    "container": ("the docker image", "a container", "the container image", "our docker container"),
    "logs": ("the logs", "the log files", "application logging", "the log output"),
    "secret": ("a secret", "the vault entry", "the stored credentials", "an environment secret"),
}  # fmt: skip
_DESK_ASPECTS = {
    "create": (
        "how do i create {}", "set up {} for me", "i need a new one: {}", "what is the way to get {}",
        "order {} please", "where do i start with {}", "open {} for our team", "i have none yet, how do i obtain {}",
    ),
    "delete": (
        "how can i get rid of {}", "delete {}", "please remove {}", "i don't need {} any longer", "cancel {}",
        "take down {}", "what happens when i drop {}",
    ),
    "extend": (
        "{} expires soon, what can i do", "extend {}", "can {} be prolonged", "i need {} for longer", "renew {}",
        "keep {} for two more weeks",
    ),
    "access": (
        "i can't get into {}", "who may see {}", "give my colleague access to {}", "permission for {} is missing",
        "share {} with somebody else", "i am not allowed to open {}", "let a teammate use {}",
    ),
    "fail": (
        "{} does not work", "there is an error with {}", "{} failed", "why is {} broken",
        "something is wrong with {}", "{} keeps crashing on me", "trouble with {}",
    ),
    "cost": (
        "what is the price of {}", "how expensive is {}", "who pays for {}", "which cost centre for {}",
        "how much does {} cost us", "is there a fee for {}",
    ),
    "status": (
        "is {} ready", "what is the state of {}", "any news about {}", "when will {} be done", "has {} gone through",
        "waiting for {}, how far is it",
    ),
    "change": (
        "i want to edit {}", "change {}", "how do i rename {}", "update the details of {}", "correct {} for me",
        "adjust {} a little",
    ),
}  # fmt: skip


def ward(seed: int = 0, count: int = 6000) -> Stream:
    """A hospital and its staff office: 120 answers."""
    return _stream(_WARD_THINGS, _WARD_ASPECTS, name="ward", seed=seed, count=count, skew=0.5, mislabelled=0.0)


def desk(seed: int = 0, count: int = 5000) -> Stream:
    """A travel desk and developers' tools: 120 answers, some of them rare, and a few labels that are wrong."""
    return _stream(_DESK_THINGS, _DESK_ASPECTS, name="desk", seed=seed, count=count, skew=0.9, mislabelled=0.003)


def _stream(
    things: Mapping[str, Sequence[str]], aspects: Mapping[str, Sequence[str]], *, name: str, seed: int, count: int,
    skew: float, mislabelled: float,
) -> Stream:  # fmt: skip
    chance = random.Random(f"{name} {seed}")
    keys = [(aspect, thing) for aspect in aspects for thing in things]
    chance.shuffle(keys)
    del keys[_ANSWERS:]
    weights = [1 / (rank + 1) ** skew for rank in range(len(keys))]
    texts, answers = [], []
    for _ in range(count):
        aspect, thing = chance.choices(keys, weights)[0]
        asked = chance.choice(aspects[aspect]).format(chance.choice(things[thing]))
        text = chance.choice(_OPENINGS) + chance.choice(_CIRCUMSTANCES) + asked + chance.choice(_ENDINGS)
        if chance.random() < 0.25:
            text += "?"
        if chance.random() < 0.3:
            text = text[0].upper() + text[1:]
        texts.append(_mistyped(text, chance))
        if chance.random() < mislabelled:
            aspect, thing = chance.choice(keys)
        answers.append(f"{aspect} {thing}")
    return Stream(name, texts, answers)


def _mistyped(text: str, chance: random.Random) -> str:
    """Two letters swapped, or one left out, in a few words."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 4 and chance.random() < _SLIPS:
            at = chance.randrange(1, len(word) - 2)
            swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            words[place] = swapped if chance.random() < 0.5 else word[:at] + word[at + 1 :]
    return " ".join(words)


DESKS: dict[str, Callable[..., Stream]] = {"ward": ward, "desk": desk}
