"""The recipe's four models, tiny, of the same classes as the real ones, each of which knows one sentence."""

from dataclasses import dataclass
from pathlib import Path

import transformers

from pipeline.captions.canaries import CAPTIONS, CLIPS, PICTURES, TEXTS
from pipeline.models.hf.chat_summary import ChatSummarizer
from pipeline.models.hf.config import (
    HfImageCaptionConfig,
    HfSummaryConfig,
    HfTranslationConfig,
    HfVideoCaptionConfig,
)
from pipeline.models.hf.image_captions import ImageTextCaptioner
from pipeline.models.hf.translation import Seq2SeqTranslator
from pipeline.models.hf.video_captions import FramesCaptioner
from tests.models.hf.taught import teach
from tests.models.hf.tiny import save_llama, save_llava, save_nllb, save_video_llama3

IMAGE_CAPTION = "a cat is laughing"
VIDEO_CAPTION = "the cat waves its hand"
SUMMARY = "a laughing cat waves its hand"
TRANSLATION = "一只猫在笑"
NUM_TOLD = 2


@dataclass(frozen=True)
class Recipe:
    """Folders of the four models."""

    llava: Path
    video_llama3: Path
    llama: Path
    nllb: Path
    translating_llama: Path  # for servers, which have no models that only translate


def save_recipe(folder: Path) -> Recipe:
    """Draw the models, teach them, save them."""
    llava, video, llama, nllb = (folder / name for name in ("llava", "video_llama3", "llama", "nllb"))
    translating_llama = folder / "translating_llama"
    save_llava(llava), save_video_llama3(video), save_llama(llama), save_nllb(nllb), save_llama(translating_llama)
    teach_to_caption(llava)
    frames = FramesCaptioner(HfVideoCaptionConfig(model=str(video)))
    teach(
        video,
        transformers.AutoModelForImageTextToText,
        VIDEO_CAPTION,
        lambda: frames.prepare(CLIPS[:NUM_TOLD], [None] * NUM_TOLD).inputs or {},
    )
    teach_to_chat(llama, SUMMARY)
    translator = Seq2SeqTranslator(HfTranslationConfig(model=str(nllb)))
    teach(nllb, transformers.AutoModelForSeq2SeqLM, TRANSLATION, lambda: translator._encode(TEXTS[:NUM_TOLD]))
    teach_to_chat(translating_llama, TRANSLATION)
    return Recipe(llava, video, llama, nllb, translating_llama)


def teach_to_caption(llava: Path) -> Path:
    """Teach a tiny LLaVA its sentence."""
    captioner = ImageTextCaptioner(HfImageCaptionConfig(model=str(llava)))
    return teach(
        llava,
        transformers.AutoModelForImageTextToText,
        IMAGE_CAPTION,
        lambda: captioner.prepare(PICTURES[:NUM_TOLD], [None] * NUM_TOLD).inputs or {},
    )


def teach_to_chat(llama: Path, sentence: str) -> Path:
    """Teach a tiny Llama a sentence, whatever it is asked."""
    summarizer = ChatSummarizer(HfSummaryConfig(model=str(llama)))
    return teach(
        llama,
        transformers.AutoModelForCausalLM,
        sentence,
        lambda: summarizer.prepare(CAPTIONS[:NUM_TOLD], 52).inputs or {},
    )
