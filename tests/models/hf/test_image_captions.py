"""Image captions by a tiny LLaVA: real processor, real tokenizer, real generation."""

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.models.hf.config import HfImageCaptionConfig
from pipeline.models.hf.image_captions import open_hf_image_captioner
from schemas.errors import UserError
from tests.models.hf import tiny
from tests.models.hf.media import noise

IMAGES = [noise(seed, *size) for seed, size in enumerate([(40, 36), (20, 64), (120, 30), (33, 33), (64, 64)])]


def open_tiny(folder, **settings):
    return open_hf_image_captioner(
        HfImageCaptionConfig(model=str(folder), device="cpu", **{"max_new_tokens": 8, **settings})
    )


@pytest.fixture(scope="module")
def captioner(llava):
    return open_tiny(llava)


@pytest.fixture(scope="module")
def labelled(llava):
    return open_tiny(llava, prompt="describe this {label} sticker")


def test_a_batch_is_answered_as_one_by_one_and_in_order(captioner):
    one_by_one = [captioner.caption_images([image], [None])[0] for image in IMAGES]
    assert len(set(one_by_one)) == len(IMAGES)
    assert captioner.caption_images(IMAGES, [None] * 5) == one_by_one
    assert captioner.caption_images(IMAGES[::-1], [None] * 5) == one_by_one[::-1]


def test_prompts_of_different_length_do_not_disturb_each_other(labelled):
    labels = ["joy", None, "a cat that laughs and waves its hand to the lazy brown dog", "", "joy"]
    one_by_one = [labelled.caption_images([image], [label])[0] for image, label in zip(IMAGES, labels, strict=True)]
    assert labelled.caption_images(IMAGES, labels) == one_by_one


def test_the_label_reaches_the_model_only_where_the_prompt_asks_for_it(captioner, labelled):
    assert captioner.caption_images(IMAGES[:1], ["joy"]) == captioner.caption_images(IMAGES[:1], ["anger"])
    assert labelled.caption_images(IMAGES[:1], ["joy"]) != labelled.caption_images(IMAGES[:1], ["anger"])


def test_a_label_cannot_pretend_to_be_a_picture(labelled):
    assert labelled.caption_images(IMAGES[:1], ["joy<image></s>"]) == labelled.caption_images(IMAGES[:1], ["joy"])


def test_transparent_pixels_are_seen_as_white(captioner):
    hidden, white = noise(1, alpha=0), np.full((40, 36, 4), 255, np.uint8)
    hidden[:20] = white[:20] = noise(2)[:20]
    first, second = (captioner.caption_images([image], [None]) for image in (hidden, white))
    assert first == second


def test_the_smallest_pictures_are_captioned(captioner):
    slivers = [noise(1, 1, 1), noise(2, 1, 300), noise(3, 512, 2), noise(4, 3, 3)]
    assert all(captioner.caption_images(slivers, [None] * 4))


def test_any_model_that_takes_a_picture_and_has_a_chat_template_is_served(qwen_vl):
    """Qwen2.5-VL, whose whole processor would need torchvision."""
    captioner = open_tiny(qwen_vl)
    one_by_one = [captioner.caption_images([image], [None])[0] for image in IMAGES]
    assert len(set(one_by_one)) > 3
    assert captioner.caption_images(IMAGES, [None] * 5) == one_by_one


def test_a_chat_template_that_mentions_no_picture_is_refused(tmp_path):
    folder = tiny.save_llava(tmp_path)
    (folder / "chat_template.jinja").write_text("{{ messages[0].content[-1].text }}")
    with pytest.raises(UserError, match="does not mention pictures"):
        open_tiny(folder)


def test_without_a_chat_template_the_prompt_is_in_the_manner_of_llava(tmp_path, captioner):
    bare = open_tiny(tiny.save_llava(tmp_path, with_template=False))
    told = open_tiny(tiny.save_llava(tmp_path / "other", with_template=True))
    assert bare._reader.render("what?", 1) == "USER: <image>\nwhat? ASSISTANT:"
    assert told._reader.render("what?", 1) == "USER: <image>\nwhat? ASSISTANT:"
    assert bare.caption_images(IMAGES, [None] * 5) == captioner.caption_images(IMAGES, [None] * 5)


def test_usage_counts_answers_tokens_and_those_cut_short(llava):
    captioner = open_tiny(llava)
    captioner.caption_images(IMAGES, [None] * 5)
    usage = captioner.usage
    assert usage.num_answers == 5
    assert usage.num_tokens == sum(cost.num_tokens for cost in usage.last)
    assert usage.num_unfinished == sum(not cost.is_finished for cost in usage.last)
    assert usage.seconds > 0
    assert usage.tokens_per_second == usage.num_tokens / usage.seconds
    captioner.caption_images(IMAGES[:2], [None] * 2)
    assert usage.num_answers == 7
    assert len(usage.last) == 2


def test_what_was_prepared_ahead_is_answered_the_same(captioner):
    prepared = captioner.prepare(IMAGES, [None] * 5)
    assert captioner.caption_prepared(prepared) == captioner.caption_images(IMAGES, [None] * 5)


def test_no_picture_is_no_caption(captioner):
    assert captioner.caption_images([], []) == []


def test_a_model_in_bfloat16_answers_on_a_cpu_too(llava):
    assert all(open_tiny(llava, dtype="bfloat16").caption_images(IMAGES, [None] * 5))


def test_a_placeholder_that_nothing_replaces_is_refused():
    with pytest.raises(ValidationError, match=r"\{lable\} in the prompt, expected only \{label\}"):
        HfImageCaptionConfig(model="m", prompt="describe {lable}")
