"""The tool's own settings: what is reported, and what fails. From the command line, the environment, or a file.

The file is the nearest `costpol.toml`, `.costpol.toml` or `pyproject.toml` with a table `[tool.costpol]`, looked for
from the bundle's folder upwards; the nearest counts whole. A value on the command line wins over `COSTPOL_SELECT`,
`COSTPOL_IGNORE` and `COSTPOL_FAIL_LEVEL`, and these win over the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from costpol.cli.selectors import Selector, read_selectors
from costpol.diagnostics import Diagnostic, Severity
from costpol.errors import UsageError

FILE_NAMES = ("costpol.toml", ".costpol.toml", "pyproject.toml")
LEVELS = tuple(severity.value for severity in Severity)
_KEYS = ("select", "ignore", "per-file-ignores", "fail-level")
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What is reported, and from which severity on it fails. `sources` tells, per key, where a value was written."""

    select: tuple[Selector, ...] = ()
    """Nothing selected means everything."""
    ignore: tuple[Selector, ...] = ()
    per_file_ignores: Mapping[str, tuple[Selector, ...]] = field(default_factory=dict)
    """By a pattern of file names, relative to the folder of the settings file."""
    fail_level: Severity = Severity.ERROR
    file: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    def reports(self, finding: Diagnostic) -> bool:
        """Whether a finding is wanted. The selector that says most about it decides; ignoring wins a tie."""
        wanted = max((each.weight(finding) for each in self.select), default=0) if self.select else 1
        unwanted = max((each.weight(finding) for each in self.ignore), default=0)
        if unwanted >= wanted:
            return False
        return not any(
            self._in_file(finding.span.file, pattern) and any(each.weight(finding) for each in selectors)
            for pattern, selectors in self.per_file_ignores.items()
        )

    def fails(self, finding: Diagnostic) -> bool:
        """Whether a finding makes the run fail."""
        return finding.severity.rank <= self.fail_level.rank

    def _in_file(self, name: str, pattern: str) -> bool:
        path = Path(name)
        names = [path.as_posix(), path.name]
        if self.file is not None:
            folder, whole = self.file.parent.absolute(), path.absolute()
            if whole.is_relative_to(folder):
                names.append(whole.relative_to(folder).as_posix())
        return any(fnmatchcase(each, pattern) for each in names)


def read_settings(
    folder: Path,
    environment: Mapping[str, str],
    *,
    config: Path | None = None,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    fail_level: str | None = None,
) -> Settings:
    """The settings for a bundle's folder. Raises `UsageError` for what no setting can be."""
    settings = _from_file(config, required=True) if config else _nearest(folder)
    written: dict[str, Any] = {
        "select": environment.get("COSTPOL_SELECT"),
        "ignore": environment.get("COSTPOL_IGNORE"),
        "fail-level": environment.get("COSTPOL_FAIL_LEVEL"),
    }
    names = {"select": "COSTPOL_SELECT", "ignore": "COSTPOL_IGNORE", "fail-level": "COSTPOL_FAIL_LEVEL"}
    for key, value in written.items():
        if value:
            settings = _with(settings, key, value.split(",") if key != "fail-level" else value, names[key])
    for key, given in (("select", list(select)), ("ignore", list(ignore)), ("fail-level", fail_level)):
        if given:
            settings = _with(settings, key, given, f"--{key}")
    return settings


def _nearest(folder: Path) -> Settings:
    start = folder.absolute()
    for place in (start, *start.parents):
        for name in FILE_NAMES:
            path = place / name
            if path.is_file():
                found = _from_file(path, required=name != "pyproject.toml")
                if found.file is not None:
                    return found
    return Settings()


def _from_file(path: Path, *, required: bool) -> Settings:
    """The settings of a file; `file` stays `None` where a `pyproject.toml` says nothing about costpol."""
    try:
        with path.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
        if not required and not _mentions_us(data):
            return Settings()
        import tomllib

        document = tomllib.loads(data.decode())
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise UsageError(f"the settings in `{path}` cannot be read: {reason}", "name a TOML file") from error
    except ValueError as error:  # no TOML, or not UTF-8
        if not required:
            return Settings()
        raise UsageError(f"`{path}` is not valid TOML: {str(error).lower()}") from error
    table = document
    if path.name == "pyproject.toml":
        tool = document.get("tool")
        table = tool.get("costpol", {}) if isinstance(tool, dict) else {}
        if table == {}:
            return Settings()
    if not isinstance(table, dict):
        raise UsageError(f"`{path}`: `[tool.costpol]` is a table", "write `[tool.costpol]` and its keys below")
    settings = Settings(file=path)
    for key, value in table.items():
        settings = _with(settings, key, value, str(path))
    return settings


def _mentions_us(data: bytes) -> bool:
    """Whether a `pyproject.toml` may have a table of ours: most have none, and need no parser."""
    return any((b"tool" in line and b"costpol" in line) or line.strip() == b"[tool]" for line in data.splitlines())


def _with(settings: Settings, key: str, value: Any, source: str) -> Settings:
    """The settings with one more key read. `source` is where it was written, for messages."""
    sources = {**settings.sources, key: source}
    if key == "select":
        return replace(settings, select=_selectors(value, key, source), sources=sources)
    if key == "ignore":
        return replace(settings, ignore=_selectors(value, key, source), sources=sources)
    if key == "per-file-ignores":
        if not isinstance(value, dict):
            raise UsageError(f"{source}: `{key}` takes a table", 'write `"cache.yaml" = ["CP401"]` below its name')
        ignores = {pattern: _selectors(listed, f"{key}.{pattern}", source) for pattern, listed in value.items()}
        return replace(settings, per_file_ignores=ignores, sources=sources)
    if key == "fail-level":
        if value not in LEVELS:
            raise UsageError(f"{source}: `{key}` takes `error`, `warning` or `info`, not `{value}`")
        return replace(settings, fail_level=Severity(value), sources=sources)
    from costpol.policy.suggestion import did_you_mean

    listed = ", ".join(f"`{name}`" for name in _KEYS)
    raise UsageError(f"{source}: there is no setting `{key}`", did_you_mean(key, _KEYS) or f"the settings are {listed}")


def _selectors(value: Any, key: str, source: str) -> tuple[Selector, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"{source}: `{key}` takes a list of texts", f'write `{key} = ["CP401"]`')
    return read_selectors(value, source)
