"""The checks that need the network: connection, key, workspace, agent, one call, one stream."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import openai

from tess_openai.agent_api import get_agent, list_agents
from tess_openai.cli.connect import AGENTS_OWN
from tess_openai.cli.doctor.verdicts import Verdict
from tess_openai.cli.error_messages import address_of, in_words_of_options, message_of, root_cause
from tess_openai.cli.fields import missing_fields
from tess_openai.core.agents import Agent
from tess_openai.core.error_hints import CREDITS_HINT, KEY_HINT, NOT_FOUND_HINT, TIMEOUT_HINT, WORKSPACE_HINT
from tess_openai.core.jsons import JSONObject

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

QUESTION: Final[list[ChatCompletionMessageParam]] = [
    {"role": "system", "content": "You answer briefly."},
    {"role": "user", "content": "Say OK."},
]
HINTS: Final = (CREDITS_HINT, KEY_HINT, NOT_FOUND_HINT, TIMEOUT_HINT, WORKSPACE_HINT)
RUNNABLE: Final = ("chat", "text")
NO_TLS: Final = ("HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "WRONG_VERSION_NUMBER")
"""OpenSSL's reasons, which depend on its release, for an answer that is not TLS."""
_KEY: Final = "Make a new key in Tess (user menu, API tokens), and set it in quotes: '123|abc...'."
_WORKSPACE: Final = "Set TESS_WORKSPACE_ID to the workspace that the key belongs to: Settings, Workspace."
_URL: Final = "Leave TESS_BASE_URL out; the older host is https://tess.pareto.io/api, with /api."
_LATER: Final = "Try again later; Tess itself is in trouble."
_CREDITS: Final = "Add credits to the workspace that TESS_WORKSPACE_ID names."


class _StepFailed(Exception):  # noqa: N818 - it ends the checks with a verdict
    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.finding)
        self.verdict = verdict


def online(client: openai.OpenAI, fields: JSONObject, *, calls: bool) -> Iterator[Verdict]:
    """Check one step after another, and stop at the first that fails.

    Args:
        client: A client without retries, so that each failure is reported.
        fields: The values of the fields that the agent requires besides the messages.
        calls: Whether the two calls that cost credits are made.
    """
    try:
        agent = _ask_for_agent(client)
        yield Verdict("connection", "ok", "Tess answers, and accepts the key and the workspace")
        yield _judge_agent(agent)
        if not calls:
            yield Verdict("call", "skipped", "not wanted: --no-calls")
            return
        if missing := missing_fields(agent, fields):
            finding = f"the agent asks for {', '.join(missing)}: a plain call without is refused"
            example = f'Pass it in your calls, extra_body={{"{missing[0]}": ...}}, and here with'
            yield Verdict("call", "wrong", finding, f"{example} --field {missing[0]}=...")
            return
        yield _call(client, fields)
        yield _stream(client, fields)
    except _StepFailed as failed:
        yield failed.verdict


def _ask_for_agent(client: openai.OpenAI) -> Agent:
    try:
        return get_agent(client=client)
    except openai.NotFoundError as error:
        raise _StepFailed(_not_found(client, error)) from error
    except openai.APIError as error:
        raise _StepFailed(to_verdict("connection", error)) from error


def _not_found(client: openai.OpenAI, error: openai.NotFoundError) -> Verdict:
    """Tell an unknown agent from an unknown API: the list of agents needs no agent."""
    try:
        known = next(iter(list_agents(client=client)), None)
    except openai.NotFoundError:
        return Verdict("base URL", "wrong", "there is no Tess API at the base URL", _URL)
    except openai.APIError:
        known = None
    hint = f" This key sees others, such as {known.id}." if known is not None else ""
    remedy = f"Check the number; a private agent is seen with its own workspace only.{hint}"
    return Verdict("agent", "wrong", f"Tess does not know this agent: {_reason(error)}", remedy)


def _judge_agent(agent: Agent) -> Verdict:
    finding = f"{agent.id}, {agent.title}" if agent.title else f"{agent.id}"
    if agent.type and agent.type not in RUNNABLE:
        remedy = "Only agents of the type chat answer chat calls; choose another: tess-openai agents."
        raise _StepFailed(Verdict("agent", "wrong", f"{finding}: it is of the type {agent.type}", remedy))
    if not agent.active:
        raise _StepFailed(Verdict("agent", "wrong", f"{finding}: it is not active", "Activate it in Tess."))
    if agent.type == "text":
        return Verdict(
            "agent", "warning", f"{finding}: a text agent; only chat agents are documented for this"
        )
    return Verdict("agent", "ok", finding)


def _call(client: openai.OpenAI, fields: JSONObject) -> Verdict:
    began = time.monotonic()
    try:
        answer = client.chat.completions.create(model=AGENTS_OWN, messages=QUESTION, extra_body=fields)
    except openai.APIError as error:
        raise _StepFailed(to_verdict("call", error)) from error
    seconds = time.monotonic() - began
    if not answer.choices[0].message.content:
        remedy = "Try the agent in Tess itself; it may have run into a limit."
        return Verdict("call", "warning", f"an empty answer after {seconds:.2f} s", remedy)
    return Verdict("call", "ok", f"answered in {seconds:.2f} s")


def _stream(client: openai.OpenAI, fields: JSONObject) -> Verdict:
    began, first, pieces = time.monotonic(), 0.0, 0
    try:
        with client.chat.completions.create(
            model=AGENTS_OWN, messages=QUESTION, stream=True, extra_body=fields
        ) as stream:
            for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    first = first or time.monotonic() - began
                    pieces += 1
    except openai.APIError as error:
        raise _StepFailed(to_verdict("stream", error)) from error
    except Exception as error:  # older SDKs let the HTTP library's own errors through
        raise _StepFailed(_broken("stream", error)) from error
    seconds = time.monotonic() - began
    if not pieces:
        return Verdict("stream", "warning", f"an empty stream after {seconds:.2f} s", "Try it again.")
    return Verdict("stream", "ok", f"the first text after {first:.2f} s, the last after {seconds:.2f} s")


def to_verdict(step: str, error: openai.APIError) -> Verdict:
    """Return the verdict for an error: what it means, and how to fix it."""
    if isinstance(error, openai.APIConnectionError):
        return _broken(step, error)
    finding = _reason(error)
    code = str(error.code or "")
    status = error.status_code if isinstance(error, openai.APIStatusError) else 0
    if code == "invalid_api_key":
        return Verdict("key", "wrong", finding, _KEY)
    if code.startswith("workspace_"):
        return Verdict("workspace", "wrong", finding, _WORKSPACE)
    if code == "insufficient_quota":
        return Verdict("credits", "wrong", finding, _CREDITS)
    if code in ("redirected", "not_an_answer", "empty_answer") or status in (404, 405):
        return Verdict("base URL", "wrong", finding, f"Something else than Tess answers. {_URL}")
    if status == 429:
        return Verdict(
            step, "wrong", finding, "Wait, and ask less often: about one request a second is let through."
        )
    if code in ("execution_timeout", "gateway_timeout"):
        remedy = "Stream long answers; if even short ones hang, put a system message first (seen to help)."
        return Verdict(step, "wrong", finding, remedy)
    if status >= 500:
        return Verdict(step, "wrong", finding, _LATER)
    return Verdict(
        step, "wrong", finding, "Read the reason above; tess-openai agent shows what the agent takes."
    )


def _reason(error: openai.APIError) -> str:
    """Return Tess's reason without the adapter's hint: the doctor says more precisely what to do."""
    finding = message_of(error)
    for hint in HINTS:
        finding = finding.removesuffix(hint)
    return in_words_of_options(finding).strip().rstrip(".")


def _broken(step: str, error: Exception) -> Verdict:
    """Return the verdict on a failed connection, from the causes of the error."""
    causes = list(_chain(error))
    names = {type(cause).__name__ for cause in causes}
    finding = root_cause(error)
    if isinstance(error, openai.APITimeoutError) or names & {"TimeoutError", "ReadTimeout", "ConnectTimeout"}:
        return Verdict(step, "wrong", "no answer in time", "Allow longer with --timeout; check the network.")
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        remedy = "Check TESS_BASE_URL for a misspelt host, and the network's name service."
        return Verdict("base URL", "wrong", f"the host is not known: {finding}", remedy)
    if any(getattr(cause, "reason", "") in NO_TLS for cause in causes):
        remedy = (
            "Is it http:// rather than https://? Check scheme and port of TESS_BASE_URL, or of the proxy."
        )
        return Verdict("TLS", "wrong", f"what answers there does not speak TLS: {finding}", remedy)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        remedy = "A proxy that opens TLS needs its certificates: SSL_CERT_FILE=/path/to/certificates.pem."
        return Verdict("TLS", "wrong", f"the connection cannot be trusted: {finding}", remedy)
    if "ProxyError" in names:
        return Verdict(
            "proxies", "wrong", f"the proxy refuses: {finding}", "Check HTTPS_PROXY and its password."
        )
    remedy = "Check host and port of TESS_BASE_URL, the proxies, and whether a firewall is in between."
    where = f" on the way to {address_of(error)}" if isinstance(error, openai.APIConnectionError) else ""
    return Verdict(step, "wrong", f"the connection fails{where}: {finding}", remedy)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
