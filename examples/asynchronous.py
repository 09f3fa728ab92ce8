"""Many calls at once, a few at a time, and a stream: docs/asynchronous.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID.
"""

import asyncio
import time

import openai

from tess_openai import create_async_client

WORDS = ["sun", "moon", "sea", "wind", "rain", "snow"]


async def ask(client: openai.AsyncOpenAI, limit: asyncio.Semaphore, word: str) -> str:
    """Ask for one word, when it is its turn."""
    async with limit:
        completion = await client.chat.completions.create(
            model="tess-6",
            messages=[{"role": "user", "content": f"What is {word}?"}],
        )
        return completion.choices[0].message.content or ""


async def main() -> None:
    """Ask for all words, then stream one answer."""
    async with create_async_client(max_retries=5) as client:
        limit = asyncio.Semaphore(3)
        start = time.perf_counter()
        answers = await asyncio.gather(*(ask(client, limit, word) for word in WORDS))
        print(f"{len(answers)} answers in {time.perf_counter() - start:.2f} s, three calls at a time")
        for answer in answers:
            print("  ", answer)

        print("\nA stream")
        stream = await client.chat.completions.create(
            model="tess-6",
            messages=[{"role": "user", "content": "And the stars?"}],
            stream=True,
        )
        async for chunk in stream:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
        print()


asyncio.run(main())
