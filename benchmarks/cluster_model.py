"""How long and how dear 6.8 million files are on a cluster, stage by stage: measured where this machine can measure.

    python -m benchmarks.cluster_model ROOT                      constants from a root that was curated on processors
    python -m benchmarks.cluster_model ROOT --gpus 8 16 64 --files 6800000 --cpus-per-gpu 16

Processor stages: the column `cpu_seconds` of every answer in ROOT, per sample that a stage answered. How many samples
reach a stage: all, but for those that look at motion, which t2v's thresholds left about a million of (arXiv
2407.06617). Model stages on GPUs: not measured here, but counted: 2 FLOP per parameter and token for reading the
prompt, all weights once per written token and batch, on a GPU that reaches the shares given below of its arithmetic and
bandwidth. These assumptions stand in GPU_STAGES, to be replaced by what `mobius status` says of a run with GPUs, with
--measured STAGE=SECONDS_PER_SAMPLE.
"""

import argparse
from dataclasses import dataclass

import pyarrow.compute as pc

from flows.runs import open_root, read_last_run
from pipeline.answers import parts_by_shard
from schemas.storage import read_parquet

FLOPS = 312e12  # A100: bf16, dense
BANDWIDTH = 1.55e12  # A100 40 GB: bytes per second
SHARE_OF_FLOPS = 0.4
SHARE_OF_BANDWIDTH = 0.6
BYTES_PER_PARAMETER = 2
PRICE_GPU_HOUR = 2.0  # of whatever currency: per GPU with its share of processors and memory
PRICE_CPU_HOUR = 0.04
NUM_STATIC, NUM_ANIMATED = 620_000, 6_180_000  # the pile of arXiv 2407.06617
T2V_CHOSEN = 1_000_000  # of these, what passes frames and text area
PROCESSOR_STAGES = ("probe", "quality", "text", "clean")


@dataclass(frozen=True, slots=True)
class Writer:
    """A model that writes: parameters, tokens read and written per sample, samples at once."""

    parameters: float
    tokens_read: int
    tokens_written: int
    batch: int

    @property
    def seconds(self) -> float:
        """Seconds of one GPU per sample."""
        reading = 2 * self.parameters * self.tokens_read / (FLOPS * SHARE_OF_FLOPS)
        weights = self.parameters * BYTES_PER_PARAMETER / (BANDWIDTH * SHARE_OF_BANDWIDTH)
        return reading + self.tokens_written * weights / self.batch


GPU_STAGES = {
    "image_caption": Writer(7.1e9, 576 + 60, 60, 32),  # LLaVA 1.5 7B: 576 tokens of picture
    "video_caption": Writer(7.6e9, 8 * 180 + 60, 80, 16),  # VideoLLaMA3 7B: 8 frames
    "summary": Writer(6.7e9, 250, 45, 64),  # Llama 2 chat 7B
    "translation": Writer(0.6e9, 60, 60, 64),  # NLLB-200 distilled, for each text; three of them
}
TEXTS_TRANSLATED = 3


@dataclass(frozen=True, slots=True)
class StageCost:
    """What one stage takes: samples, seconds per sample, on a GPU or a processor core."""

    name: str
    num_samples: int
    seconds: float
    on_gpu: bool
    source: str

    def hours(self, gpus: int, cpus: int) -> float:
        """Hours on the clock on so many GPUs and processor cores."""
        return self.num_samples * self.seconds / (gpus if self.on_gpu else cpus) / 3600

    @property
    def price(self) -> float:
        return self.num_samples * self.seconds / 3600 * (PRICE_GPU_HOUR if self.on_gpu else PRICE_CPU_HOUR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root")
    parser.add_argument("--files", type=int, default=NUM_STATIC + NUM_ANIMATED)
    parser.add_argument("--gpus", type=int, nargs="+", default=[8, 16, 64])
    parser.add_argument("--cpus-per-gpu", type=int, default=16, help="processor cores beside each GPU")
    parser.add_argument(
        "--measured", nargs="*", default=[], metavar="STAGE=SECONDS", help="seconds of a GPU per sample"
    )
    settings = parser.parse_args()
    measured = {name: float(seconds) for name, _, seconds in (each.partition("=") for each in settings.measured)}
    if unknown := set(measured) - set(GPU_STAGES):
        parser.error(f"--measured {', '.join(sorted(unknown))}: expected one of {', '.join(GPU_STAGES)}")
    stages = stage_costs(settings.root, settings.files, measured)
    head = " ".join(f"{f'{gpus} GPUs, h':>12}" for gpus in settings.gpus)
    print(f"{'stage':<14} {'samples':>10} {'s/sample':>9} {'on':>4} {'constant':>9} {head} {'price':>9}")
    for stage in stages:
        hours = " ".join(f"{stage.hours(gpus, gpus * settings.cpus_per_gpu):>12.1f}" for gpus in settings.gpus)
        place = "GPU" if stage.on_gpu else "CPU"
        constant = f"{stage.seconds:>9.4f} {place:>4} {stage.source:>9}"
        print(f"{stage.name:<14} {stage.num_samples:>10,} {constant} {hours} {stage.price:>9,.0f}")
    for gpus in settings.gpus:
        cpus = gpus * settings.cpus_per_gpu
        total = sum(stage.hours(gpus, cpus) for stage in stages)
        held = total * (gpus * PRICE_GPU_HOUR)
        print(f"{gpus} GPUs, {cpus} cores: {total:.1f} h, a stage after the other; held all the time {held:,.0f}")
    busy = sum(stage.price for stage in stages)
    print(f"price of the work alone, if nothing is paid for while it idles: {busy:,.0f}; {PRICE_GPU_HOUR} per GPU hour")


def stage_costs(place: str, num_files: int, measured: dict[str, float]) -> list[StageCost]:
    """Return what each stage takes for so many files, in order."""
    root = open_root(place)
    _, plans = read_last_run(root)
    share = num_files / (NUM_STATIC + NUM_ANIMATED)
    costs = []
    for name, plan in plans.items():
        folder = root.stage_folder(name, plan.fingerprint)
        parts = [part for listed in parts_by_shard(folder).values() for part in listed]
        tables = [read_parquet(part, ["cpu_seconds"])["cpu_seconds"] for part in parts]
        num_answers = sum(len(each) for each in tables)
        if not num_answers:
            raise SystemExit(f"{place}: no answers of {name} there, expected a root that was curated to its end")
        seconds = sum(pc.sum(each).as_py() for each in tables) / num_answers
        num_samples = round(share * (T2V_CHOSEN if name in ("video_caption", "summary") else NUM_STATIC + NUM_ANIMATED))
        if name in PROCESSOR_STAGES:
            costs.append(StageCost(name, num_samples, seconds, on_gpu=False, source="measured"))
            continue
        counted = GPU_STAGES[name].seconds * (TEXTS_TRANSLATED if name == "translation" else 1)
        source = "measured" if name in measured else "counted"
        costs.append(StageCost(name, num_samples, measured.get(name, counted), on_gpu=True, source=source))
    return costs


if __name__ == "__main__":
    main()
