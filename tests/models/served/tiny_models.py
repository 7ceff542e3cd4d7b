"""Tiny random Llama and LLaVA models, saved as real checkpoints are, that end their answers by themselves."""

from pathlib import Path

WORDS = [
    "a cat waves its hand",
    "the dog is laughing",
    "describe this sticker",
    "一只猫在笑",
    "merge these captions",
] * 20
CHAT = "{% for m in messages %}[INST] {{ m.content }} [/INST]{% endfor %}"
CHAT_WITH_IMAGES = (
    "{% for m in messages %}{{ m.role|upper }}: {% for c in m.content %}"
    "{% if c.type == 'image' %}<image>\n{% else %}{{ c.text }}\n{% endif %}{% endfor %}{% endfor %}ASSISTANT:"
)
ENDS_AFTER = (4, 30.0)  # tokens, and how quickly the end becomes likely from there


def save_tiny_llama(folder: Path) -> Path:
    """Save a chat model of two layers."""
    import torch
    from transformers import LlamaForCausalLM

    torch.manual_seed(0)
    tokenizer = _tokenizer(chat_template=CHAT)
    model = LlamaForCausalLM(_llama_config(tokenizer))
    return _save(folder, model, tokenizer)


def save_tiny_llava(folder: Path) -> Path:
    """Save a vision model that looks at 28 x 28 pixels, 4 tokens per image."""
    import torch
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    torch.manual_seed(0)
    tokenizer = _tokenizer(specials=["<image>"])
    image = tokenizer.convert_tokens_to_ids("<image>")
    vision = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=2, image_size=28, patch_size=14
    )
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=vision,
            text_config=_llama_config(tokenizer),
            image_token_index=image,
            image_token_id=image,
            image_seq_length=4,
        )
    )
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        tokenizer=tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        image_token="<image>",
        num_additional_image_tokens=1,
        chat_template=CHAT_WITH_IMAGES,
    )
    return _save(folder, model, processor)


def _tokenizer(specials=(), chat_template=None):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<unk>", "<s>", "</s>", "<pad>", *specials],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(WORDS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        padding_side="left",
        chat_template=chat_template,
    )


def _llama_config(tokenizer):
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


def _save(folder, model, processor):
    eos = getattr(processor, "tokenizer", processor).eos_token_id
    model.generation_config.eos_token_id = eos
    model.generation_config.exponential_decay_length_penalty = ENDS_AFTER
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
