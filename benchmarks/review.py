"""Review: many decisions in one file -> processor time and peak of memory to store them, adopt them and look at them.

python -m benchmarks.review --decisions 1000000
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.review.adopt import adopt_review
from pipeline.review.decision_file import read_decision_file
from pipeline.review.parts import append_decisions
from pipeline.review.standing import read_decisions
from pipeline.root import DatasetRoot


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=1_000_000)
    num = parser.parse_args().decisions
    with tempfile.TemporaryDirectory() as folder:
        root, file = DatasetRoot(Path(folder) / "root"), Path(folder) / "decisions.jsonl"
        with file.open("w") as lines:
            for number in range(num):
                decision = {"key": f"{number:032x}", "action": "caption", "field": "summary"}
                text = f"a cat that jumps over {number} fences and then rests"
                lines.write(json.dumps({**decision, "text": text, "reviewer": "ann"}) + "\n")
        print(f"{num:,} decisions; processor seconds, peak MB so far")
        measure("store", lambda: append_decisions(root, read_decision_file(file, reviewer="ann")))
        measure("adopt", lambda: adopt_review(root))
        measure("read the latest 40", lambda: list(read_decisions(root, limit=40)))
        measure("read those of one sample", lambda: list(read_decisions(root, [f"{7:032x}"])))


def measure(name: str, work: Callable[[], object]) -> None:
    before = time.process_time()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<25} {time.process_time() - before:6.1f} {peak:7.0f}")


if __name__ == "__main__":
    main()
