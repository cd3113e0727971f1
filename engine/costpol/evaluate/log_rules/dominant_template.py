"""A prompt template that makes up most of every request it is part of.

## Bad

```text
template `support`: 1,800 tokens, and half of its requests have no more than 2,000
```

## Good

```text
template `support`: 300 tokens, and half of its requests have no more than 2,000
```

## Why

The template is paid with every call. Where it is four fifths of what is sent and longer than a thousand tokens, its
length is what the input costs: shorten it, or see that it stands first and unchanged, so that the provider's prompt
cache takes most of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.evaluate.seen import Seen
from costpol.inference.tokens import estimate_tokens
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP707", "dominant-template", Severity.INFO

_LONG = 1000


def check(bundle: Bundle, seen: Seen) -> Iterator[Diagnostic]:
    templates = bundle.prompts.templates if bundle.prompts is not None else {}
    for name, median in seen.inputs.items():
        template = templates.get(name)
        tokens = 0 if template is None else estimate_tokens(template.system)
        if template is not None and tokens > _LONG and tokens * 5 > median * 4:
            yield Diagnostic(
                CODE, NAME, SEVERITY, template.at("system"),
                f"template `{name}` has about {tokens:,} tokens, and its requests have {median:,} in the middle",
                help="shorten it, or keep it first and unchanged for the provider's prompt cache",
                why="it is paid with every call", label="most of the input",
            )  # fmt: skip
