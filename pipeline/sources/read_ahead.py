"""Read ahead: files that are wanted -> their bytes in the same order, many requests under way at a time.

A store takes tens of milliseconds for each request, so one after another would be days for millions of files. First the
sizes are asked where nobody knows them, then the bytes, as far as the next files have room in memory together.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from pipeline.sources.content import Content

NUM_READERS = 16
MAX_HELD_BYTES = 128 << 20  # of files read or being read and not yet handed on; a larger one is alone

Wanted = TypeVar("Wanted")


def read_ahead(
    wanted: Iterable[Wanted],
    *,
    measure: Callable[[Wanted], int | Content],
    fetch: Callable[[Wanted], Content],
) -> Iterator[tuple[Wanted, Content]]:
    """Yield everything wanted with its content, in order.

    measure: the size in bytes of what is to be fetched, or at once the content of what is not; fetch: its content. Both
    are called in threads; what they raise is raised here, in its turn.
    """
    waiting = iter(wanted)
    measured: deque[tuple[Wanted, Future[int | Content]]] = deque()
    fetched: deque[tuple[Wanted, int, Future[Content]]] = deque()
    held_bytes = 0
    with ThreadPoolExecutor(NUM_READERS, thread_name_prefix="read-ahead") as pool:
        try:
            while True:
                while len(measured) + len(fetched) < 2 * NUM_READERS and (each := next(waiting, None)) is not None:
                    measured.append((each, pool.submit(measure, each)))
                while measured and len(fetched) < NUM_READERS and (not fetched or _is_measured(measured[0][1])):
                    found = measured[0][1].result()
                    size_bytes = found if isinstance(found, int) else 0
                    if fetched and held_bytes + size_bytes > MAX_HELD_BYTES:
                        break
                    each = measured.popleft()[0]
                    future = pool.submit(fetch, each) if isinstance(found, int) else _settled(found)
                    fetched.append((each, size_bytes, future))
                    held_bytes += size_bytes
                if not fetched:
                    return
                each, size_bytes, future = fetched.popleft()
                content = future.result()
                held_bytes -= size_bytes
                yield each, content
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _is_measured(future: Future[int | Content]) -> bool:
    """True if a size is known; what measuring raised waits until all before it is handed on."""
    return future.done() and future.exception() is None


def _settled(content: Content) -> Future[Content]:
    future: Future[Content] = Future()
    future.set_result(content)
    return future
