"""Which models can serve a request: what it needs of tools, formats, images and room, against what a model lacks."""

from __future__ import annotations

from costpol.pipeline.draft import Draft
from costpol.pipeline.target import Target


def able(targets: tuple[Target, ...], draft: Draft) -> tuple[Target, ...]:
    """The targets that can do what is asked, in their order."""
    return tuple(target for target in targets if not _lacking(target, draft))


def _lacking(target: Target, draft: Draft) -> bool:
    """Whether a capability is missing, or the context window is too small."""
    request = draft.signals.request
    if target.lacks:
        wants = {
            "tools": bool(request.tools) and draft.tools != (),
            "json": draft.json_output or request.output_format != "text",
            "images": draft.signals.attachments,
            "streaming": request.stream,
        }
        if any(wants[capability] for capability in target.lacks):
            return True
    if target.context is None:
        return False
    # A text has at most as many tokens as octets, so a small body without images needs no count.
    octets = len(request.raw) + (4 * len(draft.system) if draft.system else 0)
    small = octets <= target.context and not draft.signals.attachments
    return not small and draft.input_tokens > target.context
