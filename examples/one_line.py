"""Two processes, one key, one line: docs/pacing.md#one-line-for-all-processes.

Each process makes eight calls at once. Runs against a simulated Tess whose seconds are ten times as short and
which allows one call in each. Needs no key.
"""

import multiprocessing
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import openai

from tess_openai import create_client
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, Profile, TessSimulator

PROCESSES, CALLS = 2, 8


def work(base_url: str, pacing: str | None) -> int:
    """Make the calls of one process; return how many were answered."""
    client = create_client(
        42,
        api_key=SIMULATOR_API_KEY,
        workspace_id=SIMULATOR_WORKSPACE_ID,
        base_url=base_url,
        requests_per_second=8,
        pacing=pacing,
        max_retries=0,
    )

    def ask(number: int) -> bool:
        question = [{"role": "user", "content": f"Question {number}"}]
        try:
            client.chat.completions.create(model="tess-6", messages=question)
        except openai.RateLimitError:
            return False
        return True

    with client, ThreadPoolExecutor(CALLS) as pool:
        return sum(pool.map(ask, range(CALLS)))


def batch(pacing: str | None) -> None:
    """Let all processes work at once, and print what became of their calls."""
    profile = Profile(requests_per_second=1)
    with TessSimulator(profile=profile, clock=lambda: 10 * time.monotonic()) as simulator:
        base_url = simulator.serve().base_url
        processes = multiprocessing.get_context("spawn").Pool(PROCESSES)
        with processes as pool:
            answered = sum(pool.starmap(work, [(base_url, pacing)] * PROCESSES))
        refused = sum(call.status == 429 for call in simulator.calls)
        print(f"   {answered} answers, {refused} times 429")


if __name__ == "__main__":
    print("Each process paces alone")
    batch(None)
    print("All processes share a line in a file")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        batch(f"sqlite:///{folder}/line.sqlite")
