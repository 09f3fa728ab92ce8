"""Compare this package with its peers, in an environment of their own: `make peers ARGS=--record`."""

from __future__ import annotations

import sys
from typing import Final

from lanes import Lane, attempt, build_wheel

PEERS: Final = Lane(
    name="peers",
    needs=("litellm", "any-llm-sdk"),
    since=(3, 11),
    program=("benchmarks/peers.py", *sys.argv[1:]),
    bare=True,
)


def main() -> int:
    """Run the benchmark and print its output; return 1 when it failed."""
    outcome = attempt(PEERS, wheel=build_wheel())
    print(outcome.output)
    return int(outcome.verdict == "failed")


if __name__ == "__main__":
    sys.exit(main())
