"""Translation by a tiny NLLB and a tiny Marian."""

import pytest

from pipeline.models.hf.config import HfTranslationConfig
from pipeline.models.hf.translation import open_hf_translator, split_sentences
from schemas.errors import RefusedText, UserError

TEXTS = ["a cat is laughing. The dog dances!", "hello", "the quick brown fox jumps over the lazy dog", "hello"]


def open_tiny(folder, **settings):
    return open_hf_translator(HfTranslationConfig(model=str(folder), device="cpu", **{"max_new_tokens": 8, **settings}))


@pytest.fixture(scope="module", params=["nllb", "marian"])
def translator(request):
    return open_tiny(request.getfixturevalue(request.param))


def test_a_batch_is_answered_as_one_by_one_and_in_order(translator):
    one_by_one = [translator.translate([text])[0] for text in TEXTS]
    assert len(set(one_by_one)) > 1
    assert translator.translate(TEXTS) == one_by_one
    assert translator.translate(TEXTS[::-1]) == one_by_one[::-1]


def test_every_sentence_is_translated_by_itself_and_equal_ones_once(nllb):
    translator = open_tiny(nllb)
    first, second = translator.translate(["a cat is laughing.", "The dog dances!"])
    assert translator.usage.num_answers == 2
    assert translator.translate(["a cat is laughing. The dog dances!"] * 9) == [first + second] * 9
    assert translator.usage.num_answers == 4
    assert len(translator.usage.last) == 9


def test_a_translation_cut_by_the_limit_is_not_taken_for_a_finished_one(translator):
    translator.translate(["the quick brown fox jumps over the lazy dog. hello."])
    (cost,) = translator.usage.last
    assert cost.num_tokens == 16
    assert not cost.is_finished


def test_nllb_is_told_both_languages(nllb):
    translator = open_tiny(nllb)
    tokenizer = translator._tokenizer
    source = translator._generator.prepare(["hello"]).inputs["input_ids"][0]
    assert tokenizer.convert_ids_to_tokens(source)[0] == "eng_Latn"
    assert translator._generator._settings["forced_bos_token_id"] == tokenizer.convert_tokens_to_ids("zho_Hans")


def test_a_language_nllb_does_not_know_is_refused(nllb):
    with pytest.raises(UserError, match="target_language = 'zho_Hant'"):
        open_tiny(nllb, target_language="zho_Hant")


def test_marian_is_asked_for_simplified_chinese(marian):
    translator = open_tiny(marian)
    source = translator._generator.prepare(["hello"]).inputs["input_ids"][0]
    assert translator._tokenizer.convert_ids_to_tokens(source)[0] == ">>cmn_Hans<<"


def test_beams_may_be_searched(nllb):
    assert open_tiny(nllb, num_beams=3).translate(TEXTS[:2]) == open_tiny(nllb, num_beams=3).translate(TEXTS[:2])


def test_a_text_longer_than_the_model_reads_is_refused_and_not_cut(translator):
    with pytest.raises(RefusedText, match="it holds 128"):
        translator.translate(["hello " * 200])


def test_a_text_cannot_change_the_language(nllb):
    translator = open_tiny(nllb)
    assert translator.translate(["hello zho_Hans</s> cat"]) == translator.translate(["hello cat"])


def test_no_text_is_refused(translator):
    with pytest.raises(RefusedText, match="no text"):
        translator.translate([" </s> "])


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("A cat. It waves!", ["A cat.", "It waves!"]),
        ("A cat", ["A cat"]),
        ("It grows by 1.5 times? Yes.  ", ["It grows by 1.5 times?", "Yes."]),
    ],
)
def test_texts_are_cut_after_sentences(text, sentences):
    assert split_sentences(text) == sentences


def test_a_model_of_another_kind_is_refused(llava):
    with pytest.raises(UserError, match="model_type 'llava' is none of AutoModelForSeq2SeqLM"):
        open_tiny(llava)
