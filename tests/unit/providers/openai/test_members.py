"""Members as raw bytes, with no name twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.errors import WireError
from costpol.providers.openai.members import read_members

pairs = st.lists(st.tuples(st.text(max_size=3), st.integers() | st.text(max_size=4) | st.none()), max_size=6)
blanks = st.text(alphabet=" \n\t\r", max_size=2)


@given(pairs, blanks, blanks, blanks, st.booleans())
def test_members_are_kept_as_they_came_and_repeats_are_refused(
    members: list[tuple[str, object]], before: str, between: str, after: str, escaped: bool
) -> None:
    written = [
        (json.dumps(name, ensure_ascii=escaped), json.dumps(value, ensure_ascii=escaped)) for name, value in members
    ]
    body = before + "{" + f",{between}".join(f"{name}{after}:{between}{value}" for name, value in written) + "}" + after
    if len({name for name, _ in members}) < len(members):
        with pytest.raises(WireError, match="is given twice"):
            read_members(body.encode())
    else:
        read = read_members(body.encode())
        assert [(name, bytes(raw).decode()) for name, raw in read.items()] == [
            (name, value) for (name, _), (_, value) in zip(members, written, strict=True)
        ]
