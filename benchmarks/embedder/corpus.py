"""Texts to learn similarities from: CLINC150's training messages, where they are at hand, and sentences made here.

The transformer says how similar two texts are, so the sentences need variety, not labels. They come from a small
grammar over `domains.txt`, from sweeps that put every whole word of the vocabulary into a sentence, and from message
halves put together anew. No evaluation text is read.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

CLINC = Path("clinc150") / "data_full.json"

DOMAINS = Path(__file__).with_name("domains.txt")

FRAMES = (
    "how do I {action} my {thing}",
    "how can i {action} a {thing}",
    "can I {action} the {thing} {where}",
    "I want to {action} my {thing}",
    "i need to {action} my {thing} {when}",
    "please {action} my {thing}",
    "could you {action} the {thing} for me",
    "what happens if I {action} my {thing}",
    "is it possible to {action} the {thing} {when}",
    "how long does it take to {action} a {thing}",
    "how much does it cost to {action} a {thing}",
    "why can't I {action} my {thing}",
    "where can I {action} my {thing}",
    "do I have to {action} the {thing} {when}",
    "I tried to {action} my {thing} but it did not work",
    "who can {action} my {thing}",
    "when should i {action} the {thing}",
    "help me {action} my {thing}",
    "I do not want to {action} my {thing} any more",
    "what do I need to {action} a {thing}",
    "am I allowed to {action} my {thing} with {word}",
    "my {thing} {problem}",
    "the {thing} {problem}, what should I do",
    "why is it that my {thing} {problem}",
    "what can I do if the {thing} {problem}",
    "it seems that my {thing} {problem}",
    "I think my {thing} {problem}",
    "my {thing} {problem} {when}",
    "the {thing} {problem} {where}, can you help",
    "I paid for a {thing} and it {problem}",
    "hello, my {thing} {problem}",
    "who do I call when the {thing} {problem}",
    "what is a {thing}",
    "what is the {thing} for {word}",
    "what is the difference between a {thing} and a {thing2}",
    "tell me about the {thing}",
    "do you offer a {thing} for {word}",
    "where is my {thing}",
    "where do I find my {thing}",
    "is there a fee for the {thing}",
    "how many times can I have a {thing}",
    "I have a question about my {thing}",
    "I am still waiting for my {thing}",
    "when will I get my {thing}",
    "what is the limit of the {thing}",
    "can I have more than one {thing}",
    "which {thing} is best for {word}",
    "can I get a {thing} with {word}",
    "does the {thing} work with {word}",
    "is {word} better than {word2}",
    "how do {word} and {word2} work together",
    "I need {word} for the {thing}",
    "what about {word}",
    "show me {word} and {word2}",
    "{thing} {problem}",
    "{action} {thing}",
    "{thing} {word}",
    "not the {thing} but the {thing2}",
    "my {thing} is fine but my {thing2} {problem}",
    "I did not {action} my {thing}, who did",
    "I forgot to {action} the {thing}",
    "someone else tried to {action} my {thing}",
    "can my daughter {action} the {thing}",
    "write an email that says my {thing} {problem}",
    "explain how to {action} a {thing} step by step",
    "summarise what I should know about the {thing}",
    "give me three reasons to {action} a {thing}",
)

WHEN = ("today", "tomorrow", "next week", "right now", "before friday", "on 3 may", "at 5 pm", "every month", "in 2024")
WHERE = ("online", "in the app", "abroad", "at home", "in the store", "by phone", "without an account")
OPENINGS = (*[""] * 8, "hi, ", "hello, ", "please help: ", "quick question, ", "urgent! ", "sorry, ", "good morning, ")
ENDINGS = ("", "", "?", "?", "?", ".", "!", " please", " thanks", ", thank you", " asap", " right now?")

CONTEXTS = (
    "I was {where} and my {thing} {problem}",
    "I just tried to {action} my {thing}",
    "I asked to {action} my {thing} {since}",
    "I have been waiting for my {thing} {since}",
    "my {thing} {problem} {since}",
    "I noticed that my {thing} {problem}",
    "I made a mistake when I wanted to {action} the {thing}",
    "somebody offered me a {thing}",
    "I only have {word}",
    "I am moving and have to {action} my {thing}",
    "the {thing} was fine {since}",
    "I am new here",
    "I got a message about my {thing}",
    "I already tried to {action} it",
    "I need it {when}",
    "my {thing} is different from what I expected",
)
REQUESTS = (
    "what should I do",
    "why is that",
    "how long will it take",
    "can you {action} it for me",
    "can I still {action} it",
    "will I be charged",
    "is that normal",
    "do I get my money back",
    "how do I {action} it {where}",
    "when will it be ready",
    "who can help me",
    "is there another way to {action} it",
    "can you check what happened",
    "do I need a new {thing}",
    "how can I stop this",
    "what does it cost",
    "where can I see it",
    "please {action} it",
    "I do not understand why",
    "can I use {word} instead",
    "which countries do you support",
    "is there a limit",
    "how do I prove it",
    "what went wrong",
)
SINCE = ("since yesterday", "two weeks ago", "for an hour", "last night", "for several days", "this morning")

SAME_MEANING = (
    ("how do I", "how can I", "how to", "what is the way to", "show me how to", "what steps do I take to"),
    ("I want to", "i'd like to", "I would like to", "I need to", "i wanna", "I have to", "let me", "I wish to"),
    ("can you", "could you", "would you", "will you", "are you able to", "please"),
    ("why is it that", "why", "how come", "for what reason", "I do not understand why"),
    ("what should I do", "what now", "what do I do", "what are my options", "how do I fix this", "please help me"),
    ("I tried to", "I attempted to", "I was trying to", "i have tried to"),
    ("do not", "don't", "dont"),
    ("cannot", "can't", "cant", "am not able to", "am unable to"),
    ("did not work", "failed", "didn't go through", "won't work", "doesn't work", "was not successful"),
    ("is it possible to", "can I", "am I able to", "am I allowed to", "may I", "is there a way to"),
    ("how much does it cost to", "what is the price to", "what do you charge to", "is there a fee to", "is it free to"),
    ("how long does it take to", "how many days does it take to", "how fast can I", "how soon can I", "when can I"),
    ("was stolen", "got stolen", "has been stolen", "was taken from me", "was robbed"),
    ("is missing", "has disappeared", "can't be found", "has gone missing", "never showed up", "is not there"),
    ("got lost", "was lost", "has been lost", "went missing"),
    ("has not arrived", "hasn't arrived", "still hasn't come", "did not get here", "is not here yet", "never came"),
    ("was declined", "got declined", "was rejected", "was refused", "was not accepted", "got denied"),
    ("was charged", "got charged", "was billed", "had to pay"),
    ("is too expensive", "costs too much", "is overpriced", "is way too much money"),
    ("cancel", "stop", "call off", "end", "terminate"),
    ("change", "edit", "modify", "update", "alter", "switch"),
    ("buy", "purchase", "get", "order"),
    ("find", "locate", "see", "look up"),
    ("money", "funds", "cash"),
    ("right now", "immediately", "at once", "as soon as possible", "straight away"),
    ("where is", "where's", "what happened to", "when do I get", "do you know the status of"),
    ("tell me about", "what can you tell me about", "give me information on", "explain", "I want to know about"),
    ("tomorrow", "the day after today", "next morning"),
    ("my daughter", "my son", "my wife", "my husband", "a friend", "my mother", "my colleague"),
    ("abroad", "overseas", "in a foreign country", "outside the country"),
    ("broken", "not working", "faulty", "damaged", "defective"),
)

SWEEP_FRAMES = (
    "what is {a}",
    "{a} {b}",
    "{a} and {b}",
    "tell me about {a} and {b}",
    "how do I find {a} {b}",
    "is there any {a} in the {b}",
    "the {a} {b} of the {c}",
    "I would like {a} with {b}",
    "do you know the {a} of {b}",
    "{a} {b} {c}",
    "why does {a} need {b}",
    "my {a} is about {b}",
    "what does {a} mean",
    "can you {a} the {b}",
)


@dataclass(frozen=True)
class Domain:
    """One trade and its words."""

    things: list[str]
    actions: list[str]
    problems: list[str]
    words: list[str]


def read_domains(text: str) -> list[Domain]:
    """The blocks of `domains.txt`."""
    blocks: list[dict[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("["):
            blocks.append({})
        elif ":" in line and not line.startswith("#"):
            key, _, listed = line.partition(":")
            blocks[-1][key] = [item.strip() for item in listed.split(",")]
    return [Domain(**block) for block in blocks]


def clinc_messages(data: Path) -> list[str]:
    """The messages of CLINC150's training part, in and out of scope; its other parts are not read."""
    parts = json.loads((data / CLINC).read_text(encoding="utf-8"))
    return [text for part in ("train", "oos_train") for text, _ in parts[part]]


def grammar_sentences(rng: random.Random, count: int) -> list[str]:
    """Sentences of the grammar, some of two clauses; one thing in ten comes from another trade, so that trades mix."""
    domains = read_domains(DOMAINS.read_text(encoding="utf-8"))

    def one() -> str:
        home = rng.choice(domains)
        odd = rng.choice(domains) if rng.random() < 0.1 else home
        words = {
            "action": rng.choice(home.actions),
            "thing": rng.choice(odd.things),
            "thing2": rng.choice(home.things),
            "problem": rng.choice(home.problems),
            "word": rng.choice(home.words),
            "word2": rng.choice(odd.words),
            "when": rng.choice(WHEN),
            "where": rng.choice(WHERE),
            "since": rng.choice(SINCE),
        }
        if rng.random() < 0.4:
            clauses = [rng.choice(CONTEXTS), rng.choice(REQUESTS)]
            if rng.random() < 0.3:
                clauses.reverse()
            sentence = rng.choice((". ", ", ", " and ", "? ", " - ")).join(clauses)
        else:
            sentence = rng.choice(FRAMES)
        sentence = reworded(rng, sentence.format(**words), 0.5)
        return rng.choice(OPENINGS) + sentence + rng.choice(ENDINGS)

    return [one() for _ in range(count)]


def reworded(rng: random.Random, text: str, share: float) -> str:
    """The text with some of its phrases said differently."""
    for phrases in SAME_MEANING:
        for phrase in phrases:
            if f" {phrase} " in f" {text} " and rng.random() < share:
                text = f" {text} ".replace(f" {phrase} ", f" {rng.choice(phrases)} ", 1).strip()
                break
    return text


def sweep_sentences(rng: random.Random, pieces: list[str], rounds: int) -> list[str]:
    """Sentences that name every whole word of the vocabulary at least `rounds` times, with other words at random."""
    words = [piece for piece in pieces if piece.isalpha() and len(piece) > 1]
    frequent = words[:6000]
    sentences = []
    for _ in range(rounds):
        for word in words:
            pair = [word, rng.choice(frequent)]
            rng.shuffle(pair)
            sentences.append(rng.choice(SWEEP_FRAMES[1:]).format(a=pair[0], b=pair[1], c=rng.choice(frequent)))
    return sentences


def recombined(rng: random.Random, messages: list[str], count: int) -> list[str]:
    """Messages with a part changed, so that near ones differ in known ways: halves of two in one, a word less, a word
    from elsewhere, a phrase said differently."""
    made = []
    for _ in range(count):
        words = rng.choice(messages).split()
        other = rng.choice(messages).split()
        way = rng.randrange(4)
        if way == 0:
            words = words[: max(1, len(words) // 2)] + other[len(other) // 2 :]
        elif way == 1 and len(words) > 3:
            words.pop(rng.randrange(len(words)))
        elif way == 2:
            words[rng.randrange(len(words))] = rng.choice(other)
        else:
            words = reworded(rng, " ".join(words), 1.0).split()
        made.append(" ".join(words))
    return made


def training_texts(seed: int, pieces: list[str], data: Path | None) -> list[str]:
    """All texts, each once, in an order that the seed decides."""
    rng = random.Random(seed)
    grammar = grammar_sentences(rng, 45_000)
    messages = clinc_messages(data) if data is not None else []
    changed = recombined(rng, messages, 14_000 if messages else 0) + recombined(rng, grammar, 4_000)
    unique = sorted({*grammar, *messages, *changed, *sweep_sentences(rng, pieces, 1)})
    rng.shuffle(unique)
    return unique
