"""How many tokens a text has: an estimate that needs no table and costs about a microsecond.

Calibrated against o200k_base as characters per token by kind of text: 4.37 in prose, 2.8 in JSON, 1.5 in Chinese and
Japanese, about 3 in Cyrillic, Greek, Arabic and Hebrew. It is an estimate: what is billed is always settled by the
usage that the provider reports.
"""

from __future__ import annotations

from collections.abc import Callable

from costpol.inference.request import Request

TokenCounter = Callable[[str], int]

_PROSE, _JSON, _TWO_BYTE, _THREE_BYTE = 4.37, 2.8, 3.0, 1.5
_MESSAGE_OVERHEAD = 4
"""Tokens that mark the start, role and end of one message."""


def estimate_tokens(text: str) -> int:
    """Tokens of a text, rounded up; 0 only for an empty one."""
    if not text:
        return 0
    characters = len(text)
    # JSON and code-like text is dense in quotes and braces; two cheap counts tell it from prose.
    dense = (text.count('"') + text.count(":") + text.count("{")) * 12 > characters
    ascii_rate = _JSON if dense else _PROSE
    if text.isascii():
        return int(characters / ascii_rate) + 1
    octets = len(text.encode("utf-8", "surrogatepass"))
    beyond = octets - characters  # one more octet per two-byte character, two more per three-byte one
    narrow = sum(1 for character in text if "\x7f" < character < "\u0800")
    three = (beyond - narrow) // 2
    ascii_characters = max(characters - narrow - three, 0)
    return int(ascii_characters / ascii_rate + narrow / _TWO_BYTE + three / _THREE_BYTE) + 1


def request_tokens(request: Request, count: TokenCounter = estimate_tokens) -> int:
    """Input tokens of a whole request: every message, and the settings that travel with it (tools, schemas)."""
    messages = sum(count(message.text) + _MESSAGE_OVERHEAD for message in request.messages)
    return messages + sum(int(len(raw) / _JSON) for name, raw in request.settings if len(raw) > 64)
