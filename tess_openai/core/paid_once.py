"""Which requests may be sent again: idempotent ones, and those that certainly failed.

A request has certainly failed if it was not executed, or if Tess itself reports that its execution failed.

Source: RFC 9110, 9.2.2 (idempotent methods) and 15 (statuses); Cloudflare's pages on its 5xx errors for 520
to 530 (documented). After a 524, Tess executes the call although its caller gets no answer (observed).
"""

from __future__ import annotations

from typing import Final

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods that have the same effect when they are repeated."""
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
"""Statuses from 500 on that show that a request was not executed, or that its execution failed -> why."""
REPEAT_PAID_HINT: Final = (
    "The execution may be running and be paid for, so a chat is retried only with "
    "create_client(repeat_paid=True)."
)


def may_have_run(status: int) -> bool:
    """Whether the request behind an answer with this status may have been executed to its end.

    A redirected or refused request was not executed, a successful one was. With 408 and the statuses from 500
    on, a proxy may have lost the answer of a request that it had passed on, unless the status is in
    `NOT_EXECUTED`.
    """
    if status < 300:
        return True
    if status < 500:
        return status == 408
    return status not in NOT_EXECUTED
