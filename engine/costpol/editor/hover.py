"""What an editor shows for the word under the cursor: the key, the name, the price, the rule behind a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from costpol.diagnostics import Diagnostic, Span
from costpol.editor.context import Context, context_at
from costpol.editor.language import Slot, slot_at
from costpol.editor.names import Occurrence
from costpol.editor.navigation import occurrence_at
from costpol.editor.positions import Point, holds, span_of, split_lines
from costpol.editor.project import PolicyFile, Project
from costpol.editor.summary import declared_as, price_line, summarise
from costpol.errors import ProvisionError
from costpol.lint.page import page
from costpol.lint.registry import RULES
from costpol.policy.codes import CATALOGUE
from costpol.policy.declaration import Declared
from costpol.policy.loader import KINDS
from costpol.policy.nodes.models import Model
from costpol.policy.reference import allowed, default_of, kind_summary

_CODE = re.compile(r"\bCP[0-9]{3}\b")
_LINK = re.compile(r"\[([^\]]+)\]\(#[^)]*\)")


@dataclass(frozen=True, slots=True)
class Hover:
    """Markdown, and what it is about."""

    text: str
    span: Span


def hover(project: Project, name: str, point: Point, findings: Iterable[Diagnostic], now: float) -> Hover | None:
    """What is known about a point of a file; `None` where nothing is."""
    file = project.files[name]
    found = [finding for finding in findings if finding.span.file == name and holds(finding.span, point)]
    pages = [about for code in dict.fromkeys(each.code for each in found) if (about := rule_summary(code))]
    span, text = _word(project, file, point, now)
    if span is None:
        span, text = _code(file, point)
    if span is None and found:
        span = found[0].span
    parts = [part for part in (text, *pages) if part]
    return Hover("\n\n---\n\n".join(parts), span) if parts and span is not None else None


def rule_summary(code: str) -> str | None:
    """The first sentences of a rule's page; `None` for a code that nothing has."""
    for rule in RULES:
        if code == rule.CODE:
            parts = page(rule)
            why = parts.sections.get("Why", "").strip()
            about = f"**{rule.CODE} {rule.NAME}** ({rule.SEVERITY.value}): {' '.join(parts.summary.split())}"
            return f"{about}\n\n{why}".strip() + f"\n\n`costpol rule {rule.CODE}` shows it with examples."
    for entry in CATALOGUE:
        if code == entry.code:
            return f"**{entry.code} {entry.name}** ({entry.severity.value}): {entry.doc}."
    return None


def key_text(key: Declared) -> str:
    """A key: what it means, what may be written, its default and examples."""
    takes = _LINK.sub(r"a mapping (\1)", allowed(key))
    lines = [f"**`{key.name}`**: {takes}{' (required)' if key.required else ''}", "", _sentence(key.key.doc)]
    default = default_of(key)
    if default and not key.required:
        lines += ["", f"Default: {default}"]
    if key.key.examples:
        lines += ["", "Such as " + ", ".join(f"`{example}`" for example in key.key.examples)]
    return "\n".join(lines)


def _word(project: Project, file: PolicyFile, point: Point, now: float) -> tuple[Span | None, str]:
    occurrence = occurrence_at(project, file.name, point)
    if occurrence is not None:
        return occurrence.span, _name(project, file, occurrence, now)
    context = context_at(file.text, point)
    if context is None or not context.word:
        return None, ""
    span = span_of(file.name, point.line, context.start, context.end)
    if context.path == ("kind",) and context.word in KINDS:
        return span, f"**`kind: {context.word}`**: {kind_summary(KINDS[context.word])}"
    slot = slot_at(file.kind, context.path)
    if slot is None:
        return None, ""
    if context.is_key:
        key = next((key for key in slot.known_keys() if key.name == context.word), None)
        return (span, key_text(key)) if key is not None else (None, "")
    return _value(slot, context, span, now)


def _name(project: Project, file: PolicyFile, occurrence: Occurrence, now: float) -> str:
    what = declared_as(project, occurrence)
    return summarise(project, what, occurrence.name, now, occurrence.template)


def _value(slot: Slot, context: Context, span: Span, now: float) -> tuple[Span | None, str]:
    if slot.key is None:
        return None, ""
    if slot.owner is Model and slot.key.name == "price":
        return span, f"**`{context.word}`**\n\n{_reference(context.word, now)}"
    if context.word in slot.words():
        return span, key_text(slot.key)
    return None, ""


def _reference(reference: str, now: float) -> str:
    """The price of a reference into the price book."""
    from datetime import UTC, datetime

    from costpol.pricing.book import load_price

    try:
        return price_line(load_price(reference, datetime.fromtimestamp(now, UTC)))
    except ProvisionError as error:
        return _sentence(error.message) + (f" {_sentence(error.help)}" if error.help else "")


def _code(file: PolicyFile, point: Point) -> tuple[Span | None, str]:
    """The code of a rule in a comment."""
    lines = split_lines(file.text)
    line = lines[point.line] if point.line < len(lines) else ""
    for match in _CODE.finditer(line):
        if match.start() <= point.column <= match.end():
            return span_of(file.name, point.line, match.start(), match.end()), rule_summary(match[0]) or ""
    return None, ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"
