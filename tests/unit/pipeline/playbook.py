"""A conversation with the flow: what it must ask for, and what it is told. No sockets, no mocks, no clock."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from costpol.commands import Admit, Admitted, Command, Join
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Outcome
from costpol.pipeline.flow import Pipeline


class Playbook:
    """`with Playbook(pipeline, arrival) as talk:`, then `expect(Command)` asserts the kind of the next command and
    returns it, `reply(value)` answers it.

    A hit over a threshold is let through as the policy states it, unless `admits` says otherwise.
    Leaving the `with` fails where the flow still asks for something, or where nobody looked at the outcome.
    """

    def __init__(
        self, pipeline: Pipeline, arrival: Arrival, *, alone: bool = True, admits: Admitted | None = None
    ) -> None:
        """`alone` says that no equal question is being answered, which most conversations need not say."""
        self._alone, self._admits = alone, admits
        self._flow = pipeline.flow(arrival)
        self._started = False
        self._pending: Command | None = None
        self._outcome: Outcome | None = None
        self._read = False

    def __enter__(self) -> Self:
        self._started = True
        self._advance(None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flow.close()
        if kind is None:
            assert self._outcome is not None, f"the conversation ends while the flow still asks for {self._pending!r}"
            assert self._read, "the conversation ends without a look at the outcome"

    def expect(self, kind: type) -> Any:
        """The pending command, which must be of this kind."""
        assert self._started, "start the conversation with `with`"
        assert self._pending is not None, f"the flow has ended: {self._outcome}"
        assert isinstance(self._pending, kind), f"the flow asks for {self._pending!r}"
        return self._pending

    def reply(self, value: Any) -> Self:
        """Answer the pending command."""
        assert self._pending is not None, "the flow asks for nothing more"
        self._advance(value)
        return self

    def told(self, kind: type, value: Any) -> Any:
        """Expect a command, answer it, and return it."""
        command = self.expect(kind)
        self.reply(value)
        return command

    @property
    def pending(self) -> Command | None:
        """What the flow waits for; `None` once it has ended."""
        return self._pending

    @property
    def outcome(self) -> Outcome:
        assert self._outcome is not None, f"the flow still asks for {self._pending!r}"
        self._read = True
        return self._outcome

    def _advance(self, value: Any) -> None:
        try:
            self._pending = self._flow.send(value)
        except StopIteration as stop:
            self._outcome, self._pending = stop.value, None
        if self._alone and isinstance(self._pending, Join):
            self._advance(False)
        if isinstance(self._pending, Admit):
            self._advance(self._admits or Admitted(self._pending.threshold))
