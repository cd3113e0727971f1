"""The language server: the protocol on one side, the pure answers of this room on the other.

A folder is a bundle once one of its files says a kind of ours; its files on disk are overlaid with the open buffers.
Requests are answered at once from the text as it is; findings follow when the typing pauses, worked out in a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from costpol import __version__
from costpol.diagnostics import Diagnostic, Span
from costpol.editor import protocol
from costpol.editor.checking import Wanted, check, everything
from costpol.editor.completion import completions
from costpol.editor.fixes import actions, fix_all
from costpol.editor.hover import hover
from costpol.editor.navigation import definitions, references, symbols
from costpol.editor.positions import UTF_16, Point, code_point_column, split_lines
from costpol.editor.project import Project, is_bundle, read_project
from costpol.editor.summary import summarise
from costpol.errors import UsageError
from costpol.policy.loader import read_bundle

PAUSE = 0.2
"""Seconds without a keystroke before findings are worked out."""
_TRIGGERS = [" ", ":", "{", "[", ",", "/"]
_SUFFIXES = (".yaml", ".yml")
_OFFERED = (lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll)
_WATCHED = "**/*.{yaml,yml}"


@dataclass(slots=True)
class _Folder:
    """What is known of one bundle. `due` is when its findings are to be worked out next."""

    disk: dict[str, bytes]
    project: Project = field(default_factory=lambda: Project({}))
    findings: dict[str, list[Diagnostic]] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)
    due: float | None = None
    task: asyncio.Task[None] | None = None


class _Desk:
    """The folders in which a file is open. `settings` tells which findings of a folder are wanted; it raises
    `UsageError` where nobody can tell."""

    def __init__(self, server: LanguageServer, settings: Callable[[Path], Wanted]) -> None:
        self.server = server
        self.settings = settings
        self.folders: dict[Path, _Folder] = {}

    @property
    def encoding(self) -> str:
        """How the client counts columns."""
        return str(self.server.server_capabilities.position_encoding or UTF_16)

    def buffers(self, folder: Path) -> dict[str, str]:
        """The open policy files of a folder, by path."""
        found = {}
        for uri, document in list(self.server.workspace.text_documents.items()):
            path = _path(uri)
            if path is not None and path.parent == folder:
                found[path.as_posix()] = document.source
        return found

    def open(self, uri: str) -> tuple[_Folder, str] | None:
        """The folder of a file with its project as it is typed now, and the file's name; `None` for other files."""
        path = _path(uri)
        if path is None:
            return None
        buffers = self.buffers(path.parent)
        folder = self.folders.get(path.parent)
        if folder is None:
            if not buffers:
                return None
            folder = self.folders[path.parent] = _Folder(self._disk(path.parent))
        texts = {name: data.decode(errors="replace") for name, data in folder.disk.items()} | buffers
        folder.project = read_project(texts, folder.project)
        return (folder, path.as_posix()) if path.as_posix() in texts else None

    def schedule(self, uri: str, pause: float) -> None:
        """Have the findings of a file's folder worked out, after a pause without another call."""
        path = _path(uri)
        if path is None:
            return
        opened = self.open(uri)
        folder = opened[0] if opened else self.folders.get(path.parent)
        if folder is None:
            return
        folder.due = time.monotonic() + pause
        if folder.task is None or folder.task.done():
            folder.task = asyncio.get_running_loop().create_task(self._work(path.parent, folder))

    def close(self, uri: str) -> None:
        """Forget a folder with its last open file, and take its findings back."""
        path = _path(uri)
        folder = self.folders.get(path.parent) if path else None
        if path is None or folder is None:
            return
        if self.buffers(path.parent):
            self.schedule(uri, 0)
            return
        del self.folders[path.parent]
        if folder.task is not None:
            folder.task.cancel()
        for name in folder.published:
            self._publish(name, [])

    async def _work(self, path: Path, folder: _Folder) -> None:
        while folder.due is not None:
            left = folder.due - time.monotonic()
            if left > 0:
                await asyncio.sleep(left)
                continue
            folder.due = None
            try:
                await self._check(path, folder)
            except Exception as error:  # noqa: BLE001 (the last door: the server answers on)
                self._log(f"the policy cannot be checked: {error}", lsp.MessageType.Error)

    async def _check(self, path: Path, folder: _Folder) -> None:
        folder.disk = await asyncio.to_thread(self._disk, path)
        buffers = self.buffers(path)
        files = folder.disk | {name: text.encode(errors="surrogatepass") for name, text in buffers.items()}
        texts = {name: data.decode(errors="replace") for name, data in files.items()}
        wanted = await asyncio.to_thread(self._wanted, path)
        found = await asyncio.to_thread(check, files, time.time(), wanted) if is_bundle(texts) else {}
        if folder.due is not None or self.folders.get(path) is not folder:
            return  # typed on meanwhile: the next round answers
        folder.findings = found
        lines = {name: split_lines(text) for name, text in texts.items()}
        for name in sorted({*found, *folder.published}):
            self._publish(name, found.get(name, []), lines)
        folder.published = {name for name, findings in found.items() if findings}

    def _publish(self, name: str, findings: list[Diagnostic], lines: Mapping[str, list[str]] | None = None) -> None:
        shown = [
            protocol.diagnostic(finding, lines or {}, self.uri, self.encoding) for finding in findings
        ]  # fmt: skip
        self.server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri=self.uri(name), diagnostics=shown)
        )

    def _wanted(self, folder: Path) -> Wanted:
        """Which findings are wanted; all where the settings cannot be read, which is logged."""
        try:
            return self.settings(folder)
        except UsageError as error:
            self._log(error.message, lsp.MessageType.Warning)
            return everything

    def _disk(self, folder: Path) -> dict[str, bytes]:
        """The policy files of a folder as they were saved; none where they cannot be read, which is logged."""
        if not folder.is_dir() or not any(path.suffix in _SUFFIXES for path in folder.iterdir()):
            return {}
        try:
            return read_bundle(folder)
        except UsageError as error:
            self._log(error.message, lsp.MessageType.Warning)
            return {}

    def uri(self, name: str) -> str:
        """The address of a file as the client writes it."""
        opened: Iterable[str] = self.server.workspace.text_documents
        matching = (uri for uri in opened if (path := _path(uri)) is not None and path.as_posix() == name)
        return next(matching, None) or uris.from_fs_path(name) or name

    def _log(self, message: str, kind: lsp.MessageType) -> None:
        self.server.window_log_message(lsp.LogMessageParams(type=kind, message=f"costpol: {message}"))

    def point(self, folder: _Folder, name: str, position: lsp.Position) -> Point:
        """A place as the client counts it."""
        lines = split_lines(folder.project.files[name].text)
        line = lines[position.line] if position.line < len(lines) else ""
        return Point(position.line, code_point_column(line, position.character, self.encoding))

    def locations(self, folder: _Folder, spans: list[Span]) -> list[lsp.Location]:
        """Places for the client."""
        files = folder.project.files
        return [
            lsp.Location(
                self.uri(span.file), protocol.range_of(span, split_lines(files[span.file].text), self.encoding)
            )
            for span in spans
        ]


def _path(uri: str) -> Path | None:
    """The path of a file that can belong to a bundle."""
    name = uris.to_fs_path(uri)
    if name is None:
        return None
    path = Path(name)
    return path if path.suffix in _SUFFIXES and path.name[0] not in ".#" else None


def serve(
    settings: Callable[[Path], Wanted] = lambda folder: everything,
    stdin: BinaryIO | None = None,
    stdout: BinaryIO | None = None,
) -> None:
    """Answer one client until it leaves. `settings` tells which findings about a folder are wanted, or raises
    `UsageError`."""
    make_server(settings).start_io(stdin, stdout)


def make_server(settings: Callable[[Path], Wanted]) -> LanguageServer:
    """A server with all its answers."""
    server = LanguageServer("costpol", __version__)
    desk = _Desk(server, settings)
    _follow_documents(server, desk)
    _answer_words(server, desk)
    _answer_places(server, desk)
    return server


def _follow_documents(server: LanguageServer, desk: _Desk) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        desk.schedule(params.text_document.uri, 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        desk.schedule(params.text_document.uri, PAUSE)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        desk.schedule(params.text_document.uri, 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        desk.close(params.text_document.uri)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def on_disk(params: lsp.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            path = _path(change.uri)
            if path is not None and path.parent in desk.folders:
                desk.schedule(change.uri, PAUSE)

    @server.feature(lsp.INITIALIZED)
    async def initialized(params: lsp.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace else None
        if watching is None or not watching.dynamic_registration:
            return
        options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(_WATCHED)])
        registration = lsp.Registration("policy-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        server.client_register_capability(lsp.RegistrationParams([registration]))


def _answer_words(server: LanguageServer, desk: _Desk) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def on_hover(params: lsp.HoverParams) -> lsp.Hover | None:
        opened = desk.open(params.text_document.uri)
        if opened is None:
            return None
        folder, name = opened
        point = desk.point(folder, name, params.position)
        found = hover(folder.project, name, point, folder.findings.get(name, []), time.time())
        if found is None:
            return None
        lines = split_lines(folder.project.files[name].text)
        content = lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text)
        return lsp.Hover(content, protocol.range_of(found.span, lines, desk.encoding))

    @server.feature(
        lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=_TRIGGERS, resolve_provider=True)
    )
    def on_completion(params: lsp.CompletionParams) -> lsp.CompletionList:
        opened = desk.open(params.text_document.uri)
        if opened is None:
            return lsp.CompletionList(False, [])
        folder, name = opened
        point = desk.point(folder, name, params.position)
        line = split_lines(folder.project.files[name].text)[point.line :][:1] or [""]
        found = completions(folder.project, name, point)
        items = [
            protocol.completion_item(
                each, rank, point.line, line[0], uri=params.text_document.uri, encoding=desk.encoding
            )
            for rank, each in enumerate(found)
        ]
        return lsp.CompletionList(any(each.what == "price" for each in found), items)

    @server.feature(lsp.COMPLETION_ITEM_RESOLVE)
    def on_resolve(item: lsp.CompletionItem) -> lsp.CompletionItem:
        data: Any = item.data
        opened = desk.open(data["uri"]) if isinstance(data, dict) and "uri" in data else None
        if opened is not None and data.get("what") in protocol.NAMED:
            text = summarise(opened[0].project, data["what"], item.label, time.time(), data.get("template"))
            item.documentation = lsp.MarkupContent(lsp.MarkupKind.Markdown, text)
        return item

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(_OFFERED))
    def on_code_action(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        opened = desk.open(params.text_document.uri)
        if opened is None:
            return []
        folder, name = opened
        file = folder.project.files[name]
        lines = {name: split_lines(file.text)}
        findings, only = folder.findings.get(name, []), params.context.only or [*_OFFERED]
        near = (
            actions(file, findings, params.range.start.line, params.range.end.line) if _asked(_OFFERED[0], only) else []
        )
        offers = [protocol.code_action(each, lines, desk.uri, desk.encoding) for each in near]
        together = fix_all(findings) if _asked(_OFFERED[1], only) else None
        if together is not None:
            offers.append(protocol.code_action(together, lines, desk.uri, desk.encoding))
        return offers


def _asked(kind: str, only: Iterable[str]) -> bool:
    """Whether a client that asks for these kinds of offers asks for this one: `source` stands for `source.fixAll`."""
    return any(kind == each or kind.startswith(f"{each}.") for each in only)


def _answer_places(server: LanguageServer, desk: _Desk) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def on_definition(params: lsp.DefinitionParams) -> list[lsp.Location]:
        opened = desk.open(params.text_document.uri)
        if opened is None:
            return []
        folder, name = opened
        return desk.locations(folder, definitions(folder.project, name, desk.point(folder, name, params.position)))

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def on_references(params: lsp.ReferenceParams) -> list[lsp.Location]:
        opened = desk.open(params.text_document.uri)
        if opened is None:
            return []
        folder, name = opened
        point = desk.point(folder, name, params.position)
        found = references(folder.project, name, point, params.context.include_declaration)
        return desk.locations(folder, found)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def on_symbols(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        opened = desk.open(params.text_document.uri)
        if opened is None:
            return []
        folder, name = opened
        file = folder.project.files[name]
        lines = split_lines(file.text)
        return [protocol.document_symbol(each, lines, desk.encoding) for each in symbols(file)]
