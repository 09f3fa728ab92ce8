"""Choose the flow for a request by its method and its path below the agent's OpenAI root or the API root.

Source: the Tess docs list chat completions as the only OpenAI route (documented).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tess_openai.core.calls import Answer, Call, Flow, Outgoing
from tess_openai.core.changes import quoted
from tess_openai.core.chat_call import CHAT_PATH, chat_completion
from tess_openai.core.completions.completions_flow import COMPLETIONS_PATH, complete_prompts
from tess_openai.core.fetching import read_error
from tess_openai.core.files import FILES_PATH, files
from tess_openai.core.flow_steps import exchange, read_piece
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import MAX_NESTING, is_nested_too_deep
from tess_openai.core.lookups import AGENTS_PATH, show_agent, show_agents
from tess_openai.core.models import MODELS_PATH, models
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, refuse
from tess_openai.core.responses.responses_flow import RESPONSES_PATH, create_response
from tess_openai.core.responses.stored_responses import (
    INPUT_TOKENS_PATH,
    count_input_tokens,
    stored_response,
)

UNSUPPORTED_ENDPOINTS: Final = {
    "agents": "OpenAI's agents",
    "assistants": "assistants",
    "audio": "speech or transcription",
    "batches": "batches",
    "chat": "stored chat completions",
    "chatkit": "ChatKit",
    "containers": "containers",
    "content_provenance_checks": "content provenance checks",
    "conversations": "conversations; pass root_id in extra_body to continue one of Tess's",
    "decisions": "decisions",
    "embeddings": "embeddings",
    "evals": "evals",
    "fine_tuning": "fine-tuning",
    "images": "images",
    "live": "live speech",
    "models": "fine-tuned models to delete",
    "moderations": "moderations",
    "organization": "OpenAI's administration",
    "projects": "OpenAI's administration",
    "realtime": "realtime",
    "safety": "OpenAI's safety checks",
    "skills": "skills",
    "threads": "threads",
    "uploads": "uploads",
    "vaults": "vaults",
    "vector_stores": "vector stores",
    "videos": "videos",
    "webhook_endpoints": "OpenAI's webhooks",
    "webhook_event_types": "OpenAI's webhooks",
}
"""OpenAI endpoints that Tess does not have: first segment of the path -> what the endpoint is."""
TESS_ENDPOINTS: Final = frozenset(
    {"chat", COMPLETIONS_PATH[1:], RESPONSES_PATH[1:], MODELS_PATH[1:], FILES_PATH[1:]}
)
"""First segments of the paths that the adapter answers."""
OTHER_ENDPOINTS: Final = tuple(name for name in UNSUPPORTED_ENDPOINTS if name not in ("chat", "models"))
"""Endpoints that `others=` may name; Tess itself has paths below `chat` and `models`."""


def route(call: Call, options: Options) -> Flow:
    """Return the flow for a call; a path that neither OpenAI nor this adapter defines is passed to Tess."""
    try:
        if not call.agent:
            return _below_root(call, options)
        if call.method == "POST" and call.path in _POSTED:
            if call.fields is None:
                _check_nesting(call)
            return _POSTED[call.path](call, options)
        if _is_below(RESPONSES_PATH, call.path):
            return stored_response(call, options)
        if call.method == "GET" and _is_below(MODELS_PATH, call.path):
            return models(call, options)
        if _is_below(FILES_PATH, call.path):
            return files(call, options)
        endpoint = call.path.lstrip("/").partition("/")[0]
        if endpoint in UNSUPPORTED_ENDPOINTS:
            raise _unsupported_endpoint(endpoint)
    except Refused as refused:
        return refuse(refused)
    return _pass(call, options)


_POSTED: Final[Mapping[str, Callable[[Call, Options], Flow]]] = {
    CHAT_PATH: chat_completion,
    COMPLETIONS_PATH: complete_prompts,
    RESPONSES_PATH: create_response,
    INPUT_TOKENS_PATH: count_input_tokens,
}
"""Path -> the flow of a POST to it that has a JSON body."""


PATHS_WITH_JSON: Final = frozenset(_POSTED)
"""Where the flow of a POST reads its body; other bodies, such as uploads, are streamed to Tess."""


def _check_nesting(call: Call) -> None:
    """Refuse a body that is nested too deeply to be parsed, and so cannot be translated."""
    if is_nested_too_deep(call.body):
        raise Refused(
            f"The request is nested deeper than {MAX_NESTING} levels, so it cannot be translated; it was not "
            "sent. Send deeply nested data as text, with json.dumps.",
            param=None,
            code="nested_too_deep",
        )


def _unsupported_endpoint(endpoint: str) -> Refused:
    remedy = ""
    if endpoint in OTHER_ENDPOINTS:
        remedy = (
            " A client of yours for another service can answer it: "
            f'others={{"{endpoint}": openai.OpenAI(...)}}, or openai.AsyncOpenAI(...) for an async client.'
        )
    return Refused(
        f"Tess does not have {UNSUPPORTED_ENDPOINTS[endpoint]}; the request was not sent. This adapter "
        f"answers chat completions, completions, responses, models and files.{remedy}",
        param=None,
        code="endpoint_not_supported",
        status=404,
    )


def is_openai_path(path: str) -> bool:
    """Whether a path ends with one of `PATHS_WITH_JSON`, below an agent or not."""
    return path.endswith(tuple(_POSTED))


def outside_agent(path: str) -> Refused:
    """Return the refusal of a call to an OpenAI endpoint that is not below an agent: Tess answers 404."""
    return Refused(
        f"The path {quoted(path)} is not below an agent of the configured base URL, so it would reach Tess "
        "untranslated; it was not sent. Pass the base URL that ends in /agents/8794/openai, with the number "
        'of your agent: connection(8794)["base_url"] gives it.',
        param=None,
        code="endpoint_not_supported",
        status=404,
    )


def _is_below(root: str, path: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _below_root(call: Call, options: Options) -> Flow:
    if is_openai_path(call.path):
        raise outside_agent(call.path)
    if call.method != "GET" or not _is_below(AGENTS_PATH, call.path):
        return _pass(call, options)
    agent = call.path.removeprefix(AGENTS_PATH).strip("/")
    if "/" in agent:
        return _pass(call, options)
    return show_agent(agent, call, options) if agent else show_agents(call, options)


def _pass(call: Call, options: Options) -> Flow:
    """Send a call with its own path and body, pass on a success unchanged, and translate an error."""
    incoming = yield from exchange(Outgoing(headers=request_headers(call, options)))
    leads_away = bool(incoming.headers.get("location")) and not incoming.redirects_within_api
    if incoming.status < 300 or (incoming.status < 400 and not leads_away):
        yield Answer(incoming.status, base="as is")
        while piece := (yield from read_piece()):
            yield piece
        return
    error = yield from read_error(incoming, options.max_retry_wait_seconds)
    yield error.to_answer()
