"""Images travel as PNG over white; clips as several images with their seconds."""

import base64
import io

import numpy as np
from PIL import Image

from pipeline.models.served import (
    ServedImageCaptionConfig,
    ServedImageCaptioner,
    ServedVideoCaptionConfig,
    ServedVideoCaptioner,
)
from pipeline.models.served.pictures import encode_picture
from schemas.clip import Clip
from tests.models.served.server import says, serving


def decode(url):
    head, data = url.split(",", 1)
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def make_clip(durations_ms):
    frames = np.zeros((len(durations_ms), 4, 4, 4), np.uint8)
    frames[..., 3] = 255
    frames[..., 0] = np.arange(len(durations_ms)).reshape(-1, 1, 1)
    return Clip(frames, (1,) * len(durations_ms), tuple(durations_ms))


def test_straight_alpha_is_laid_over_white():
    frame = np.array([[[0, 0, 0, 0], [255, 0, 0, 255], [0, 0, 0, 51]]], np.uint8)
    assert decode(encode_picture(frame, max_side=100).url).tolist() == [[[255] * 3, [255, 0, 0], [204] * 3]]


def test_a_large_image_is_shrunk_and_a_small_one_is_not_enlarged():
    large, small = np.zeros((200, 100, 4), np.uint8), np.zeros((20, 10, 4), np.uint8)
    assert decode(encode_picture(large, max_side=64).url).shape == (64, 32, 3)
    assert decode(encode_picture(small, max_side=64).url).shape == (20, 10, 3)


def test_an_image_is_shown_before_it_is_asked_about(opened):
    frame = np.full((8, 8, 4), 255, np.uint8)
    frame[0, 0] = (255, 0, 0, 255)
    with serving(lambda body: says(" A red dot.\n")) as server:
        config = ServedImageCaptionConfig(endpoints=(server.url,), model="tiny", prompt="What is this?")
        assert opened(ServedImageCaptioner, config).caption_images([frame], ["joy"]) == ["A red dot."]
        image, question = server.bodies[0]["messages"][0]["content"]
        assert np.array_equal(decode(image["image_url"]["url"]), frame[..., :3])
        assert question == {"type": "text", "text": "What is this?"}


def test_a_clip_is_shown_as_images_each_after_its_second(opened):
    with serving(lambda body: says("It jumps.")) as server:
        config = ServedVideoCaptionConfig(endpoints=(server.url,), model="tiny", prompt="What happens?", num_frames=2)
        captions = opened(ServedVideoCaptioner, config).caption_clips([make_clip([500, 20, 480])], [None])
        assert captions == ["It jumps."]
        content = server.bodies[0]["messages"][0]["content"]
        texts = [part.get("text", "image") for part in content]
        assert texts == ["0.00 s:", "image", "0.52 s:", "image", "What happens?"]
        assert decode(content[3]["image_url"]["url"])[0, 0, 0] == 2
