"""A provider as it is reached: its address, and the headers that every request to it carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from costpol import __version__
from costpol.errors import ProvisionError
from costpol.policy.nodes.models import Provider

if TYPE_CHECKING:
    from yarl import URL


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where chat completions of one provider are asked for. `passes_caller_key` says that the caller's own
    `Authorization` goes along, because the provider has no key of its own."""

    url: URL
    headers: tuple[tuple[str, str], ...]
    passes_caller_key: bool
    proxy: str | None = None


def open_endpoint(
    name: str,
    provider: Provider,
    environment: Mapping[str, str],
    *,
    base_url: str | None = None,
    callers_have_keys: bool,
) -> Endpoint:
    """The endpoint of a provider; `base_url` takes the place of the policy's, and does without a key that is not set.

    Raises `ProvisionError` where its key is missing, or is not a key, or would be the callers' keys for costpol itself.
    """
    from yarl import URL

    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"costpol/{__version__}",
    }
    if provider.key_source == "caller":
        if callers_have_keys:
            raise ProvisionError(
                f"the provider `{name}` takes the caller's key, but callers identify themselves with keys for costpol",
                f"give `{name}` a key of its own, such as `key: $OPENAI_API_KEY`",
            )
    elif provider.key_source != "none" and (base_url is None or environment.get(provider.key_source.removeprefix("$"))):
        instead = ", or write `key: caller` to pass on the caller's own"
        key = read_key(provider.key_source, environment, f"the provider `{name}`", instead)
        headers["Authorization"] = f"Bearer {key}"
    address = base_url or provider.base_url
    return Endpoint(
        url=URL(f"{address.rstrip('/')}/chat/completions"),
        headers=tuple(headers.items()),
        passes_caller_key=provider.key_source == "caller",
        proxy=find_proxy(address),
    )


def read_key(source: str, environment: Mapping[str, str], owner: str, instead: str = "") -> str:
    """The key that `$NAME` stands for; `instead` tells what else could be written. Raises `ProvisionError` that names
    the variable, never the key."""
    variable = source.removeprefix("$")
    key = environment.get(variable, "").strip()
    if not key:
        raise ProvisionError(
            f"{owner} needs its key in the environment variable `{variable}`, which is not set",
            f"set `{variable}` before costpol starts{instead}",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ProvisionError(
            f"the environment variable `{variable}` holds no key that a header can carry",
            f"see that `{variable}` is the key alone, without quotes, blanks or line breaks",
        )
    return key


def find_proxy(address: str) -> str | None:
    """The HTTP proxy that the environment names for this address."""
    parts = urlsplit(address)
    proxy = getproxies().get(parts.scheme)
    return None if proxy is None or proxy_bypass(parts.netloc) else proxy
