"""The table of errors, made by letting the simulator cause each of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

import openai
from markdown_tables import code, escaped, json_text, short, table

from tess_openai import create_client
from tess_openai.core.jsons import JSONObject, to_object
from tess_openai.identifiers import DEFAULT_BASE_URL
from tess_openai.testing import (
    SIMULATOR_API_KEY,
    SIMULATOR_WORKSPACE_ID,
    Fault,
    Profile,
    TessSimulator,
    faults,
)

HELLO: Final = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}
WRONG_CALLS: Final[tuple[tuple[Profile, JSONObject, JSONObject], ...]] = (
    # which Tess, arguments of the client, arguments of the call
    (Profile(), {"api_key": "1|wrong"}, {}),
    (Profile.documented(), {"api_key": "1|wrong"}, {}),
    (Profile(), {"workspace_id": None}, {}),
    (Profile(), {"workspace_id": 9}, {}),
    (Profile(), {"default_headers": {"x-workspace-id": "mine"}}, {}),
    (Profile(), {"agent_id": 999}, {}),
    (Profile(), {}, {"model": "gpt-9"}),
    (Profile.documented(), {}, {"model": "gpt-9"}),
)
FAULTS: Final[tuple[tuple[Fault, bool], ...]] = (
    # a fault, and whether it strikes a stream
    (faults.rate_limited(retry_after_seconds=30), False),
    (faults.rate_limited(retry_after_seconds=3600), False),
    (faults.no_credits(), False),
    (faults.too_large(), False),
    (faults.server_error(), False),
    (faults.bad_gateway(), False),
    (faults.gateway_timeout(), False),
    (faults.error_in_200(), False),
    (faults.login_page(), False),
    (faults.redirect(), False),
    (faults.error_event(), True),
    (faults.ends_early(), True),
    (faults.non_json_line(), True),
)


def errors() -> str:
    """List the exception for each error of Tess, by causing the errors."""
    rows = [_error(profile, None, client, call) for profile, client, call in WRONG_CALLS]
    rows.extend(_error(Profile(), fault, {}, {"stream": stream}) for fault, stream in FAULTS)
    return table(("Tess answers", "you get, its `code`", "its text", "sent again"), rows)


def _error(
    profile: Profile, fault: Fault | None, client_options: JSONObject, call_options: JSONObject
) -> tuple[str, str, str, str]:
    """Cause an error and describe it: what Tess sent, the exception, its text, whether the SDK retries."""
    options: dict[str, Any] = {
        "agent_id": 42,
        "api_key": SIMULATOR_API_KEY,
        "workspace_id": SIMULATOR_WORKSPACE_ID,
        "base_url": DEFAULT_BASE_URL,
        "max_retries": 0,
        **client_options,
    }
    with TessSimulator(profile=profile) as simulator, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if fault is not None:
            simulator.fault(fault)
        http_client = openai.DefaultHttpxClient(transport=simulator.transport())
        with create_client(**options, http_client=http_client) as client:
            try:
                create = cast("Callable[..., Iterable[object]]", client.chat.completions.create)
                list(create(**{**HELLO, **call_options}))
            except openai.APIError as error:
                return _described(error, simulator.calls[-1].status)
    raise AssertionError(f"{fault or client_options or call_options} was to fail")


def _described(error: openai.APIError, status: int | None) -> tuple[str, str, str, str]:
    body = to_object(error.body) or {}
    tess = body.get("tess")
    message = (
        "nothing more" if tess is None else code(short(tess if isinstance(tess, str) else json_text(tess)))
    )
    where, again = "in a stream", "no"
    if isinstance(error, openai.APIStatusError):
        where = str(status)
        is_retriable = error.status_code >= 500 or error.status_code in (408, 409, 429)
        if is_retriable and error.response.headers.get("x-should-retry") != "false":
            again = "yes"
    return (
        f"{where} {message}",
        f"{code(type(error).__name__)}<br>{code(str(body.get('code')))}",
        escaped(str(body.get("message"))),
        again,
    )
