"""Describe on media drawn here, of which every fact is known: it says what is there and nothing else.

Shapes: D frames, H W canvas; 4 = straight RGBA, uint8.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.models.describe import MotionDescriber, PictureDescriber
from pipeline.models.describe.facts import (
    Amount,
    Blink,
    Color,
    Loop,
    Outline,
    Path,
    Place,
    Pulse,
    Rate,
    Scene,
    Still,
)
from pipeline.models.describe.motion import measure_motion
from pipeline.models.describe.picture import measure_picture
from pipeline.models.describe.reading import read_english
from pipeline.text_tokens import count_tokens
from schemas.clip import Clip

YELLOW, RED, BLUE, GREEN, PURPLE = (255, 205, 40), (220, 30, 30), (40, 90, 220), (60, 170, 70), (140, 60, 200)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def blank(height=96, width=96, color=None):
    frame = np.zeros((height, width, 4), np.uint8)
    if color is not None:
        frame[:] = (*color, 255)
    return frame


def draw_disc(frame, x, y, radius, color=YELLOW):
    """Paint a disc; centre and radius are fractions of the width and the height."""
    height, width = frame.shape[:2]
    rows, columns = np.mgrid[:height, :width] + 0.5
    inside = ((columns / width - x) * width) ** 2 + ((rows / height - y) * height) ** 2 <= (
        radius * min(height, width)
    ) ** 2
    frame[inside] = (*color, 255)
    return frame


def draw_bar(frame, angle_degrees, length=0.8, thickness=0.2, color=RED):
    height, width = frame.shape[:2]
    rows, columns = np.mgrid[:height, :width] + 0.5
    x, y = columns - width / 2, rows - height / 2
    angle = math.radians(angle_degrees)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    frame[(abs(along) <= length * width / 2) & (abs(across) <= thickness * width / 2)] = (*color, 255)
    return frame


def clip_of(frames, delay_ms=50):
    """A clip as decoding gives it: equal neighbours merged."""
    distinct, runs = [frames[0]], [1]
    for frame in frames[1:]:
        if np.array_equal(frame, distinct[-1]):
            runs[-1] += 1
        else:
            distinct.append(frame)
            runs.append(1)
    return Clip(np.stack(distinct), tuple(runs), (delay_ms,) * len(frames))


def swinging_disc(num_frames=20, dx=0.0, dy=0.0, rounds=1, background=None, radius=0.2):
    """A disc that swings by dx of the width and dy of the height, a quarter of a turn apart."""
    frames = []
    for index in range(num_frames):
        angle = 2 * math.pi * rounds * index / num_frames
        x, y = 0.5 + dx / 2 * math.sin(angle), 0.5 + dy / 2 * math.cos(angle)
        frames.append(draw_disc(blank(color=background), x, y, radius))
    return clip_of(frames)


# Pictures.


def test_a_round_yellow_disc_is_described_as_such():
    caption = PictureDescriber().caption_images([draw_disc(blank(), 0.5, 0.5, 0.3)], ["laugh"])
    assert caption == [
        'A small square sticker tagged "laugh": a round yellow figure, centered, on a transparent background.'
    ]


def test_without_a_label_there_is_no_tag():
    image = draw_disc(blank(), 0.5, 0.5, 0.3)
    for label in (None, "", "  \n"):
        assert "tagged" not in PictureDescriber().caption_images([image], [label])[0]


def test_colours_are_named_by_falling_share_of_the_figure():
    image = draw_disc(draw_disc(draw_disc(blank(), 0.5, 0.5, 0.4), 0.5, 0.5, 0.25, RED), 0.5, 0.5, 0.15, BLACK)
    picture = measure_picture(image, None)
    assert picture.colors == (Color.YELLOW, Color.RED, Color.BLACK)


def test_a_colour_that_hardly_shows_is_not_named():
    image = draw_disc(draw_disc(blank(), 0.5, 0.5, 0.4), 0.5, 0.5, 0.05, BLUE)
    assert measure_picture(image, None).colors == (Color.YELLOW,)


def test_thin_black_lines_on_pink_do_not_make_brown():
    image = draw_disc(blank(512, 512), 0.5, 0.5, 0.4, (255, 150, 140))
    image[::8][image[::8, :, 3] > 0] = (0, 0, 0, 255)
    assert measure_picture(image, None).colors == (Color.PINK, Color.BLACK)


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ((0, 0, 0), Color.BLACK),
        ((255, 255, 255), Color.WHITE),
        ((128, 128, 128), Color.GRAY),
        ((230, 20, 30), Color.RED),
        ((255, 140, 0), Color.ORANGE),
        ((255, 220, 40), Color.YELLOW),
        ((30, 160, 50), Color.GREEN),
        ((60, 200, 200), Color.TURQUOISE),
        ((30, 80, 220), Color.BLUE),
        ((130, 40, 170), Color.PURPLE),
        ((255, 150, 190), Color.PINK),
        ((120, 70, 30), Color.BROWN),
        ((240, 220, 180), Color.BEIGE),
    ],
)
def test_plain_colours_get_their_plain_names(color, name):
    assert measure_picture(draw_disc(blank(), 0.5, 0.5, 0.4, color), None).colors == (name,)


@pytest.mark.parametrize(("color", "name"), [(None, Color.CLEAR), (WHITE, Color.WHITE), (BLUE, Color.BLUE)])
def test_the_background_is_measured_at_the_border(color, name):
    assert measure_picture(draw_disc(blank(color=color), 0.5, 0.5, 0.3), None).background is name


def test_a_picture_without_a_plain_border_claims_no_background():
    stripes = np.zeros((90, 90, 4), np.uint8)
    for index, color in enumerate((RED, BLUE, GREEN)):
        stripes[:, 30 * index : 30 * index + 30] = (*color, 255)
    picture = measure_picture(stripes, None)
    assert picture.scene is Scene.SCENE
    assert picture.background is None
    assert set(picture.colors) == {Color.RED, Color.BLUE, Color.GREEN}


@pytest.mark.parametrize(
    ("x", "y", "place"),
    [(0.5, 0.5, Place.CENTER), (0.2, 0.5, Place.LEFT), (0.5, 0.8, Place.BOTTOM), (0.8, 0.2, Place.TOP_RIGHT)],
)
def test_the_place_of_the_figure_is_where_its_box_lies(x, y, place):
    assert measure_picture(draw_disc(blank(), x, y, 0.15), None).place is place


def test_a_figure_that_reaches_all_edges_fills_the_canvas():
    assert measure_picture(draw_disc(blank(), 0.5, 0.5, 0.48), None).place is Place.FULL


@pytest.mark.parametrize(
    ("length", "thickness", "angle", "outline"),
    [
        (0.8, 0.3, 0, Outline.WIDE),
        (0.8, 0.3, 90, Outline.TALL),
        (0.6, 0.6, 0, Outline.SQUARE),
        (0.6, 0.6, 45, None),
    ],
)
def test_the_outline_follows_the_box_and_how_it_is_filled(length, thickness, angle, outline):
    assert measure_picture(draw_bar(blank(), angle, length, thickness), None).outline is outline


def test_two_discs_apart_are_several_shapes():
    image = draw_disc(draw_disc(blank(), 0.25, 0.5, 0.15), 0.75, 0.5, 0.15)
    assert measure_picture(image, None).scene is Scene.GROUP


def test_specks_around_a_figure_do_not_change_its_outline():
    image = draw_disc(draw_disc(blank(), 0.5, 0.5, 0.3), 0.95, 0.5, 0.03)
    picture = measure_picture(image, None)
    assert (picture.scene, picture.outline) == (Scene.FIGURE, Outline.ROUND)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (blank(), "only a transparent background"),
        (blank(color=RED), "only a red background"),
        (blank(1, 1), "only a transparent background"),
        (blank(2, 3000), "large wide"),
        (blank(3000, 2), "large tall"),
        (blank(16, 16, WHITE), "A tiny square sticker: only a white background."),
    ],
    ids=["clear", "red", "one clear pixel", "very wide", "very tall", "white"],
)
def test_empty_and_extreme_pictures_are_told_as_they_are(image, words):
    assert words in PictureDescriber().caption_images([image], [None])[0]


# Motion.


def test_a_still_clip_says_that_nothing_moves():
    clip = clip_of([draw_disc(blank(), 0.5, 0.5, 0.3)] * 5)
    assert MotionDescriber().caption_clips([clip], ["laugh"]) == ["Nothing moves."]


def test_a_disc_that_swings_by_a_fifth_of_the_width_says_so():
    clip = swinging_disc(num_frames=20, dx=0.2, rounds=2)
    assert MotionDescriber().caption_clips([clip], [None]) == [
        "The figure moves left and right by a fifth of the width about twice a second, looping smoothly;"
        " 16 pictures in 1.0 seconds."
    ]


@pytest.mark.parametrize("background", [None, WHITE, BLUE])
@pytest.mark.parametrize(
    ("dx", "dy", "path", "amount"),
    [
        (0.1, 0, Path.LEFT_RIGHT, Amount.TENTH),
        (0.33, 0, Path.LEFT_RIGHT, Amount.THIRD),
        (0, 0.2, Path.UP_DOWN, Amount.FIFTH),
        (0, 0.05, Path.UP_DOWN, Amount.SLIGHT),
        (0.5, 0.5, Path.CIRCLE, Amount.HALF),
        (0.25, 0.2, Path.CIRCLE, Amount.QUARTER),
    ],
)
def test_direction_and_amplitude_come_out_as_drawn(dx, dy, path, amount, background):
    travel = measure_motion(swinging_disc(dx=dx, dy=dy, background=background)).travel
    assert (travel.path, travel.amount) == (path, amount)


def test_a_diagonal_is_no_circle():
    frames = [
        draw_disc(
            blank(),
            0.5 + 0.2 * math.sin(index / 10 * math.pi),
            0.5 + 0.2 * math.sin(index / 10 * math.pi),
            0.2,
        )
        for index in range(20)
    ]
    assert measure_motion(clip_of(frames)).travel.path is Path.DIAGONAL


@pytest.mark.parametrize(
    ("num_frames", "delay_ms", "rounds", "rate"),
    [(20, 50, 1, Rate(1, 1)), (20, 50, 3, Rate(3, 1)), (20, 200, 1, Rate(1, 4)), (12, 10, 1, Rate(1, 1))],
    ids=["once a second", "three times a second", "every four seconds", "10 ms plays as 100 ms"],
)
def test_the_rate_counts_swings_on_the_time_axis(num_frames, delay_ms, rounds, rate):
    frames = swinging_disc(num_frames, dx=0.3, rounds=rounds).frames
    assert measure_motion(Clip(frames, (1,) * len(frames), (delay_ms,) * len(frames))).rate == rate


def test_a_held_frame_slows_the_rate_down():
    frames = swinging_disc(9, dx=0.3).frames
    clip = Clip(frames, (1,) * 8 + (12,), (100,) * 20)
    assert measure_motion(clip).rate == Rate(1, 2)


def test_a_disc_that_passes_by_moves_one_way_and_jumps_back():
    frames = [draw_disc(blank(), 0.25 + 0.05 * index, 0.5, 0.2) for index in range(11)]
    motion = measure_motion(clip_of(frames))
    assert (motion.travel.path, motion.rate, motion.loop) == (Path.TO_RIGHT, None, Loop.JUMP)
    assert measure_motion(clip_of(frames[::-1])).travel.path is Path.TO_LEFT


def test_a_figure_cut_off_by_the_edge_still_moves_as_far_as_it_does():
    frames = []
    for index in range(20):
        angle = 2 * math.pi * index / 20
        frames.append(draw_disc(blank(), 0.5 + 0.15 * math.sin(angle), 0.85 + 0.1 * math.cos(angle), 0.35))
    assert measure_motion(clip_of(frames)).travel.path is Path.CIRCLE


def test_a_change_inside_a_resting_figure_is_no_movement_of_it():
    frames = [
        draw_disc(draw_disc(blank(), 0.5, 0.5, 0.4), 0.35 + 0.03 * index, 0.3, 0.06, BLACK) for index in range(10)
    ]
    motion = measure_motion(clip_of(frames))
    assert motion.travel.path is Path.NONE
    assert motion.stir.share in (Amount.SLIGHT, Amount.TENTH)
    assert motion.stir.place is Place.TOP
    assert motion.rate is None


def test_a_raised_arm_does_not_move_the_figure():
    frames = []
    for index in range(12):
        frame = draw_disc(blank(), 0.5, 0.65, 0.3)
        tip = 0.3 - 0.2 * abs(math.sin(math.pi * index / 12))
        frame[int(tip * 96) : 48, 70:78] = (*YELLOW, 255)
        frames.append(frame)
    travel = measure_motion(clip_of(frames)).travel
    assert travel is None or not travel.path.is_way


def test_a_pulse_grows_and_shrinks():
    frames = [draw_disc(blank(), 0.5, 0.5, 0.3 + 0.08 * math.sin(index / 5 * math.pi)) for index in range(20)]
    motion = measure_motion(clip_of(frames))
    assert (motion.pulse, motion.rate) == (Pulse.BOTH, Rate(2, 1))
    assert motion.travel.path is Path.NONE if motion.travel else True


def test_growing_without_return_only_grows():
    frames = [draw_disc(blank(), 0.5, 0.5, 0.1 + 0.03 * index) for index in range(11)]
    assert measure_motion(clip_of(frames)).pulse is Pulse.GROWS
    assert measure_motion(clip_of(frames[::-1])).pulse is Pulse.SHRINKS


def test_a_moving_disc_does_not_pulse():
    assert measure_motion(swinging_disc(dx=0.4, dy=0.3)).pulse is None


@pytest.mark.parametrize(
    ("shown", "blink"),
    [("1010", Blink.BOTH), ("0111", Blink.APPEARS), ("1110", Blink.VANISHES), ("110111", Blink.BOTH)],
)
def test_coming_and_going_is_told(shown, blink):
    frames = [draw_disc(blank(), 0.5, 0.5, 0.3 if bit == "1" else 0) for bit in shown]
    assert measure_motion(clip_of(frames)).blink is blink


def test_a_blink_counts_how_often():
    frames = [draw_disc(blank(), 0.5, 0.5, 0.3 if index % 5 else 0) for index in range(20)]
    motion = measure_motion(clip_of(frames))
    assert (motion.blink, motion.rate) == (Blink.BOTH, Rate(4, 1))


def test_a_figure_that_gets_dark_and_bright_flashes_without_moving():
    frames = [draw_disc(blank(), 0.5, 0.5, 0.3, (level, level, level)) for level in (230, 150, 60, 150)]
    motion = measure_motion(clip_of(frames))
    assert (motion.blink, motion.hues, motion.travel.path) == (Blink.BRIGHTNESS, None, Path.NONE)


def test_a_disc_of_changing_hue_cycles_through_colours_and_stays():
    colors = [RED, YELLOW, GREEN, BLUE, PURPLE]
    frames = [draw_disc(blank(), 0.5, 0.5, 0.3, color) for color in colors]
    (caption,) = MotionDescriber().caption_clips([clip_of(frames)], [None])
    assert caption.startswith("The figure stays in place and cycles through several colors")


def test_two_colours_in_turn_are_named():
    frames = [draw_disc(blank(), 0.5, 0.5, 0.3, color) for color in (YELLOW, RED, YELLOW, RED)]
    assert "changes between yellow and red" in MotionDescriber().caption_clips([clip_of(frames)], [None])[0]


def test_two_colours_side_by_side_that_move_are_no_change_of_colour():
    frames = []
    for index in range(12):
        x = 0.5 + 0.15 * math.sin(index / 6 * math.pi)
        frames.append(draw_disc(draw_disc(blank(), x, 0.5, 0.3), x, 0.5, 0.2, BLUE))
    motion = measure_motion(clip_of(frames))
    assert motion.hues is None
    assert motion.travel.path is Path.LEFT_RIGHT


def test_a_rocking_bar_tilts_by_its_angle():
    frames = [draw_bar(blank(), 20 * math.sin(index / 8 * math.pi)) for index in range(16)]
    motion = measure_motion(clip_of(frames))
    assert (motion.turn.degrees, motion.pulse) == (40, None)


def test_a_bar_that_goes_on_turning_turns_all_the_way_round():
    frames = [draw_bar(blank(), 15 * index) for index in range(24)]
    (caption,) = MotionDescriber().caption_clips([clip_of(frames)], [None])
    assert "turns all the way round" in caption


def test_a_turning_disc_is_not_said_to_turn():
    frames = []
    for index in range(12):
        angle = index / 6 * math.pi
        x, y = 0.5 + 0.2 * math.cos(angle), 0.5 + 0.2 * math.sin(angle)
        frames.append(draw_disc(draw_disc(blank(), 0.5, 0.5, 0.4), x, y, 0.08, BLACK))
    assert measure_motion(clip_of(frames)).turn is None


def test_a_background_that_changes_makes_the_whole_picture_the_subject():
    frames = [draw_disc(blank(color=color), 0.5, 0.5, 0.3) for color in (WHITE, BLACK, BLUE, GREEN)]
    assert MotionDescriber().caption_clips([clip_of(frames)], [None])[0].startswith("The picture ")


def test_a_cut_back_to_the_start_is_told_from_a_smooth_loop():
    smooth = swinging_disc(num_frames=20, dx=0.3)
    cut = clip_of([*smooth.frames[:10], blank(color=BLUE)])
    assert measure_motion(smooth).loop is Loop.SMOOTH
    assert measure_motion(cut).loop is not Loop.SMOOTH


# Always.


@pytest.mark.parametrize("num_frames", [2, 400])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3000), (3000, 2), (7, 5)])
def test_odd_canvases_and_lengths_are_captioned(num_frames, height, width):
    frames = np.zeros((num_frames, height, width, 4), np.uint8)
    frames[::2, height // 2, width // 2] = (255, 0, 0, 255)
    clip = Clip(frames, (1,) * num_frames, (40,) * num_frames)
    (caption,) = MotionDescriber().caption_clips([clip], [None])
    assert read_english(caption) is not None


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(1, 5), st.integers(1, 12), st.integers(1, 12), st.just(4)),
        elements=st.sampled_from([0, 60, 127, 128, 255]),
        fill=st.just(0),
    ),
    st.text(max_size=30),
)
def test_whatever_the_pixels_both_captions_are_sentences_that_fit(frames, label):
    frames[frames[..., 3] == 0] = 0
    clip = clip_of(list(frames))
    captions = [
        *PictureDescriber().caption_images([clip.frames[0]], [label]),
        *MotionDescriber().caption_clips([clip], [label]),
    ]
    for caption in captions:
        facts = read_english(caption)
        assert facts is not None
        assert count_tokens(caption) <= 52
        assert isinstance(facts.motion, Still) == (caption == "Nothing moves.")


def test_half_transparent_edges_do_not_darken_the_colours():
    image = draw_disc(blank(512, 512), 0.5, 0.5, 0.4)
    image[::2, :, 3] = np.minimum(image[::2, :, 3], 200)
    image[image[..., 3] == 0] = 0
    assert measure_picture(image, None).colors == (Color.YELLOW,)


def test_the_same_clip_gives_the_same_words():
    clip = swinging_disc(dx=0.2, dy=0.1)
    captions = {MotionDescriber().caption_clips([clip], [None])[0] for _ in range(3)}
    assert len(captions) == 1


def test_pixels_are_not_written_to():
    clip = swinging_disc(num_frames=4, dx=0.2)
    clip.frames.flags.writeable = False
    MotionDescriber().caption_clips([clip], [None])
    PictureDescriber().caption_images([clip.frames[0]], [None])
