"""The workflows that are there to be copied, and the hooks: their commands exist, with these options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from costpol.cli.main import command as costpol

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "examples/ci/github.yml", ROOT / "examples/ci/gitlab.yml", ROOT / ".pre-commit-hooks.yaml"]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("name", "description"):
                yield from texts(item)


def calls(file: Path) -> list[list[str]]:
    """The words of every call of `costpol` in a file."""
    lines = "\n".join(texts(yaml.safe_load(file.read_text()))).replace("\\\n", " ").splitlines()
    found = [re.match(r"\s*costpol\s+(.*)", line) for line in lines]
    return [shlex.split(match[1].replace('"${against[@]}"', "--against base")) for match in found if match]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_call_is_one_that_the_command_line_takes(file: Path) -> None:
    assert len(calls(file)) >= 2
    for name, *arguments in calls(file):
        with click.Context(costpol) as context:
            subcommand = costpol.get_command(context, name)
        assert subcommand is not None, name
        subcommand.make_context(name, arguments)  # raises for an unknown option or choice


def test_the_workflows_validate_and_replay() -> None:
    for file in FILES[:2]:
        assert [words[0] for words in calls(file)] == ["validate", "test", "dry-run"]
