"""Threads: keep libraries from starting as many threads as there are cores in every worker."""

import cv2
import pyarrow as pa


def use_one_thread_per_worker() -> None:
    """Let the engine's workers be the only parallelism; onnxruntime is told where it is opened."""
    cv2.setNumThreads(1)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(2)
