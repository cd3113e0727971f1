from __future__ import annotations

import pytest

from costpol.errors import ProvisionError
from costpol.policy.nodes.models import Provider
from costpol.runtime.endpoint import open_endpoint


def provider(key: str) -> Provider:
    return Provider(type="openai", base_url="https://api.example.com/v1", key_source=key)


def headers(key: str, **environment: str) -> dict[str, str]:
    return dict(open_endpoint("p", provider(key), environment, callers_have_keys=False).headers)


def test_a_key_comes_from_its_environment_variable() -> None:
    assert headers("$P_KEY", P_KEY="sk-1 ")["Authorization"] == "Bearer sk-1"


def test_a_missing_key_names_the_variable() -> None:
    with pytest.raises(ProvisionError, match="`P_KEY`, which is not set"):
        headers("$P_KEY")


@pytest.mark.parametrize("value", ["sk 1", "sk\x7f1", "schlüssel", "a\nb"])
def test_what_no_header_can_carry_is_no_key_and_is_not_shown(value: str) -> None:
    with pytest.raises(ProvisionError) as error:
        headers("$P_KEY", P_KEY=value)
    assert value not in error.value.message + (error.value.help or "")


def test_the_caller_s_key_is_passed_on_only_where_the_policy_says_so() -> None:
    assert open_endpoint("p", provider("caller"), {}, callers_have_keys=False).passes_caller_key
    assert not open_endpoint("p", provider("none"), {}, callers_have_keys=False).passes_caller_key


def test_keys_for_costpol_never_go_to_a_provider() -> None:
    with pytest.raises(ProvisionError, match="takes the caller's key"):
        open_endpoint("p", provider("caller"), {}, callers_have_keys=True)


def test_another_address_takes_the_place_of_the_policy_s_and_needs_no_key() -> None:
    endpoint = open_endpoint("p", provider("$K"), {}, base_url="http://127.0.0.1:9/v1/", callers_have_keys=False)
    assert str(endpoint.url) == "http://127.0.0.1:9/v1/chat/completions"
    assert "Authorization" not in dict(endpoint.headers)


def test_the_environment_s_proxy_is_used_except_where_it_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "internal.example.com")
    outside = open_endpoint("p", provider("none"), {}, callers_have_keys=False)
    inside = open_endpoint(
        "p", provider("none"), {}, base_url="https://internal.example.com/v1", callers_have_keys=False
    )
    assert outside.proxy == "http://proxy:3128"
    assert inside.proxy is None
