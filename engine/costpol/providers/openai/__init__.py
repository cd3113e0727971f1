"""OpenAI Chat Completions, wire <-> inference: bytes in, values out, and back; no sockets, no clock.

Which member of `usage` becomes which figure is the table in `inference.usage_bodies` (`openai-chat`).

What the adapter does not read travels on as it came.
"""

from __future__ import annotations

from costpol.providers.openai.catalogue import models_body
from costpol.providers.openai.edit import encode_request
from costpol.providers.openai.errors import error_body
from costpol.providers.openai.replay import replay_body, replay_stream
from costpol.providers.openai.request import UNSHAPING, decode_request
from costpol.providers.openai.response import decode_response
from costpol.providers.openai.stream import StreamDecoder

NAME = "openai"
PATHS = ("/v1/chat/completions",)

__all__ = [
    "NAME",
    "PATHS",
    "UNSHAPING",
    "StreamDecoder",
    "decode_request",
    "decode_response",
    "encode_request",
    "error_body",
    "models_body",
    "replay_body",
    "replay_stream",
]
