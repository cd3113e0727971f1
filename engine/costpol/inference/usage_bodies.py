"""The usage object of each provider's API, read into one `Usage`. The table is the whole knowledge.

An entry is a path into the usage object. `a.b` goes down, `list[AUDIO]` takes the `tokenCount` of the list's item of
that modality. `x + y` adds, `x - y` subtracts: the first term must be reported, later ones count as nothing where they
are absent. `x | y` takes the first alternative that is reported. What is reported nowhere is `None`; what is not a
whole number from zero to a billion counts as not reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from costpol.inference.usage import Usage

FIELDS: Mapping[str, Mapping[str, str]] = {
    "openai-chat": {  # and what is compatible with it; DeepSeek and Moonshot report cached input their own way
        "input_tokens": "prompt_tokens",
        "output_tokens": "completion_tokens",
        "cache_read_tokens": "prompt_tokens_details.cached_tokens | prompt_cache_hit_tokens | cached_tokens",
        "cache_write_tokens": "prompt_tokens_details.cache_write_tokens",
        "input_audio_tokens": "prompt_tokens_details.audio_tokens",
        "output_audio_tokens": "completion_tokens_details.audio_tokens",
        "reasoning_tokens": "completion_tokens_details.reasoning_tokens",
    },
    "openai-responses": {
        "input_tokens": "input_tokens",
        "output_tokens": "output_tokens",
        "cache_read_tokens": "input_tokens_details.cached_tokens",
        "cache_write_tokens": "input_tokens_details.cache_write_tokens",
        "reasoning_tokens": "output_tokens_details.reasoning_tokens",
    },
    "openai-embeddings": {  # no output by nature
        "input_tokens": "prompt_tokens",
        "output_tokens": "0",
    },
    "anthropic-messages": {  # cached input is reported beside the input, not in it
        "input_tokens": "input_tokens + cache_creation_input_tokens + cache_read_input_tokens",
        "output_tokens": "output_tokens",
        "cache_read_tokens": "cache_read_input_tokens",
        "cache_write_tokens": "cache_creation_input_tokens",
        "cache_write_1h_tokens": "cache_creation.ephemeral_1h_input_tokens",
        "reasoning_tokens": "output_tokens_details.thinking_tokens",
        "web_searches": "server_tool_use.web_search_requests",
    },
    "google-gemini": {  # thoughts are reported beside the candidates; counts of zero are left out of the JSON
        "input_tokens": "promptTokenCount + toolUsePromptTokenCount",
        "output_tokens": (
            "candidatesTokenCount + thoughtsTokenCount | totalTokenCount - promptTokenCount - toolUsePromptTokenCount"
        ),
        "cache_read_tokens": "cachedContentTokenCount",
        "input_audio_tokens": (
            "promptTokensDetails[AUDIO] + toolUsePromptTokensDetails[AUDIO] | toolUsePromptTokensDetails[AUDIO]"
        ),
        "cache_audio_read_tokens": "cacheTokensDetails[AUDIO]",
        "output_audio_tokens": "candidatesTokensDetails[AUDIO]",
        "output_image_tokens": "candidatesTokensDetails[IMAGE]",
        "reasoning_tokens": "thoughtsTokenCount",
    },
}

_MOST = 10**9
"""Tokens of one call beyond which a figure is a mistake: no budget could book it, and no model takes a thousandth."""

_Reader = Callable[[Mapping[str, object]], int | None]


def usage_from(flavor: str, usage: Mapping[str, object] | None) -> Usage:
    """The usage object of an answer (`usage`, Google's `usageMetadata`), by the flavor of the API that sent it.

    `None`, for an answer without usage, is a `Usage` that reports nothing. Raises `KeyError` for an unknown flavor.
    """
    readers = _READERS[flavor]
    if usage is None:
        return Usage()
    counts: dict[str, Any] = {name: count for name, read in readers if (count := read(usage)) is not None}
    return Usage(**counts)


def _compile(expression: str) -> _Reader:
    alternatives = [_compile_sum(each.split()) for each in expression.split("|")]
    if len(alternatives) == 1:
        return alternatives[0]

    def read(usage: Mapping[str, object]) -> int | None:
        for each in alternatives:
            count = each(usage)
            if count is not None:
                return count
        return None

    return read


def _compile_sum(words: list[str]) -> _Reader:
    first = _compile_path(words[0])
    signs = (1 if sign == "+" else -1 for sign in words[1::2])
    others = tuple(zip(signs, map(_compile_path, words[2::2]), strict=True))
    if not others:
        return first

    def read(usage: Mapping[str, object]) -> int | None:
        count = first(usage)
        if count is None:
            return None
        for sign, term in others:
            count += sign * (term(usage) or 0)
        return count if count >= 0 else None

    return read


def _compile_path(path: str) -> _Reader:
    if path == "0":
        return lambda usage: 0
    if path.endswith("]"):
        name, modality = path[:-1].split("[")
        return lambda usage: _of_modality(usage.get(name), modality)
    *steps, last = path.split(".")
    if not steps:
        return lambda usage: _count(usage.get(last))
    if len(steps) == 1:
        step = steps[0]

        def read_inner(usage: Mapping[str, object]) -> int | None:
            inner = usage.get(step)
            return _count(inner.get(last)) if type(inner) is dict and last in inner else None

        return read_inner

    def read(usage: Mapping[str, object]) -> int | None:
        inner: object = usage
        for step in steps:
            inner = inner.get(step) if type(inner) is dict else None
        return _count(inner.get(last)) if type(inner) is dict else None

    return read


def _of_modality(items: object, modality: str) -> int | None:
    if not isinstance(items, list):
        return None
    for item in items:
        if type(item) is dict and item.get("modality") == modality:
            return _count(item.get("tokenCount"))
    return None


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MOST else None


_READERS = {
    flavor: tuple((name, _compile(expression)) for name, expression in table.items())
    for flavor, table in FIELDS.items()
}
