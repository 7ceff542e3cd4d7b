"""Signatures: nearly the same for the same animation presented otherwise, and far for another one."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.media.decode import decode_clip
from pipeline.near.distance import distances
from pipeline.near.groups import NearConfig
from pipeline.quality.likeness import sign_clip, sign_frames
from pipeline.quality.signature import NUM_BYTES, as_rows
from schemas.clip import Clip

ALIKE = NearConfig().max_distance
YELLOW, RED = (250, 200, 40), (220, 40, 40)
Frames = np.ndarray


def draw_face(*, body: tuple[int, int, int] = YELLOW, hat: bool = False, size: int = 96, frames: int = 12) -> Frames:
    """A face that looks around, one eye closed: RGBA on nothing."""
    drawn = np.zeros((frames, size, size, 4), np.uint8)
    for number, canvas in enumerate(drawn):
        turn = np.sin(2 * np.pi * number / frames)

        def at(x: float, y: float, turn: float = turn) -> tuple[int, int]:
            return round(size * (x + 0.08 * turn)), round(size * (y + 0.03 * turn))

        cv2.circle(canvas, at(0.5, 0.55), round(size * 0.36), (*body, 255), -1)
        cv2.circle(canvas, at(0.38, 0.45), round(size * 0.07), (30, 20, 10, 255), -1)
        cv2.line(canvas, at(0.55, 0.45), at(0.7, 0.45), (30, 20, 10, 255), max(1, size // 24))
        cv2.ellipse(canvas, at(0.5, 0.62), (size // 6, size // 10), 0, 0, 180, (120, 30, 20, 255), -1)
        if hat:
            cv2.rectangle(canvas, at(0.3, 0.08), at(0.7, 0.28), (40, 40, 90, 255), -1)
    return drawn


def sign(frames: Frames, delays_ms: list[int] | None = None) -> bytes:
    return sign_frames(frames, delays_ms or [60] * len(frames))


def distance(one: bytes, other: bytes) -> float:
    return float(distances(as_rows([one]), as_rows([other]))[0])


def over(frames: Frames, colour: int) -> Frames:
    alpha = frames[..., 3:] / 255
    shown = frames[..., :3] * alpha + colour * (1 - alpha)
    return np.concatenate([shown.round(), np.full_like(alpha, 255)], -1).astype(np.uint8)


def resized(frames: Frames, side: int) -> Frames:
    return np.stack([cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA) for frame in frames])


def framed(frames: Frames) -> Frames:
    return np.pad(frames, ((0, 0), (20, 5), (3, 30), (0, 0)))


def in_colour(frames: Frames) -> Frames:
    wide = np.empty((len(frames), 116, 120, 4), np.uint8)
    wide[...] = (30, 90, 200, 255)
    wide[:, 10:106, 12:108] = over(frames, 255)
    return wide


def captioned_below(frames: Frames) -> Frames:
    longer = over(np.pad(frames, ((0, 0), (0, 30), (0, 0), (0, 0))), 255)
    for frame in longer:
        cv2.putText(frame, "SO HAPPY", (4, 118), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0, 255), 2)
    return longer


def captioned_over(frames: Frames) -> Frames:
    shown = frames.copy()
    for frame in shown:
        cv2.putText(frame, "HAPPY", (18, 92), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255, 255), 2)
    return shown


def through_jpeg(frames: Frames) -> Frames:
    written = [
        cv2.imencode(".jpg", frame[..., 2::-1], [cv2.IMWRITE_JPEG_QUALITY, 50])[1] for frame in over(frames, 255)
    ]
    colour = np.stack([cv2.imdecode(each, cv2.IMREAD_COLOR)[..., ::-1] for each in written])
    return np.concatenate([colour, np.full((*colour.shape[:3], 1), 255, np.uint8)], -1)


PRESENTED = {
    "the loop starts elsewhere": lambda frames: np.roll(frames, 5, axis=0),
    "every second frame": lambda frames: frames[::2],
    "mirrored": lambda frames: frames[:, :, ::-1],
    "transparent margins": framed,
    "a coloured margin": in_colour,
    "on white": lambda frames: over(frames, 255),
    "half the size": lambda frames: resized(frames, 48),
    "fewer colours": lambda frames: frames // 24 * 24 * (frames[..., 3:] > 0) + (frames[..., 3:] > 0) * 8,
    "JPEG": through_jpeg,
    "a caption below": captioned_below,
    "a caption over the chin": captioned_over,
}


@pytest.mark.parametrize("how", PRESENTED)
def test_the_same_animation_presented_otherwise_is_alike(how: str):
    face = draw_face()
    assert distance(sign(face), sign(PRESENTED[how](face).astype(np.uint8))) <= ALIKE


def test_speed_and_a_long_hold_change_little():
    face = draw_face()
    assert sign(face, [60] * 12) == sign(face, [20] * 12)
    assert distance(sign(face), sign(face, [900] + [60] * 11)) <= ALIKE


@pytest.mark.parametrize("other", [{"body": RED}, {"hat": True}, {"body": (200, 150, 90)}])
def test_another_colour_or_prop_is_another_animation(other: dict[str, object]):
    assert distance(sign(draw_face()), sign(draw_face(**other))) > ALIKE


def test_a_still_picture_is_not_its_animation():
    assert distance(sign(draw_face()), sign(draw_face()[3:4])) > ALIKE


def test_flat_colours_and_tiny_smileys_are_told_apart():
    flat = [np.full((2, 16, 16, 4), (*colour, 255), np.uint8) for colour in (YELLOW, RED, (0, 0, 0))]
    tiny = [resized(draw_face(**look), 16) for look in ({}, {"body": RED})]
    signs = [sign(each) for each in (*flat, *tiny)]
    assert min(distance(one, other) for place, one in enumerate(signs) for other in signs[:place]) > ALIKE


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 300), (2, 300, 1), (3, 2, 2)])
def test_any_shape_has_a_signature(shape: tuple[int, int, int]):
    frames = np.zeros((*shape, 4), np.uint8)
    frames[..., 3] = 255
    assert len(sign(frames)) == len(sign(np.zeros_like(frames))) == NUM_BYTES


def test_a_clip_is_signed_by_the_delays_browsers_show():
    clip = Clip(draw_face(), run_lengths=(2, *[1] * 11), delays_ms=(0, 10, *[50] * 11))
    assert sign_clip(clip) == sign(clip.frames, [200, *[50] * 11])


def test_versions_in_the_sample_are_alike_and_its_lookalikes_are_not(corpus_sample: Path):
    def of(name: str) -> bytes:
        return sign_clip(decode_clip((corpus_sample / name).read_bytes()))

    alike = [
        ("noto-caption-zh/009_Loudly-crying_zh.gif", "noto-resized/009_Loudly-crying_80.gif"),
        ("gophers/typing-furiously.gif", "gophers/typing-furiously-3x.gif"),
        ("parrots/fastparrot.gif", "parrots/reverseparrot.gif"),
        ("parrots/wave1parrot.gif", "parrots/wave7parrot.gif"),
    ]
    unlike = [
        ("noto-resized/142_Red-heart_96.gif", "noto-resized/143_Orange-heart_96.gif"),
        ("noto-resized/214_Clap_128.gif", "noto-resized/215_Clap_128.gif"),
        ("parrots/fastparrot.gif", "parrots/mustacheparrot.gif"),
        ("fugue-static/sad.gif", "fugue-static/grin.gif"),
    ]
    assert [pair for pair in alike if distance(of(pair[0]), of(pair[1])) > ALIKE] == []
    assert [pair for pair in unlike if distance(of(pair[0]), of(pair[1])) <= ALIKE] == []
