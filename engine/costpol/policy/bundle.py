"""A bundle: the typed nodes of one policy, and the bytes they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
