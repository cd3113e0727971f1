"""A rule's page: its docstring, taken apart into what people read and what tests run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from costpol.lint.registry import RULES, Documented
from costpol.policy.codes import CATALOGUE

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


def page(rule: Documented) -> Page:
    """The page of a rule."""
    text = inspect.cleandoc(rule.__doc__ or "")
    summary, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    headings, bodies = parts[::2], parts[1::2]
    return Page(summary.strip(), {h: body.strip() + "\n" for h, body in zip(headings, bodies, strict=True)})


def markdown(rule: Documented) -> str:
    """The page of a rule as a document."""
    parts = page(rule)
    lines = [f"# {rule.CODE} {rule.NAME}", f"{rule.SEVERITY.value.capitalize()}.", parts.summary]
    for heading, body in parts.sections.items():
        lines += [f"## {heading}", _FENCE.sub("```yaml", body).strip()]
    return "\n\n".join(lines) + "\n"


def index(log_rules: Sequence[Documented] = ()) -> str:
    """The list of all findings as a document: the linter's rules, those that need a log, then what keeps a policy from
    loading."""
    rules = {rule.CODE for rule in RULES}
    rows, logged = ([_row(rule) for rule in each] for each in (RULES, log_rules))
    if logged:
        logged = [*_LOG_HEAD, *_TABLE, *logged]
    codes = [
        f"| {code.code} | {code.name} | {code.severity.value} | {code.doc[0].upper()}{code.doc[1:]}. |"
        for code in CATALOGUE
        if code.code not in rules
    ]
    return "\n".join((*_INDEX_HEAD, *_TABLE, *rows, *logged, *_LOADER_HEAD, *_TABLE, *codes)) + "\n"


def _row(rule: Documented) -> str:
    summary = _on_one_line(page(rule).summary)
    return f"| {rule.CODE} | [{rule.NAME}]({rule.NAME}.md) | {rule.SEVERITY.value} | {summary} |"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


_TABLE = ("| code | name | severity | what it finds |", "| --- | --- | --- | --- |")
_INDEX_HEAD = (
    "# Rules",
    "",
    "What `costpol validate` finds in a policy that loads. Every page shows a policy with the finding and one without;",
    "both are run as tests. These pages are written by `costpol rule --write docs/rules`.",
    "",
    "A finding that is accepted is named at the end of its line, or on a line of its own above, with the reason:",
    "`# costpol: ignore[CP605] an unanswered call costs more than any bill`. Findings about leaks (`CP3xx`) need",
    "somebody who answers for them: `# costpol: ignore[CP303] approved_by=ada our customers are one company`.",
    "`# costpol: disable[CP701] reason` accepts down to `# costpol: enable[CP701]`, and `disable-file[CP701] reason`,",
    "before the first line of content, in the whole file.",
    "",
    "There is no CP802: a policy needs no version or owner of its own, for its digest names it in every answer.",
    "",
)
_LOG_HEAD = ("", "## What a log shows", "", "`costpol dry-run` finds these in what it replays.", "")
_LOADER_HEAD = ("", "## What keeps a policy from loading", "", "These cannot be accepted.", "")
