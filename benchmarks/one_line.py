"""Measure how eight processes share the rate of one key: no call is refused, lost or starved.

Usage: python benchmarks/one_line.py [--store sqlite|redis|none] [--calls N] [--rate N] [--check]

The processes make their calls in threads, as fast as the pacing lets them, against a simulated Tess that
allows exactly this rate for the key. The program prints the refusals, the calls without an answer, the time
from the first to the last call as a ratio of the ideal time, and the longest wait as a ratio of the fair
wait, in which every thread has one turn before any has a second. `--store redis` starts Debian's
`redis-server`. `--check` fails above the bars.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, Profile, TessSimulator

PROCESSES, THREADS = 8, 4
LONGEST_TOTAL, LONGEST_WAIT = 1.15, 1.5
"""The bars, as ratios of the ideal total and of the fair wait."""


def main() -> None:
    """Measure, print, and with `--check` compare with the bars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--store", choices=("sqlite", "redis", "none"), default="sqlite")
    parser.add_argument("--calls", type=int, default=400, help="number of calls of all processes together")
    parser.add_argument("--rate", type=int, default=10, help="calls a second that the key may make")
    parser.add_argument("--check", action="store_true", help="fail above the bars")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(**json.loads(arguments.work))
        return
    with tempfile.TemporaryDirectory() as folder, opened(arguments.store, Path(folder)) as url:
        faults = measure(url, arguments.calls, arguments.rate)
    if arguments.check and faults:
        sys.exit("; ".join(faults))


def measure(url: str | None, calls: int, rate: int) -> list[str]:
    """Run all processes, print the results, and return a message for each bar that was missed."""
    with TessSimulator(profile=Profile(requests_per_second=rate)) as simulator:
        job = {"url": url, "base_url": simulator.serve().base_url, "rate": rate, "calls": calls // PROCESSES}
        command = [sys.executable, __file__, "--work", json.dumps(job)]
        workers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(PROCESSES)
        ]
        for worker in workers:
            worker.stdout.readline()  # it has imported everything
        for worker in workers:
            worker.stdin.write("\n")
            worker.stdin.flush()
        results = [json.loads(worker.communicate()[0]) for worker in workers]
        refused = sum(call.status == 429 for call in simulator.calls)
    began = min(each["began"] for each in results)
    ended = max(each["ended"] for each in results)
    waits = [wait for each in results for wait in each["waits"]]
    lost = calls // PROCESSES * PROCESSES - len(waits)
    total, longest = (ended - began) * rate / (calls - 1), max(waits) * rate / (PROCESSES * THREADS)
    print(f"{url and url.partition(':')[0]}: {len(waits)} answers, {refused} times 429, {lost} lost")
    print(
        f"   {ended - began:.1f} s, {total:.2f} of the ideal; "
        f"longest wait {max(waits):.1f} s, {longest:.2f} of the fair one"
    )
    faults = {
        f"{refused} times 429": refused > 0,
        f"{lost} lost calls": lost > 0,
        f"the total is above {LONGEST_TOTAL} of the ideal": total > LONGEST_TOTAL,
        f"the longest wait is above {LONGEST_WAIT} of the fair one": longest > LONGEST_WAIT,
    }
    return [name for name, is_true in faults.items() if is_true]


def work(*, url: str | None, base_url: str, rate: int, calls: int) -> None:
    """Make the calls of one process, in threads that take the next one when they have an answer."""
    import threading

    import openai

    from tess_openai import create_client

    client = create_client(
        42,
        api_key=SIMULATOR_API_KEY,
        workspace_id=SIMULATOR_WORKSPACE_ID,
        base_url=base_url,
        requests_per_second=rate,
        pacing=url,
        max_retries=0,
    )
    waits: list[float] = []
    left = iter(range(calls))

    def call() -> None:
        for _ in left:
            began = time.monotonic()
            try:
                client.chat.completions.create(
                    model="tess-6", messages=[{"role": "user", "content": "hello"}]
                )
            except openai.APIError:
                continue
            waits.append(time.monotonic() - began)

    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    threads = [threading.Thread(target=call) for _ in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    print(json.dumps({"began": began, "ended": time.monotonic(), "waits": waits}))


@contextmanager
def opened(store: str, folder: Path) -> Iterator[str | None]:
    """Yield the URL of a new, unused store; None when no store is wanted."""
    if store != "redis":
        yield f"sqlite:///{folder}/line.sqlite" if store == "sqlite" else None
        return
    program: Any = shutil.which("redis-server")
    if program is None:
        sys.exit("redis-server is not installed: apt-get install redis-server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        time.sleep(1)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
