"""Describe, summary and translation over the sample corpus: all of it fits, reads back and translates."""

import json

import pytest

from pipeline.media.decode import decode_clip
from pipeline.models.describe import MotionDescriber, PictureDescriber
from pipeline.models.describe.facts import Color, Hues, Outline, Path, Scene, Still
from pipeline.models.describe.reading import read_english
from pipeline.models.extractive import Extractive
from pipeline.models.grammar_zh import GrammarTranslator
from pipeline.text_tokens import MAX_TEXT_TOKENS, count_tokens


@pytest.fixture(scope="module")
def captions(corpus_sample):
    """Path inside the corpus -> image caption and video caption of each of its samples."""
    found = {}
    for line in (corpus_sample / "labels.jsonl").read_text().splitlines():
        sample = json.loads(line)
        clip = decode_clip((corpus_sample / sample["path"]).read_bytes())
        image = PictureDescriber().caption_images([clip.frames[0]], [sample["label"]])
        found[sample["path"]] = [*image, *MotionDescriber().caption_clips([clip], [sample["label"]])]
    return found


def motion_of(captions, path):
    return read_english(captions[path][1]).motion


def picture_of(captions, path):
    return read_english(captions[path][0]).picture


def test_every_caption_summary_and_translation_fits_the_text_encoder(captions):
    assert len(captions) > 500
    too_long = {}
    for path, texts in captions.items():
        (summary,) = Extractive().summarize([texts], MAX_TEXT_TOKENS)
        everything = [*texts, summary, *GrammarTranslator().translate([*texts, summary])]
        longest = max(everything, key=count_tokens)
        if count_tokens(longest) > MAX_TEXT_TOKENS:
            too_long[path] = longest
    assert too_long == {}


def test_every_summary_keeps_the_label(captions):
    for path, texts in captions.items():
        (summary,) = Extractive().summarize([texts], MAX_TEXT_TOKENS)
        assert read_english(summary).picture.label == picture_of(captions, path).label, path


def test_most_party_parrots_move_in_a_circle_and_cycle_through_colours(captions):
    for name in (
        "parrot",
        "partyparrot",
        "beretparrot",
        "copparrot",
        "tennisparrot",
        "slowparrot",
        "60fpsparrot",
    ):
        motion = motion_of(captions, f"parrots/{name}.gif")
        assert motion.travel.path is Path.CIRCLE, name
        assert motion.hues == Hues(), name


def test_parrots_of_one_colour_are_not_said_to_change_it(captions):
    for name in ("germanyparrot", "netherlandsparrot", "mexicoparrot", "African_Grey", "White_Cockatoo"):
        assert motion_of(captions, f"parrots/{name}.gif").hues is None, name


def test_a_sleeping_parrot_stays_while_its_colours_change(captions):
    motion = motion_of(captions, "parrots/sleepingparrot.gif")
    assert (motion.travel.path, motion.hues) == (Path.NONE, Hues())


def test_heads_nod_up_and_down_and_shake_left_and_right(captions):
    assert motion_of(captions, "noto-resized/027_Head-nod_96.gif").travel.path is Path.UP_DOWN
    assert motion_of(captions, "noto-resized/028_Head-shake_96.gif").travel.path is Path.LEFT_RIGHT


def test_hearts_beat_and_hands_tilt(captions):
    assert motion_of(captions, "noto-resized/142_Red-heart_96.gif").pulse is not None
    assert motion_of(captions, "noto-original/158_Beating-heart_512.gif").pulse is not None
    assert motion_of(captions, "noto-resized/316_Wave_128.gif").turn.degrees == 30


def test_faces_are_round_and_yellow(captions):
    picture = picture_of(captions, "noto-resized/004_Grinning_64.gif")
    assert (picture.scene, picture.outline, picture.colors[0]) == (Scene.FIGURE, Outline.ROUND, Color.YELLOW)
    with_words = picture_of(captions, "noto-caption-zh/005_Laughing_zh.gif")
    assert (with_words.outline, with_words.background) == (Outline.ROUND, Color.WHITE)


def test_static_smileys_do_not_move(captions):
    stills = [path for path in captions if path.startswith("fugue-static/")]
    assert stills
    assert all(isinstance(motion_of(captions, path), Still) for path in stills)
