"""Fixes applied to the files of a bundle by their places, so that comments and layout stay; never for the worse."""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from costpol.cli.checking import Checked
from costpol.diagnostics import Diagnostic, Edit
from costpol.errors import UsageError

Files = Mapping[str, bytes]

ROUNDS = 10
"""A fix may uncover a finding that has a fix, too."""
_MARK = b"\xef\xbb\xbf"
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_UNREADABLE = frozenset(("CP001", "CP002", "CP003", "CP004"))
"""Findings that keep a file from being read at all."""


@dataclass(frozen=True, slots=True)
class Mended:
    """The files after all fixes, what is left to say about them, and what was mended."""

    files: Files
    checked: Checked
    mended: tuple[Diagnostic, ...]


def mend(files: Files, check: Callable[[Files], Checked], wanted: Callable[[Checked], Iterable[Diagnostic]]) -> Mended:
    """Apply the fixes of the wanted findings, and those of what comes to light, until none is left that helps.

    All at once where that makes nothing worse, else one by one; a fix that would make something worse is left out.
    """
    checked = check(files)
    mended: list[Diagnostic] = []
    refused: set[tuple[str, str]] = set()
    for _ in range(ROUNDS):
        fixable = [each for each in wanted(checked) if _key(each) not in refused]
        for batch in (fixable, *([each] for each in fixable)):
            changed, applied = apply(files, batch)
            after = check(changed) if changed != files else checked
            if changed != files and not _worse(checked, after):
                files, checked = changed, after
                mended += applied
                break
            if len(batch) == 1:
                refused.add(_key(batch[0]))
        else:
            break
    return Mended(files, checked, tuple(mended))


def apply(files: Files, findings: Iterable[Diagnostic]) -> tuple[dict[str, bytes], list[Diagnostic]]:
    """The files with the fixes of these findings, and the findings whose fixes found room: of two that touch, the
    first."""
    changed, applied = dict(files), []
    chosen: dict[str, dict[tuple[int, int], str]] = {}
    for finding in findings:
        name = finding.span.file
        if finding.fix is None or name not in files:
            continue
        places = _places(_text(files[name])[1], finding.fix.edits)
        taken = chosen.setdefault(name, {})
        if not any(start < there_end and there < end for start, end in places for there, there_end in taken):
            taken |= places
            applied.append(finding)
    for name, places in chosen.items():
        mark, text = _text(files[name])
        for (start, end), replacement in sorted(places.items(), reverse=True):
            text = text[:start] + replacement + text[end:]
        changed[name] = mark + text.encode()
    return changed, applied


def diff(before: Files, after: Files) -> str:
    """What changes, as a unified diff."""
    lines: list[str] = []
    for name in sorted(before):
        if before[name] != after[name]:
            old, new = (files[name].decode(errors="replace").splitlines(keepends=True) for files in (before, after))
            for line in difflib.unified_diff(old, new, name, name):
                lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


def write(before: Files, after: Files) -> list[str]:
    """Write what has changed, each file whole or not at all. Raises `UsageError` where one cannot be written."""
    changed = [name for name in sorted(after) if after[name] != before.get(name)]
    for name in changed:
        try:
            _replace(Path(name).resolve(), after[name])
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise UsageError(f"`{name}` cannot be written: {reason}", "see `--diff` for what would change") from error
    return changed


def _replace(path: Path, data: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(path.stat().st_mode & 0o7777)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def _text(data: bytes) -> tuple[bytes, str]:
    """The byte order mark, if any, and the text that places count in."""
    mark = _MARK if data.startswith(_MARK) else b""
    return mark, data[len(mark) :].decode()


def _places(text: str, edits: Iterable[Edit]) -> dict[tuple[int, int], str]:
    """Edits by their offsets in a text."""
    starts = [0, *(found.end() for found in _LINE_BREAK.finditer(text))]

    def offset(line: int, column: int) -> int:
        return min(starts[line - 1] + column - 1, len(text)) if line <= len(starts) else len(text)

    return {
        (offset(edit.span.line, edit.span.column), offset(edit.span.end_line, edit.span.end_column)): edit.text
        for edit in edits
    }


def _worse(before: Checked, after: Checked) -> bool:
    """Whether there are errors that were not there before, other than those that the loader had not come to."""
    if before.loads:
        return not after.loads or bool(_counted(after.errors()) - _counted(before.errors()))
    return bool(_unreadable(after) - _unreadable(before))


def _unreadable(checked: Checked) -> Counter[tuple[str, str]]:
    return Counter((each.span.file, each.code) for each in checked.errors() if each.code in _UNREADABLE)


def _counted(errors: Iterable[Diagnostic]) -> Counter[tuple[str, str]]:
    return Counter(_key(each) for each in errors)


def _key(finding: Diagnostic) -> tuple[str, str]:
    return finding.span.file, f"{finding.code} {finding.message}"
