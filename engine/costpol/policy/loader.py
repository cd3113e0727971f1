"""Files -> bundle: read each, bind it to the node of its kind, check the names between them.

`load_bundle` is pure. `read_bundle` is the only place of the language that touches a disk; it follows symbolic links,
as mounted configuration needs, and takes the files of one folder only.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from costpol.diagnostics import Diagnostic, Edit, Fix, Related, Severity, Span, has_errors
from costpol.errors import BundleError, UsageError
from costpol.policy import codes
from costpol.policy.binding import bind
from costpol.policy.bundle import Bundle, partial_bundle
from costpol.policy.declaration import declared
from costpol.policy.node import Node
from costpol.policy.nodes.batch import Batch
from costpol.policy.nodes.budgets import Budgets
from costpol.policy.nodes.cache import Cache
from costpol.policy.nodes.intents import Intents
from costpol.policy.nodes.models import Models
from costpol.policy.nodes.personalization import Personalization
from costpol.policy.nodes.prompts import Prompts
from costpol.policy.nodes.routing import Routing
from costpol.policy.nodes.tests import Tests
from costpol.policy.references import check_references
from costpol.policy.scalar_reading import shorten
from costpol.policy.source import MAX_BYTES, MAX_EVENTS, Source, read_source
from costpol.policy.suggestion import nearest
from costpol.policy.syntax import LINE_BREAK
from costpol.policy.tree import MapTree, ScalarTree

if TYPE_CHECKING:
    from pathlib import Path

KINDS: Mapping[str, type[Node]] = {
    "models": Models,
    "intents": Intents,
    "personalization": Personalization,
    "cache": Cache,
    "routing": Routing,
    "prompts": Prompts,
    "budgets": Budgets,
    "batch": Batch,
    "tests": Tests,
}
_REQUIRED = {"models": "what can be called", "routing": "what is called when"}
MAX_FILES = 100
MAX_BUNDLE_BYTES = 2 << 20
"""How large all files of a policy may be together."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a bundle. `bundle` is `None` exactly where `diagnostics` hold an error."""

    bundle: Bundle | None
    diagnostics: list[Diagnostic]
    """In the order of files and lines."""
    explicit_end: Mapping[str, bool]
    """Per file, whether it ends with `...`: a torn file does not."""
    files: Mapping[str, str] = field(repr=False)
    """The text of each file, for carets."""
    partial: Bundle | None = field(default=None, repr=False)
    """Where there is no bundle: what is free of errors, for checks that catch `UnreadKindError`."""

    def require(self) -> Bundle:
        """The bundle. Raises `BundleError` where there is none."""
        if self.bundle is None:
            raise BundleError(self.diagnostics)
        return self.bundle

    def errors(self) -> list[Diagnostic]:
        """What keeps the bundle from loading."""
        return [finding for finding in self.diagnostics if finding.severity is Severity.ERROR]

    def unmarked_ends(self) -> list[Diagnostic]:
        """A warning for each file that does not say where it ends. A file that is no YAML has no end to mark."""
        unread = {finding.span.file for finding in self.diagnostics if finding.code == codes.YAML_SYNTAX.code}
        return [
            codes.MISSING_END_MARKER.at(
                _last_place(name, self.files[name]), "this file does not end with `...`", "add a last line `...`",
                why="a half-written file is often valid, and has silently lost its last part",
                fix=_end_marker(name, self.files[name]),
            )
            for name, ended in self.explicit_end.items()
            if not ended and name not in unread
        ]  # fmt: skip


def load_bundle(files: Mapping[str, bytes]) -> Loaded:
    """The bundle that these files spell: their names as they shall stand in findings, and their bytes."""
    sources = _read_all(files)
    found = [finding for source in sources for finding in source.diagnostics]
    nodes: dict[str, list[Node]] = {}
    places: dict[str, Span] = {}
    kinds: dict[str, str] = {}
    unknown = 0
    for source in sources:
        kind = _kind(source, found)
        if source.tree is None or kind is None:
            unknown += 1
            continue
        kinds[source.file] = kind
        place = _kind_place(source.tree)
        if kind != "tests" and kind in places:
            found.append(_second_file(kind, place, places[kind]))
            continue
        places[kind] = place
        node, findings = bind(source.tree, KINDS[kind])
        found += findings
        if node is not None:
            nodes.setdefault(kind, []).append(node)
    if unknown == 0:  # else the kind that is missing may be the one that could not be told
        found += _missing_kinds(set(kinds.values()), sources)
    values = _values(nodes, sources, digest(files))
    absent = {*KINDS, *_REQUIRED} - nodes.keys() if unknown else _REQUIRED.keys() - nodes.keys()
    bundle = Bundle(**values) if not has_errors(found) else None
    found += check_references(bundle or partial_bundle(values, _broken(found, kinds) | absent))
    found.sort(key=lambda diagnostic: diagnostic.sort_key)
    loads = not has_errors(found)
    return Loaded(
        bundle if loads else None,
        found,
        {source.file: source.explicit_end for source in sources},
        {source.file: source.text for source in sources},
        None if loads else partial_bundle(values, _broken(found, kinds) | absent),
    )


def _broken(found: list[Diagnostic], kinds: Mapping[str, str]) -> frozenset[str]:
    """The kinds of which a file has an error."""
    files = {finding.span.file for finding in found if finding.severity is Severity.ERROR}
    return frozenset(kind for file, kind in kinds.items() if file in files)


def _read_all(files: Mapping[str, bytes]) -> list[Source]:
    """Each file, read, as long as all together are no larger than a policy may be."""
    sources: list[Source] = []
    size, events = 0, MAX_EVENTS
    for name in sorted(files):
        size += len(files[name])
        if size > MAX_BUNDLE_BYTES and sources and len(files[name]) <= MAX_BYTES:
            start = Span(name, 1, 1, 1, 1)
            message = f"with this file the policy is larger than {MAX_BUNDLE_BYTES >> 20} MiB"
            found = codes.YAML_SYNTAX.at(start, message, "shorten it, or delete what nothing uses")
            sources.append(Source(name, "", None, False, (found,)))
            break
        source = read_source(files[name], name, events)
        events -= source.events
        sources.append(source)
        if events <= 0:
            break
    return sources


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the sorted names and the bytes, in hexadecimal. Where the folder lies makes no difference."""
    total = sha256()
    for name, data in sorted((name.replace("\\", "/").rpartition("/")[2], data) for name, data in files.items()):
        total.update(f"{len(name.encode())}:{name}{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()


def read_bundle(folder: Path) -> dict[str, bytes]:
    """The `*.yaml` and `*.yml` files of a folder, by path. Raises `UsageError` where they cannot be had."""
    if not folder.exists():
        raise UsageError(f"there is no folder `{folder}`", "name the folder that holds the policy files")
    if not folder.is_dir():
        raise UsageError(f"`{folder}` is not a folder", "name the folder that holds the policy files")
    try:
        paths = sorted(
            path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.name[0] not in ".#"
        )
    except OSError as error:
        raise UsageError(f"the folder `{folder}` cannot be read: {_reason(error)}") from error
    if not paths:
        raise UsageError(f"the folder `{folder}` holds no policy file", "write one, or run `costpol init`")
    if len(paths) > MAX_FILES:
        raise UsageError(
            f"the folder `{folder}` holds more than {MAX_FILES} policy files", "name the folder of one policy"
        )
    files: dict[str, bytes] = {}
    left = MAX_BUNDLE_BYTES
    for path in paths:
        files[path.as_posix()] = _read_file(path, min(left, MAX_BYTES))
        left = max(0, left - len(files[path.as_posix()]))
    return files


def load_folder(folder: Path) -> Loaded:
    """The bundle of a folder. Raises `UsageError` where the folder cannot be read."""
    return load_bundle(read_bundle(folder))


def _read_file(path: Path, most: int) -> bytes:
    """A file, or one byte more than the most of it."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise UsageError(f"`{path}` is not a regular file", "move it out of the folder, or rename it")
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()


def _kind(source: Source, found: list[Diagnostic]) -> str | None:
    """The kind of a file, where the language has it."""
    if source.tree is None:
        return None
    value = source.tree.get("kind")
    if value is None:
        start = Span(
            source.file, source.tree.span.line, source.tree.span.column, source.tree.span.line, source.tree.span.column
        )
        kind = _likely_kind(source.tree)
        help = f"start it with `kind: {kind}`" if kind else f"start it with `kind:` and {_listed_kinds()}"
        fix = Fix(f"write `kind: {kind}`", (Edit(start, f"kind: {kind}\n"),), safe=False) if kind else None
        found.append(codes.MISSING_KEY.at(start, "this file does not say its kind", help, fix=fix))
        return None
    if isinstance(value, ScalarTree) and value.text in KINDS:
        return value.text
    written = (
        shorten(value.text)
        if isinstance(value, ScalarTree)
        else "a mapping"
        if isinstance(value, MapTree)
        else "a list"
    )
    guess = nearest(value.text, KINDS) if isinstance(value, ScalarTree) else None
    help = f"did you mean `{guess}`?" if guess else f"write {_listed_kinds()}"
    fix = Fix(f"write `{guess}`", (Edit(value.span, guess),), safe=False) if guess else None
    found.append(codes.UNKNOWN_KIND.at(value.span, f"{written} is no kind of policy file", help, fix=fix))
    return None


def _likely_kind(tree: MapTree) -> str | None:
    """The only kind that has all the keys of a file; not told for `{...}` in brackets."""
    if not tree.members or tree.members[0][0].span.column != tree.span.column:
        return None
    written = {key.text for key, _ in tree.members}
    fitting = [kind for kind, node in KINDS.items() if written <= {each.name for each in declared(node)}]
    return fitting[0] if len(fitting) == 1 else None


def _listed_kinds() -> str:
    return "one of " + ", ".join(f"`{kind}`" for kind in KINDS)


def _kind_place(tree: MapTree) -> Span:
    value = tree.get("kind")
    return value.span if value is not None else tree.span


def _second_file(kind: str, place: Span, first: Span) -> Diagnostic:
    return codes.DUPLICATE_KIND.at(
        place, f"`{first.file}` is the `{kind}` file already", "merge the two files, or delete one",
        related=(Related(first, "the first file of this kind"),),
    )  # fmt: skip


def _missing_kinds(attempted: set[str], sources: list[Source]) -> list[Diagnostic]:
    place = Span(sources[0].file, 1, 1, 1, 1) if sources else Span("", 1, 1, 1, 1)
    return [
        codes.MISSING_KIND.at(place, f"no file of the bundle has `kind: {kind}`", f"add a file that says {doc}")
        for kind, doc in _REQUIRED.items()
        if kind not in attempted
    ]


def _values(nodes: Mapping[str, list[Node]], sources: list[Source], digest: str) -> dict[str, Any]:
    """The members of a bundle, as far as they could be read."""
    single = {kind: found[0] for kind, found in nodes.items() if kind != "tests"}
    files = {source.file: source.text for source in sources}
    return {**single, "tests": tuple(nodes.get("tests", ())), "digest": digest, "files": files}


def _end_marker(file: str, text: str) -> Fix:
    lines = LINE_BREAK.split(text)
    end = Span(file, len(lines), len(lines[-1]) + 1, len(lines), len(lines[-1]) + 1)
    line_break = "\r\n" if "\r\n" in text else "\n"
    return Fix("add a last line `...`", (Edit(end, f"{line_break if lines[-1] else ''}...{line_break}"),))


def _last_place(file: str, text: str) -> Span:
    lines = text.splitlines() or [""]
    return Span(file, len(lines), len(lines[-1]) + 1, len(lines), len(lines[-1]) + 1)
