"""Drawn stickers: their truth is what a GIF decoder sees, and a series holds what a demo needs."""

import math
from collections import Counter
from itertools import islice

import numpy as np
import pytest

from pipeline.synthetic import Sticker, draw_stickers
from pipeline.synthetic.canvas import new_pen, smooth
from pipeline.synthetic.expressions import EXPRESSIONS, draw_face
from pipeline.synthetic.faces import winking_eyes
from pipeline.synthetic.figures import FIGURES
from pipeline.synthetic.lettering import MODES
from pipeline.synthetic.motions import MOTIONS, Pose
from pipeline.synthetic.plan import COMMON_LABELS, RARE_LABELS, Plan, plan_sticker
from pipeline.synthetic.scenery import SCENES, Background, draw_background


@pytest.fixture(scope="module")
def stickers() -> list[Sticker]:
    return list(draw_stickers(40, seed=5))


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return [plan_sticker(number, seed=5) for number in range(200)]


def test_mask_is_true_exactly_where_text_changed_a_pixel(stickers: list[Sticker]) -> None:
    for sticker in stickers:
        changed = (sticker.frames != sticker.clean_frames).any(axis=3)
        assert np.array_equal(sticker.text_mask, changed), sticker.name
        assert sticker.text_mask.any() == (sticker.text is not None), sticker.name


def test_box_touches_the_mask_on_all_four_sides(stickers: list[Sticker]) -> None:
    for sticker in stickers:
        if sticker.text is None:
            assert sticker.text_box is None
            assert sticker.language is None
            continue
        assert sticker.text_box is not None
        x0, y0, x1, y1 = sticker.text_box
        union = np.logical_or.reduce(sticker.text_mask, axis=0)
        assert union[y0:y1, x0:x1].sum() == union.sum(), "nothing outside the box"
        sides = (union[y0, :], union[y1 - 1, :], union[:, x0], union[:, x1 - 1])
        assert all(side.any() for side in sides), sticker.name


def test_text_has_edges_of_its_own_and_stays_a_minor_part(stickers: list[Sticker]) -> None:
    for sticker in stickers:
        if sticker.text is not None:
            share = sticker.text_mask.any(axis=(1, 2)).mean()
            assert 0.2 < share <= 1, f"{sticker.name}: text in {share:.0%} of the frames"
            assert sticker.text_mask.mean(axis=(1, 2)).max() < 0.25, sticker.name


def test_alpha_is_binary_and_a_clip_has_one_small_palette(stickers: list[Sticker]) -> None:
    for sticker in stickers:
        both = np.concatenate([sticker.frames, sticker.clean_frames]).reshape(-1, 4)
        colours = np.unique(both.view(np.uint32)).view(np.uint8).reshape(-1, 4)
        assert set(colours[:, 3]) <= {0, 255}, sticker.name
        assert not colours[colours[:, 3] == 0].any(), "canonical: no colour under transparency"
        assert (colours[:, 3] == 255).sum() <= 255, sticker.name


def test_shapes_and_sizes_are_as_promised(stickers: list[Sticker]) -> None:
    for sticker in stickers:
        num_frames, height, width, _ = sticker.frames.shape
        assert sticker.frames.dtype == np.uint8
        assert sticker.text_mask.shape == (num_frames, height, width)
        assert len(sticker.delays_ms) == num_frames
        assert 6 <= num_frames <= 24
        assert 96 <= min(height, width) <= max(height, width) <= 240


def test_every_sticker_moves_and_its_loop_has_no_seam(stickers: list[Sticker]) -> None:
    for sticker in stickers:
        clean = sticker.clean_frames.astype(np.int16)
        steps = np.abs(np.roll(clean, -1, axis=0) - clean).mean(axis=(1, 2, 3))
        assert steps.max() > 0, sticker.name
        assert steps[-1] <= 2 * steps[:-1].max() + 0.5, f"{sticker.name}: {steps.round(2)}"


def test_poses_at_the_end_of_a_loop_are_those_at_its_beginning() -> None:
    def flat(pose: Pose) -> list[float]:
        arm = 0.0 if pose.arm is None else pose.arm
        return [pose.dx, pose.dy, pose.away, math.cos(pose.angle), math.sin(pose.angle), *pose.stretch, arm]

    for name, motion in MOTIONS.items():
        assert flat(motion(0.0)) == pytest.approx(flat(motion(1.0)), abs=1e-9), name


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_scenery_has_no_seam_and_moves_only_if_it_says_so(scene: str) -> None:
    background = Background(scene, (120, 160, 210), (190, 220, 240))
    start, middle, end = (draw_background(background, 90, 80, t=t) for t in (0.0, 0.4, 1.0))
    assert np.abs(start.astype(int) - end).mean() < 0.02
    assert np.array_equal(start, middle) != background.is_moving


@pytest.mark.parametrize("label", sorted(EXPRESSIONS))
def test_faces_and_props_have_no_seam(label: str) -> None:
    for expression in EXPRESSIONS[label]:
        sheets = []
        for t in (0.2, 1.2 - 1e-9) if expression.eyes is winking_eyes else (0.0, 1 - 1e-9):
            pen = new_pen(90, 90)
            figure = pen.moved(45, 45, scale=25)
            draw_face(figure, expression, 1.0, t)
            for prop in expression.around:
                prop(figure, t)
            sheets.append(smooth(pen.pixels).astype(int))
        assert np.abs(sheets[0] - sheets[1]).mean() < 0.05, expression
        assert sheets[0].any()


def test_a_series_does_not_depend_on_its_length_but_on_its_seed() -> None:
    alone = list(draw_stickers(3, seed=9))
    longer = list(islice(draw_stickers(50, seed=9), 3))
    other = list(draw_stickers(3, seed=10))
    for a, b, c in zip(alone, longer, other, strict=True):
        assert np.array_equal(a.frames, b.frames)
        assert (a.name, a.text, a.delays_ms) == (b.name, b.text, b.delays_ms)
        assert a.frames.shape != c.frames.shape or not np.array_equal(a.frames, c.frames)


def test_half_of_a_series_has_text_in_every_language_and_mode(plans: list[Plan]) -> None:
    letterings = [plan.lettering for plan in plans if plan.lettering]
    assert len(letterings) == 100
    languages = Counter(lettering.language for lettering in letterings)
    assert set(languages) == {"zh", "en", "mixed"}
    assert min(languages.values()) >= 20
    modes = Counter(lettering.mode for lettering in letterings)
    assert set(modes) == set(MODES)
    assert modes.most_common(1)[0][0] == "static"


def test_languages_are_what_the_letters_say(plans: list[Plan]) -> None:
    for lettering in (plan.lettering for plan in plans if plan.lettering):
        has_chinese = any("\u4e00" <= letter <= "\u9fff" for letter in lettering.text)
        has_latin = any(letter.isascii() and letter.isalpha() for letter in lettering.text)
        expected = {(True, False): "zh", (False, True): "en", (True, True): "mixed"}
        assert lettering.language == expected[has_chinese, has_latin], lettering.text


def test_common_labels_have_many_members_with_and_without_text_and_rare_ones_few(plans: list[Plan]) -> None:
    counts = Counter((plan.label, plan.lettering is not None) for plan in plans)
    for label in COMMON_LABELS:
        assert counts[label, True] >= 7, label
        assert counts[label, False] >= 7, label
    for label in RARE_LABELS:
        assert 1 <= counts[label, True] + counts[label, False] <= 3, label
    assert set(EXPRESSIONS) == {plan.label for plan in plans}


def test_a_series_shows_every_shape_motion_and_scene(plans: list[Plan]) -> None:
    assert {plan.shape for plan in plans} == set(FIGURES)
    assert {plan.motion for plan in plans} == set(MOTIONS)
    assert {plan.background.kind for plan in plans} == {"transparent", "flat", "gradient", *SCENES}


def test_delays_are_ordinary_mostly_and_wild_sometimes(plans: list[Plan]) -> None:
    delays = Counter(delay for plan in plans for delay in plan.delays_ms)
    assert set(delays) == {0, 10, *range(40, 121, 10)}
    assert delays[0] + delays[10] < 0.25 * delays.total()
    assert any(len(set(plan.delays_ms)) > 1 for plan in plans)


def test_names_are_unique(plans: list[Plan]) -> None:
    assert len({plan.name for plan in plans}) == len(plans)
