"""Our findings, proposals and places in the words of the language server protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lsprotocol import types as lsp

from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.editor.completion import Completion
from costpol.editor.fixes import Action
from costpol.editor.navigation import Symbol
from costpol.editor.positions import client_column

Uri = Callable[[str], str]
"""The address of a file by its name."""
Lines = Mapping[str, list[str]]

_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFO: lsp.DiagnosticSeverity.Information,
}
_ITEMS = {
    "key": lsp.CompletionItemKind.Property,
    "kind": lsp.CompletionItemKind.Module,
    "word": lsp.CompletionItemKind.EnumMember,
    "example": lsp.CompletionItemKind.Value,
    "price": lsp.CompletionItemKind.Constant,
    "variable": lsp.CompletionItemKind.Variable,
}
_SYMBOLS = {
    "section": lsp.SymbolKind.Namespace,
    "provider": lsp.SymbolKind.Interface,
    "model": lsp.SymbolKind.Class,
    "tier": lsp.SymbolKind.Enum,
    "embedder": lsp.SymbolKind.Interface,
    "intent": lsp.SymbolKind.Event,
    "template": lsp.SymbolKind.Object,
    "variable": lsp.SymbolKind.Variable,
    "budget": lsp.SymbolKind.Number,
    "rung": lsp.SymbolKind.Operator,
    "rule": lsp.SymbolKind.Function,
    "case": lsp.SymbolKind.Method,
}
NAMED = frozenset(("provider", "model", "tier", "embedder", "intent", "template", "variable", "budget", "rule"))
"""What a proposal can stand for that has a summary."""


def range_of(span: Span, lines: list[str], encoding: str) -> lsp.Range:
    """A span as the client counts."""
    return lsp.Range(
        _position(span.line, span.column, lines, encoding), _position(span.end_line, span.end_column, lines, encoding)
    )


def _position(line: int, column: int, lines: list[str], encoding: str) -> lsp.Position:
    text = lines[line - 1] if line <= len(lines) else ""
    return lsp.Position(line - 1, client_column(text, column - 1, encoding))


def diagnostic(finding: Diagnostic, lines: Lines, uri: Uri, encoding: str) -> lsp.Diagnostic:
    """A finding: what, why and how to mend it in one text, as editors show no more."""
    parts = [finding.message]
    parts += [f"why: {finding.why}"] if finding.why else []
    parts += [f"help: {finding.help}"] if finding.help else []
    related = [
        lsp.DiagnosticRelatedInformation(
            lsp.Location(uri(each.span.file), range_of(each.span, lines.get(each.span.file, []), encoding)),
            each.message,
        )
        for each in finding.related
    ]
    return lsp.Diagnostic(
        range=range_of(finding.span, lines.get(finding.span.file, []), encoding),
        message="\n".join(parts),
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        source="costpol",
        related_information=related or None,
    )


def completion_item(
    proposal: Completion, rank: int, line: int, text: str, *, uri: str, encoding: str
) -> lsp.CompletionItem:
    """A proposal that replaces part of a line."""
    place = lsp.Range(
        lsp.Position(line, client_column(text, proposal.start, encoding)),
        lsp.Position(line, client_column(text, proposal.end, encoding)),
    )
    return lsp.CompletionItem(
        label=proposal.label,
        kind=_ITEMS.get(proposal.what, lsp.CompletionItemKind.Reference),
        detail=proposal.detail or (proposal.what if proposal.what in NAMED else None),
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, proposal.doc) if proposal.doc else None,
        sort_text=f"{0 if proposal.first else 1}{rank:04}",
        filter_text=proposal.label,
        text_edit=lsp.TextEdit(place, proposal.insert),
        data={"uri": uri, "what": proposal.what} if proposal.what in NAMED else None,
    )


def code_action(action: Action, lines: Lines, uri: Uri, encoding: str) -> lsp.CodeAction:
    """An offer with the edit that carries it out."""
    changes: dict[str, list[lsp.TextEdit]] = {}
    for edit in action.edits:
        place = range_of(edit.span, lines[edit.span.file], encoding)
        changes.setdefault(uri(edit.span.file), []).append(lsp.TextEdit(place, edit.text))
    return lsp.CodeAction(
        title=action.title,
        kind=lsp.CodeActionKind.SourceFixAll if action.whole_file else lsp.CodeActionKind.QuickFix,
        diagnostics=[diagnostic(finding, lines, uri, encoding) for finding in action.findings],
        is_preferred=action.preferred or None,
        edit=lsp.WorkspaceEdit(changes=changes),
    )


def document_symbol(symbol: Symbol, lines: list[str], encoding: str) -> lsp.DocumentSymbol:
    """Something declared, and what is declared within."""
    return lsp.DocumentSymbol(
        name=symbol.name,
        detail=symbol.what,
        kind=_SYMBOLS[symbol.what],
        range=range_of(symbol.span, lines, encoding),
        selection_range=range_of(symbol.selection, lines, encoding),
        children=[document_symbol(each, lines, encoding) for each in symbol.children],
    )
