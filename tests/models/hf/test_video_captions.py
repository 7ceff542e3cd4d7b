"""Video captions by tiny models: VideoLLaMA3, Video-LLaVA, and LLaVA that is shown several pictures."""

import numpy as np
import pytest
import torch

from pipeline.media.decode import decode_clip
from pipeline.media.limits import TRUSTED
from pipeline.models.hf.config import HfVideoCaptionConfig
from pipeline.models.hf.video_captions import open_hf_video_captioner
from schemas.clip import Clip
from schemas.errors import UserError
from tests.models.hf import tiny
from tests.models.hf.media import clip_of

CLIPS = [clip_of(*range(10 * k, 11 * k + 1), height=30 + 9 * k, width=40) for k in range(6)]  # 1 to 6 frames
MODELS = ["video_llama3", "video_llava", "llava", "qwen_vl"]


def open_tiny(folder, **settings):
    return open_hf_video_captioner(
        HfVideoCaptionConfig(model=str(folder), device="cpu", **{"max_new_tokens": 8, "num_frames": 4, **settings})
    )


@pytest.fixture(scope="module", params=MODELS)
def captioner(request):
    return open_tiny(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def llama3(video_llama3):
    return open_tiny(video_llama3)


def inputs_of(captioner, clip, label=None):
    return captioner.prepare([clip], [label]).inputs


def text_of(captioner, clip, label=None):
    return captioner._reader.tokenizer.decode(inputs_of(captioner, clip, label)["input_ids"][0])


def test_a_batch_of_clips_of_any_length_is_answered_as_one_by_one(captioner):
    one_by_one = [captioner.caption_clips([clip], [None])[0] for clip in CLIPS]
    assert len(set(one_by_one)) > 3
    assert captioner.caption_clips(CLIPS, [None] * 6) == one_by_one
    assert captioner.caption_clips(CLIPS[::-1], [None] * 6) == one_by_one[::-1]


def test_the_order_of_frames_matters(captioner):
    forth = [clip_of(first, first + 1, first + 2) for first in range(4)]
    back = [clip_of(first + 2, first + 1, first) for first in range(4)]
    assert captioner.caption_clips(forth, [None] * 4) != captioner.caption_clips(back, [None] * 4)


def test_no_more_frames_are_shown_than_configured(video_llava):
    few = open_tiny(video_llava, num_frames=2)
    assert inputs_of(few, CLIPS[5])["pixel_values_videos"].shape == (1, 2, 3, 28, 28)
    assert inputs_of(few, CLIPS[0])["pixel_values_videos"].shape == (1, 1, 3, 28, 28)


def test_video_llama3_is_told_when_each_frame_appears(llama3):
    clip = Clip(clip_of(1, 2, 3).frames, (2, 1, 1), (250, 250, 100, 2000))
    text = text_of(llama3, clip)
    times = [piece.split("s:")[0] for piece in text.split("Time ")[1:]]
    assert times == ["0.0", "0.5", "0.6"]
    assert text.startswith("<|im_start|>user\nTime 0.0s:<|video_pad|>")
    assert text.endswith("<|im_start|>assistant\n")


def test_video_llama3_gets_a_token_for_every_patch_that_changes(llama3):
    still = np.full((56, 56, 4), 200, np.uint8)
    moved = still.copy()
    moved[:28, :28, :3] = 10  # one of four tokens of 28 x 28 pixels
    faint = moved.copy()
    faint[-1, -1, 0] += 1  # too little to be seen: one token is kept all the same
    clip = Clip(np.stack([still, moved, faint]), (1, 1, 1), (100, 100, 100))
    inputs = inputs_of(llama3, clip)
    assert inputs["video_grid_thw"].tolist() == [[3, 4, 4]]
    assert inputs["pixel_values_videos"].shape == (3 * 16, 3 * 14 * 14)
    kept = inputs["video_compression_mask"].view(3, 4)
    assert kept.tolist() == [[True] * 4, [True, False, False, False], [True, False, False, False]]
    assert text_of(llama3, clip).count("<|video_pad|>") == 6


def test_video_llava_gets_the_tokens_its_tower_makes_of_each_frame(video_llava):
    captioner = open_tiny(video_llava)
    text = text_of(captioner, clip_of(1, 2, 3))
    assert text.count("<video>") == 3 * 5  # 2 x 2 patches and the class token
    assert text.startswith("<s>USER: <video>")


def test_several_pictures_stand_before_the_words(llava):
    text = text_of(open_tiny(llava), clip_of(1, 2, 3))
    assert text.count("<image>") == 3 * 4


def test_real_gifs_are_captioned(corpus_sample, llama3):
    media = [path.read_bytes() for path in sorted(corpus_sample.rglob("*.gif"))[:60:12]]
    clips = [decode_clip(each, limits=TRUSTED) for each in media]
    one_by_one = [llama3.caption_clips([clip], [None])[0] for clip in clips]
    assert llama3.caption_clips(clips, [None] * len(clips)) == one_by_one
    assert len(set(one_by_one)) > 1


def test_a_checkpoint_whose_template_mentions_no_video_is_refused(tmp_path):
    folder = tiny.save_video_llama3(tmp_path)
    (folder / "chat_template.jinja").write_text("{{ messages[0].content[-1].text }}")
    with pytest.raises(UserError, match=r"chat template writes <\|video_pad\|> 0 times, expected 1"):
        open_tiny(folder)


def test_a_packed_batch_holds_every_frame_once(llama3):
    inputs = llama3.prepare(CLIPS, [None] * 6).inputs
    num_patches = inputs["video_grid_thw"].prod(dim=1)
    assert len(inputs["pixel_values_videos"]) == int(num_patches.sum())
    assert len(inputs["video_compression_mask"]) == int(num_patches.sum()) // 4
    num_marks = int((inputs["input_ids"] == llama3._reader.tokenizer.convert_tokens_to_ids("<|video_pad|>")).sum())
    assert num_marks == int(torch.sum(inputs["video_compression_mask"]))
