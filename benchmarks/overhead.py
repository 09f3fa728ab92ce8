"""What the adapter costs, against the plain SDK in the same run.

Usage: python benchmarks/overhead.py [--rounds N] [--processes N] [--json FILE] [--check]

Both clients talk to the same local server, which answers with fixed bytes in a process of its own. The two
are measured in turn, many times, as CPU seconds of this process. Each figure is the median of the pairwise
ratios, so that a drift in the speed of the machine does not distort it. New clients are made every few pairs,
because the number of connections that a pool opens is random and affects all its calls. The whole measurement
is repeated in several processes, because the layout of a process's memory affects its speed, and the median
of the processes is reported. `--check` fails when a bar is missed. The adapter caches the translation of
parameters that repeat from call to call; the row without a bar measures a program whose parameters differ in
every call.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import openai
from fixed_answers import CHANGED, KEY, PLAIN, serve

from tess_openai import TessWarning, create_async_client, create_client

RESPONSE: dict[str, Any] = {
    "model": "tess-6",
    "instructions": "You are a helpful assistant.",
    "input": "Write one sentence about the sea." * 4,
}
BARS = {
    "plain": 1.06,
    "changed": 1.12,
    "stream": 1.03,
    "async": 1.05,
    "response": 1.25,
    "delta": 1.3,
}
IMPORT_BAR_MS = 15.0
PAIRS = 3
"""How many pairs of measurements are made with one pair of clients."""
Work: TypeAlias = Callable[[], object]
Row: TypeAlias = tuple[str, Callable[[], tuple[Work, Work]], int]


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that `work` takes."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def ratios(make: Callable[[], tuple[Work, Work]], rounds: int) -> tuple[float, float, float]:
    """Return the median of ours / plain, and the median seconds of plain and of ours, which run in turn."""
    pairs: list[tuple[float, float]] = []
    for sitting in range(0, rounds, PAIRS):
        plain, ours = make()
        plain()
        ours()
        for number in range(sitting, min(sitting + PAIRS, rounds)):
            if number % 2:
                mine, theirs = cpu(ours), cpu(plain)
            else:
                theirs, mine = cpu(plain), cpu(ours)
            pairs.append((theirs, mine))
    ratio = statistics.median(mine / theirs for theirs, mine in pairs)
    return ratio, statistics.median(t for t, _ in pairs), statistics.median(m for _, m in pairs)


def import_milliseconds() -> float:
    """Return the time of `import tess_openai` in a fresh interpreter, without the start of Python itself."""
    program = "import time; t = time.perf_counter(); import tess_openai; print(time.perf_counter() - t)"
    times = [
        float(
            subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(7)
    ]
    return min(times) * 1000


def gather(call: Callable[[], Awaitable[object]], count: int) -> Callable[[], object]:
    """Return work that runs `call` `count` times, 20 at once."""

    async def main() -> None:
        for _ in range(count // 20):
            await asyncio.gather(*(call() for _ in range(20)))

    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(main())


def rows_of(root: str) -> dict[str, Row]:
    """Return the rows of the table: each has a title, a function that makes both works, and a divisor."""
    options: dict[str, Any] = {"api_key": KEY, "workspace_id": 7, "base_url": root}
    base_url = f"{root}/agents/42/openai"

    def both(work: Callable[[openai.OpenAI], Work]) -> Callable[[], tuple[Work, Work]]:
        return lambda: (
            work(openai.OpenAI(api_key=KEY, base_url=base_url)),
            work(create_client(42, **options)),
        )

    def both_async() -> tuple[Work, Work]:
        theirs = openai.AsyncOpenAI(api_key=KEY, base_url=base_url)
        return asynchronous(theirs), asynchronous(create_async_client(42, **options))

    def chats(client: openai.OpenAI, body: dict[str, Any]) -> Callable[[], object]:
        return lambda: [client.chat.completions.create(**body) for _ in range(60)]

    numbers = itertools.count()

    def varied(client: openai.OpenAI) -> Callable[[], object]:
        return lambda: [
            client.chat.completions.create(**CHANGED | {"seed": (new := next(numbers)), "max_tokens": new})
            for _ in range(60)
        ]

    def stream(client: openai.OpenAI) -> Callable[[], object]:
        return lambda: [
            sum(1 for _ in client.chat.completions.create(**PLAIN, stream=True)) for _ in range(2)
        ]

    def responses(client: openai.OpenAI) -> Callable[[], object]:
        return lambda: [client.responses.create(**RESPONSE) for _ in range(60)]

    def events(client: openai.OpenAI) -> Callable[[], object]:
        return lambda: [sum(1 for _ in client.responses.create(**RESPONSE, stream=True)) for _ in range(2)]

    def asynchronous(client: openai.AsyncOpenAI) -> Callable[[], object]:
        return gather(lambda: client.chat.completions.create(**PLAIN), 60)

    return {
        "plain": ("a request that needs no change", both(lambda client: chats(client, PLAIN)), 60),
        "changed": ("a request that needs every change", both(lambda client: chats(client, CHANGED)), 60),
        "varied": ("the same, other values each time", both(varied), 60),
        "stream": ("a chunk of a 1000-chunk stream", both(stream), 2000),
        "async": ("a request, async, 20 at once", both_async, 60),
        "response": ("a response", both(responses), 60),
        "delta": ("a delta of a 1000-delta response", both(events), 2000),
    }


def measure(rounds: int) -> dict[str, Any]:
    """Measure every row in this process, and return `{row: {"plain_us", "ours_us", "ratio"}}`."""
    warnings.simplefilter("ignore", TessWarning)
    receive, send = multiprocessing.get_context("spawn").Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(send,), daemon=True)
    server.start()
    figures: dict[str, Any] = {}
    for name, (_, make, units) in rows_of(f"http://127.0.0.1:{receive.recv()}").items():
        ratio, before, after = ratios(make, rounds)
        figures[name] = {"plain_us": before / units * 1e6, "ours_us": after / units * 1e6, "ratio": ratio}
    server.terminate()
    return figures


def measure_in_processes(rounds: int, processes: int) -> dict[str, Any]:
    """Measure in several processes, one after another; return the median of each figure, and all ratios."""
    command = [sys.executable, __file__, "--rounds", str(rounds), "--one"]
    runs = [
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(processes)
    ]
    figures: dict[str, Any] = {}
    for name in runs[0]:
        figures[name] = {key: statistics.median(run[name][key] for run in runs) for key in runs[0][name]}
        figures[name]["ratios"] = sorted(run[name]["ratio"] for run in runs)
    return figures


def main() -> int:
    """Measure and print a table; return 1 when a bar was missed and `--check` was given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="pairs measured for each row (default 15)")
    parser.add_argument("--processes", type=int, default=5, help="repeat it in so many processes (default 5)")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bar is missed")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.rounds)))
        return 0
    print(f"openai {openai.VERSION}, Python {sys.version.split()[0]}, {os.cpu_count()} cores, CPU per unit\n")
    print(f"{'':36}{'plain SDK':>12}{'tess_openai':>13}{'ratio':>8}{'bar':>7}{'lowest, highest':>18}")
    figures = measure_in_processes(arguments.rounds, arguments.processes)
    missed: list[str] = []
    for name, (title, _, _) in rows_of("http://127.0.0.1:9").items():
        row, bar = figures[name], BARS.get(name)
        shown = f"{row['plain_us']:9.1f} us{row['ours_us']:10.1f} us{row['ratio']:8.3f}"
        spread = f"{row['ratios'][0]:10.3f}, {row['ratios'][-1]:.3f}"
        print(f"{title:36}{shown}{'-' if bar is None else format(bar, '.2f'):>7}{spread:>18}")
        if bar is not None and row["ratio"] > bar:
            missed.append(name)
    figures["import_ms"] = import_milliseconds()
    title = "import tess_openai, without openai"
    print(f"{title:36}{'':12}{figures['import_ms']:10.1f} ms{'':8}{IMPORT_BAR_MS:7.1f}")
    if figures["import_ms"] > IMPORT_BAR_MS:
        missed.append("import")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if missed:
        print(f"\nmissed: {', '.join(missed)}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
