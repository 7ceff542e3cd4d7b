"""The quality stage on real files: what a person sees there is what the numbers say."""

from pathlib import Path

import pytest

from pipeline.config import CurateConfig
from pipeline.media.decode import decode_clip
from pipeline.quality import measure_clip
from pipeline.stages.quality import QualityConfig, quality_samples
from pipeline.stages.stage import StageInput
from schemas.answers import QualityAnswer
from schemas.errors import CorruptMedia, SampleError
from schemas.sample import Sample
from schemas.table import from_row, to_rows


def answer_about(media: bytes) -> QualityAnswer:
    sample = Sample("0" * 32, "source", "a.gif", "joy", "{}", media, len(media))
    (answer,) = quality_samples([StageInput(sample, {})], config=QualityConfig(), model=None)
    assert from_row(QualityAnswer, to_rows([answer])[0]) == answer
    return answer


@pytest.fixture
def sample(corpus_sample: Path) -> dict[str, QualityAnswer]:
    names = (
        "fugue-static/afro.gif",
        "gophers/ninja-3x.gif",
        "noto-resized/216_Clap_128.gif",
        "noto-resized/109_Imp-smile_80.gif",
        "parrots/blurryparrot.gif",
        "parrots/croissantparrot.gif",
        "parrots/explodyparrot.gif",
        "parrots/sassyparrot.gif",
    )
    return {Path(name).stem: answer_about((corpus_sample / name).read_bytes()) for name in names}


def test_numbers_say_what_one_sees(sample: dict[str, QualityAnswer]) -> None:
    afro = sample["afro"]
    assert (afro.style, afro.num_unique_frames, afro.num_periods) == ("pixel", 1, 1)
    assert (afro.seam_error, afro.moving_area, afro.max_flashes_per_second, afro.is_ping_pong) == (0, 0, 0, False)
    assert (sample["ninja-3x"].style, sample["ninja-3x"].sharpness) == ("pixel", 1.0), "enlarged three times"
    assert (sample["216_Clap_128"].style, sample["109_Imp-smile_80"].style) == ("flat", "shaded")
    assert (sample["216_Clap_128"].period_frames, sample["216_Clap_128"].num_periods) == (11, 2), "claps twice"
    assert sample["croissantparrot"].num_periods == 1, "the croissant gets smaller"
    assert [name for name, each in sample.items() if each.is_ping_pong] == ["sassyparrot"]
    assert [name for name, each in sample.items() if each.seam_error > 0.7] == ["109_Imp-smile_80"], "it turns at once"
    assert [name for name, each in sample.items() if each.max_flashes_per_second > 3] == ["explodyparrot"]
    assert [name for name, each in sample.items() if (each.sharpness or 1) < 0.4] == ["blurryparrot"]


def test_what_cannot_be_decoded_is_the_samples_own_fault(corpus_hostile: Path) -> None:
    with pytest.raises(CorruptMedia):
        answer_about((corpus_hostile / "wuffs/hippopotamus.interlaced.truncated.gif").read_bytes())


def test_there_is_nothing_to_set() -> None:
    with pytest.raises(ValueError, match="max_seam_error"):
        CurateConfig.model_validate({"root": "a", "source": {"path": "b"}, "quality": {"max_seam_error": 0.5}})


def test_whatever_decodes_is_measured_within_its_ranges(corpus_hostile: Path) -> None:
    num_measured = 0
    for path in sorted(corpus_hostile.glob("*/*")):
        try:
            clip = decode_clip(path.read_bytes())
        except SampleError:
            continue
        each = measure_clip(clip)
        num_measured += 1
        assert 0 <= each.seam_error < 1, path
        assert 0 <= each.moving_area <= 1, path
        assert each.sharpness is None or 0 <= each.sharpness <= 1, path
        assert 0 <= each.max_flashes_per_second <= 25, path
        assert each.period_frames * each.num_periods == clip.num_frames, path
        assert 1 <= each.num_unique_frames <= clip.num_distinct_frames, path
    assert num_measured > 50
