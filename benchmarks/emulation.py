"""Measure what it costs to read the answers of a model when functions or structured output are emulated.

Usage: python benchmarks/emulation.py [--rounds N] [--check] [--hostile]

Each figure is the best of many rounds, in CPU seconds of this process, so that other work of the machine does
not count. The check of values against schemas is measured separately, because a library does it. `--check`
fails when a bar is missed: 20 microseconds a chunk, 1 millisecond for an answer of 4 kB. `--hostile` measures
the worst that a server can send instead: texts up to 1 MB, of which each character is a chunk of its own.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tess_openai.core.emulate.answer_reader import AnswerReader
from tess_openai.core.emulate.emulation import Emulation, parse_emulation
from tess_openai.core.prompts import Prompts
from tess_openai.core.schemas.schema_checker import SchemaCache

CHUNK_BAR, ANSWER_BAR = 20e-6, 1e-3
CHUNK, ANSWER = 20, 4096
NONCE = "tokibanuve"
PARAMETERS = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS = [{"type": "function", "function": {"name": "note", "parameters": PARAMETERS}}]
FUNCTIONS: dict[str, Any] = {"tools": TOOLS}
STRUCTURED: dict[str, Any] = {
    "response_format": {"type": "json_schema", "json_schema": {"name": "note", "schema": PARAMETERS}}
}

LINE = 'The quick brown fox, "Rex", jumps over 5 < 7 lazy dogs.\n'
TEXT = (LINE * (ANSWER // len(LINE) + 1))[:ANSWER]
CODE = ("```python\nif a < b:\n    print('<call>')\n```\n" * 200)[:ANSWER]
CALL = json.dumps({"name": "note", "arguments": {"text": TEXT[: ANSWER - 100]}})
SLOPPY_TEXT = repr(TEXT[: ANSWER - 100]).replace("\\n", "\n")
SLOPPY_CALL = f"{{'name': 'note', 'arguments': {{'text': {SLOPPY_TEXT}}}}}"
MANY = "".join(
    f'<call:{NONCE}>\n{{"name": "note", "arguments": {{"text": "{number}"}}}}\n</call:{NONCE}>\n'
    for number in range(50)
)
ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "prose": (FUNCTIONS, TEXT),
    "prose full of code fences and brackets": (FUNCTIONS, CODE),
    "a call": (FUNCTIONS, f"<call:{NONCE}>\n{CALL}\n</call:{NONCE}>"),
    "a call in sloppy JSON": (FUNCTIONS, f"<call:{NONCE}>\n{SLOPPY_CALL}\n</call:{NONCE}>"),
    "50 calls": (FUNCTIONS, MANY),
    "JSON": (STRUCTURED, json.dumps({"text": TEXT[: ANSWER - 100]})),
    "JSON, sloppy and in a fence": (STRUCTURED, f"Sure:\n```json\n{{'text': {SLOPPY_TEXT}}}\n```"),
    "prose with a stop sequence and a limit": ({"stop": ["END", "\n\n"], "max_tokens": 10_000}, TEXT),
}


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "prose with a bracket in each word": (FUNCTIONS, "word < "),
    "brackets that open": (FUNCTIONS, "{"),
    "brackets of tags": (FUNCTIONS, "<"),
    "fences": (FUNCTIONS, "```\n"),
    "thinking that begins": (FUNCTIONS, "<think>"),
    "marks that begin a call": (FUNCTIONS, f"<call:{NONCE}>\n"),
    "calls": (FUNCTIONS, f'<call:{NONCE}>\n{{"name": "note", "arguments": {{"text": "x"}}}}\n'),
    "JSON that opens": (STRUCTURED, "[{"),
}
SIZES = (125_000, 250_000, 500_000, 1_000_000)


def emulation_of(body: dict[str, Any]) -> Emulation:
    """Return the emulation that a request needs."""
    emulation = parse_emulation(
        body,
        ("tools", "response_format", "stop", "max_tokens"),
        agent_tools=(),
        prompts=Prompts(),
        schemas=SchemaCache(),
        new_id=lambda: "581850f6",  # it makes that nonce
    )
    if emulation is None:
        raise ValueError("nothing to emulate")
    return emulation


def best(action: Callable[[], object], rounds: int) -> float:
    """Return the least CPU time of an action, in seconds."""
    times: list[float] = []
    for _ in range(rounds):
        began = time.process_time_ns()
        action()
        times.append((time.process_time_ns() - began) / 1e9)
    return min(times)


def read(emulation: Emulation, pieces: Iterable[str]) -> None:
    """Read an answer that comes in pieces."""
    reader = AnswerReader(emulation)
    for piece in pieces:
        reader.feed(piece)
    reader.finish()


def measure(body: dict[str, Any], answer: str, rounds: int) -> tuple[float, float]:
    """Return the time a chunk of a stream takes, and the time the answer takes as a whole."""
    emulation = emulation_of(body)
    pieces = [answer[start : start + CHUNK] for start in range(0, len(answer), CHUNK)]
    streamed = best(lambda: read(emulation, pieces), rounds) / len(pieces)
    return streamed, best(lambda: read(emulation, [answer]), rounds)


def measure_hostile() -> None:
    """Print the seconds that texts of each size take, one character at a time."""
    print(f"{'one character a chunk':<42}" + "".join(f"{size:>12,}" for size in SIZES))
    for name, (body, unit) in HOSTILE.items():
        texts = [(unit * size)[:size] for size in SIZES]
        seconds = [best(partial(read, emulation_of(body), text), 1) for text in texts]
        print(f"{name:<42}" + "".join(f"{each:>10.2f} s" for each in seconds))


def main() -> int:
    """Measure, print a table, and return 1 when a bar was missed and `--check` was given."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--rounds", type=int, default=200)
    options.add_argument("--check", action="store_true", help="fail when a bar is missed")
    options.add_argument("--hostile", action="store_true", help="texts up to 1 MB, one character a chunk")
    given = options.parse_args()
    if given.hostile:
        measure_hostile()
        return 0
    missed = 0
    print(f"{'an answer of 4 kB':<42} {f'a chunk of {CHUNK}':>14} {'the whole':>12}")
    for name, (body, answer) in ANSWERS.items():
        chunk, whole = measure(body, answer, given.rounds)
        is_missed = chunk > CHUNK_BAR or whole > ANSWER_BAR
        missed += is_missed
        print(f"{name:<42} {chunk * 1e6:>11.2f} us {whole * 1e3:>9.3f} ms{'  MISSED' * is_missed}")
    schemas = SchemaCache()
    seconds = best(lambda: schemas.checker().check(PARAMETERS, {"text": "x"}), given.rounds)
    print(f"{'checking a value against a small schema':<42} {'':>14} {seconds * 1e3:>9.3f} ms")
    return 1 if missed and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
