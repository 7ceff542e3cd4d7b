"""Generation when memory runs out: the model's own `generate` is made to refuse batches that are too large."""

import logging

import pytest
import torch

from pipeline.models.hf.chat_summary import open_hf_summarizer
from pipeline.models.hf.config import HfImageCaptionConfig, HfSummaryConfig, HfVideoCaptionConfig
from pipeline.models.hf.generation import is_out_of_memory
from pipeline.models.hf.image_captions import open_hf_image_captioner
from pipeline.models.hf.video_captions import open_hf_video_captioner
from schemas.errors import MachineFault, RefusedText
from tests.models.hf.media import clip_of, noise

IMAGES = [noise(seed, 30 + seed, 40) for seed in range(7)]
LABELS = [None] * len(IMAGES)
NO_GPU_MEMORY = torch.OutOfMemoryError("CUDA out of memory")


@pytest.fixture
def captioner(llava):
    return open_hf_image_captioner(HfImageCaptionConfig(model=str(llava), device="cpu", max_new_tokens=8))


def bound(monkeypatch, captioner, size, error=NO_GPU_MEMORY):
    """Let the model refuse more than `size` samples; return the sizes of the batches it was given."""
    model = captioner._generator._model
    generate, sizes = model.generate, []

    def bounded(**inputs):
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > size:
            raise error
        return generate(**inputs)

    monkeypatch.setattr(model, "generate", bounded)
    return sizes


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_a_batch_that_does_not_fit_is_halved_until_it_does(monkeypatch, captioner, size):
    expected = captioner.caption_images(IMAGES, LABELS)
    sizes = bound(monkeypatch, captioner, size)
    assert captioner.caption_images(IMAGES, LABELS) == expected
    assert sum(each for each in sizes if each <= size) == len(IMAGES)
    assert captioner.usage.batch_limit <= size
    assert len(captioner.usage.last) == len(IMAGES)


def test_the_next_batches_begin_with_what_fitted(monkeypatch, captioner):
    sizes = bound(monkeypatch, captioner, 3)
    captioner.caption_images(IMAGES, LABELS)
    sizes.clear()
    captioner.caption_images(IMAGES, LABELS)
    assert sizes == [3, 3, 1]


def test_it_is_said_once(monkeypatch, captioner, caplog):
    bound(monkeypatch, captioner, 1)
    with caplog.at_level(logging.WARNING):
        captioner.caption_images(IMAGES, LABELS)
        captioner.caption_images(IMAGES, LABELS)
    assert [record.getMessage() for record in caplog.records] == [
        "out of memory: LlavaForConditionalGeneration now gets 3 samples at once"
    ]


def test_a_sample_that_does_not_fit_by_itself_is_a_fault_of_the_machine(monkeypatch, captioner):
    bound(monkeypatch, captioner, 0)
    with pytest.raises(MachineFault, match="one sample does not fit"):
        captioner.caption_images(IMAGES, LABELS)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory")],
)
def test_memory_of_the_machine_counts_as_well(monkeypatch, captioner, error):
    expected = captioner.caption_images(IMAGES, LABELS)
    bound(monkeypatch, captioner, 4, error)
    assert captioner.caption_images(IMAGES, LABELS) == expected


def test_any_other_error_is_left_to_who_asked(monkeypatch, captioner):
    sizes = bound(monkeypatch, captioner, 4, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        captioner.caption_images(IMAGES, LABELS)
    assert len(sizes) == 1


def test_a_batch_prepared_before_memory_ran_out_does_not_raise_the_limit(monkeypatch, captioner):
    expected = captioner.caption_images(IMAGES, LABELS)
    ahead = captioner.prepare(IMAGES, LABELS)
    sizes = bound(monkeypatch, captioner, 1)
    captioner.caption_images(IMAGES, LABELS)
    sizes.clear()
    assert captioner.caption_prepared(ahead) == expected
    assert sizes == [1] * 7


def test_an_error_without_words_is_told_by_its_kind(monkeypatch, captioner):
    bound(monkeypatch, captioner, 0, MemoryError())
    with pytest.raises(MachineFault, match="one sample does not fit into memory: MemoryError"):
        captioner.caption_images(IMAGES[:1], LABELS[:1])


def test_a_gpu_that_fails_blames_no_sample(monkeypatch, captioner):
    bound(monkeypatch, captioner, 0, torch.AcceleratorError("CUDA error: an illegal memory access was encountered"))
    with pytest.raises(MachineFault, match="the GPU failed"):
        captioner.caption_images(IMAGES, LABELS)


def test_more_pictures_than_the_model_can_read_are_refused(llava):
    captioner = open_hf_video_captioner(
        HfVideoCaptionConfig(model=str(llava), device="cpu", num_frames=4, max_new_tokens=1020)
    )
    with pytest.raises(RefusedText, match="it holds 1024"):
        captioner.caption_clips([clip_of(1, 2, 3, 4)], [None])


def test_what_torch_really_raises_for_too_much_memory_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_answers_end_where_the_model_ends_them(llama):
    """Tokens after the end of an answer are padding: neither said nor counted."""
    summarizer = open_hf_summarizer(HfSummaryConfig(model=str(llama), device="cpu", max_new_tokens=12))
    captions = [("a cat",), ("the dog dances",), ("hello",)]
    texts, costs = summarizer.summarize(captions, 52), summarizer.usage.last
    first = summarizer._generator._model.generate(
        **summarizer.prepare(captions[:1], 52).inputs, **summarizer._generator._settings
    )
    length = summarizer.prepare(captions[:1], 52).inputs["input_ids"].shape[1]
    end = int(first[0, length + 3])  # from now on this token ends an answer
    summarizer._generator._settings["eos_token_id"] = [end]
    assert summarizer.summarize(captions, 52)[0] != texts[0]
    assert summarizer.usage.last[0].num_tokens <= 4 < costs[0].num_tokens
    assert summarizer.usage.last[0].is_finished
    assert not costs[0].is_finished
