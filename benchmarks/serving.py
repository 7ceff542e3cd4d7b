"""Serving: the share of a server's throughput that the served captioner reaches, beside plain concurrency.

    python -m benchmarks.serving
    python -m benchmarks.serving --requests 1024 --in-flight 64 --rounds 7 --batch 1024

A server process of its own answers every request after a fixed latency, however many there are, so requests / s are
bounded by requests in flight / latency. These ask it for captions of the same pictures, in turn, several rounds:

    served          our captioner, batch by batch, from pixels: it encodes, sends, reads, counts, and could blame.
                    At the end of a batch it waits for the last answer, so small batches cost throughput
    plain asyncio   AsyncOpenAI, a semaphore and one gather over all requests, whose bodies are prepared beforehand
    plain threads   OpenAI and a pool of threads, bodies prepared beforehand

The first round warms up and is not counted. Printed are medians, and the ratio within each round.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import openai
from numpy.typing import NDArray

from pipeline.models.served import ServedImageCaptionConfig, ServedImageCaptioner
from pipeline.models.served.pictures import encode_picture
from pipeline.models.served.request import Request
from pipeline.synthetic import draw_stickers

Images = list[NDArray[np.uint8]]
Bodies = list[dict[str, object]]

NUM_STICKERS = 64  # drawn; more pictures are marked copies of them
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "none",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A sticker."}}],
    "usage": {"prompt_tokens": 600, "completion_tokens": 4, "total_tokens": 604},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=256, help="pictures per round")
    parser.add_argument("--in-flight", type=int, default=16, help="requests at once")
    parser.add_argument(
        "--batch", type=int, nargs="+", default=[64, 256], help="pictures our captioner is given at once"
    )
    parser.add_argument("--latency", type=float, default=0.2, help="seconds until the server answers")
    parser.add_argument("--rounds", type=int, default=5, help="rounds counted")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    settings = parser.parse_args()
    if settings.serve:
        asyncio.run(serve(settings.latency))
        return
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serving", "--serve", "--latency", str(settings.latency)],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            measure(f"http://127.0.0.1:{int(server.stdout.readline())}/v1", settings)
        finally:
            server.kill()


def measure(url: str, settings: argparse.Namespace) -> None:
    config = ServedImageCaptionConfig(endpoints=(url,), model="none", max_in_flight=settings.in_flight)
    stickers = [sticker.frames[0] for sticker in draw_stickers(min(NUM_STICKERS, settings.requests), seed=0)]
    images = [stickers[n % len(stickers)].copy() for n in range(settings.requests)]
    with asyncio.Runner() as runner:
        peers = {
            **{f"served, batches of {batch}": ask_served(config, batch) for batch in settings.batch},
            "plain asyncio": ask_plain_asyncio(config, runner),
            "plain threads": ask_plain_threads(config),
        }
        walls: dict[str, list[float]] = {name: [] for name in peers}
        building: list[float] = []
        for number in range(settings.rounds + 1):
            mark(images, number)
            started = time.perf_counter()
            bodies = [Request((encode_picture(image, max_side=config.max_side), config.prompt)) for image in images]
            prepared = [each.body(config) for each in bodies]
            building.append(time.perf_counter() - started)
            for name in rotated(list(peers), number):
                started = time.perf_counter()
                num_captions = peers[name](images, prepared)
                walls[name].append(time.perf_counter() - started)
                assert num_captions == len(images)
    print_table({name: each[1:] for name, each in walls.items()}, building[1:], settings)


def mark(images: Images, number: int) -> None:
    """Make every picture of every round a new one: our client asks no request twice, and copies would be one."""
    for index, image in enumerate(images):
        image[0, 0] = (number % 256, index % 256, index // 256, 255)


def rotated(names: list[str], number: int) -> list[str]:
    return names[number % len(names) :] + names[: number % len(names)]


# The three.


def ask_served(config: ServedImageCaptionConfig, batch: int) -> Callable[[Images, Bodies], int]:
    captioner = ServedImageCaptioner(config)

    def ask(images: Images, bodies: Bodies) -> int:
        captions: list[str] = []
        for first in range(0, len(images), batch):
            part = images[first : first + batch]
            captions += captioner.caption_images(part, [None] * len(part))
        return len(captions)

    return ask


def ask_plain_asyncio(config: ServedImageCaptionConfig, runner: asyncio.Runner) -> Callable[[Images, Bodies], int]:
    client = openai.AsyncOpenAI(base_url=config.endpoints[0], api_key="none")

    async def ask_all(bodies: Bodies) -> int:
        slots = asyncio.Semaphore(config.max_in_flight)

        async def ask_one(body: dict[str, object]) -> str | None:
            async with slots:
                completion = await client.chat.completions.create(**body)  # type: ignore[call-overload]
            return completion.choices[0].message.content

        return sum(bool(text) for text in await asyncio.gather(*map(ask_one, bodies)))

    return lambda images, bodies: runner.run(ask_all(bodies))


def ask_plain_threads(config: ServedImageCaptionConfig) -> Callable[[Images, Bodies], int]:
    client = openai.OpenAI(base_url=config.endpoints[0], api_key="none")
    pool = ThreadPoolExecutor(config.max_in_flight)

    def ask_one(body: dict[str, object]) -> str | None:
        completion = client.chat.completions.create(**body)  # type: ignore[call-overload]
        return completion.choices[0].message.content

    return lambda images, bodies: sum(bool(text) for text in pool.map(ask_one, bodies))


# The server.


async def serve(latency: float) -> None:
    """Answer every request after `latency` seconds, on a port that is printed."""
    body = json.dumps(COMPLETION).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while lines := await read_head(reader):
            length = next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:"))
            await reader.readexactly(length)
            await asyncio.sleep(latency)
            writer.write(head + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def read_head(reader: asyncio.StreamReader) -> list[bytes]:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return []


# The table.


def print_table(walls: dict[str, list[float]], building: Sequence[float], settings: argparse.Namespace) -> None:
    bound = settings.in_flight / settings.latency
    print(f"{settings.requests} requests, {settings.in_flight} in flight, latency {settings.latency:g} s: ", end="")
    print(f"at most {bound:.0f} requests/s; median of {settings.rounds} rounds\n")
    print("| | requests/s | of what is possible | beside plain asyncio | beside plain threads |\n|---|---|---|---|---|")
    for name, seconds in walls.items():
        rate = settings.requests / statistics.median(seconds)
        beside = [ratio(seconds, walls[other]) for other in ("plain asyncio", "plain threads")]
        print(f"| {name} | {rate:.1f} | {rate / bound:.0%} | {' | '.join(beside)} |")
    per_request = 1000 * statistics.median(building) / settings.requests
    print(f"\nbuilding a request (over white, PNG, base64): {per_request:.2f} ms; our captioner does it meanwhile")


def ratio(ours: Sequence[float], others: Sequence[float]) -> str:
    """Throughput as a share of another's, by rounds: median (lowest, highest)."""
    shares = sorted(other / our for our, other in zip(ours, others, strict=True))
    return f"{statistics.median(shares):.3f} ({shares[0]:.3f}, {shares[-1]:.3f})"


if __name__ == "__main__":
    main()
