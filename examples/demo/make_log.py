"""Makes `support.jsonl`: three days of a support agent's traffic, invented and seeded.

Run `python examples/demo/make_log.py > examples/demo/support.jsonl`. Every request asks for `gpt-4.1`, as an agent does
that was never tuned; `answer_id` names the right answer, so that a dry-run can tell right cache hits from wrong ones.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

SYSTEM = (
    "You are the support assistant of an online shop for outdoor gear. Be friendly and precise. The shop ships to the "
    "European Union, Switzerland, Norway and the United Kingdom. Parcels take two to four working days within Germany "
    "and four to eight elsewhere. Returns are free for thirty days. Gift cards never expire. Never promise a refund "
    "before the goods have been checked. Never ask for passwords or full card numbers. If you are not sure, say so and "
    "offer to pass the question on to a colleague."
)

SHARED = {
    "faq-return-policy": [
        "what is the return policy",
        "What is your return policy?",
        "how do returns work",
        "tell me about your return policy",
        "What's the return policy?",
    ],
    "faq-reset-password": [
        "how do I reset a password",
        "How do I reset a password?",
        "how can I reset a password",
        "resetting a password, how does it work",
    ],
    "faq-payment-methods": [
        "which payment methods are accepted",
        "Which payment methods do you accept?",
        "what payment methods are accepted",
        "can I pay with PayPal",
    ],
    "faq-shipping-countries": [
        "which countries do you ship to",
        "Which countries do you ship to?",
        "to which countries do you ship",
        "do you ship to Norway",
    ],
    "faq-delivery-time": [
        "how long does delivery usually take",
        "How long does delivery usually take?",
        "how long does delivery take",
        "what is the usual delivery time",
    ],
    "faq-gift-cards": ["do gift cards expire", "Do gift cards expire?", "how long is a gift card valid"],
    "faq-contact": ["how can I contact support", "How can I contact support?", "how do I contact support by phone"],
    "faq-close-account": ["how do I close an account", "How do I close an account?", "how can I close an account"],
    "price-shipping": [
        "what are your shipping fees",
        "What are your shipping fees?",
        "how much is shipping",
        "what does shipping cost",
    ],
    "price-premium": [
        "how much does the premium plan cost",
        "How much does the premium plan cost?",
        "what does the premium plan cost",
    ],
}
PERSONAL = [
    "where is my parcel",
    "when will my order arrive",
    "my package has not been delivered yet",
    "track my shipment",
    "why was I charged twice",
    "I want a refund for my last payment",
    "send me the invoice of last month",
    "is my order {order} on its way",
    "what happened to order number {order}",
]
COMPLAINTS = ["this is unacceptable, I want to speak to a manager", "I am very disappointed with your service"]
THANKS = ["thanks", "ok", "great", "Thank you!", "perfect"]
WORK = [
    "please compare the two tents {a} and {b} for a week of rain in Scotland, step by step",
    "analyze why our team order of {count} jackets is cheaper in two parcels than in one",
]
TENTS = ["Skagen 2", "Borealis 3", "Tundra Light", "Fjell 4", "Marsh Hopper"]
ANSWER = "That is easily answered. {text} Let me know if there is anything else that I can do for you today."


def requests(rng: random.Random) -> Iterator[tuple[list[dict[str, str]], str, bool]]:
    """Messages, the id of the right answer, and whether the agent offers its tools."""
    for _ in range(900):
        kind = rng.random()
        number = rng.randrange(10_000, 99_999)
        if kind < 0.5:
            answer = rng.choices(list(SHARED), weights=[1 / (rank + 1) for rank in range(len(SHARED))])[0]
            yield [_user(rng.choice(SHARED[answer]))], answer, False
        elif kind < 0.72:
            text = rng.choice(PERSONAL).format(order=number)
            yield [_user(text)], f"personal-{number}", rng.random() < 0.4
        elif kind < 0.85:
            first = rng.choice(SHARED["faq-return-policy"])
            reply = {"role": "assistant", "content": ANSWER.format(text="Within thirty days, free of charge.")}
            yield [_user(first), reply, _user(rng.choice(THANKS))], "thanks", False
        elif kind < 0.9:
            yield [_user(rng.choice(COMPLAINTS))], f"complaint-{number}", False
        else:
            a, b = rng.sample(TENTS, 2)
            question, count = rng.choice(WORK), rng.randrange(10, 60)
            # Two tents compare alike whichever is named first.
            meant = question.format(a=min(a, b), b=max(a, b), count=count)
            yield [_user(question.format(a=a, b=b, count=count))], f"work-{crc32(meant.encode())}", False


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def records(seed: int) -> Iterator[dict[str, Any]]:
    """The lines of the log."""
    rng = random.Random(seed)  # noqa: S311 - invented traffic
    now = datetime(2026, 1, 12, 8, tzinfo=UTC)
    parameters = {"type": "object", "properties": {"order": {"type": "string"}}}
    tools = [{"type": "function", "function": {"name": "lookup_order", "parameters": parameters}}]
    for index, (messages, answer_id, with_tools) in enumerate(requests(rng)):
        now += timedelta(seconds=rng.expovariate(1 / 280))
        characters = len(SYSTEM) + sum(len(message["content"]) for message in messages)
        output = rng.randrange(20, 60) if answer_id == "thanks" else rng.randrange(90, 420)
        body: dict[str, Any] = {"model": "gpt-4.1", "messages": [{"role": "system", "content": SYSTEM}, *messages]}
        if with_tools:
            body["tools"] = tools
        yield {
            "id": f"r{index:04}",
            "time": now.isoformat().replace("+00:00", "Z"),
            "tenant": rng.choice(["north", "north", "south"]),
            "user": f"u{rng.randrange(120):03}",
            "agent": "support",
            "request": body,
            "response": {
                "content": ANSWER.format(text="Here is what you need to know."),
                "usage": {
                    "prompt_tokens": characters * 10 // 44 + (60 if with_tools else 8),
                    "completion_tokens": output,
                },
            },
            "answer_id": answer_id,
        }


if __name__ == "__main__":
    for record in records(seed=7):
        print(json.dumps(record, separators=(",", ":")))
