"""LaMa behind the Inpainter protocol: a scripted stand-in of its signature, saved and loaded as the weights are."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.clean.fill import fill_masks
from pipeline.models.lama import BIG_LAMA_SHA256, Lama, LamaConfig, identify_lama, open_lama
from pipeline.models.readers import ReaderConfig
from pipeline.stages.clean import CheckedCleanConfig, CleanStageConfig, identify_clean_models, open_clean_models
from schemas.errors import MachineFault, UserError

torch = pytest.importorskip("torch", reason="torch is not installed: it is part of the extra `lama`")
pytest.importorskip(
    "simple_lama_inpainting",
    reason="simple-lama-inpainting is not installed: pip install --no-deps simple-lama-inpainting",
)

HOLE = (slice(30, 44), slice(20, 70))


class Spread(torch.nn.Module):
    """Paints a hole with the colour that spreads into it from its rim."""

    def forward(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hole = (mask > 0).to(image.dtype)
        assert image.size(2) % 8 == 0
        assert image.size(3) % 8 == 0
        assert float((image * hole).sum()) == 0.0  # what the hole hides is shown to nobody
        picture, known = image * (1 - hole), 1 - hole
        for _ in range(64):
            near = torch.nn.functional.avg_pool2d(picture, 5, 1, 2)
            weight = torch.nn.functional.avg_pool2d(known, 5, 1, 2)
            is_new = (known == 0) & (weight > 0)
            picture = torch.where(is_new, near / weight.clamp(min=1e-6), picture)
            known = torch.where(is_new, torch.ones_like(known), known)
        return picture


class Hungry(torch.nn.Module):
    """Is out of memory whatever it is asked."""

    def forward(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return image + torch.zeros(1000000000000000)[0]


def save(module: torch.nn.Module, path: Path) -> LamaConfig:
    torch.jit.script(module).save(str(path))
    return LamaConfig(weights=path, sha256=sha256(path.read_bytes()).hexdigest(), device="cpu")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> LamaConfig:
    return save(Spread(), tmp_path_factory.mktemp("lama") / "stand-in.pt")


@pytest.fixture(scope="module")
def lama(config: LamaConfig) -> Lama:
    return open_lama(config)


def ramp(height: int, width: int) -> NDArray[np.uint8]:
    image = np.full((height, width, 3), 200, np.uint8)
    image[..., 0] = np.linspace(30, 220, width).astype(np.uint8)
    return image


@pytest.mark.parametrize("size", [(96, 120), (97, 123), (45, 71), (1, 1), (2, 300), (25, 25), (300, 9)])
def test_what_comes_back_has_the_size_of_the_image_and_is_new_only_in_the_mask(
    lama: Lama, size: tuple[int, int]
) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    mask = np.zeros(size, bool)
    mask[: size[0] // 2, : size[1] // 2] = True
    filled = lama.inpaint(image, mask)
    assert filled.shape == image.shape
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[~mask], image[~mask])


@pytest.mark.parametrize("size", [(96, 120), (91, 117)])
def test_the_picture_goes_on_behind_the_hole_where_it_was(lama: Lama, size: tuple[int, int]) -> None:
    truth = ramp(*size)
    broken = truth.copy()
    broken[HOLE] = (0, 255, 0)
    mask = np.zeros(size, bool)
    mask[HOLE] = True
    assert np.abs(lama.inpaint(broken, mask).astype(int) - truth)[mask].mean() < 4


@pytest.mark.parametrize("edge", ["top", "bottom", "left", "right"])
def test_a_hole_at_the_edge_of_the_picture_is_painted_from_inside(lama: Lama, edge: str) -> None:
    truth = np.full((51, 67, 3), (90, 140, 30), np.uint8)
    mask = np.zeros(truth.shape[:2], bool)
    mask[{"top": np.s_[:9], "bottom": np.s_[-9:], "left": np.s_[:, :9], "right": np.s_[:, -9:]}[edge]] = True
    broken = np.where(mask[..., None], np.uint8(255), truth)
    assert np.abs(lama.inpaint(broken, mask).astype(int) - truth).max() <= 2


def test_a_picture_larger_than_the_limit_is_painted_smaller_and_comes_back_in_its_size(config: LamaConfig) -> None:
    small = open_lama(config.model_copy(update={"max_side": 64}))
    truth = ramp(150, 211)
    mask = np.zeros((150, 211), bool)
    mask[60:90, 50:150] = True
    filled = small.inpaint(np.where(mask[..., None], np.uint8(0), truth), mask)
    assert np.array_equal(filled[~mask], truth[~mask])
    assert np.abs(filled.astype(int) - truth)[mask].mean() < 12


@pytest.mark.parametrize("everything", [True, False])
def test_with_nothing_to_go_on_or_nothing_to_do_the_picture_comes_back(lama: Lama, everything: bool) -> None:
    image = ramp(12, 14)
    assert np.array_equal(lama.inpaint(image, np.full((12, 14), everything)), image)


def test_two_openings_agree_and_the_identity_names_the_weights(lama: Lama, config: LamaConfig) -> None:
    image, mask = ramp(60, 90), np.zeros((60, 90), bool)
    mask[HOLE] = True
    assert np.array_equal(open_lama(config).inpaint(image, mask), lama.inpaint(image, mask))
    assert lama.identity == identify_lama(config)
    assert lama.identity.endswith(str(config.sha256)[:12])


class Counting:
    """An Inpainter that counts how often it is asked."""

    def __init__(self, inpainter: Lama) -> None:
        self.inpainter, self.identity, self.num_calls = inpainter, inpainter.identity, 0

    def inpaint(self, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        self.num_calls += 1
        return self.inpainter.inpaint(image, mask)


def test_a_region_that_stands_still_is_painted_once_and_cannot_flicker(lama: Lama) -> None:
    frame = np.random.default_rng(1).integers(0, 255, (80, 100, 4), dtype=np.uint8)
    frame[..., 3] = 255
    frames = np.repeat(frame[None], 6, axis=0)
    frames[:, 70:, 90:, :3] += np.arange(6, dtype=np.uint8)[:, None, None, None] * 40  # moves far away
    masks = np.zeros(frames.shape[:3], bool)
    masks[(slice(None), *HOLE)] = True
    counting = Counting(lama)
    filled = fill_masks(frames, masks, inpainter=counting, same_ring=4.0, flat_tolerance=8.0)
    assert counting.num_calls == 1
    assert len({each[HOLE].tobytes() for each in filled.frames}) == 1


# Weights.


def test_a_file_whose_digest_is_neither_given_nor_known_is_refused_before_it_is_loaded(
    config: LamaConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> None:
        raise AssertionError("the file was loaded")

    monkeypatch.setattr(torch.jit, "load", load)
    unknown = config.model_copy(update={"sha256": None})
    for act in (open_lama, identify_lama):
        with pytest.raises(UserError, match=f"not {BIG_LAMA_SHA256}.*it was not loaded"):
            act(unknown)
        with pytest.raises(UserError, match=r"lama\.sha256; it was not loaded"):
            act(config.model_copy(update={"sha256": "0" * 64}))


def test_a_file_changed_since_is_refused(tmp_path: Path) -> None:
    config = save(Spread(), tmp_path / "stand-in.pt")
    identify_lama(config)
    with config.weights.open("ab") as file:
        file.write(b"more")
    os.utime(config.weights, ns=(1, 1))
    with pytest.raises(UserError, match="has sha256"):
        identify_lama(config)


def test_missing_weights_and_weights_of_another_kind_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"big-lama\.pt is not there"):
        open_lama(LamaConfig(weights=tmp_path / "big-lama.pt"))
    path = tmp_path / "no-model.pt"
    path.write_bytes(b"not a model")
    with pytest.raises(UserError, match="no TorchScript file"):
        open_lama(LamaConfig(weights=path, sha256=sha256(b"not a model").hexdigest()))


def test_the_environment_is_left_as_it_was(config: LamaConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMA_MODEL", "elsewhere")
    open_lama(config)
    assert os.environ["LAMA_MODEL"] == "elsewhere"


def test_want_of_memory_is_the_machines_fault(tmp_path: Path) -> None:
    with pytest.raises(MachineFault, match="out of memory on 14 x 12"):
        open_lama(save(Hungry(), tmp_path / "hungry.pt")).inpaint(ramp(12, 14), np.eye(12, 14, dtype=bool))


# The stage.


def test_the_stage_opens_lama_by_name_and_the_default_stays(config: LamaConfig) -> None:
    chosen = CheckedCleanConfig(reader=ReaderConfig(), inpainter="lama", lama=config)
    assert open_clean_models(chosen).inpainter.identity == identify_lama(config)
    assert identify_lama(config) in identify_clean_models(chosen)
    default = CheckedCleanConfig(reader=ReaderConfig())
    assert "opencv" in identify_clean_models(default)


def test_lama_without_weights_is_a_mistake_of_the_config() -> None:
    with pytest.raises(ValueError, match=r"lama\.weights"):
        CleanStageConfig(inpainter="lama")


def test_threads_that_open_at_once_each_get_their_own_weights(
    config: LamaConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library is told its weights by the environment, which threads share; without them it would download."""
    monkeypatch.delenv("LAMA_MODEL", raising=False)
    others = [save(Spread(), tmp_path / f"{n}.pt") for n in range(3)]
    seen = []

    class Slow:
        def __init__(self, device: object) -> None:
            first = os.environ.get("LAMA_MODEL")
            time.sleep(0.05)
            seen.append((first, os.environ.get("LAMA_MODEL")))

    monkeypatch.setattr("simple_lama_inpainting.SimpleLama", Slow)
    with ThreadPoolExecutor(max_workers=4) as threads:
        list(threads.map(open_lama, [config, *others]))
    places = [str(each.weights) for each in (config, *others)]
    assert sorted(seen) == sorted((place, place) for place in places)
    assert "LAMA_MODEL" not in os.environ


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert LamaConfig.model_validate({"weights": "~/big-lama.pt"}).weights == tmp_path / "big-lama.pt"
    folders = {"detection": "~/det", "recognition": "models/rec"}
    paddle = ReaderConfig.model_validate({"engine": "paddleocr", "paddleocr": folders}).paddleocr
    assert paddle is not None
    assert (paddle.detection, paddle.recognition) == (tmp_path / "det", Path("models/rec"))
    with pytest.raises(ValueError, match="the home of a user who is not known here"):
        LamaConfig.model_validate({"weights": "~no-such-user-at-all/big-lama.pt"})
