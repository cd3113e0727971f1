"""What conditions look at: the facts of one request, worked out when first asked for and then kept."""

from __future__ import annotations

from functools import cached_property

from costpol.inference.tokens import TokenCounter, request_tokens
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.keywords import KeywordSet, bare, normalise


class Signals:
    """The facts of one request. `intent` is set once it is recognised."""

    def __init__(self, arrival: Arrival, keywords: KeywordSet, count: TokenCounter) -> None:
        self.arrival = arrival
        self.request = arrival.request
        self.caller = arrival.caller
        self.intent: str | None = None
        self._keywords = keywords
        self._count = count

    @cached_property
    def question(self) -> str:
        """The last user message, normalised."""
        return normalise(self.request.question)

    @cached_property
    def bare_question(self) -> str:
        """The last user message without case, outer space and closing punctuation."""
        return bare(self.question)

    @cached_property
    def matched(self) -> frozenset[int]:
        """The policy's words and patterns that occur in the last user message."""
        return self._keywords.match(self.question)

    @cached_property
    def matched_anywhere(self) -> frozenset[int]:
        """The policy's words and patterns that occur in any user message."""
        if self.request.turns < 2:
            return self.matched
        texts = [message.text for message in self.request.messages if message.role == "user"]
        return self._keywords.match(normalise("\n".join(texts)))

    @cached_property
    def turns(self) -> int:
        return self.request.turns

    @cached_property
    def tokens(self) -> int:
        """Input tokens of the whole request."""
        return request_tokens(self.request, self._count)

    @cached_property
    def attachments(self) -> bool:
        return any(message.attachments for message in self.request.messages)

    @cached_property
    def called_tools(self) -> frozenset[str]:
        """Tools that the conversation has called so far."""
        return frozenset(name for message in self.request.messages for name in message.tool_calls)
