"""Twenty calls at once, and Tess allows one a second: docs/pacing.md.

Runs against a simulated Tess whose seconds are ten times as short. Needs no key.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import openai

from tess_openai import create_client
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, Profile, TessSimulator

CALLS = 20


def batch(**options: float) -> None:
    """Make all calls at once and print what became of them."""
    profile = Profile(requests_per_second=1)
    with TessSimulator(profile=profile, clock=lambda: 10 * time.monotonic()) as simulator:
        client = create_client(
            42,
            api_key=SIMULATOR_API_KEY,
            workspace_id=SIMULATOR_WORKSPACE_ID,
            base_url=simulator.serve().base_url,
            max_retries=0,
            **options,
        )

        def ask(number: int) -> bool:
            question = [{"role": "user", "content": f"Question {number}"}]
            try:
                client.chat.completions.create(model="tess-6", messages=question)
            except openai.RateLimitError:
                return False
            return True

        start = time.perf_counter()
        with client, ThreadPoolExecutor(CALLS) as pool:
            answered = sum(pool.map(ask, range(CALLS)))
        refused = sum(call.status == 429 for call in simulator.calls)
        seconds = time.perf_counter() - start
        print(f"   {answered} answers, {refused} times 429, {seconds:.1f} s")


print("Without pacing")
batch()
print("With requests_per_second=8, of ten allowed")
batch(requests_per_second=8)
