"""The playbook itself: a conversation that is left unfinished is an error."""

from __future__ import annotations

import pytest
from playbook import Playbook
from situation import answered, ask, policy

from costpol.commands import Call, Reserve


def test_leaving_while_the_flow_still_asks_fails() -> None:
    with pytest.raises(AssertionError, match="still asks for Call"), Playbook(policy(), ask()):
        pass


def test_leaving_without_a_look_at_the_outcome_fails() -> None:
    with pytest.raises(AssertionError, match="without a look"), Playbook(policy(), ask()) as talk:
        talk.told(Call, answered())


def test_another_command_than_expected_fails() -> None:
    with pytest.raises(AssertionError, match="the flow asks for Call"), Playbook(policy(), ask()) as talk:
        talk.expect(Reserve)


def test_a_conversation_begins_with_with() -> None:
    with pytest.raises(AssertionError, match="start the conversation"):
        Playbook(policy(), ask()).expect(Call)
