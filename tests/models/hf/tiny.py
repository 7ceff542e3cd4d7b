"""Tiny models with random weights, of the same classes as the recipe's, saved as real checkpoints are.

Weights are large enough that what is said depends on what is shown.
"""

import json
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    M2M100Config,
    M2M100ForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    NllbTokenizer,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessorPil,
    VideoLlama3Config,
    VideoLlama3ForConditionalGeneration,
    VideoLlama3ImageProcessorPil,
    VideoLlavaConfig,
    VideoLlavaForConditionalGeneration,
    VideoLlavaImageProcessor,
)

from schemas.model_files import hushed

SENTENCES = [
    "a cat is laughing and waves its hand",
    "the dog dances and says hello",
    "the quick brown fox jumps over the lazy dog 0123456789",
    "USER: describe this sticker in one sentence ASSISTANT:",
    "Time 0.0s: 一只猫在笑 小狗 哭 生气 开心 你好世界 再见",
] * 20

LLAVA_TEMPLATE = (
    "{% for m in messages %}{{ m.role|upper }}: {% for c in m.content %}{% if c.type == 'image' %}<image>\n"
    "{% else %}{{ c.text }}{% endif %}{% endfor %} {% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
VIDEO_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for c in m.content %}{% if c.type == 'video' %}"
    "<|video_pad|>\n{% elif c.type == 'image' %}<|image_pad|>\n{% else %}{{ c.text }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA_TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token + '[INST] ' + m.content + ' [/INST]' }}"
    "{% else %}{{ ' ' + m.content + ' ' + eos_token }}{% endif %}{% endfor %}"
)
BASIC = ["<unk>", "<s>", "</s>", "<pad>"]


def make_tokenizer(*marks, with_pad=True, with_bos=True):
    """A byte-level BPE; like Llama's it begins every text with <s>, where `with_bos`."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(
            vocab_size=400, special_tokens=[*BASIC, *marks], initial_alphabet=alphabet, show_progress=False
        ),
    )
    if with_bos:
        inner.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    pad = {"pad_token": "<pad>"} if with_pad else {}
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens=[*marks],
        **pad,
    )


def save_llava(folder, *, with_template=True):
    """LLaVA: CLIP and Llama; without a template it is asked in the manner of LLaVA-1.5."""
    tokenizer = make_tokenizer("<image>")
    image = tokenizer.convert_tokens_to_ids("<image>")
    model = _draw(
        LlavaForConditionalGeneration,
        LlavaConfig(
            vision_config=_clip(),
            text_config=_llama(tokenizer),
            image_token_id=image,
            image_token_index=image,
            vision_feature_layer=-2,
            vision_feature_select_strategy="default",
            image_seq_length=4,
        ),
    )
    LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        tokenizer=tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        image_token="<image>",
        num_additional_image_tokens=1,
        chat_template=LLAVA_TEMPLATE if with_template else None,
    ).save_pretrained(folder)
    return _save(model, folder)


def save_video_llama3(folder):
    """VideoLLaMA3: its vision tower and Qwen2."""
    tokenizer = make_tokenizer("<|image_pad|>", "<|video_pad|>", "<|im_start|>", "<|im_end|>", with_bos=False)
    model = _draw(
        VideoLlama3ForConditionalGeneration,
        VideoLlama3Config(
            vision_config={
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "patch_size": 14,
            },
            text_config={**_llama(tokenizer).to_dict(), "model_type": "qwen2"},
            image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
            video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        ),
    )
    tokenizer.chat_template = VIDEO_TEMPLATE
    tokenizer.save_pretrained(folder)
    VideoLlama3ImageProcessorPil(size={"shortest_edge": 28 * 28, "longest_edge": 56 * 56}).save_pretrained(folder)
    video = {  # as its video processor, which needs torchvision, saves itself
        "video_processor_type": "VideoLlama3VideoProcessor",
        "size": {"shortest_edge": 28 * 28, "longest_edge": 8 * 56 * 56},
        "merge_size": 2,
        "use_token_compression": True,
    }
    (Path(folder) / "video_preprocessor_config.json").write_text(json.dumps(video))
    return _save(model, folder)


def save_video_llava(folder):
    """Video-LLaVA: two CLIPs and Llama; as published, without a chat template."""
    tokenizer = make_tokenizer("<image>", "<video>")
    image, video = tokenizer.convert_tokens_to_ids(["<image>", "<video>"])
    model = _draw(
        VideoLlavaForConditionalGeneration,
        VideoLlavaConfig(
            vision_config=_clip(),
            text_config=_llama(tokenizer),
            image_token_index=image,
            video_token_index=video,
            image_token_id=image,
            video_token_id=video,
            image_seq_length=4,
            video_seq_length=40,
        ),
    )
    tokenizer.save_pretrained(folder)
    VideoLlavaImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}).save_pretrained(folder)
    return _save(model, folder)


def save_qwen_vl(folder):
    """Qwen2.5-VL, which takes several pictures; its own processor also reads videos, by torchvision."""
    marks = ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = make_tokenizer(*marks, with_bos=False)
    image, video, start, end = tokenizer.convert_tokens_to_ids(marks[:4])
    text = {
        **_llama(tokenizer).to_dict(),
        "model_type": "qwen2_5_vl_text",
        "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0},
    }
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "patch_size": 14}
    model = _draw(
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLConfig(
            vision_config={**vision, "out_hidden_size": 32, "fullatt_block_indexes": [1]},
            text_config=text,
            image_token_id=image,
            video_token_id=video,
            vision_start_token_id=start,
            vision_end_token_id=end,
        ),
    )
    tokenizer.chat_template = VIDEO_TEMPLATE.replace("<|image_pad|>", "<|vision_start|><|image_pad|><|vision_end|>")
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil(size={"shortest_edge": 28 * 28, "longest_edge": 56 * 56}).save_pretrained(folder)
    return _save(model, folder)


def save_llama(folder, *, with_template=True):
    """Llama 2 chat; like the published one it has no token for padding."""
    tokenizer = make_tokenizer(with_pad=False)
    tokenizer.chat_template = LLAMA_TEMPLATE if with_template else None
    tokenizer.save_pretrained(folder)
    model = _draw(LlamaForCausalLM, _llama(tokenizer))
    model.generation_config.update(do_sample=True, temperature=0.6, top_p=0.9, max_length=4096)
    return _save(model, folder)


def save_nllb(folder):
    """NLLB-200 with two languages."""
    characters = sorted({c for sentence in SENTENCES for c in sentence.replace(" ", "\u2581")} | {"\u2581"})
    vocabulary = {piece: index for index, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *characters])}
    tokenizer = NllbTokenizer(
        vocab=vocabulary, merges=[], src_lang="eng_Latn", additional_special_tokens=["eng_Latn", "zho_Hans"]
    )
    tokenizer.save_pretrained(folder)
    config = M2M100Config(
        vocab_size=len(tokenizer),
        **_seq2seq(pad=tokenizer.pad_token_id),
        bos_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=2,
        max_position_embeddings=128,
    )
    return _save(_draw(M2M100ForConditionalGeneration, config, spread=1.0), folder)


def save_marian(folder, *, mark=">>cmn_Hans<<"):
    """Marian; needs sentencepiece, as its tokenizer does."""
    import sentencepiece

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_prefix=str(folder / "trained"),
        vocab_size=200,
        hard_vocab_limit=False,
        character_coverage=1.0,
        minloglevel=2,
    )
    (folder / "trained.vocab").unlink()
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes((folder / "trained.model").read_bytes())
    (folder / "trained.model").unlink()
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    names = [pieces.id_to_piece(index) for index in range(pieces.get_piece_size())]
    names = ["</s>", "<unk>", *(name for name in names if name not in ("<s>", "</s>", "<unk>")), mark, "<pad>"]
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({name: index for index, name in enumerate(names)}, ensure_ascii=False))
    tokenizer = MarianTokenizer(
        source_spm=str(folder / "source.spm"), target_spm=str(folder / "target.spm"), vocab=str(vocabulary)
    )
    tokenizer.save_pretrained(folder)
    config = MarianConfig(
        vocab_size=len(names),
        **_seq2seq(pad=tokenizer.pad_token_id),
        eos_token_id=0,
        decoder_start_token_id=tokenizer.pad_token_id,
        forced_eos_token_id=0,
        max_position_embeddings=128,
    )
    model = _draw(MarianMTModel, config, spread=1.0)
    published = {"num_beams": 4, "max_length": 512, "early_stopping": True, "bad_words_ids": [[tokenizer.pad_token_id]]}
    model.generation_config.update(**published, renormalize_logits=True)
    return _save(model, folder)


def _clip():
    return CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        projection_dim=32,
    )


def _llama(tokenizer):
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _seq2seq(pad):
    return {
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "pad_token_id": pad,
    }


def _draw(kind, config, spread=0.3):
    """Draw weights by seed, wide enough that the output follows the input."""
    torch.manual_seed(0)
    model = kind(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, spread)
    return model


def _save(model, folder):
    with hushed(transformers.utils.logging):
        model.save_pretrained(folder)
    return Path(folder)
