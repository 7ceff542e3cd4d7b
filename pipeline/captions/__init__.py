"""Captions: what a model wrote -> the text as it is stored, or the reason why it is not."""

from pipeline.captions.canary import check_canary, run_canary
from pipeline.captions.check import check_caption, identify_checks, require_checks
from pipeline.captions.config import CaptionCheckConfig

__all__ = [
    "CaptionCheckConfig",
    "check_canary",
    "check_caption",
    "identify_checks",
    "require_checks",
    "run_canary",
]
