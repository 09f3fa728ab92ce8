"""The status of an answer says whether its request may have been executed, and so be paid for."""

from __future__ import annotations

import pytest

from tess_openai.core.paid_once import IDEMPOTENT, may_have_run


@pytest.mark.parametrize(
    ("status", "may"),
    [
        pytest.param(101, True, id="an interim status, which ends nothing"),
        pytest.param(200, True, id="a success"),
        pytest.param(299, True, id="an unknown success"),
        pytest.param(300, False, id="several choices"),
        pytest.param(307, False, id="a redirect"),
        pytest.param(400, False, id="a refusal"),
        pytest.param(408, True, id="a timeout of the request, which a proxy may send for the server's"),
        pytest.param(409, False, id="a conflict"),
        pytest.param(429, False, id="a rate limit"),
        pytest.param(499, False, id="the last refusal"),
        pytest.param(500, False, id="Tess's report that the execution failed"),
        pytest.param(501, False, id="not implemented"),
        pytest.param(502, True, id="a lost answer"),
        pytest.param(503, False, id="no requests at the moment"),
        pytest.param(504, True, id="a gateway's timeout"),
        pytest.param(520, True, id="an unknown error behind Cloudflare"),
        pytest.param(521, False, id="a refused connection"),
        pytest.param(522, True, id="a connection that timed out"),
        pytest.param(523, False, id="an unreachable server"),
        pytest.param(524, True, id="an execution that continues"),
        pytest.param(529, False, id="an overloaded server"),
        pytest.param(530, False, id="no way to the server"),
        pytest.param(598, True, id="a proxy's timeout"),
        pytest.param(599, True, id="any other status"),
    ],
)
def test_the_status_says_whether_a_request_may_have_been_executed(status: int, may: bool) -> None:
    """One that may have been is not sent again, unless the program asks for it."""
    assert may_have_run(status) is may


def test_no_method_that_creates_something_is_idempotent() -> None:
    """A repeated POST is a second execution."""
    assert {"POST", "PATCH", "CONNECT"}.isdisjoint(IDEMPOTENT)
