"""Every ability against `transformers serve`, a server of somebody else's, with tiny models saved to disk."""

import subprocess
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.models.served import (
    ServedImageCaptionConfig,
    ServedImageCaptioner,
    ServedSummarizer,
    ServedSummaryConfig,
    ServedTranslationConfig,
    ServedTranslator,
    ServedVideoCaptionConfig,
    ServedVideoCaptioner,
)
from pipeline.models.served.errors import AnswerTruncated
from schemas.clip import Clip
from schemas.errors import MachineFault, UserError
from tests.models.served.tiny_models import save_tiny_llama, save_tiny_llava
from tests.models.served.transformers_serve import serving_transformers

pytest.importorskip("uvicorn", reason="transformers serve needs it")
pytest.importorskip("transformers", reason="pip install 'mobius[hf]'")


@dataclass(frozen=True)
class Models:
    """A running `transformers serve` and the names of its models."""

    url: str
    process: subprocess.Popen[bytes]
    llama: str
    llava: str


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    llama, llava = save_tiny_llama(folder / "llama"), save_tiny_llava(folder / "llava")
    with serving_transformers(folder / "log.txt") as server:
        yield Models(server.url, server.process, str(llama), str(llava))


def images(num):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (40, 48, 4), np.uint8) for _ in range(num)]


def test_texts_are_translated_and_the_same_text_always_alike(serve, opened):
    config = ServedTranslationConfig(endpoints=(serve.url,), model=serve.llama, max_in_flight=4)
    texts = [f"a cat waves {n} times" for n in range(6)]
    first = opened(ServedTranslator, config)
    translations = first.translate(texts)
    assert all(translations)
    assert opened(ServedTranslator, config).translate(texts[::-1]) == translations[::-1]
    assert first.usage.num_requests == first.usage.num_answers == 6
    assert first.usage.tokens_in > 6 * 10
    assert 6 <= first.usage.tokens_out <= 6 * 128


def test_captions_are_merged(serve, opened):
    config = ServedSummaryConfig(endpoints=(serve.url,), model=serve.llama)
    assert all(opened(ServedSummarizer, config).summarize([("a cat", "it waves"), ("a dog",)], 52))


def test_images_are_captioned(serve, opened):
    config = ServedImageCaptionConfig(endpoints=(serve.url,), model=serve.llava)
    captioner = opened(ServedImageCaptioner, config)
    captions = captioner.caption_images(images(3), [None] * 3)
    assert all(captions)
    assert captioner.usage.tokens_in > 3 * 4


def test_clips_are_captioned_by_several_images_each(serve, opened):
    config = ServedVideoCaptionConfig(endpoints=(serve.url,), model=serve.llava, num_frames=3)
    clip = Clip(np.stack(images(5)), (1,) * 5, (100,) * 5)
    captioner = opened(ServedVideoCaptioner, config)
    assert all(captioner.caption_clips([clip], [None]))
    by_three = captioner.usage.tokens_in
    captioner = opened(ServedVideoCaptioner, config.model_copy(update={"num_frames": 1}))
    assert all(captioner.caption_clips([clip], [None]))
    assert by_three > captioner.usage.tokens_in + 2 * 4


def test_an_answer_that_needs_more_tokens_than_allowed_is_one_samples_reason(serve, opened):
    config = ServedTranslationConfig(endpoints=(serve.url,), model=serve.llama, max_new_tokens=2)
    with pytest.raises(AnswerTruncated, match="cut off after 2 tokens"):
        opened(ServedTranslator, config).translate(["a cat"])


def test_a_model_without_eyes_is_found_before_the_run(serve, opened):
    """This server answers all the same, without a word about the pictures it dropped."""
    config = ServedImageCaptionConfig(endpoints=(serve.url,), model=serve.llama)
    with pytest.raises(UserError, match="looks at no pictures"):
        opened(ServedImageCaptioner, config).check()
    opened(ServedImageCaptioner, config.model_copy(update={"model": serve.llava})).check()
    opened(ServedTranslator, ServedTranslationConfig(endpoints=(serve.url,), model=serve.llama)).check()


def test_a_model_that_is_not_there_is_no_samples_fault(serve, opened):
    """This server says 500 where others say 404."""
    config = ServedTranslationConfig(endpoints=(serve.url,), model="nobody/nothing", max_retries=1)
    with pytest.raises((MachineFault, UserError), match=serve.url):
        opened(ServedTranslator, config).translate(["a cat", "a dog"])


def test_killed_in_mid_run_it_marks_nobody(serve, opened):
    """The last test of this file: afterwards the server is gone."""
    config = ServedTranslationConfig(endpoints=(serve.url,), model=serve.llama, max_retries=1)
    model = opened(ServedTranslator, config)
    assert all(model.translate(["a cat"]))
    serve.process.kill()
    serve.process.wait()
    with pytest.raises(MachineFault, match="connection failed"):
        model.translate(["a cat", "a dog"])
    assert all(model.translate(["a cat"]))  # what was answered is remembered
