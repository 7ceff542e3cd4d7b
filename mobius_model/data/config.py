"""DataConfig: which pictures, captions and order the trainer sees."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.config import StrictConfig

FramesPerSecond = Annotated[
    Annotated[float, Field(gt=0)] | None, BeforeValidator(lambda value: None if value == "stored" else value)
]


class DataConfig(StrictConfig):
    """How samples of a training set become batches."""

    size: int = Field(ge=8, multiple_of=8)  # pixels; clips are padded to a square and resized to size x size
    num_frames: int = Field(8, ge=1)  # frames of one clip in t2v; t2i has 1
    fps: FramesPerSecond = 8.0  # frames per second; "stored" = the paper's: the first stored frames, no delays
    random_start: bool = True  # a loop may start anywhere, another clip where it still fits; False = at its beginning
    background: str = Field("white", pattern="^(white|random|#[0-9a-fA-F]{6})$")  # behind alpha
    language: Literal["zh", "en"] = "zh"
    caption: Literal["auto", "image_caption", "video_caption", "summary"] = "auto"  # auto: image_caption, t2v summary
    caption_dropout: float = Field(0.1, ge=0, le=1)  # share of samples that get the empty caption
    latents: Literal["auto", "never", "always"] = "auto"  # auto: where `mobius precompute` has written them
    max_latent_frames: int = Field(64, ge=1)  # frames stored per clip; longer ones are thinned evenly in time
    validation_fraction: float = Field(0.02, ge=0, lt=1)  # share of samples never trained on
    max_validation_samples: int = Field(512, ge=1)  # of these, so many at most are looked at
    shuffled_row_groups: int = Field(8, ge=1)  # mixed at a time; each worker keeps so many in memory
    num_workers: int = Field(2, ge=0)  # processes that read and decode ahead; 0 = none
    verify: Literal["sha256", "size"] = "sha256"  # of every file, before anything is computed

    @model_validator(mode="after")
    def _can_be_stored(self) -> Self:
        if self.latents == "always" and self.background == "random":
            raise ValueError("latents = 'always' with background = 'random': a random background needs pixels")
        return self


Stage = Literal["t2i", "t2v"]
