"""Compare the gateway with LiteLLM's proxy: the same work, the same upstream, one run on one machine.

Usage: python benchmarks/gateway.py [--litellm PYTHON] [--record] [--check] [--quick]

LiteLLM runs from the environment that `make framework FRAMEWORK=litellm` makes. Each proxy is one process
with one worker; they work in turn, and the medians over the rounds are compared. The callers are plain
sockets of this process. The upstream is a process of its own that answers with fixed bytes; where the time
that a proxy adds is measured, it takes 80 to 120 ms for an answer, as an agent would. `--record` writes
docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from fixed_answers import COMPLETION, HISTORY, KEY, chunk

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "performance.md"
PLOT: Final = ROOT / "docs" / "assets" / "gateway.svg"
BEGIN, END = "<!-- gateway: written by benchmarks/gateway.py --record -->", "<!-- the end of gateway -->"
OURS: Final = "tess-openai serve"
PROVIDER: Final = "LiteLLM, our provider"
OPENAI: Final = "LiteLLM, openai/"
THROUGHPUT_BAR, ADDED_BAR_MS, STREAMS_BAR_MB, GROWTH_BAR_MB = 5.0, 3.0, 400.0, 15.0
SLOW_SECONDS: Final = 0.1
CALLERS, FEW_CALLERS, STREAMS = 50, 10, 1000
PROVIDER_FILE: Final = """\
from tess_openai import presets
tess = presets.litellm_provider(42, base_url={root!r}, api_key={key!r}, workspace_id=1, unsupported="ignore")
"""


def serve(port: Connection) -> None:
    """Answer with fixed bytes: at once, after `SLOW_SECONDS`, or with a stream that is held open."""
    whole = json.dumps(COMPLETION).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(whole)
    stream_head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    first = chunk({"role": "assistant", "content": "The sea"})
    last = chunk({"content": " is wide."}) + chunk({}, "stop") + b"data: [DONE]\n\n"
    release, chance = asyncio.Event(), random.Random(15)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).lower()
                if request.startswith(b"get /release"):
                    release.set()
                length = request.partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
                body = await reader.readexactly(int(length or b"0"))
                if b'"slow"' in body:
                    await asyncio.sleep(chance.uniform(0.8, 1.2) * SLOW_SECONDS)
                if b'"stream":' in body and b"true" in body.partition(b'"stream":')[2][:6]:
                    writer.write(stream_head + b"%x\r\n%b\r\n" % (len(first), first))
                    await release.wait()
                    writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last))
                else:
                    writer.write(head + whole)
                await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=2048)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy."""

    port: int
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Return the resident memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def running(
    command: list[str], folder: Path, ready: str, port: int, variables: Mapping[str, str]
) -> Iterator[Proxy]:
    """Start a proxy, wait until it answers, and stop it at the end."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **variables}, stdout=log, stderr=log
        )
    try:
        for _ in range(600):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}") as answer,
            ):
                if answer.status == 200:
                    break
            if process.poll() is not None:
                raise RuntimeError((folder / "log").read_text()[-2000:])
            time.sleep(0.2)
        yield Proxy(port, process)
    finally:
        process.terminate()
        process.wait(60)


@contextlib.contextmanager
def gateway(root: str, folder: Path) -> Iterator[Proxy]:
    """Start `tess-openai serve`."""
    port = free_port()
    command = [sys.executable, "-m", "tess_openai.cli", "serve", "--agent", "42", "--port", str(port)]
    variables = {"TESS_API_KEY": KEY, "TESS_WORKSPACE_ID": "1", "TESS_BASE_URL": root}
    with running(command, folder, "/healthz", port, variables) as proxy:
        yield proxy


@contextlib.contextmanager
def litellm(python: Path, root: str, folder: Path) -> Iterator[Proxy]:
    """Start LiteLLM's proxy with both ways to Tess."""
    (folder / "tess_provider.py").write_text(PROVIDER_FILE.format(root=root, key=KEY))
    base = {"api_base": f"{root}/agents/42/openai", "api_key": KEY}
    models = [
        {"model_name": f"{name} {kind}", "litellm_params": {"model": f"{name}/{kind}", **more}}
        for name, more in (("openai", base), ("tess", {}))
        for kind in ("tess-6", "slow")
    ]
    handler = {"provider": "tess", "custom_handler": "tess_provider.tess"}
    config = {
        "model_list": models,
        "litellm_settings": {"custom_provider_map": [handler], "telemetry": False},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    port = free_port()
    command = [str(python.with_name("litellm")), "--config", "config.yaml", "--host", "127.0.0.1"]
    variables = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # otherwise it fetches a list from the network
        "LITELLM_LOG": "ERROR",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    with running([*command, "--port", str(port)], folder, "/health/liveliness", port, variables) as proxy:
        yield proxy


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


async def call_in_turn(port: int, path: str, model: str, count: int, seconds: list[float]) -> None:
    """Make calls one after the other over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = to_request(port, path, {"model": model, "messages": HISTORY})
    for _ in range(count):
        began = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head[:14]:
            raise RuntimeError(head.decode())
        await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        seconds.append(time.perf_counter() - began)
    writer.close()


def to_request(port: int, path: str, fields: dict[str, Any]) -> bytes:
    """Return the bytes of a call."""
    body = json.dumps(fields).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {KEY}\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def call_at_once(port: int, path: str, model: str, *, callers: int, calls: int) -> tuple[float, float]:
    """Make calls from several callers at once; return the calls a second and the median seconds of one."""
    seconds: list[float] = []

    async def all_callers() -> None:
        count = calls // callers
        await asyncio.gather(*(call_in_turn(port, path, model, count, seconds) for _ in range(callers)))

    began = time.perf_counter()
    asyncio.run(all_callers())
    return len(seconds) / (time.perf_counter() - began), statistics.median(seconds)


async def open_streams(proxy: Proxy, upstream: int) -> tuple[int, float]:
    """Open streams and end them together; return how many were complete, and the MB while all were open."""

    async def begin() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        fields = {"model": "tess-6", "messages": HISTORY, "stream": True}
        writer.write(to_request(proxy.port, "/v1/chat/completions", fields))
        await reader.readuntil(b"The sea")
        return reader, writer

    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        rest = await reader.readuntil(b"0\r\n\r\n")
        writer.close()
        return b"[DONE]" in rest

    opened = [
        stream
        for _ in range(STREAMS // 100)
        for stream in await asyncio.gather(*(begin() for _ in range(100)))
    ]
    memory = proxy.memory_mb()
    await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{upstream}/release")
    return sum(await asyncio.gather(*(end(*stream) for stream in opened))), memory


def measure(python: Path, *, quick: bool) -> dict[str, dict[str, float]]:
    """Measure all proxies; return the figures of each by their names."""
    rounds, calls, theirs, many = (1, 500, 100, 2000) if quick else (3, 3000, 200, 50_000)
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe()
    context.Process(target=serve, args=(sender,), daemon=True).start()
    upstream: int = receiver.recv()
    root, folder = f"http://127.0.0.1:{upstream}", Path(tempfile.mkdtemp())
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    figures: dict[str, dict[str, float]] = {}
    with gateway(root, folder / "a") as ours, litellm(python, root, folder / "b") as other:
        ways = {OURS: (ours, "{}"), PROVIDER: (other, "tess {}"), OPENAI: (other, "openai {}")}
        rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
        for number in range(-1, rounds):  # one round to warm up
            direct = call_at_once(
                upstream, "/agents/42/openai/chat/completions", "slow", callers=FEW_CALLERS, calls=200
            )[1]
            for name, (proxy, model) in ways.items():
                count, spent = calls if name == OURS else theirs, proxy.cpu_seconds()
                path = "/v1/chat/completions"
                rate, _ = call_at_once(proxy.port, path, model.format("tess-6"), callers=CALLERS, calls=count)
                cpu = (proxy.cpu_seconds() - spent) / count * 1000
                _, slow = call_at_once(proxy.port, path, model.format("slow"), callers=FEW_CALLERS, calls=200)
                if number >= 0:
                    rows[name].append((rate, cpu, (slow - direct) * 1000))
        for name, row in rows.items():
            rate, cpu, added = (statistics.median(values) for values in zip(*row, strict=True))
            figures[name] = {"calls a second": rate, "CPU ms": cpu, "added ms": added}
            figures[name]["memory MB"] = ways[name][0].memory_mb()
    figures[OURS] |= measure_memory(root, folder / "a", upstream, many)
    return figures


def measure_memory(root: str, folder: Path, upstream: int, many: int) -> dict[str, float]:
    """Measure the memory of a fresh gateway over many calls, and with many open streams."""
    path = "/v1/chat/completions"
    with gateway(root, folder) as ours:
        call_at_once(ours.port, path, "tess-6", callers=CALLERS, calls=many // 10)
        before = ours.memory_mb()
        call_at_once(ours.port, path, "tess-6", callers=CALLERS, calls=many - many // 10)
        growth = ours.memory_mb() - before
        whole, memory = asyncio.run(open_streams(ours, upstream))
    return {"growth MB": growth, "streams whole": whole, "streams MB": memory}


def missed_bars(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a message for each bar that is missed."""
    ours, missed = figures[OURS], list[str]()
    for name in (PROVIDER, OPENAI):
        for unit, ratio in (
            ("calls a second", ours["calls a second"] / figures[name]["calls a second"]),
            ("CPU a call", figures[name]["CPU ms"] / ours["CPU ms"]),
        ):
            if ratio < THROUGHPUT_BAR:
                missed.append(
                    f"{unit}: {ratio:.1f} times better than {name}, the bar is {THROUGHPUT_BAR:.0f}"
                )
    limits = {"added ms": ADDED_BAR_MS, "streams MB": STREAMS_BAR_MB, "growth MB": GROWTH_BAR_MB}
    missed += [
        f"{name}: {ours[name]:.1f}, the bar is {bar}" for name, bar in limits.items() if ours[name] > bar
    ]
    if ours["streams whole"] < STREAMS:
        missed.append(f"only {ours['streams whole']:.0f} of {STREAMS} streams came whole")
    return missed


def to_table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return the figures in Markdown."""
    lines = [
        f"| | calls a second, {CALLERS} callers | CPU of a call | added, {FEW_CALLERS} callers | memory |",
        "|---|---|---|---|---|",
    ]
    for name, row in figures.items():
        lines.append(
            f"| {name} | {row['calls a second']:.0f} | {row['CPU ms']:.2f} ms | {row['added ms']:.1f} ms "
            f"| {row['memory MB']:.0f} MB |"
        )
    return "\n".join(lines)


def to_plot(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return the calls a second as bars."""
    widest = max(row["calls a second"] for row in figures.values())
    shapes: list[str] = []
    for number, (name, row) in enumerate(figures.items()):
        y, width = number * 28 + 30, row["calls a second"] / widest * 380
        fill = "#3f51b5" if name == OURS else "#9e9e9e"
        shapes.append(f'<text x="160" y="{y + 14}" text-anchor="end">{name}</text>')
        shapes.append(f'<rect x="168" y="{y}" width="{width:.0f}" height="18" fill="{fill}"/>')
        shapes.append(f'<text x="{174 + width:.0f}" y="{y + 14}">{row["calls a second"]:.0f}</text>')
    title = f'<text x="0" y="16" font-weight="bold">Calls a second, {CALLERS} callers, one worker</text>'
    size = (
        f'viewBox="0 0 620 {len(figures) * 28 + 36}" font-family="sans-serif" font-size="13" fill="#616161"'
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{title}\n' + "\n".join(shapes) + "\n</svg>\n"


def to_summary(figures: Mapping[str, Mapping[str, float]], version: str) -> str:
    """Return the sentences below the table."""
    ours = figures[OURS]
    return (
        f"LiteLLM {version}, Python {platform.python_version()}, one worker each, on one machine with "
        f"{os.cpu_count()} cores that also ran the callers and the upstream. Added: at the median, to an "
        "agent that takes about 100 ms. A fresh gateway grew by "
        f"{max(0.0, ours['growth MB']):.1f} MB from the 5,000th to the 50,000th call. "
        f"{STREAMS:,} streams that were open at once in one worker took {ours['streams MB']:.0f} MB in all, "
        f"and {ours['streams whole']:.0f} of them came whole."
    )


def record(figures: Mapping[str, Mapping[str, float]], version: str) -> None:
    """Write the table and the plot into the page."""
    PLOT.write_text(to_plot(figures))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    summary = f"{BEGIN}\n\n{to_table(figures)}\n\n{to_summary(figures, version)}\n\n{END}"
    PAGE.write_text(f"{before}{summary}{rest.partition(END)[2]}")


def main() -> int:
    """Measure and print; write the page with `--record`, and return 1 for a missed bar with `--check`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--litellm", type=Path, default=ROOT / ".lanes" / "litellm" / "bin" / "python")
    parser.add_argument("--record", action="store_true", help="write docs/performance.md")
    parser.add_argument("--check", action="store_true", help="fail when a bar is missed")
    parser.add_argument("--quick", action="store_true", help="a few calls, to see that it works")
    options = parser.parse_args()
    ask = "import importlib.metadata; print(importlib.metadata.version('litellm'))"
    version = subprocess.run(
        [options.litellm, "-c", ask], capture_output=True, text=True, check=True
    ).stdout.strip()
    figures = measure(options.litellm, quick=options.quick)
    print(to_table(figures), to_summary(figures, version), sep="\n\n")
    if options.record:
        record(figures, version)
    missed = missed_bars(figures)
    print("\n".join(missed) or "all bars hold")
    return int(bool(missed) and options.check)


if __name__ == "__main__":
    sys.exit(main())
