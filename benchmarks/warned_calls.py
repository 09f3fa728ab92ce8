"""Measure the cost of a call that causes a warning, with 10 and with 1,000 concurrent tasks.

Usage: python benchmarks/warned_calls.py [--calls N] [--check]

The worst case is an application that is itself installed in site-packages and makes each call in a task of
its own: no line of the caller's program is on the stack or waits for the task, so the adapter searches every
place. 10 and 1,000 tasks make the same number of calls, under filters of several kinds, against a transport
that answers at once. The figure is CPU time for each call, the least of several rounds. A call without a
warning also costs more with 1,000 tasks; the event loop and the SDK cause this difference, so the ratio
excludes it. `--check` fails when the ratio is above the bar.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import sysconfig
import time
import warnings
from collections.abc import Callable
from typing import Any

import openai

from tess_openai import TessWarning, create_async_client
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator

BAR = 1.2
FEW, MANY = 10, 1_000
ROUNDS = 3
APPLICATION = """
import asyncio

async def work(client, calls, started, fields):
    await started.wait()
    for _ in range(calls):
        task = asyncio.create_task(client.chat.completions.create(**fields))
        done = asyncio.Event()
        task.add_done_callback(lambda _: done.set())
        await done.wait()
        task.result()
"""
FILTERS: dict[str, Callable[[], None]] = {
    "default": lambda: warnings.simplefilter("default"),
    "always": lambda: warnings.simplefilter("always"),
    "ignore": lambda: warnings.simplefilter("ignore", TessWarning),
    "by module": lambda: warnings.filterwarnings("always", category=TessWarning, module="an_application"),
    "by text": lambda: warnings.filterwarnings("always", message="seed"),
}


def main() -> None:
    """Measure, print, and with `--check` compare with the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=MANY, help="number of calls of all tasks together")
    parser.add_argument("--check", action="store_true", help="fail above the bar")
    arguments = parser.parse_args()
    names: dict[str, Any] = {"__name__": "an_application"}
    place = os.path.join(sysconfig.get_path("purelib"), "an_application.py")  # noqa: PTH118 - not a file
    exec(compile(APPLICATION, place, "exec"), names)
    warnings.showwarning = lambda *_, **__: None
    ratios: dict[str, float] = {}
    print("us of CPU for each call, and how much of it is due to the warning")
    print(f"{'filters':<12}{'10 tasks':>16}{'1,000 tasks':>16}{'ratio':>8}")
    for name, set_filters in FILTERS.items():
        costs: dict[int, tuple[float, float]] = {}
        for tasks in (FEW, MANY):
            with warnings.catch_warnings():
                set_filters()
                plain = best(names["work"], tasks, arguments.calls, {})
                warned = best(names["work"], tasks, arguments.calls, {"seed": 1})
            costs[tasks] = warned, warned - plain
        ratios[name] = (costs[FEW][0] + costs[MANY][1] - costs[FEW][1]) / costs[FEW][0]
        few, many = (f"{cost:.0f} ({more:+.0f})" for cost, more in costs.values())
        print(f"{name:<12}{few:>16}{many:>16}{ratios[name]:>8.2f}", flush=True)
    if arguments.check and max(ratios.values()) > BAR:
        sys.exit(f"a warned call with {MANY} tasks costs more than {BAR} of one with {FEW}")


def best(work: Callable[..., Any], tasks: int, calls: int, fields: dict[str, Any]) -> float:
    """Return microseconds of CPU for each call, the least of several rounds."""
    return min(asyncio.run(measure(work, tasks, calls, fields)) for _ in range(ROUNDS))


async def measure(work: Callable[..., Any], tasks: int, calls: int, fields: dict[str, Any]) -> float:
    """Return microseconds of CPU for each call, when all tasks have started before the first call."""
    simulator = TessSimulator()
    given = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}], **fields}
    async with create_async_client(
        42,
        api_key=SIMULATOR_API_KEY,
        workspace_id=SIMULATOR_WORKSPACE_ID,
        http_client=openai.DefaultAsyncHttpxClient(transport=simulator.async_transport()),
    ) as client:
        await client.chat.completions.create(**given)
        started = asyncio.Event()
        running = [asyncio.create_task(work(client, calls // tasks, started, given)) for _ in range(tasks)]
        await asyncio.sleep(0)
        before = time.process_time()
        started.set()
        await asyncio.gather(*running)
        return (time.process_time() - before) / (calls // tasks * tasks) * 1e6


if __name__ == "__main__":
    main()
