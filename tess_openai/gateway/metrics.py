"""The numbers of `/metrics`: counts and times of calls, without ids, names or texts."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector  # pyright: ignore[reportUnknownVariableType]

from tess_openai.core.changes import Change

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST_CODES: Final = 100
_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_SEVERAL_PROCESSES: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that makes `prometheus-client` add up the numbers of several processes."""


class Metrics:
    """The numbers of one application.

    Args:
        waiting: Returns how many calls wait for the turn of their key.
    """

    def __init__(self, waiting: Callable[[], int] = lambda: 0) -> None:
        self._registry = CollectorRegistry()
        self._codes: set[str] = set()
        self._lock = Lock()
        registry = self._registry
        self._calls = Counter(
            "tess_gateway_calls", "Calls, by route and status.", ["route", "status"], registry=registry
        )
        self._errors = Counter(
            "tess_gateway_errors", "Errors, by OpenAI's code.", ["code"], registry=registry
        )
        self._first = Histogram(
            "tess_gateway_first_byte_seconds",
            "From the request to the first byte of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._events = Counter(
            "tess_gateway_stream_events", "Events of streams that were passed on.", registry=registry
        )
        self._asked = Counter(
            "tess_gateway_asked_again", "Further paid requests for emulated answers.", registry=registry
        )
        self._left = Counter(
            "tess_gateway_left", "Calls whose caller left before the end.", registry=registry
        )
        self._open = Gauge(
            "tess_gateway_open_calls",
            "Calls that are being answered.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._waiting = Gauge(
            "tess_gateway_waiting_in_line",
            "Calls that wait for the turn of their key.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._count_waiting = waiting

    def begin(self) -> float:
        """Note that a call begins; return the time, for `first_byte`."""
        self._open.inc()
        return time.perf_counter()

    def end(self, route: str, status: int) -> None:
        """Note that a call has ended with a status."""
        self._open.dec()
        self._calls.labels(route, str(status)).inc()

    def first_byte(self, route: str, began: float) -> None:
        """Note that the answer to a call begins."""
        self._first.labels(route).observe(time.perf_counter() - began)

    def events(self, count: int) -> None:
        """Note that events of a stream were passed on."""
        self._events.inc(count)

    def left(self) -> None:
        """Note that a caller left."""
        self._left.inc()

    def error(self, code: object) -> None:
        """Note an error; one whose code is not of the usual form counts as `other`."""
        label = "other"
        if isinstance(code, str) and _CODE.fullmatch(code):
            with self._lock:
                if code in self._codes or len(self._codes) < _MOST_CODES:
                    self._codes.add(code)
                    label = code
        self._errors.labels(label).inc()

    def change(self, change: Change) -> None:
        """Note a change of the adapter's; the `on_change` of the gateway."""
        if change.action == "asked again":
            self._asked.inc()

    def to_text(self) -> bytes:
        """Return the numbers in Prometheus' text format, added up over the processes if there are several."""
        self._waiting.set(self._count_waiting())
        if not os.environ.get(_SEVERAL_PROCESSES):
            return generate_latest(self._registry)
        together = CollectorRegistry()
        collect: Any = MultiProcessCollector  # it has no types
        collect(together)
        return generate_latest(together)
