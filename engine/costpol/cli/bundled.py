"""The folders that ship with the package: the default bundle and the schemas."""

from __future__ import annotations

from pathlib import Path

import costpol
from costpol.errors import UsageError


def bundled(name: str) -> Path:
    """The folder `policies` or `schemas`, in an installed package or in a checkout of the repository."""
    package = Path(costpol.__file__).parent
    for folder in (package / "bundled" / name, package.parents[1] / name):
        if folder.is_dir():
            return folder
    raise UsageError(f"this installation lacks its folder `{name}`", "install costpol again")
