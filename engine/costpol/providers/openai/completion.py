"""An answer known as text, as the body that the provider would have sent."""

from __future__ import annotations

from costpol.inference.usage import Usage
from costpol.providers.openai.members import encode


def completion_body(model: str, content: str, usage: Usage) -> bytes:
    """A chat completion of one answer that ended well. What it lacks (`id`, `created`) is given when it is replayed."""
    members: dict[str, object] = {
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
    }
    if usage.input_tokens is not None and usage.output_tokens is not None:
        members["usage"] = {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }
    return encode(members)
