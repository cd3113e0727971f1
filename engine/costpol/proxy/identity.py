"""Who asks: by the key of the request where callers are declared, by headers where only this machine can ask.

A callers file is YAML. Keys stand in it as digests only (`printf %s KEY | sha256sum`):

    callers:
      - {key_sha256: 3f0a..., tenant: acme}
      - {key_sha256: 91bc..., tenant: initech, agent: reports, may_name: [user, session, stage]}
      - {key_sha256: c4d2..., tenant: operations, admin: true}

A caller may name the parts listed in `may_name` by header (`x-costpol-user`), never its tenant. Without such a file
every part may be named, which is why serving is then bound to the loopback interface.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

import msgspec

from costpol.errors import UsageError
from costpol.inference.caller import ANONYMOUS, Caller
from costpol.pipeline.arrival import NO_WISH, CacheWish
from costpol.units import parse_duration

MAX_NAME = 128
"""Characters of one part of an identity: it becomes part of ledger and cache keys."""

_PARTS = ("tenant", "user", "agent", "session", "stage")
_HEADERS = tuple((f"x-costpol-{part}".encode(), part) for part in _PARTS)
_MAX_DEADLINE = 31 * 86400.0


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a request is turned away, as it is told to the caller."""

    status: int
    code: str
    message: str


class _Declared(msgspec.Struct, forbid_unknown_fields=True):
    key_sha256: str
    tenant: str
    user: str | None = None
    agent: str | None = None
    may_name: list[Literal["user", "session", "stage", "agent"]] = []
    admin: bool = False


class _File(msgspec.Struct, forbid_unknown_fields=True):
    callers: list[_Declared]


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """One declared caller: the digest of its key, who it is, and the headers by which it may say more."""

    digest: bytes
    caller: Caller
    named: tuple[tuple[bytes, str], ...]
    admin: bool


@dataclass(frozen=True, slots=True)
class Identities:
    """Turns the headers of a request into a `Caller`. `known` is `None` where no callers are declared."""

    known: Mapping[bytes, KnownCaller] | None = None

    def caller(self, headers: Mapping[bytes, bytes]) -> Caller | Denied:
        """Who asks; `Denied` for a key that nobody has, and for a name that cannot be one."""
        if self.known is None:
            return _named(ANONYMOUS, headers, _HEADERS)
        known = self._by_key(headers)
        if known is None:
            return Denied(401, "invalid_api_key", "the request carries no key that costpol knows")
        return _named(known.caller, headers, known.named) if known.named else known.caller

    def is_admin(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the request carries the key of an administrator."""
        known = self._by_key(headers)
        return known is not None and known.admin

    def is_known(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the request carries the key of any declared caller."""
        return self._by_key(headers) is not None

    def _by_key(self, headers: Mapping[bytes, bytes]) -> KnownCaller | None:
        scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
        if not key or scheme.lower() != b"bearer" or not self.known:
            return None
        # The table is searched by digest, so how long that takes says nothing about the key itself.
        digest = sha256(key.strip()).digest()
        known = self.known.get(digest)
        return known if known is not None and hmac.compare_digest(known.digest, digest) else None


def read_identities(text: bytes, name: str) -> Identities:
    """The callers that a file declares. Raises `UsageError` that says where it is wrong."""
    import yaml

    try:
        file = msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), _File)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UsageError(f"{name}{place}: this is not YAML: {getattr(error, 'problem', None) or error}") from None
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{name}: {_worded(error)}", "see `costpol serve --help` for the form of a callers file"
        ) from None
    known: dict[bytes, KnownCaller] = {}
    for number, declared in enumerate(file.callers, 1):
        place = f"{name}: caller {number}"
        digest = _digest(declared.key_sha256, place)
        if digest in known:
            raise UsageError(f"{place} has the key of an earlier one", "give every caller a key of its own")
        caller = Caller(declared.tenant, declared.user, declared.agent)
        for part in (caller.tenant, caller.user, caller.agent):
            if part is not None and not _is_name(part):
                raise UsageError(f"{place} has a name that is empty, too long or not printable")
        named = tuple((f"x-costpol-{part}".encode(), part) for part in declared.may_name)
        known[digest] = KnownCaller(digest, caller, named, declared.admin)
    return Identities(known)


def read_deadline(headers: Mapping[bytes, bytes]) -> float | Denied | None:
    """Seconds that the caller can wait, from `x-costpol-deadline: 6h` (or bare seconds); `None` without one."""
    raw = headers.get(b"x-costpol-deadline")
    if raw is None:
        return None
    text = raw.decode("latin-1").strip()
    try:
        seconds = float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else parse_duration(text)
    except ValueError as error:
        return Denied(400, "invalid_deadline", f"`x-costpol-deadline` cannot be read: {error}")
    if not 0 < seconds <= _MAX_DEADLINE:
        return Denied(400, "invalid_deadline", "`x-costpol-deadline` must be more than nothing and at most 31 days")
    return seconds


def read_wish(headers: Mapping[bytes, bytes]) -> CacheWish | Denied:
    """What the caller asks of the cache, from `x-costpol-cache: no-store, only-if-cached, max-age=60`. Of two ages the
    shorter counts: whoever passes a request on can add a wish, and take none back."""
    raw = headers.get(b"x-costpol-cache")
    if raw is None:
        return NO_WISH
    no_store = only_if_cached = False
    max_age: float | None = None
    for word in raw.decode("latin-1").lower().split(","):
        name, _, value = word.strip().partition("=")
        if name == "no-store" and not value:
            no_store = True
        elif name == "only-if-cached" and not value:
            only_if_cached = True
        elif name == "max-age" and value.isdecimal() and value.isascii() and len(value) < 10:
            max_age = float(value) if max_age is None else min(max_age, float(value))
        else:
            known = "`no-store`, `only-if-cached` and `max-age=SECONDS`"
            return Denied(400, "invalid_cache_wish", f"`x-costpol-cache` takes {known}")
    return CacheWish(no_store, only_if_cached, max_age)


def _named(caller: Caller, headers: Mapping[bytes, bytes], allowed: tuple[tuple[bytes, str], ...]) -> Caller | Denied:
    found: dict[str, str] = {}
    for header, part in allowed:
        raw = headers.get(header)
        if raw is None:
            continue
        try:
            text = raw.decode().strip()
        except UnicodeDecodeError:
            text = ""
        if not _is_name(text):
            return Denied(
                400, "invalid_identity",
                f"`{header.decode()}` must be 1 to {MAX_NAME} printable characters in UTF-8",
            )  # fmt: skip
        found[part] = text
    return replace(caller, **found) if found else caller


def _is_name(text: str) -> bool:
    return 0 < len(text) <= MAX_NAME and text.isprintable()


def _digest(text: str, place: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != sha256().digest_size:
        raise UsageError(
            f"{place} has no SHA-256 digest as its `key_sha256`",
            "write the 64 digits that `printf %s KEY | sha256sum` prints",
        )
    return digest


def _worded(error: msgspec.ValidationError) -> str:
    text, _, place = str(error).partition(" - at ")
    where = place.strip("`").removeprefix("$").removeprefix(".")
    text = text[:1].lower() + text[1:]
    text = text.replace("object missing required field", "there is no").replace(
        "object contains unknown field", "there is an unknown key"
    )
    text = (
        text.replace("expected `str`", "expected a text")
        .replace("got `int`", "got a number")
        .replace("got `bool`", "got true or false")
    )
    return f"{text} (in `{where}`)" if where else text
