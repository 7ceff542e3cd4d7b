"""Words: reasons, stages and outcomes as codes -> what a person reads on the page."""

from collections.abc import Mapping

from pipeline.select import SelectConfig

OUTCOME_WORDS: Mapping[str, tuple[str, str]] = {
    "both": ("In both sets", "pictures and clips: t2i and t2v"),
    "t2i": ("Picture only", "in t2i, not in t2v"),
    "rejected": ("Rejected", "a rule of select keeps it out"),
    "quarantined": ("Quarantined", "an error at a stage"),
    "pending": ("Pending", "not decided yet"),
}

STEP_WORDS: Mapping[str, str] = {
    "came in": "Came in",
    "ingest": "Readable",
    "probe": "Decoded and measured",
    "copies and labels": "No copy, labelled",
    "quality": "Craft measured",
    "text": "Text read",
    "thresholds": "Within thresholds",
    "clean": "Text cleaned away",
    "image_caption": "Picture described",
    "video_caption": "Motion described",
    "summary": "Summarised",
    "translation": "Translated",
    "export": "Exported",
}

STAGE_WORDS: Mapping[str, str] = {
    "ingest": "Ingest",
    "probe": "Probe",
    "select": "Select",
    "quality": "Quality",
    "text": "Text",
    "clean": "Clean",
    "image_caption": "Image caption",
    "video_caption": "Video caption",
    "summary": "Summary",
    "translation": "Translation",
    "export": "Export",
}


def reason_words(config: SelectConfig) -> dict[str, str]:
    """Return what each reason means; those of select with the thresholds as they are set."""
    least = f"{config.min_frames:,} {'distinct ' if config.count_frames == 'distinct' else ''}frames"
    areas = {
        config.max_text_area,
        config.max_text_area if config.max_text_area_t2i is None else config.max_text_area_t2i,
    }
    area = " or ".join(f"{100 * each:g} %" for each in sorted(areas))
    return {
        "reviewed_out": "A person rejected it",
        "duplicate": "An earlier file has the same pixels and timing",
        "no_label": "The source gives it no label",
        "few_frames": f"Fewer than {least}",
        "blurred": f"Sharpness below {config.min_sharpness}",
        "still": f"Less than {_percent(config.min_moving_area)} of the canvas moves",
        "seam": f"The jump from the last frame to the first is beyond {config.max_seam_error}",
        "flash": f"More than {config.max_flashes_per_second} flashes in a second",
        "not_measured": "A stage that measures failed about it",
        "text_area": f"Text covers more than {area} of the canvas",
        "rare_label": f"None of its labels is seen {config.min_label_count:,} times",
        "unknown_format": "The first bytes are of no format that is read",
        "corrupt": "The bytes contradict their format, or end too early",
        "no_frames": "A valid file without a picture",
        "too_large": "Over a limit, found before decoding",
        "too_slow": "Decoding took too much processor time",
        "unreadable": "The source names it, but it cannot be read",
        "outside_source": "A path, link or archive member leads out of the source",
        "refused_text": "A model says that it cannot answer for this text",
        "answer_truncated": "A model had more to say than it may",
        "request_refused": "A server refuses this sample alone",
        "server_failed": "A server fails for this sample alone",
        "unusable_answer": "A server answers nothing that can be used",
        "answer_filtered": "A server's filter holds the answer back",
        "refused_caption": "The model refused to describe it",
        "empty_caption": "The model wrote nothing",
        "chatter": "The model talks about itself instead of the picture",
        "repetition_loop": "The model repeats itself",
        "wrong_language": "The model wrote in another language",
        "unforeseen": "An error nobody foresaw",
    }


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:g} %"


def plain(code: str | None) -> str:
    """Return a code as words."""
    return (code or "").replace("_", " ")
