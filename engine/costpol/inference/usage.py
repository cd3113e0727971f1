"""Tokens of one model call, as the provider reported them.

`None` means that the provider did not report the figure; it is never read as zero. `input_tokens` counts every input
token, cached ones included (the OpenAI and OpenTelemetry convention); adapters of providers that report them apart add
them up.
"""

from __future__ import annotations

from msgspec import Struct


class Usage(Struct, frozen=True, gc=False):
    """Tokens of one call. `estimated` is set where costpol counted because the provider did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    """The part of `cache_write_tokens` written with a one hour life."""
    input_audio_tokens: int | None = None
    cache_audio_read_tokens: int | None = None
    output_audio_tokens: int | None = None
    output_image_tokens: int | None = None
    reasoning_tokens: int | None = None
    """The part of `output_tokens` spent on hidden reasoning."""
    web_searches: int | None = None
    """Searches that the provider ran and charges for."""
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Input and output together, what is unknown left out."""
        return (self.input_tokens or 0) + (self.output_tokens or 0)
