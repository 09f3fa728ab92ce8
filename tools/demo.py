"""`make demo`: run the examples that show the main job, against a simulated Tess or the real one.

When TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID are set, the real Tess answers, and its answers are
paid for; otherwise a simulator on loopback answers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import openai

from tess_openai import create_client
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator, faults

ROOT = Path(__file__).parents[1]
NEEDED = ("TESS_API_KEY", "TESS_AGENT_ID", "TESS_WORKSPACE_ID")
EXAMPLES = (
    "quickstart.py",
    "agents.py",
    "files.py",
    "function_calling.py",
    "structured_output.py",
    "responses.py",
)
COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def bold(text: str) -> str:
    """Return text for a heading: bold in a terminal."""
    return f"\033[1m{text}\033[0m" if COLOURED else text


def dim(text: str) -> str:
    """Return text for an aside: dim in a terminal."""
    return f"\033[2m{text}\033[0m" if COLOURED else text


def rule(title: str) -> None:
    """Print a heading."""
    print(f"\n{bold(title)}\n{dim('-' * 78)}", flush=True)


def run(example: Path, environment: dict[str, str]) -> None:
    """Run one example as its reader would."""
    rule(f"python {example.relative_to(ROOT)}")
    subprocess.run(
        [sys.executable, "-W", "default", str(example)], check=True, env={**os.environ, **environment}
    )


def wait_out(simulator: TessSimulator) -> None:
    """Show a 429 that names its wait in the body, where the SDK does not look."""
    rule("A 429 is waited out")
    simulator.fault(faults.rate_limited(retry_after_seconds=2))
    print(dim('   Tess answers 429 {"error": "Rate limit exceeded", "retry_after": 2} once.'), flush=True)
    before, start = len(simulator.calls), time.monotonic()
    with create_client(42) as client:
        completion = client.chat.completions.create(
            model="tess-6", messages=[{"role": "user", "content": "Are you busy?"}]
        )
    print(f"   answered after {time.monotonic() - start:.1f} s and {len(simulator.calls) - before} requests:")
    print("  ", completion.choices[0].message.content)
    simulator.fault(faults.rate_limited(retry_after_seconds=3600))
    with create_client(42, max_retry_wait=30) as client:
        try:
            client.chat.completions.create(model="tess-6", messages=[{"role": "user", "content": "And now?"}])
        except openai.RateLimitError as error:
            print(f"   a wait beyond max_retry_wait fails at once: {error}")


def main() -> int:
    """Run the demo; return the exit status of the first part that fails, or 0."""
    real = all(os.environ.get(name) for name in NEEDED)
    with nullcontext() if real else TessSimulator(model="obedient") as simulator:
        environment: dict[str, str] = {}
        if simulator is None:
            where = f"the real Tess, agent {os.environ['TESS_AGENT_ID']}: its answers are paid for"
        else:
            server = simulator.serve()
            where = f"a simulator of Tess on {server.base_url} (set {', '.join(NEEDED)} for the real one)"
            environment = {
                "TESS_API_KEY": SIMULATOR_API_KEY,
                "TESS_AGENT_ID": "42",
                "TESS_WORKSPACE_ID": str(SIMULATOR_WORKSPACE_ID),
                "TESS_BASE_URL": server.base_url,
            }
            os.environ.update(environment)
        print(f"{bold('tess_openai')} with openai {openai.VERSION}, talking to {where}")
        try:
            for name in EXAMPLES[:1] if real else EXAMPLES:
                run(ROOT / "examples" / name, environment)
        except subprocess.CalledProcessError as failed:
            return failed.returncode
        if simulator is not None:
            rule("What Tess received for part 3, which asked for temperature=0.7, top_p=0.9, seed=42")
            call = next(call for call in simulator.calls if b"creative" in call.body)
            print(f"   {call.method} {call.path}\n   {call.body.decode()}")
            wait_out(simulator)
            run(ROOT / "examples" / "pacing.py", environment)
    print(f"\n{dim('Next: README.md, docs/, examples/.')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
