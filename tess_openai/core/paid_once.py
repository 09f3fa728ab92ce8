"""Which requests may be sent again: not those whose execution may be running, or over, and paid for.

Source: RFC 9110, 9.2.2 (idempotent methods) and 15 (statuses); Cloudflare's pages on its 5xx errors for 520
to 530 (documented). That Tess executes a call although its caller gets no answer was observed for 524.
"""

from __future__ import annotations

from typing import Final

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods whose repetition does what one request does."""
NOT_EXECUTED: Final = {
    500: "Tess itself reports that the execution failed",
    501: "the server does not implement the request",
    503: "the server takes no requests at the moment",
    505: "the server does not speak this version of HTTP",
    511: "a network wants a login first",
    521: "Tess's server refused Cloudflare's connection",
    523: "Tess's server could not be reached",
    525: "the TLS handshake between Cloudflare and Tess failed",
    526: "Tess's certificate is invalid",
    529: "the server is overloaded and took no request",
    530: "Cloudflare found no way to Tess's server, a DNS error for example",
}
"""Statuses from 500 on which say that the request was not executed -> why."""
REPEATED_ON_REQUEST_HINT: Final = (
    "The execution may be running and be paid for, so a chat is sent again with repeat_paid=True only."
)


def may_have_run(status: int) -> bool:
    """Whether the request behind an answer with this status may have been executed.

    A redirect and a refusal were not executed, a success was. From 500 on a gateway may have lost the answer
    of a request that it had passed on, unless the status says otherwise.
    """
    if status < 300:
        return True
    if status < 500:
        return status == 408
    return status not in NOT_EXECUTED
