"""Captions: what our stage costs around a model in process, and how long a GPU waits for it.

    python -m benchmarks.captions                                     a small LLaVA with random weights, on the CPU
    python -m benchmarks.captions --preset llava-1.5-7b --device cuda --batch 16

Every round captions the same stickers twice, in turn: a bare loop that gives the model batches prepared beforehand,
and the stage as a worker runs it: it decodes, prepares ahead in a thread, asks the model, checks the captions, writes
part files. Printed are medians over the rounds after the first, the ratio within each round, captions and tokens a
second, and the share of the stage's time in which the model waited for a batch.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

from pipeline.answers import FlushConfig, PartWriter, part_schema
from pipeline.chunk import _answer_rows
from pipeline.config import CurateConfig
from pipeline.media.encode import encode_webp
from pipeline.models.cache import open_model_once
from pipeline.plan import StagePlan, plan_stages
from pipeline.stages.stage import StageInput
from pipeline.synthetic import draw_stickers
from schemas.answers import CleanAnswer
from schemas.sample import Sample
from tests.models.hf.tiny import LLAVA_TEMPLATE, make_tokenizer

PRESETS: dict[str, dict[str, Any]] = {
    "small": {
        "vision_config": {
            "model_type": "clip_vision_model",
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "image_size": 112,
            "patch_size": 14,
        },
        "text_config": {
            "model_type": "llama",
            "hidden_size": 256,
            "intermediate_size": 688,
            "num_hidden_layers": 4,
            "num_attention_heads": 8,
            "vocab_size": 32064,
        },
    },
    "llava-1.5-7b": {  # as published
        "vision_config": {
            "model_type": "clip_vision_model",
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "image_size": 336,
            "patch_size": 14,
        },
        "text_config": {
            "model_type": "llama",
            "hidden_size": 4096,
            "intermediate_size": 11008,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "vocab_size": 32064,
            "max_position_embeddings": 4096,
        },
    },
}
NO_TEXT = CleanAnswer("no_text", None, None, [1], None, 0, 0, 0, 0, "", 0.0, "none")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8, help="samples at once")
    parser.add_argument("--tokens", type=int, default=32, help="written for every caption")
    parser.add_argument("--rounds", type=int, default=5, help="counted")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        save_llava(Path(folder) / "model", PRESETS[settings.preset], device=settings.device)
        measure(Path(folder), settings)


def measure(folder: Path, settings: argparse.Namespace) -> None:
    plan = plan_of(folder / "model", settings)
    samples = draw_samples(settings.samples)
    batches = [samples[first : first + settings.batch] for first in range(0, len(samples), settings.batch)]
    model = open_model_once(plan)
    assert plan.stage.prepare is not None
    prepared = [plan.stage.prepare(batch, model=model) for batch in batches]
    bare, stage, waited = [], [], []
    tokens = model.usage.num_tokens
    for number in range(settings.rounds + 1):
        started = time.perf_counter()
        for each in prepared:
            model.caption_prepared(each)
        bare.append(time.perf_counter() - started)
        writer = PartWriter(folder / f"parts{number}", "00000", part_schema(plan.stage.answer_type), FlushConfig())
        started = time.perf_counter()
        rows = list(_answer_rows(batches, plan))
        for row in rows:
            writer.add(row)
        writer.flush()
        stage.append(time.perf_counter() - started)
        waited.append(sum(row["waited_seconds"] for row in rows) / stage[-1])
    written = (model.usage.num_tokens - tokens) / (2 * len(bare))
    ratios = [each / other for each, other in zip(stage, bare, strict=True)][1:]
    where = torch.cuda.get_device_name() if settings.device == "cuda" else "CPU"
    print(f"{settings.preset} on {where}: {len(samples)} samples, {settings.batch} at once, {settings.rounds} rounds")
    print(f"  bare loop, batches prepared     {len(samples) / statistics.median(bare[1:]):8.2f} captions/s")
    print(f"  stage                           {len(samples) / statistics.median(stage[1:]):8.2f} captions/s")
    print(f"  tokens written by the stage     {written / statistics.median(stage[1:]):8.1f} tokens/s")
    print(f"  the model waited                {statistics.median(waited[1:]):8.1%} of the stage's time")
    print(
        f"  ratio stage / bare loop         {statistics.median(ratios):8.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f}; asked: at most 1.15)"
    )


def plan_of(model: Path, settings: argparse.Namespace) -> StagePlan:
    own = {"model": str(model), "device": settings.device, "max_new_tokens": settings.tokens}
    config = {
        "root": "none",
        "source": {"path": "."},
        "image_caption": {"engine": "hf", "batch_size": settings.batch, "hf": own},
        "translation": {"engine": "served", "served": {"endpoints": ["http://127.0.0.1:9/v1"], "model": "none"}},
    }
    return plan_stages(CurateConfig.model_validate(config))["image_caption"]


def draw_samples(num: int) -> list[StageInput]:
    """Draw stickers and encode them as the clean stage does."""
    made = []
    for number, sticker in enumerate(draw_stickers(num, seed=0)):
        media = encode_webp(sticker.clean_frames, sticker.delays_ms)
        sample = Sample(f"k{number}", "drawn", f"{number}.webp", sticker.label, "{}", media, len(media))
        made.append(StageInput(sample, {"clean": NO_TEXT}))
    return made


def save_llava(folder: Path, shape: dict[str, Any], *, device: str) -> None:
    """Save a LLaVA of this shape with random weights, and a small tokenizer; it never ends an answer by itself."""
    tokenizer = make_tokenizer("<image>")
    image = tokenizer.convert_tokens_to_ids("<image>")
    side = shape["vision_config"]["image_size"]
    config = LlavaConfig(
        **shape,
        image_token_id=image,
        image_token_index=image,
        image_seq_length=(side // 14) ** 2,
        vision_feature_select_strategy="default",
        vision_feature_layer=-2,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = LlavaForConditionalGeneration(config).to(torch.bfloat16 if device == "cuda" else torch.float32)
    model.generation_config.update(eos_token_id=None, pad_token_id=tokenizer.pad_token_id)
    model.save_pretrained(folder)
    LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side}),
        tokenizer=tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        image_token="<image>",
        num_additional_image_tokens=1,
        chat_template=LLAVA_TEMPLATE,
    ).save_pretrained(folder)


if __name__ == "__main__":
    main()
