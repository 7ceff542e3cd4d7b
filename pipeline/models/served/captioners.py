"""Served captioners: images and clips -> sentences."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.models.frames import spread_frames
from pipeline.models.served.client import Pause
from pipeline.models.served.config import ServedImageCaptionConfig, ServedVideoCaptionConfig
from pipeline.models.served.identity import identify_served
from pipeline.models.served.model import ServedModel
from pipeline.models.served.pictures import encode_picture
from pipeline.models.served.request import Part, Request
from schemas.clip import Clip

PROBE_SIDE = 64  # pixels; smaller pictures are refused by some models
PROBE_GREYS = (255, 128)


class ServedImageCaptioner(ServedModel):
    """An ImageCaptioner. The label is not shown: a caption is to say what is seen."""

    def __init__(self, config: ServedImageCaptionConfig, *, pause: Pause = asyncio.sleep) -> None:
        self._config = config
        super().__init__(config, probe=self._request(_probe_frames()[0]), pause=pause)

    def caption_images(self, images: Sequence[NDArray[np.uint8]], labels: Sequence[str | None]) -> list[str]:
        """Say in English what each straight-alpha image (H, W, 4) shows.

        Raises SampleError if one of them is to blame, MachineFault, UserError.
        """
        assert len(images) == len(labels), "one label per image"
        return self._client.ask(self._request(image) for image in images)

    def prepare(self, images: Sequence[NDArray[np.uint8]], labels: Sequence[str | None]) -> list[Request]:
        """Encode the images; another thread may do it ahead."""
        assert len(images) == len(labels), "one label per image"
        return [self._request(image) for image in images]

    def caption_prepared(self, prepared: Sequence[Request]) -> list[str]:
        """Ask what `prepare` returned."""
        return self._client.ask(prepared)

    def _request(self, image: NDArray[np.uint8]) -> Request:
        return Request((encode_picture(image, max_side=self._config.max_side), self._config.prompt))


class ServedVideoCaptioner(ServedModel):
    """A VideoCaptioner: a clip is shown as several images, each after the second at which it appears."""

    def __init__(self, config: ServedVideoCaptionConfig, *, pause: Pause = asyncio.sleep) -> None:
        self._config = config
        frames = _probe_frames()
        probe = self._request(Clip(frames, (1,) * len(frames), (100,) * len(frames)))
        super().__init__(config, probe=probe, pause=pause)

    def caption_clips(self, clips: Sequence[Clip], labels: Sequence[str | None]) -> list[str]:
        """Say in English what happens in each clip. Raises SampleError, MachineFault, UserError."""
        assert len(clips) == len(labels), "one label per clip"
        return self._client.ask(self._request(clip) for clip in clips)

    def prepare(self, clips: Iterable[Clip], labels: Sequence[str | None]) -> list[Request]:
        """Encode the frames; another thread may do it ahead."""
        return [self._request(clip) for clip, _ in zip(clips, labels, strict=True)]

    def caption_prepared(self, prepared: Sequence[Request]) -> list[str]:
        """Ask what `prepare` returned."""
        return self._client.ask(prepared)

    def _request(self, clip: Clip) -> Request:
        return Request((*self._shown(clip), self._config.prompt))

    def _shown(self, clip: Clip) -> Iterator[Part]:
        for index, seconds in spread_frames(clip, self._config.num_frames):
            yield f"{seconds:.2f} s:"
            yield encode_picture(clip.frames[index], max_side=self._config.max_side)


def open_served_image_captioner(config: ServedImageCaptionConfig) -> ServedImageCaptioner:
    """Open the connections. Raises UserError without the key or the library; nothing is asked yet."""
    return ServedImageCaptioner(config)


def open_served_video_captioner(config: ServedVideoCaptionConfig) -> ServedVideoCaptioner:
    """Open the connections. Raises UserError without the key or the library; nothing is asked yet."""
    return ServedVideoCaptioner(config)


def identify_served_image_captioner(config: ServedImageCaptionConfig) -> str:
    """Name the model and all that can change its answers, without opening anything."""
    return identify_served(config)


def identify_served_video_captioner(config: ServedVideoCaptionConfig) -> str:
    """Name the model and all that can change its answers, without opening anything."""
    return identify_served(config)


def _probe_frames() -> NDArray[np.uint8]:
    """Plain opaque frames (2, H, W, 4), white and grey."""
    frames = np.full((len(PROBE_GREYS), PROBE_SIDE, PROBE_SIDE, 4), 255, np.uint8)
    frames[..., :3] = np.array(PROBE_GREYS, np.uint8).reshape(-1, 1, 1, 1)
    return frames
