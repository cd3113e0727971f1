"""A conversation with the flow: what it must ask for, and what it is told. No sockets, no mocks, no clock."""

from __future__ import annotations

from typing import Any

from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Outcome
from costpol.pipeline.flow import Pipeline


class Playbook:
    """`expect(Command)` asserts the kind of the next command and returns it; `reply(value)` answers it."""

    def __init__(self, pipeline: Pipeline, arrival: Arrival) -> None:
        self._flow = pipeline.flow(arrival)
        self._outcome: Outcome | None = None
        self._pending = self._advance(None)

    def expect(self, kind: type) -> Any:
        assert isinstance(self._pending, kind), f"the flow asked for {self._pending!r}"
        return self._pending

    def reply(self, value: Any) -> Playbook:
        assert self._pending is not None, "the flow asks for nothing more"
        self._pending = self._advance(value)
        return self

    def skip(self, replies: dict[type, Any]) -> Playbook:
        """Answer every command of these kinds until another one comes."""
        while type(self._pending) in replies:
            self.reply(replies[type(self._pending)])
        return self

    @property
    def outcome(self) -> Outcome:
        assert self._outcome is not None, f"the flow still asks for {self._pending!r}"
        return self._outcome

    def _advance(self, value: Any) -> Any:
        try:
            return self._flow.send(value)
        except StopIteration as stop:
            self._outcome = stop.value
            return None
