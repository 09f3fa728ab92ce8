"""Measure this package beside its peers, in an environment made for it: `make peers ARGS=--record`."""

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
    """Measure, and print what was measured."""
    outcome = attempt(PEERS, wheel=build_wheel())
    print(outcome.output)
    return int(outcome.verdict == "failed")


if __name__ == "__main__":
    sys.exit(main())
