"""Stages that ask a language model: one sample is blamed alone, a bad caption is its own, a model is opened once."""

import base64
import io
import shutil
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from pipeline.chunk import _answer_rows
from pipeline.config import CurateConfig
from pipeline.media.decode import decode_clip
from pipeline.models.cache import close_model, open_model_once
from pipeline.plan import StagePlan, plan_stages
from pipeline.stages.stage import StageInput
from schemas.answers import CleanAnswer
from schemas.clip import Clip
from schemas.errors import UserError
from schemas.sample import Sample
from tests.media.gifs import encode_gif
from tests.models.hf.recipe import IMAGE_CAPTION, teach_to_caption
from tests.models.hf.tiny import save_llava
from tests.models.served.server import Reply, fails, says, serving

NO_TEXT = CleanAnswer("no_text", None, None, [1], None, 0, 0, 0, 0, "", 0.0, "none")
POISON = 37  # pixels: the side of the picture that something goes wrong with


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "llava"
    save_llava(folder)
    return teach_to_caption(folder)


@pytest.fixture(autouse=True)
def forget() -> Any:
    yield
    close_model()


def inputs(num: int, *, poisoned: int | None = None, label: str = "joy") -> list[StageInput]:
    """Plain pictures; the poisoned one has a size of its own."""
    made = []
    for number in range(num):
        side = POISON if number == poisoned else 16 + number
        media = encode_gif([(20 * number, 90, 160)], size=side)
        sample = Sample(f"k{number}", "s", f"{number}.gif", label, "{}", media, len(media))
        made.append(StageInput(sample, {"clean": NO_TEXT}))
    return made


def plan_of(stage: str, **settings: Any) -> StagePlan:
    source = {"path": "."}
    config = CurateConfig.model_validate({"root": "x", "source": source, **settings})
    return plan_stages(config)[stage]


def hf_plan(llava: Path, **more: Any) -> StagePlan:
    """A plan that asks the tiny LLaVA; whoever translates is not asked."""
    captioner = {"engine": "hf", "hf": {"model": str(llava)}, **more}
    return plan_of("image_caption", image_caption=captioner, translation=elsewhere("http://127.0.0.1:9/v1"))


def elsewhere(url: str, **more: Any) -> dict[str, Any]:
    return {"engine": "served", "served": {"endpoints": [url], "model": "tiny", "max_retries": 0, **more}}


def rows_of(plan: StagePlan, samples: Sequence[StageInput]) -> list[dict[str, Any]]:
    size = plan.batch_size
    return list(_answer_rows([samples[first : first + size] for first in range(0, len(samples), size)], plan))


def outcomes(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["reason"] or row["image_caption"] for row in rows]


# Blame.


def test_a_sample_the_processor_stumbles_over_is_blamed_alone(llava: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = hf_plan(llava, batch_size=4)
    reader = open_model_once(plan)._reader
    encode = reader.encode

    def stumble(asked: Any) -> Any:
        if any(picture.height == POISON for each in asked for picture in each.pictures):
            raise ValueError("cannot reshape array")
        return encode(asked)

    monkeypatch.setattr(open_model_once(plan)._generator, "_encode", stumble)
    rows = rows_of(plan, inputs(10, poisoned=6))
    assert outcomes(rows) == [IMAGE_CAPTION] * 6 + ["unforeseen"] + [IMAGE_CAPTION] * 3
    assert "ValueError: cannot reshape array" in rows[6]["detail"]


def test_a_sample_with_more_words_than_the_model_reads_is_blamed_alone(llava: Path) -> None:
    plan = hf_plan(llava, hf={"model": str(llava), "prompt": "What shows {label} here?"}, batch_size=3)
    samples = [*inputs(2), *inputs(1, label="joy " * 2000), *inputs(2)]
    assert outcomes(rows_of(plan, samples)) == [IMAGE_CAPTION] * 2 + ["refused_text"] + [IMAGE_CAPTION] * 2


def picture_size(body: dict[str, Any]) -> int | None:
    content = body["messages"][0]["content"]
    urls = [part["image_url"]["url"] for part in content if isinstance(part, dict) and part["type"] == "image_url"]
    return Image.open(io.BytesIO(base64.b64decode(urls[0].split(",", 1)[1]))).height if urls else None


def test_a_server_that_fails_for_one_sample_costs_that_sample_only() -> None:
    def script(body: dict[str, Any]) -> Reply:
        size = picture_size(body)
        return fails(500) if size == POISON else says(IMAGE_CAPTION, num_read=7 if size is None else 50)

    with serving(script) as server:
        own = elsewhere(server.url)
        plan = plan_of("image_caption", image_caption=own, translation=own)
        rows = rows_of(plan, inputs(6, poisoned=2))
    assert outcomes(rows) == [IMAGE_CAPTION] * 2 + ["server_failed"] + [IMAGE_CAPTION] * 3


def test_a_bad_caption_is_its_own_samples_fate_and_nothing_is_asked_again() -> None:
    def script(body: dict[str, Any]) -> Reply:
        size = picture_size(body)
        text = "I'm sorry, but I cannot describe this image." if size == POISON else IMAGE_CAPTION
        return says(text, num_read=7 if size is None else 50)

    with serving(script) as server:
        own = elsewhere(server.url)
        plan = plan_of("image_caption", image_caption=own, translation=own)
        open_model_once(plan)
        num_before = len(server.bodies)
        rows = rows_of(plan, inputs(6, poisoned=2))
        assert len(server.bodies) - num_before == 6
    assert outcomes(rows) == [IMAGE_CAPTION] * 2 + ["refused_caption"] + [IMAGE_CAPTION] * 3


def test_a_caption_that_was_cut_is_not_stored(llava: Path) -> None:
    plan = hf_plan(llava, hf={"model": str(llava), "max_new_tokens": 3})
    rows = rows_of(plan, inputs(3))
    assert outcomes(rows) == ["answer_truncated"] * 3
    assert "max_new_tokens = 3" in rows[0]["detail"]


def test_clips_are_decoded_one_at_a_time(llava: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of("video_caption", video_caption={"engine": "hf", "hf": {"model": str(llava)}})
    alive: list[weakref.ref[Any]] = []
    most = 0

    def decode(each: StageInput) -> Clip:
        nonlocal most
        clip = decode_clip(each.media)
        alive.append(weakref.ref(clip.frames))
        most = max(most, sum(ref() is not None for ref in alive))
        return clip

    monkeypatch.setattr(StageInput, "clean_clip", decode)
    assert plan.stage.prepare is not None
    plan.stage.prepare(inputs(9), model=open_model_once(plan))
    assert len(alive) == 9
    assert most <= 3, "one that is made ready, the next, and what the loop holds"


# Cost.


def test_rows_tell_seconds_and_tokens(llava: Path) -> None:
    rows = rows_of(hf_plan(llava, batch_size=4), inputs(6))
    assert all(row["tokens"] > 1 for row in rows)
    assert all(0 <= row["waited_seconds"] <= row["seconds"] for row in rows)
    assert all(row["cpu_seconds"] > 0 for row in rows)


def test_a_worker_holds_one_model_and_opens_it_once(llava: Path) -> None:
    plan, other = hf_plan(llava), plan_of("image_caption")
    first = open_model_once(plan)
    assert open_model_once(plan) is first
    assert open_model_once(other) is not first
    assert open_model_once(plan) is not first, "the other took its place"


# Fingerprints and settings.


def test_only_what_changes_an_answer_is_in_the_fingerprint(llava: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "llava"
    moved.parent.mkdir()
    moved.symlink_to(llava)
    before = hf_plan(llava).fingerprint
    assert hf_plan(llava, batch_size=2).fingerprint == before
    assert hf_plan(llava, hf={"model": str(llava), "device": "cpu"}).fingerprint == before
    assert hf_plan(moved).fingerprint == before
    assert hf_plan(llava, hf={"model": str(llava), "prompt": "What?"}).fingerprint != before
    assert hf_plan(llava, check={"language_model": "none"}).fingerprint != before
    renamed = shutil.copytree(llava, tmp_path / "renamed")
    assert hf_plan(renamed).fingerprint == before
    embedded = plan_of("image_caption").fingerprint
    assert plan_of("image_caption", image_caption={"check": {"language_model": "none"}}).fingerprint == embedded
    urls = "http://127.0.0.1:9/v1", "http://127.0.0.1:10/v1"
    one, two = (plan_of("translation", translation=elsewhere(url)).fingerprint for url in urls)
    assert one == two


def test_another_prompt_answers_again_and_so_does_what_reads_it(llava: Path) -> None:
    def fingerprints(prompt: str) -> dict[str, str]:
        captioner = {"engine": "hf", "hf": {"model": str(llava), "prompt": prompt}}
        settings = {"image_caption": captioner, "translation": elsewhere("http://127.0.0.1:9/v1")}
        config = CurateConfig.model_validate({"root": "x", "source": {"path": "."}, **settings})
        return {name: plan.fingerprint for name, plan in plan_stages(config).items()}

    one, other = fingerprints("What is this?"), fingerprints("What do you see?")
    assert {name for name in one if one[name] != other[name]} == {"image_caption", "summary", "translation"}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"image_caption": {"engine": "hf"}}, "needs a section hf"),
        ({"summary": {"check": {"max_tokens": 9}}}, "only once"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        plan_of("summary", **settings)


def test_a_model_that_is_not_here_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere"):
        hf_plan(tmp_path / "nowhere")


def test_a_model_that_answers_nothing_plain_is_refused_when_it_is_opened() -> None:
    with serving(lambda body: says("", num_read=7 if picture_size(body) is None else 50)) as server:
        own = elsewhere(server.url)
        plan = plan_of("image_caption", image_caption=own, translation=own)
        with pytest.raises(UserError, match="even a plain sample is not answered"):
            open_model_once(plan)
