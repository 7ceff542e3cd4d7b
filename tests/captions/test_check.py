"""Checks of captions: bad ones of many kinds are refused with their code, honest ones are let through as they are."""

import json
from itertools import product
from pathlib import Path

import pytest

from pipeline.captions import CaptionCheckConfig, check_caption, identify_checks, require_checks
from pipeline.media.decode import decode_clip
from pipeline.models.describe import MotionDescriber, PictureDescriber, facts
from pipeline.models.describe.facts import Caption, Hues, Length, Motion, Picture, Rate, Stir, Travel, Turn
from pipeline.models.describe.grammar import render_english
from pipeline.models.extractive import Extractive
from pipeline.models.grammar_zh import GrammarTranslator, render_chinese
from schemas.errors import BadCaption, UserError
from tests.captions import bad, honest

pytest.importorskip("py3langid", reason="py3langid is not installed: it is part of the extra `captions`")
pytest.importorskip("opencc", reason="OpenCC is not installed: it is part of the extra `captions`")

CHECKS = CaptionCheckConfig(max_tokens=52)
ANY_LENGTH = CaptionCheckConfig()
BAD = [
    (language, reason, text)
    for language, of_language in (("en", bad.ENGLISH), ("zh", bad.CHINESE))
    for reason, texts in of_language.items()
    for text in texts
]


@pytest.mark.parametrize(("language", "reason", "text"), BAD)
def test_a_bad_caption_is_refused_with_its_reason(language, reason, text):
    with pytest.raises(BadCaption) as refused:
        check_caption(text, CHECKS, language)
    assert refused.value.reason == reason, str(refused.value)


@pytest.mark.parametrize("text", honest.ENGLISH)
def test_an_honest_caption_is_stored_as_it_is(text):
    assert check_caption(text, CHECKS, "en") == text


@pytest.mark.parametrize("text", honest.CHINESE)
def test_an_honest_translation_is_stored_as_it_is(text):
    assert check_caption(text, CHECKS, "zh") == text


def every_kind_of_fact():
    """Captions of the describe grammar in which every choice of every fact comes up, with several neighbours."""
    colors = [color for color in facts.Color if color is not facts.Color.CLEAR]
    for scene, outline, place in product(facts.Scene, facts.Outline, facts.Place):
        index = 3 * list(facts.Place).index(place) + 7 * list(facts.Outline).index(outline)
        has_figure = scene in (facts.Scene.FIGURE, facts.Scene.GROUP)
        shown = () if scene is facts.Scene.EMPTY else tuple(colors[(index + 5 * n) % len(colors)] for n in range(3))
        picture = Picture(
            label=["laugh", "笑死我了", "OK", None][index % 4],
            size=list(facts.Size)[index % 4],
            format=list(facts.Format)[index % 3],
            scene=scene,
            outline=outline if scene is facts.Scene.FIGURE else None,
            colors=shown,
            place=place if has_figure else None,
            background=None if scene is facts.Scene.SCENE else colors[(index + 1) % len(colors)],
        )
        yield Caption(picture, facts.Still())
        yield Caption(picture, None)
    for path, amount, subject in product(facts.Path, facts.Amount, facts.Subject):
        index = list(facts.Amount).index(amount) + 2 * list(facts.Path).index(path)
        yield Caption(
            None,
            Motion(
                subject=subject,
                travel=Travel(path, amount if path.is_way else None),
                pulse=[None, *facts.Pulse][index % 4],
                turn=[None, Turn(None), Turn(20)][index % 3],
                blink=[None, *facts.Blink][index % 5],
                hues=[None, Hues(), Hues(colors[index % 13], colors[(index + 1) % 13])][index % 3],
                rate=Rate(3, 1) if path is not facts.Path.NONE else None,
                stir=Stir(amount, facts.Place.TOP) if index % 2 else None,
                loop=[None, *facts.Loop][index % 3],
                length=Length(12, 12),
            ),
        )


def test_no_sentence_of_the_describe_grammar_is_refused_in_either_language():
    captions = list(every_kind_of_fact())
    assert len(captions) > 400
    for caption in captions:
        english, chinese = render_english(caption), render_chinese(caption)
        assert check_caption(english, ANY_LENGTH, "en") == english
        assert check_caption(chinese, ANY_LENGTH, "zh") == chinese


def test_no_embedded_caption_of_the_sample_is_refused(corpus_sample: Path):
    for line in (corpus_sample / "labels.jsonl").read_text().splitlines()[::11]:
        sample = json.loads(line)
        clip = decode_clip((corpus_sample / sample["path"]).read_bytes())
        english = [
            *PictureDescriber().caption_images([clip.frames[0]], [sample["label"]]),
            *MotionDescriber().caption_clips([clip], [sample["label"]]),
        ]
        english += Extractive().summarize([english], 52)
        for text, chinese in zip(english, GrammarTranslator().translate(english), strict=True):
            assert check_caption(text, CHECKS, "en") == text
            assert check_caption(chinese, CHECKS, "zh") == chinese


# What is stored.


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("  A cat waves.\n", "A cat waves."),
        ("A cat\nwaves.", "A cat waves."),
        ('"A cat waves."', "A cat waves."),
        ("“A cat waves.”", "A cat waves."),
        ('"Hi" says a cat, "bye" says a dog', '"Hi" says a cat, "bye" says a dog'),
        ("\ufeffA cat\u200b waves.", "A cat waves."),
        ("A cafe\u0301", "A café"),
    ],
)
def test_what_surrounds_a_caption_is_taken_off(text, stored):
    assert check_caption(text, CHECKS, "en") == stored


def test_traditional_characters_are_simplified_refused_or_kept():
    traditional, simplified = "一隻貓在揮手，頭髮很長。", "一只猫在挥手，头发很长。"
    assert check_caption(traditional, CHECKS, "zh") == simplified
    assert check_caption(traditional, CaptionCheckConfig(traditional="keep"), "zh") == traditional
    refusing = CaptionCheckConfig(traditional="refuse")
    with pytest.raises(BadCaption, match="the first '隻'") as refused:
        check_caption(traditional, refusing, "zh")
    assert refused.value.reason == "traditional"
    assert check_caption(simplified, refusing, "zh") == simplified
    quoted = "贴图“生日快樂”：黄色图案。"
    assert check_caption(quoted, refusing, "zh") == "贴图“生日快乐”：黄色图案。"


# Length.


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> str:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: extra `train`")
    folder = tmp_path_factory.mktemp("tokenizer")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "wave", "##s", ".", "一", "只", "猫"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    transformers.BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return str(folder)


def test_tokens_are_counted_by_the_text_encoders_own_tokenizer_with_its_marks(tokenizer):
    text = "A cat waves."  # [CLS] a cat wave ##s . [SEP]
    assert check_caption(text, CaptionCheckConfig(max_tokens=7, tokenizer=tokenizer), "en") == text
    with pytest.raises(BadCaption, match="7 tokens, at most 6") as refused:
        check_caption(text, CaptionCheckConfig(max_tokens=6, tokenizer=tokenizer), "en")
    assert refused.value.reason == "too_long_text"
    assert check_caption("一只猫", CaptionCheckConfig(max_tokens=5, tokenizer=tokenizer), "zh") == "一只猫"


def test_a_long_text_passes_where_no_limit_is_set():
    for text in bad.ENGLISH["too_long_text"]:
        assert check_caption(text, ANY_LENGTH, "en") == text


def test_a_megabyte_of_one_word_is_refused_quickly():
    with pytest.raises(BadCaption):
        check_caption("cat " * 250_000, CHECKS, "en")


# Settings.


def test_a_tokenizer_that_is_not_there_is_named_before_anything_runs(tmp_path):
    config = CaptionCheckConfig(max_tokens=52, tokenizer=str(tmp_path / "nowhere"))
    for act in (require_checks, identify_checks):
        with pytest.raises(UserError, match="nowhere"):
            act(config)
    with pytest.raises(UserError, match="no tokenizer that loads"):
        require_checks(CaptionCheckConfig(max_tokens=52, tokenizer=str(tmp_path)))


def test_the_identity_tells_one_tokenizer_from_another(tokenizer, tmp_path):
    one = identify_checks(CaptionCheckConfig(max_tokens=52, tokenizer=tokenizer))
    require_checks(CaptionCheckConfig(max_tokens=52, tokenizer=tokenizer))
    (tmp_path / "vocab.txt").write_text("other")
    assert one != identify_checks(CaptionCheckConfig(max_tokens=52, tokenizer=str(tmp_path)))
    assert one.startswith(identify_checks(CHECKS))
    assert identify_checks(CaptionCheckConfig(traditional="keep", language_model="none")) == "captions-2"


def test_without_the_language_model_scripts_still_decide():
    config = CaptionCheckConfig(language_model="none")
    assert check_caption("Le chat jaune agite la main et rit.", config, "en")
    with pytest.raises(BadCaption):
        check_caption("Кошка машет лапой.", config, "en")


def test_no_code_of_a_tokenizers_folder_is_run(tmp_path):
    ran = tmp_path / "ran"
    (tmp_path / "code.py").write_text(f"open({str(ran)!r}, 'w').close()\nclass T: pass\n")
    settings = {"tokenizer_class": "T", "auto_map": {"AutoTokenizer": ["code.T", None]}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "none-such", "auto_map": {"AutoConfig": "code.T"}}))
    with pytest.raises(UserError, match="no tokenizer that loads"):
        require_checks(CaptionCheckConfig(max_tokens=9, tokenizer=str(tmp_path)))
    assert not ran.exists()
