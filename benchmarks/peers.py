"""Compare the plain SDK, this package and its peers at the same work, against one local server in one run.

Usage: python benchmarks/peers.py [--rounds N] [--record] [--check]     (make peers installs what it needs)

Each library runs in a process of its own, so that its memory and its CPU can be measured separately. The
processes work in turn, round by round, and every figure is the median over the rounds. Figures relative to
the plain SDK are medians of the ratios within a round, so that a drift in the speed of the machine does not
distort them. `--record` writes the table and the plot into docs/performance.md; `--check` fails when a bar is
missed.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import multiprocessing
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from fixed_answers import HISTORY, KEY, serve

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "performance.md"
PLOT: Final = ROOT / "docs" / "assets" / "peers.svg"
BEGIN, END = "<!-- peers: written by `make peers ARGS=--record` -->", "<!-- the end of peers -->"

PLAIN: Final = "plain SDK"
OURS: Final = "tess_openai"
BAR: Final = 1.05
"""The highest ratio to the CPU of the plain SDK; the ratio must also be below that of each peer."""

SITTINGS: Final = 10
CHATS, STREAMS, AT_ONCE, WAVES = 50, 1, 20, 2
"""Work of one round: how many chats in turn, streams of 1000 chunks, chats at once, and such waves."""
TASKS: Final = {"chat": CHATS, "stream": STREAMS * 1000, "at once": AT_ONCE * WAVES}
"""The number of chats or chunks in each task of a round, by which its CPU is divided."""
IMPORTS: Final = {
    PLAIN: ("import openai; openai.OpenAI(api_key='x')", "openai"),
    OURS: (
        "from tess_openai import create_client; create_client(42, api_key='1|' + 'x' * 48, workspace_id=1)",
        "tess-openai",
    ),
    "LiteLLM": ("import litellm", "litellm"),
    "any-llm": ("from any_llm import AnyLLM; AnyLLM.create('openai', api_key='x')", "any-llm-sdk"),
}
"""The code that imports each library and makes its client (LiteLLM makes its clients at the first call), and
the name of its distribution."""

Work: TypeAlias = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Way:
    """How one library does the work: a chat, a stream that is read to its end, an async chat."""

    chat: Work
    stream: Callable[[], Any]
    async_chat: Callable[[], Awaitable[Any]]


def plain_sdk(base_url: str) -> Way:
    """Return the work through OpenAI's own client."""
    import openai

    client = openai.OpenAI(base_url=base_url, api_key=KEY)
    return of_clients(client, openai.AsyncOpenAI(base_url=base_url, api_key=KEY))


def tess_openai(base_url: str) -> Way:
    """Return the work through this package's client, which has nothing to translate in it."""
    from tess_openai import create_async_client, create_client

    options: Any = {"api_key": KEY, "workspace_id": 1, "base_url": base_url}
    return of_clients(create_client(**options), create_async_client(**options))


def of_clients(client: Any, async_client: Any) -> Way:
    """Return the work through a client of the SDK and its async counterpart."""
    asked: Any = {"model": "tess-6", "messages": HISTORY}
    return Way(
        chat=lambda: client.chat.completions.create(**asked),
        stream=lambda: client.chat.completions.create(**asked, stream=True),
        async_chat=lambda: async_client.chat.completions.create(**asked),
    )


def litellm(base_url: str) -> Way:
    """Return the work through LiteLLM's route for OpenAI-compatible servers; it keeps its clients itself."""
    import litellm

    litellm.telemetry = False
    asked: Any = {"model": "openai/tess-6", "messages": HISTORY, "api_base": base_url, "api_key": KEY}
    return Way(
        chat=lambda: litellm.completion(**asked),
        stream=lambda: litellm.completion(**asked, stream=True),
        async_chat=lambda: litellm.acompletion(**asked),
    )


def any_llm(base_url: str) -> Way:
    """Return the work through any-llm's providers, one for each event loop: sync calls run in their own."""
    from any_llm import AnyLLM

    provider, async_provider = (AnyLLM.create("openai", api_key=KEY, api_base=base_url) for _ in range(2))
    asked: Any = {"model": "tess-6", "messages": HISTORY}
    return Way(
        chat=lambda: provider.completion(**asked),
        stream=lambda: provider.completion(**asked, stream=True),
        async_chat=lambda: async_provider.acompletion(**asked),
    )


WAYS: Final[Mapping[str, Callable[[str], Way]]] = {
    PLAIN: plain_sdk,
    OURS: tess_openai,
    "LiteLLM": litellm,
    "any-llm": any_llm,
}


def work(name: str, base_url: str, pipe: Any) -> None:
    """Do the tasks whose names the pipe receives; send the CPU and wall seconds of each, then the memory."""
    way = WAYS[name](base_url)
    loop = asyncio.new_event_loop()

    async def at_once() -> None:
        for _ in range(WAVES):
            await asyncio.gather(*[way.async_chat() for _ in range(AT_ONCE)])

    tasks: dict[str, Work] = {
        "chat": lambda: [way.chat() for _ in range(CHATS)],
        "stream": lambda: [sum(1 for _ in way.stream()) for _ in range(STREAMS)],
        "at once": lambda: loop.run_until_complete(at_once()),
    }
    while (task := pipe.recv()) is not None:
        began, cpu = time.perf_counter(), time.process_time()
        tasks[task]()
        pipe.send((time.process_time() - cpu, time.perf_counter() - began))
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def import_milliseconds(program: str) -> float:
    """Return the least CPU time of five imports in fresh processes, without the start of Python."""
    timed = f"import time; t = time.process_time(); {program}; print(time.process_time() - t)"
    command = [sys.executable, "-c", timed]
    ended = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(5)]
    return min(float(printed.split()[-1]) for printed in ended) * 1000


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Run every task with every library in turn, round by round; return the figures of each library.

    The rounds are divided into several sittings with fresh processes. The number of connections that a pool
    opens in its first wave and the layout of a process's memory are random and do not change later; they
    change the cost of the calls by up to a quarter.
    """
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # its import would fetch a list from the network
    seen: dict[str, dict[str, list[tuple[float, float]]]] = {
        name: {task: [] for task in TASKS} for name in WAYS
    }
    memory: dict[str, list[float]] = {name: [] for name in WAYS}
    for each in in_sittings(rounds):
        sit(each, seen, memory)
    figures: dict[str, dict[str, float]] = {name: {} for name in WAYS}
    for name, row in figures.items():
        for task, parts in TASKS.items():
            spent, plain = seen[name][task], seen[PLAIN][task]
            row[f"{task}, CPU"] = statistics.median(cpu for cpu, _ in spent) / parts * 1000
            row[f"{task}, wall"] = statistics.median(wall for _, wall in spent) / parts * 1000
            row[f"{task}, ratio"] = statistics.median(
                ours / theirs for (ours, _), (theirs, _) in zip(spent, plain, strict=True)
            )
        row["memory"] = statistics.median(memory[name])
        row["import"] = import_milliseconds(IMPORTS[name][0])
    return figures


def in_sittings(rounds: int) -> list[int]:
    """Distribute the rounds over the sittings as evenly as possible; few rounds take fewer sittings."""
    sittings = min(SITTINGS, rounds)
    return [rounds // sittings + (number < rounds % sittings) for number in range(sittings)]


def at_least_one(text: str) -> int:
    """Parse the number of rounds."""
    rounds = int(text)
    if rounds < 1:
        raise argparse.ArgumentTypeError(f"{rounds} rounds measure nothing; give 1 or more")
    return rounds


def sit(
    rounds: int, seen: dict[str, dict[str, list[tuple[float, float]]]], memory: dict[str, list[float]]
) -> None:
    """Run some rounds in new processes; add the times to `seen` and the memory of each to `memory`."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe()
    server = context.Process(target=serve, args=(sender,), daemon=True)
    server.start()
    base_url = f"http://127.0.0.1:{receiver.recv()}/agents/42/openai"
    pipes: dict[str, Any] = {}
    for name in WAYS:
        pipes[name], theirs = context.Pipe()
        context.Process(target=work, args=(name, base_url, theirs), daemon=True).start()
        theirs.close()  # so that a process that fails is noticed here
    for number in range(-2, rounds):  # two rounds to warm up
        names = list(WAYS)[number % len(WAYS) :] + list(WAYS)[: number % len(WAYS)]
        for task in TASKS:
            for name in names:
                pipes[name].send(task)
                spent = pipes[name].recv()
                if number >= 0:
                    seen[name][task].append(spent)
    for name, pipe in pipes.items():
        pipe.send(None)
        memory[name].append(pipe.recv())
    server.terminate()


def missed_bars(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a message for each bar of CPU that is missed, against the plain SDK and each peer."""
    missed: list[str] = []
    for task in TASKS:
        ratio = figures[OURS][f"{task}, ratio"]
        if ratio > BAR:
            missed.append(f"{task}: {ratio:.3f} of the plain SDK's CPU, the bar is {BAR}")
        for name in set(WAYS) - {PLAIN, OURS}:
            if ratio >= figures[name][f"{task}, ratio"]:
                missed += [f"{task}: not ahead of {name}"]
    return missed


def to_table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return the figures in Markdown."""
    lines = [
        "| | one chat | one chunk of a stream | one chat of 20 at once | memory | CPU of the import |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in figures.items():
        cells = [f"{name} {importlib.metadata.version(IMPORTS[name][1])}"]
        for task in TASKS:
            unit = 1000 if task == "stream" else 1
            word = "µs" if task == "stream" else "ms"
            cpu, wall = row[f"{task}, CPU"] * unit, row[f"{task}, wall"] * unit
            cells.append(f"{cpu:.2f} {word} CPU ({row[f'{task}, ratio']:.2f} x), {wall:.2f} {word} wall")
        cells += [f"{row['memory']:.0f} MB", f"{row['import']:.0f} ms"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def to_plot(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return a bar chart of the CPU of each library, in which the plain SDK is 1."""
    height, bar, left, scale = 24, 16, 110, 34
    shapes: list[str] = []
    y = 20
    titles = {"chat": "a chat", "stream": "a chunk of a stream", "at once": "a chat of 20 at once"}
    for task, title in titles.items():
        shapes.append(f'<text x="0" y="{y}" font-weight="bold">CPU of {title}, the plain SDK = 1</text>')
        y += 10
        for name, row in figures.items():
            ratio = row[f"{task}, ratio"]
            fill = "#3f51b5" if name == OURS else "#9e9e9e"
            shapes.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{name}</text>')
            shapes.append(
                f'<rect x="{left}" y="{y}" width="{ratio * scale:.0f}" height="{bar}" fill="{fill}"/>'
            )
            shapes.append(f'<text x="{left + ratio * scale + 6:.0f}" y="{y + 13}">{ratio:.2f}</text>')
            y += height
        y += 24
    widest = max(row[f"{task}, ratio"] for row in figures.values() for task in TASKS)
    width = left + widest * scale + 60
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {y}" font-family="sans-serif" '
        f'font-size="13" fill="#616161">\n{body}\n</svg>\n'
    )


def record(figures: Mapping[str, Mapping[str, float]], rounds: int) -> None:
    """Write the table and the plot into the page."""
    PLOT.write_text(to_plot(figures))
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    machine = (
        f"Python {platform.python_version()}, {rounds} rounds: {rounds * CHATS} chats, {rounds} streams of "
    )
    machine += f"1000 chunks, {rounds * WAVES} times 20 at once."
    summary = f"{BEGIN}\n\n{to_table(figures)}\n\n{machine}\n\n{END}"
    PAGE.write_text(f"{before}{summary}{rest.partition(END)[2]}")


def main() -> int:
    """Measure and print; write the page with `--record`, and return 1 for a missed bar with `--check`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=at_least_one, default=20, help="20 make 1000 chats (default); in 10 sittings"
    )
    parser.add_argument("--record", action="store_true", help="write docs/performance.md")
    parser.add_argument("--check", action="store_true", help="fail when a bar is missed")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    figures = measure(options.rounds)
    print(to_table(figures))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1))
    if options.record:
        record(figures, options.rounds)
    missed = missed_bars(figures)
    print("\n".join(missed) or "all bars hold")
    return int(bool(missed) and options.check)


if __name__ == "__main__":
    sys.exit(main())
