from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.inference.usage import Usage
from costpol.inference.usage_bodies import FIELDS, usage_from


def test_openai_chat_reports_cached_input_inside_the_input() -> None:
    body = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 10, "cache_write_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 4},
    }
    assert usage_from("openai-chat", body) == Usage(
        input_tokens=100,
        output_tokens=20,
        cache_read_tokens=60,
        cache_write_tokens=5,
        input_audio_tokens=10,
        output_audio_tokens=4,
        reasoning_tokens=8,
    )


@pytest.mark.parametrize("member", ["prompt_cache_hit_tokens", "cached_tokens"])
def test_compatible_apis_may_report_cached_input_at_the_top(member: str) -> None:
    assert usage_from("openai-chat", {"prompt_tokens": 9, "completion_tokens": 1, member: 4}).cache_read_tokens == 4


def test_openai_responses() -> None:
    body = {
        "input_tokens": 30,
        "output_tokens": 12,
        "input_tokens_details": {"cached_tokens": 16},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    assert usage_from("openai-responses", body) == Usage(30, 12, cache_read_tokens=16, reasoning_tokens=3)


def test_an_embedding_has_no_output_by_nature() -> None:
    assert usage_from("openai-embeddings", {"prompt_tokens": 7, "total_tokens": 7}) == Usage(7, 0)


def test_anthropic_reports_cached_input_beside_the_input() -> None:
    body = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 200,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
        "server_tool_use": {"web_search_requests": 2},
    }
    assert usage_from("anthropic-messages", body) == Usage(
        input_tokens=240,
        output_tokens=5,
        cache_read_tokens=200,
        cache_write_tokens=30,
        cache_write_1h_tokens=10,
        web_searches=2,
    )


def test_google_reports_thoughts_beside_the_candidates_and_media_by_modality() -> None:
    body = {
        "promptTokenCount": 100,
        "candidatesTokenCount": 40,
        "thoughtsTokenCount": 60,
        "toolUsePromptTokenCount": 11,
        "cachedContentTokenCount": 50,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 70},
            {"modality": "AUDIO", "tokenCount": 30},
        ],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 20}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 25}, {"modality": "AUDIO", "tokenCount": 5}],
        "toolUsePromptTokensDetails": [{"modality": "AUDIO", "tokenCount": 1}],
    }
    assert usage_from("google-gemini", body) == Usage(
        input_tokens=111,
        output_tokens=100,
        cache_read_tokens=50,
        input_audio_tokens=31,
        cache_audio_read_tokens=20,
        output_audio_tokens=5,
        output_image_tokens=25,
        reasoning_tokens=60,
    )


def test_google_output_left_out_of_the_json_follows_from_the_total() -> None:
    thinking_only = {"promptTokenCount": 10, "thoughtsTokenCount": 90, "totalTokenCount": 100}
    assert usage_from("google-gemini", thinking_only).output_tokens == 90
    empty = {"promptTokenCount": 10, "totalTokenCount": 10}
    assert usage_from("google-gemini", empty).output_tokens == 0
    assert usage_from("google-gemini", {"promptTokenCount": 10}).output_tokens is None


def test_a_contradictory_total_is_not_a_count() -> None:
    assert usage_from("google-gemini", {"promptTokenCount": 10, "totalTokenCount": 5}).output_tokens is None


@pytest.mark.parametrize("flavor", [flavor for flavor in FIELDS if flavor != "openai-embeddings"])
def test_what_is_not_reported_is_unknown_and_not_zero(flavor: str) -> None:
    assert usage_from(flavor, {}) == usage_from(flavor, None) == Usage()


def test_details_without_their_whole_do_not_make_a_whole() -> None:
    assert usage_from("anthropic-messages", {"cache_read_input_tokens": 5}).input_tokens is None


@pytest.mark.parametrize("value", [-1, 1.5, "7", True, None, [], {}, 10**18])
def test_what_is_no_count_is_not_reported(value: object) -> None:
    assert usage_from("openai-chat", {"prompt_tokens": value, "completion_tokens": 3}) == Usage(output_tokens=3)


def test_an_unknown_flavor_is_an_error() -> None:
    with pytest.raises(KeyError):
        usage_from("morse", {})


MEMBERS = st.sampled_from(
    sorted(
        {word for table in FIELDS.values() for path in table.values() for word in path.replace("[AUDIO]", "").split()}
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS | st.just("modality"), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(FIELDS)), st.dictionaries(MEMBERS, JSON, max_size=6))
def test_any_body_gives_counts_of_zero_or_more(flavor: str, body: dict[str, object]) -> None:
    usage = usage_from(flavor, body)
    counts = [getattr(usage, name) for name in FIELDS[flavor]]
    assert all(count is None or (isinstance(count, int) and count >= 0) for count in counts)
