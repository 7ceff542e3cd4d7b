"""Quality: what the measures of the quality stage cost beside decoding, and what they are on the sample, by style.

python -m benchmarks.quality              the real sample, processor time of one core
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.curate import SAMPLE
from pipeline.media.decode import decode_clip
from pipeline.media.limits import LimitsConfig
from pipeline.quality import measure_clip
from pipeline.stages.probe import probe_media
from pipeline.threads import use_one_thread_per_worker
from schemas.answers import QualityAnswer

PERCENTILES = (0, 5, 25, 50, 75, 95, 100)
MEASURES = ("seam_error", "moving_area", "max_flashes_per_second", "sharpness")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds, of which the median counts")
    settings = parser.parse_args()
    use_one_thread_per_worker()
    files = [path.read_bytes() for path in sorted(SAMPLE.glob("*/*.gif"))]
    costs = [cost_of(files) for _ in range(settings.rounds)]
    decode, measure, probe = np.median(costs, axis=0)
    print(f"{len(files)} files, ms of a processor each: decode {decode:.1f}, measure {measure:.1f}, probe {probe:.1f}")
    print(f"  measure / decode {measure / decode:.2f}, whole stage / probe {(decode + measure) / probe:.2f}")
    show([measure_clip(decode_clip(media)) for media in files])


def cost_of(files: Sequence[bytes]) -> tuple[float, float, float]:
    """Return milliseconds per file of decoding to a clip, measuring it, and probing."""
    decode = measure = probe = 0.0
    for media in files:
        moments = [time.thread_time()]
        clip = decode_clip(media)
        moments.append(time.thread_time())
        measure_clip(clip)
        moments.append(time.thread_time())
        probe_media(media, limits=LimitsConfig())
        moments.append(time.thread_time())
        steps = np.diff(moments)
        decode, measure, probe = decode + steps[0], measure + steps[1], probe + steps[2]
    per_file = 1000 / len(files)
    return decode * per_file, measure * per_file, probe * per_file


def show(answers: Sequence[QualityAnswer]) -> None:
    """Print the spread of each measure over the moving samples of each style."""
    print(
        f"ping-pong {sum(each.is_ping_pong for each in answers)}, of several periods "
        f"{sum(each.num_periods > 1 and each.num_unique_frames > 1 for each in answers)}, "
        f"more than 3 flashes {sum(each.max_flashes_per_second > 3 for each in answers)}"
    )
    print(f"{'style':<7} {'files':>5} {'measure':<23} {' '.join(f'p{each}'.rjust(5) for each in PERCENTILES)}")
    for style, count in sorted(Counter(each.style for each in answers).items()):
        moving = [each for each in answers if each.style == style and each.num_unique_frames > 1]
        for name in MEASURES:
            values = [getattr(each, name) for each in moving if getattr(each, name) is not None]
            print(f"{style:<7} {count:>5} {name:<23} {_row(values)}")


def _row(values: Iterable[float]) -> str:
    found = list(values)
    return " ".join(f"{each:5.2f}" for each in np.percentile(found, PERCENTILES)) if found else "none"


if __name__ == "__main__":
    main()
