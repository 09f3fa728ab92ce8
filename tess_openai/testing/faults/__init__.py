"""What can go wrong between Tess and a client, each as a value for `TessSimulator.fault`.

Source: 429, 500 and 413 are documented; 524, the 500 of a phantom run and HTML pages are observed; the
faults of the transfer are known from OpenAI's SDK and from similar services, and assumed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tess_openai.testing.faults.fault import NO_FAULT, Fault, together
from tess_openai.testing.faults.instead import (
    answers,
    bad_gateway,
    dropped_connection,
    empty_answer,
    error_in_200,
    gateway_timeout,
    hang,
    login_page,
    no_credits,
    rate_limited,
    redirect,
    server_error,
    too_large,
)
from tess_openai.testing.faults.run import empty_content, finish_reason, json_for_stream, stream_for_json
from tess_openai.testing.faults.transfer import (
    breaks_off,
    byte_order_mark,
    compressed,
    crlf,
    ends_early,
    error_event,
    in_bytes,
    keep_alives,
    non_json_line,
    single_newlines,
    slow,
    stalls,
    without_done,
)

__all__ = [
    "FAULTS",
    "NO_FAULT",
    "Fault",
    "answers",
    "bad_gateway",
    "breaks_off",
    "byte_order_mark",
    "compressed",
    "crlf",
    "dropped_connection",
    "empty_answer",
    "empty_content",
    "ends_early",
    "error_event",
    "error_in_200",
    "finish_reason",
    "gateway_timeout",
    "hang",
    "in_bytes",
    "json_for_stream",
    "keep_alives",
    "login_page",
    "no_credits",
    "non_json_line",
    "rate_limited",
    "redirect",
    "server_error",
    "single_newlines",
    "slow",
    "stalls",
    "stream_for_json",
    "together",
    "too_large",
    "without_done",
]

FAULTS: Final[Mapping[str, Callable[..., Fault]]] = {
    make.__name__: make
    for make in (
        rate_limited,
        gateway_timeout,
        server_error,
        bad_gateway,
        no_credits,
        too_large,
        login_page,
        empty_answer,
        error_in_200,
        redirect,
        hang,
        dropped_connection,
        json_for_stream,
        stream_for_json,
        empty_content,
        finish_reason,
        ends_early,
        without_done,
        breaks_off,
        stalls,
        error_event,
        keep_alives,
        non_json_line,
        crlf,
        single_newlines,
        byte_order_mark,
        in_bytes,
        slow,
        compressed,
    )
}
"""The faults that need no argument, by name."""
