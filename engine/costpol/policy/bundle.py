"""A bundle: the typed nodes of one policy, and the bytes they were read from; and what can be read of a broken one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from costpol.policy.nodes.batch import Batch
from costpol.policy.nodes.budgets import Budgets
from costpol.policy.nodes.cache import Cache
from costpol.policy.nodes.intents import Intents
from costpol.policy.nodes.models import Models
from costpol.policy.nodes.personalization import Personalization
from costpol.policy.nodes.prompts import Prompts
from costpol.policy.nodes.routing import Routing
from costpol.policy.nodes.tests import Tests


@dataclass(frozen=True, slots=True)
class Bundle:
    """One policy. `models` and `routing` are always there; the other kinds as far as they were written."""

    models: Models
    routing: Routing
    intents: Intents | None = None
    personalization: Personalization | None = None
    cache: Cache | None = None
    prompts: Prompts | None = None
    budgets: Budgets | None = None
    batch: Batch | None = None
    tests: tuple[Tests, ...] = ()
    digest: str = ""
    """SHA-256 over the names and bytes of all files, in hexadecimal."""
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The text of each file, for carets, by its name as it stands in spans."""


class UnreadKindError(Exception):
    """A file of this kind could not be read, so whatever depends on it cannot be told. Never leaves the checks."""


class _Partial:
    """Answers for the kinds that could be read, and refuses to for the others."""

    def __init__(self, values: Mapping[str, Any], unread: frozenset[str]) -> None:
        self._values = values
        self._unread = unread

    def __getattr__(self, name: str) -> Any:
        if name in self._unread:
            raise UnreadKindError(name)
        return self._values[name]


def partial_bundle(values: Mapping[str, Any], unread: frozenset[str]) -> Bundle:
    """A bundle for checks that catch `UnreadKindError`, which asking for any of the kinds `unread` raises. What a check
    finds without asking holds whatever their files say."""
    absent = {name: field.default for name, field in Bundle.__dataclass_fields__.items() if name not in values}
    return cast("Bundle", _Partial({**absent, **values}, unread))
