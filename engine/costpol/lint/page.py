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


IMPOSSIBLE: Mapping[str, tuple[str, str]] = {
    "CP206": ("unknown-intent", "a name that nobody declares is CP102; one that nothing names fences others off"),
    "CP207": ("unguarded-optional-field", "a condition on a field that a request lacks does not hold"),
    "CP302": ("soft-cache-scope", "the scope is a filter of every look into the cache, never part of its text"),
    "CP304": ("cache-key-missing-context", "model, prompt, template version, tools and history are always in the key"),
    "CP306": ("caller-can-loosen", "callers may make the cache stricter, nothing looser"),
    "CP308": ("raw-prompt-logged", "a policy cannot ask for prompts to be logged"),
    "CP405": ("failed-response-cached", "errors, cut-off and filtered answers are never kept"),
    "CP406": ("embedding-version-unpinned", "a cache belongs to its embedder, dimension and metric"),
    "CP407": ("unversioned-cache-namespace", "a template has a version, and its answers belong to it"),
    "CP604": ("unreserved-budget", "every call is reserved before it is made"),
    "CP607": ("retry-non-retryable", "`fallback.on` takes failures that pass only; any other word is CP109"),
    "CP609": ("uncovered-endpoint", "an endpoint that no policy governs is not served"),
    "CP703": ("unstable-serialization", "bodies are passed on byte by byte, tools in the order given"),
    "CP704": ("prefix-below-minimum", "prompt caches are the provider's; nothing is paid for a short prefix"),
    "CP802": ("missing-policy-id", "the digest of a policy names it in every answer"),
}
"""What other policies can get wrong and this language cannot say, by code: its name, and why it cannot happen."""

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
    "Some of what other policies can get wrong cannot be said in this language; their codes are not used:",
    "",
    "| code | name | why it cannot happen |",
    "| --- | --- | --- |",
    *(f"| {code} | {name} | {why} |" for code, (name, why) in IMPOSSIBLE.items()),
    "",
)
_LOG_HEAD = ("", "## What a log shows", "", "`costpol dry-run` finds these in what it replays.", "")
_LOADER_HEAD = ("", "## What keeps a policy from loading", "", "These cannot be accepted.", "")
