"""Which flow answers a request: by method and path below the agent's OpenAI root.

Source: Tess docs list one OpenAI route, chat completions (documented by absence of others).
"""

from __future__ import annotations

from typing import Final

from tess_openai.core.calls import Answer, Call, Flow, Outgoing, exchange, read_all
from tess_openai.core.chat.flow import chat_completion
from tess_openai.core.errors import ERROR_BODY_LIMIT, parse_error, parse_redirect
from tess_openai.core.headers import check_key, request_headers
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused

CHAT: Final = "/chat/completions"

ABSENT: Final = {
    "agents": "OpenAI's agents",
    "assistants": "assistants",
    "audio": "speech or transcription",
    "batches": "batches",
    "chat": "stored chat completions",
    "chatkit": "ChatKit",
    "completions": "text completions (the endpoint before chat)",
    "containers": "containers",
    "content_provenance_checks": "content provenance checks",
    "conversations": "conversations; pass root_id in extra_body to continue one of Tess's",
    "decisions": "decisions",
    "embeddings": "embeddings",
    "evals": "evals",
    "files": "files below an agent",
    "fine_tuning": "fine-tuning",
    "images": "images",
    "live": "live speech",
    "models": "a list of models",
    "moderations": "moderations",
    "organization": "OpenAI's administration",
    "projects": "OpenAI's administration",
    "realtime": "realtime",
    "responses": "the Responses API; use chat completions (in LangChain use_responses_api=False, in "
    'openai-agents set_default_openai_api("chat_completions"))',
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
"""First part of the path of each endpoint of OpenAI's that Tess does not have -> what it is."""


def route(call: Call, options: Options) -> Flow:
    """Return the flow for a call. A path that is none of OpenAI's goes to Tess as it is."""
    try:
        check_key(call)
        if call.path == CHAT and call.method == "POST":
            return chat_completion(call, options)
        endpoint = call.path.lstrip("/").partition("/")[0]
        if endpoint in ABSENT:
            raise _absent(endpoint)
    except Refused as refused:
        return refuse(refused)
    return _pass(call, options)


def refuse(refused: Refused) -> Flow:
    """Answer with a refusal."""
    yield refused.to_answer()


def _absent(endpoint: str) -> Refused:
    return Refused(
        f"Tess does not have {ABSENT[endpoint]}. An agent of Tess serves chat completions only; the request "
        "was not sent.",
        param=None,
        code="endpoint_not_supported",
        status=404,
    )


def _pass(call: Call, options: Options) -> Flow:
    incoming = yield from exchange(Outgoing(headers=request_headers(call, options)))
    location = incoming.headers.get("location", "")
    if 300 <= incoming.status < 400 and location and not incoming.stays:
        yield parse_redirect(incoming.status, location, stays=False).to_answer()
        return
    if incoming.status < 400:
        yield Answer(incoming.status, base="as is")
        return
    body = yield from read_all(ERROR_BODY_LIMIT)
    wait = options.max_retry_wait_seconds
    error = parse_error(incoming.status, incoming.headers, body, max_retry_wait_seconds=wait)
    yield error.to_answer()
