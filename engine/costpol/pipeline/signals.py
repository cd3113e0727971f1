"""What conditions look at: the facts of one request, worked out when first asked for and then kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from costpol.inference.tokens import TokenCounter, request_tokens
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.keywords import KeywordSet, bare, normalise

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - used as a decorator
    """A property worked out once. The standard one takes a lock each time, which costs more than most facts here."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._work_out(instance)
        return value


class Signals:
    """The facts of one request. `intent` is set once it is recognised."""

    def __init__(self, arrival: Arrival, keywords: KeywordSet, count: TokenCounter) -> None:
        self.arrival = arrival
        self.request = arrival.request
        self.caller = arrival.caller
        self.intent: str | None = None
        self.count = count
        self._keywords = keywords

    @lazy
    def question(self) -> str:
        """The last user message, normalised."""
        return normalise(self.request.question)

    @lazy
    def bare_question(self) -> str:
        """The last user message without case, outer space and closing punctuation."""
        return bare(self.question)

    @lazy
    def matched(self) -> frozenset[int]:
        """The policy's words and patterns that occur in the last user message."""
        return self._keywords.match(self.question)

    @lazy
    def matched_anywhere(self) -> frozenset[int]:
        """The policy's words and patterns that occur in any user message."""
        if self.request.turns < 2:
            return self.matched
        texts = [message.text for message in self.request.messages if message.role == "user"]
        return self._keywords.match(normalise("\n".join(texts)))

    @lazy
    def turns(self) -> int:
        return self.request.turns

    @lazy
    def tokens(self) -> int:
        """Input tokens of the whole request."""
        return request_tokens(self.request, self.count)

    @lazy
    def attachments(self) -> bool:
        return any(message.attachments for message in self.request.messages)

    @lazy
    def media(self) -> bool:
        """Whether images or sound may come in or go out, which have prices of their own."""
        return self.attachments or any(name in ("modalities", "audio") for name, _ in self.request.settings)

    @lazy
    def searches(self) -> int:
        """How many searches the provider may run, as far as one can tell: one for each answer, where it may at all."""
        return self.request.answers if any(name == "web_search_options" for name, _ in self.request.settings) else 0

    @lazy
    def called_tools(self) -> frozenset[str]:
        """Tools that the conversation has called so far."""
        return frozenset(name for message in self.request.messages for name in message.tool_calls)
