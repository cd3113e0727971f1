"""A rule's page: its docstring, taken apart into what people read and what tests run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

from costpol.lint.registry import RuleModule

_FENCE = re.compile(r"^```yaml[^\n]*$", re.MULTILINE)
_BLOCK = re.compile(r"^```yaml(?P<options>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """The policy files of a `## Bad` or `## Good` section. `options` stand behind the fence: `name=value` pairs."""

    files: tuple[str, ...]
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """What a docstring says: its first sentence, and its sections by heading, in order."""

    summary: str
    sections: Mapping[str, str]

    def example(self, heading: str) -> Example:
        """The files that a section shows; they are told apart by lines `---`."""
        match = _BLOCK.search(self.sections[heading])
        if match is None:
            return Example((), {})
        options = dict(pair.split("=", 1) for pair in match["options"].split())
        return Example(tuple(re.split(r"^---\n", match["text"], flags=re.MULTILINE)), options)


def page(rule: RuleModule) -> Page:
    """The page of a rule."""
    text = inspect.cleandoc(rule.__doc__ or "")
    summary, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    headings, bodies = parts[::2], parts[1::2]
    return Page(summary.strip(), {h: body.strip() + "\n" for h, body in zip(headings, bodies, strict=True)})


def markdown(rule: RuleModule) -> str:
    """The page of a rule as a document."""
    parts = page(rule)
    needs = f", needs {' and '.join(f'`{need}`' for need in rule.NEEDS)}" if rule.NEEDS else ""
    lines = [f"# {rule.CODE} {rule.NAME}", f"{rule.SEVERITY.value.capitalize()}{needs}.", parts.summary]
    for heading, body in parts.sections.items():
        lines += [f"## {heading}", _FENCE.sub("```yaml", body).strip()]
    return "\n\n".join(lines) + "\n"
