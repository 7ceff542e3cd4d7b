"""Canary: a few samples captioned one by one and as a batch -> StageBroken where the two answers differ too much.

Padding on the wrong side, a mask not passed on, answers in another order: none of these raises anything, and each
spoils every caption of a run but those of the longest samples. Numbers alone (a kernel that adds in another order for
another batch size) change a word here and there, hence the tolerance.
"""

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

from pipeline.captions.tidy import tidy
from schemas.errors import StageBroken

TOLERANCE = 0.1  # share of the words, mean over the canaries

Sample = TypeVar("Sample")


def run_canary(
    caption: Callable[[Sequence[Sample]], Sequence[str]], samples: Sequence[Sample], *, tolerance: float = TOLERANCE
) -> None:
    """Caption the samples one by one and together, and compare. Raises StageBroken.

    Samples of unlike sizes and prompts tell most: among equal ones nothing is padded.
    """
    one_by_one = [caption([sample])[0] for sample in samples]
    check_canary(one_by_one, caption(samples), tolerance)


def check_canary(caption_one_by_one: Sequence[str], caption_in_batch: Sequence[str], tolerance: float) -> None:
    """Raise StageBroken where captions made one by one and in a batch differ by more than `tolerance`.

    The difference of two captions is the share of their words (Chinese: characters) that do not match in order, from
    0 to 1; the mean over all canaries is compared. It is StageBroken and not UserError, for nothing that somebody
    typed is wrong: the model's batching is, and no sample may be blamed for it nor the task tried again.
    """
    if len(caption_one_by_one) != len(caption_in_batch):
        raise StageBroken(f"a batch of {len(caption_one_by_one)} samples gave {len(caption_in_batch)} captions")
    differences = [difference(*pair) for pair in zip(caption_one_by_one, caption_in_batch, strict=True)]
    mean = sum(differences) / max(1, len(differences))
    if mean > tolerance:
        worst = max(range(len(differences)), key=differences.__getitem__)
        raise StageBroken(
            f"captions made in a batch differ from those made one by one by {mean:.0%} of their words, at most "
            f"{tolerance:.0%}; the worst: {caption_one_by_one[worst][:79]!r} alone, "
            f"{caption_in_batch[worst][:79]!r} in the batch; a batch_size of 1 avoids it"
        )


def difference(one: str, other: str) -> float:
    """Return the share of words (Chinese: characters) of two texts that do not match in order, 0 if they are equal."""
    words, others = _words(one), _words(other)
    if words == others:
        return 0.0
    return 1.0 - SequenceMatcher(None, words, others, autojunk=False).ratio()


def _words(text: str) -> list[str]:
    plain = tidy(text).lower()
    return plain.split() if plain.isascii() else list(plain.replace(" ", ""))
