"""Processor: a folder -> tokenizer, image processor and chat template of a model of pictures.

The part of a processor that reads videos needs torchvision, which this project does without; it is left out, and
frames are prepared by the image processor instead. Pictures are resized by Pillow wherever this runs, so that a
machine that has torchvision gives the same answers.
"""

from pathlib import Path
from typing import Any

import transformers

from pipeline.models.hf.opening import LOCAL, open_tokenizer, quietly, told
from schemas.errors import UserError

VIDEO_PART = "video_processor"


def open_processor(folder: Path, model_config: Any) -> Any:
    """Open the processor of a model, padding on the left, without its video part. Raises UserError."""
    if type(model_config) not in transformers.PROCESSOR_MAPPING:
        raise UserError(f"{folder}: transformers has no processor for {model_config.model_type!r}")
    kind = _without_videos(transformers.PROCESSOR_MAPPING[type(model_config)])
    tokenizer = open_tokenizer(folder, padding_side="left")
    with quietly(), told(folder, kind.__name__):
        parts = {"tokenizer": tokenizer, "image_processor": open_image_processor(folder)}
        settings, _ = kind.get_processor_dict(folder, local_files_only=True)
        return kind.from_args_and_dict([parts[name] for name in kind.get_attributes()], settings)


def open_image_processor(folder: Path) -> Any:
    """Open an image processor that resizes by Pillow. Raises UserError."""
    with quietly(), told(folder, "an image processor"):
        return transformers.AutoImageProcessor.from_pretrained(folder, backend="pil", **LOCAL)


def read_processor_settings(folder: Path, model_config: Any) -> dict[str, Any]:
    """Read what is saved of a processor beside its parts, among it the chat template. Raises UserError."""
    with quietly(), told(folder, "a processor"):
        settings, _ = transformers.PROCESSOR_MAPPING[type(model_config)].get_processor_dict(
            folder, local_files_only=True
        )
        return dict(settings)


def _without_videos(kind: Any) -> Any:
    """Return the class of a processor as if it had been written without a video part."""
    parts = [name for name in kind.get_attributes() if name != VIDEO_PART]
    return type(kind.__name__, (kind,), {"get_attributes": classmethod(lambda cls: parts)})
