"""The stages, in the order in which data travels. A new stage is one file and one entry here."""

from pipeline.stages import clean, image_caption, probe, summary, text, translation, video_caption
from pipeline.stages.stage import Asked, Stage, no_model

STAGES: tuple[Stage, ...] = (
    Stage(
        name="probe",
        version=1,
        asked=Asked.ALL,
        reads=(),
        identify=probe.identify_decoders,
        open_model=no_model,
        answer=probe.probe_samples,
    ),
    Stage(
        name="text",
        version=1,
        asked=Asked.T2I,
        reads=("probe",),
        identify=text.identify_text_reader,
        open_model=text.open_text_reader,
        answer=text.text_samples,
    ),
    Stage(
        name="clean",
        version=1,
        asked=Asked.T2I,
        reads=("probe", "text"),
        identify=clean.identify_clean_models,
        open_model=clean.open_clean_models,
        answer=clean.clean_samples,
    ),
    Stage(
        name="image_caption",
        version=1,
        asked=Asked.T2I,
        reads=("probe", "clean"),
        reads_cleaned_media=True,
        identify=image_caption.identify_captioner,
        open_model=image_caption.open_captioner,
        answer=image_caption.caption_images,
    ),
    Stage(
        name="video_caption",
        version=1,
        asked=Asked.T2V,
        reads=("probe", "clean"),
        reads_cleaned_media=True,
        identify=video_caption.identify_captioner,
        open_model=video_caption.open_captioner,
        answer=video_caption.caption_videos,
    ),
    Stage(
        name="summary",
        version=1,
        asked=Asked.T2V,
        reads=("image_caption", "video_caption"),
        reads_media=False,
        identify=summary.identify_summarizer,
        open_model=summary.open_summarizer,
        answer=summary.summarise_samples,
    ),
    Stage(
        name="translation",
        version=1,
        asked=Asked.T2I,
        reads=("image_caption", "video_caption", "summary"),
        reads_media=False,
        identify=translation.identify_translator,
        open_model=translation.open_translator,
        answer=translation.translate_samples,
    ),
)
