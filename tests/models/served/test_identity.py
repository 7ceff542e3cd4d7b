"""A name changes with whatever can change an answer, and with nothing else."""

import pytest

from pipeline.models.served import (
    ServedSummarizer,
    ServedSummaryConfig,
    ServedVideoCaptionConfig,
    identify_served_summarizer,
    identify_served_video_captioner,
)
from tests.models.served.server import says, serving

HERE = ServedVideoCaptionConfig(endpoints=("http://a:1/v1",), model="llava", revision="4c2f")


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"revision": "5d"},
        {"prompt": "Say."},
        {"max_new_tokens": 9},
        {"temperature": 0.5},
        {"seed": 1},
        {"num_frames": 4},
        {"max_side": 64},
    ],
)
def test_what_can_change_an_answer_changes_the_identity(change):
    changed = HERE.model_copy(update=change)
    assert identify_served_video_captioner(changed) != identify_served_video_captioner(HERE)


@pytest.mark.parametrize(
    "change",
    [
        {"endpoints": ("http://b:2/v1", "http://c:3/v1")},
        {"max_in_flight": 3},
        {"timeout": 1.0},
        {"max_retries": 0},
        {"api_key_env": "KEY"},
    ],
)
def test_where_it_is_served_and_how_patiently_it_is_asked_does_not(change):
    changed = HERE.model_copy(update=change)
    assert identify_served_video_captioner(changed) == identify_served_video_captioner(HERE)


def test_rows_name_model_revision_and_prompt(opened):
    config = ServedSummaryConfig(endpoints=("http://a:1/v1",), model="llama-2", revision="f5db")
    identity = opened(ServedSummarizer, config).identity
    assert identity.startswith("llama-2@f5db prompt-")
    assert identity in identify_served_summarizer(config)
    assert config.model_copy(update={"prompt": "Sum up."}).prompt not in identity


def test_a_summary_is_asked_for_with_all_captions_and_a_limit_in_words(opened):
    with serving(lambda body: says("A cat waves.")) as server:
        config = ServedSummaryConfig(endpoints=(server.url,), model="llama-2", prompt="At most {max_words} words {ok}.")
        summaries = opened(ServedSummarizer, config).summarize([("A cat.", "It waves.")], 50)
        assert summaries == ["A cat waves."]
        asked = server.bodies[0]["messages"][0]["content"]
        assert asked == "At most 30 words {ok}.\n\n- A cat.\n- It waves."


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://x/v1", "http:///v1", ""])
def test_an_endpoint_is_a_base_url(url):
    with pytest.raises(ValueError, match="base URL"):
        ServedVideoCaptionConfig(endpoints=(url,), model="m")
